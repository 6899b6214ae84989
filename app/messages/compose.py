"""Puts a message into words: the mail with its headers, or the script of a call, from the facts of its kind."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.announcements import OPERATOR_ALERT, read_facts
from app.domain.confirmations import ABOUT_ADDRESSES, CONFIRMATION, REMOVAL
from app.domain.money import UnitPrice
from app.formatting import format_date, format_money, format_unit_price
from app.messages.defused import defused, defused_facts
from app.messages.invoice_words import ISSUER
from app.messages.render import STATIC, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from jinja2 import Template

    from app.domain.json_values import JsonObject

STYLE_SHEET = STATIC / "message.css"
LONGEST_SUBJECT = 150

_SUMMARY, _PLAN, _INVOICES = (
    ("summary", "Open the Billing Summary"),
    ("plan", "Open your plan"),
    ("invoices", "Open your invoices"),
)
_METHODS, _CONTACTS = ("payment-methods", "Open your payment methods"), ("contacts", "Open your payment contacts")

PAGES: dict[AlertKind, tuple[str, str]] = {
    AlertKind.ALLOWANCE_NEARLY_USED: _SUMMARY,
    AlertKind.ALLOWANCE_EXCEEDED: _PLAN,
    AlertKind.COST_EFFECTIVE_EXCEEDED: _PLAN,
    AlertKind.FORECAST_OVER_ALLOWANCE: _PLAN,
    AlertKind.UPGRADE_SCHEDULED: _PLAN,
    AlertKind.UPGRADE_DONE: _PLAN,
    AlertKind.INVOICE_READY: _INVOICES,
    AlertKind.PAYMENT_RECEIVED: _INVOICES,
    AlertKind.PAYMENT_REFUNDED: _INVOICES,
    AlertKind.PAYMENT_FAILED: _METHODS,
    AlertKind.BACKUP_USED: _METHODS,
    AlertKind.CARD_EXPIRING: _METHODS,
    AlertKind.SUSPENSION_SCHEDULED: _INVOICES,
    AlertKind.SUSPENDED: _INVOICES,
    AlertKind.REACTIVATED: _SUMMARY,
    AlertKind.PLAN_CHANGED: _PLAN,
    AlertKind.ADD_ON_BOUGHT: _PLAN,
    AlertKind.ADD_ON_ENDED: _PLAN,
    AlertKind.CONTACT_CHANGED: _CONTACTS,
    AlertKind.PAYMENT_METHOD_CHANGED: _METHODS,
}
"""Which page of the portal a message leads to, and what its button says; never a signed document."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who a message is for: a person, at an account (empty for the operator on call)."""

    name: str
    account_name: str
    account_number: str
    is_contact: bool

    def defused(self) -> Addressee:
        """Return the same with names that no mail program makes a link of."""
        return replace(
            self,
            name=defused(self.name),
            account_name=defused(self.account_name),
            account_number=defused(self.account_number),
        )


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail in words; `subject` is one line of what prints."""

    subject: str
    text: str
    html: str


class Composer:
    """Renders messages. `portal_url` is where the portal's pages are."""

    def __init__(self, portal_url: str) -> None:
        self._portal_url = portal_url.rstrip("/")
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(_FILTERS)
        # Our own file; escaped it would be no style sheet.
        style = STYLE_SHEET.read_text(encoding="utf-8")
        self._environment.globals.update(style=Markup(style), issuer=ISSUER)  # noqa: S704
        self._template = lru_cache(maxsize=None)(self._environment.get_template)

    def mail(
        self,
        kind: str,
        data: JsonObject,
        addressee: Addressee,
        *,
        unsubscribe_url: str | None = None,
        confirmation_url: str | None = None,
    ) -> MailText:
        """Return the mail of a kind. With an address to unsubscribe at, it says so; a duty says why there is none.

        The mail that asks an address to confirm leads to `confirmation_url`.
        """
        subject = self._subject(kind, self._words(kind, data, addressee))
        safe = addressee if kind == OPERATOR_ALERT else addressee.defused()
        words = self._words(kind, data, safe, is_defused=kind != OPERATOR_ALERT)
        page = self._page(kind, confirmation_url)
        words |= {
            "subject": self._subject(kind, words),
            "greeting": f"Hello {safe.name}," if safe.name else "Hello,",
            "page_url": page and page[0],
            "page_label": page and page[1],
            "unsubscribe_url": unsubscribe_url,
            "reasons": list(_reasons(kind, data, safe, can_unsubscribe=unsubscribe_url is not None)),
        }
        text = _tidy(self._kind_template(kind, "body.txt").render(words))
        html = self._inliner.inline(self._kind_template(kind, "body.html").render(words))
        return MailText(subject, text, html)

    def script(self, kind: str, data: JsonObject, addressee: Addressee) -> str:
        """Return what an operator says on the phone."""
        return _tidy(self._kind_template(kind, "call.txt").render(self._words(kind, data, addressee)))

    def _page(self, kind: str, confirmation_url: str | None) -> tuple[str, str] | None:
        """Return where a mail leads, and what its button says."""
        if kind == CONFIRMATION and confirmation_url is not None:
            return confirmation_url, "Confirm or decline"
        if kind not in list(AlertKind):
            return None
        name, label = PAGES[AlertKind(kind)]
        return f"{self._portal_url}/billing/{name}", label

    def _subject(self, kind: str, words: dict[str, Any]) -> str:
        return one_line(self._kind_template(kind, "subject.txt").render(words), LONGEST_SUBJECT)

    def _words(self, kind: str, data: JsonObject, addressee: Addressee, *, is_defused: bool = False) -> dict[str, Any]:
        facts = read_facts(kind, data)
        facts = defused_facts(facts) if is_defused else facts
        return {"facts": facts, "account": addressee.account_name, "recipient": addressee.name}

    def _kind_template(self, kind: str, name: str) -> Template:
        return self._template(f"{kind.lower()}/{name}")


def one_line(text: str, longest: int) -> str:
    """Return text as one line of what prints, cut to a length: no name in it can begin another header."""
    printable = "".join(" " if unicodedata.category(letter) in _BREAKING else letter for letter in text)
    joined = " ".join(printable.split())
    return joined if len(joined) <= longest else f"{joined[: longest - 1].rstrip()}…"


def _reasons(kind: str, data: JsonObject, addressee: Addressee, *, can_unsubscribe: bool) -> Iterator[str]:
    if kind == OPERATOR_ALERT:
        yield "You get this because your address is set as that of the operator on call."
        return
    whose = f"{addressee.account_name} ({addressee.account_number})"
    if kind in ABOUT_ADDRESSES:
        yield from _REASONS_OF_ADDRESSES[kind]
        return
    definition = CATALOGUE[AlertKind(kind)]
    if data.get("is_asked_for"):
        yield f"You get this because somebody who looks after {whose} asked for it to be sent again."
        return
    if addressee.is_contact:
        yield f"You get this because you are a payment contact of {whose} for “{definition.title}”."
        if not can_unsubscribe:
            yield (
                "It is part of what a payment contact is there for, so it cannot be unsubscribed from here: ask an "
                "administrator of the account to change what you are told about."
            )
        return
    yield f"You get this because you are an administrator of {whose} and have the alert “{definition.title}” on."
    if not can_unsubscribe:
        yield "This alert protects the account and cannot be switched off."


def _tidy(text: str) -> str:
    """Return plain text with at most one empty line in a row, ending in a newline."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or lines[at - 1]]
    return "\n".join(kept) + "\n"


def _duration(seconds: int) -> str:
    """Return seconds exactly, as minutes and seconds: `3,817 min 22 s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"


def _month(on: date) -> str:
    return f"{on:%B} {on.year}"


def _digits(number: int) -> str:
    """Return a number digit by digit, as it is read out: `1 0 0 0 0 1`."""
    return " ".join(str(number))


def _day_or(on: date | None, otherwise: str) -> str:
    return otherwise if on is None else format_date(on)


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _words(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names) or "all"


_REASONS_OF_ADDRESSES = {
    CONFIRMATION: ("Nothing else is sent to this address unless you confirm. Do you not know the account? Decline.",),
    REMOVAL: ("This is the last message to this address about the account.",),
}

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})

_FILTERS: dict[str, Any] = {
    "money": format_money,
    "rate": lambda rate: format_unit_price(UnitPrice(rate)),
    "day": format_date,
    "day_or": _day_or,
    "month": _month,
    "duration": _duration,
    "digits": _digits,
    "numbers": _numbers,
    "words": _words,
}
