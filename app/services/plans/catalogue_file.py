"""Reads a file of plan and add-on versions, as TOML or JSON; knows no database.

    [[plans]]
    code = "100"
    name = "100 Minutes"
    base = "149.00"
    included_minutes = 100
    overage_rate = "1.2950"
    valid_from = 2027-01-01
    existing_accounts_move_on = 2027-03-01      # optional: without it existing accounts keep their price

    [[add_ons]]
    code = "on-call"
    name = "On-Call"
    monthly = "29.00"
    terms_version = "2027-01"
    terms = "…"
    valid_from = 2027-01-01
    entitlement = "onCall"                      # what it unlocks; none for an additional line
    kind = "ADD_ON"                             # or ADDITIONAL_LINE
    is_prorated = true

JSON has the same fields, its dates as texts. Money is text: a number with a point would not be exact.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.domain.add_ons import AddOnVersion
from app.domain.invoice_lines import LineKind
from app.domain.money import UNIT_PRICE_PER_CENT, UnitPrice
from app.domain.plans import PlanVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

_MONEY = re.compile(r"(?P<whole>[0-9]{1,7})(?:\.(?P<part>[0-9]{2}|[0-9]{4}))?")
_PLAN_FIELDS = frozenset(
    {
        "code",
        "name",
        "base",
        "included_minutes",
        "overage_rate",
        "valid_from",
        "valid_before",
        "existing_accounts_move_on",
    }
)
_ADD_ON_FIELDS = frozenset(
    {
        "code",
        "name",
        "monthly",
        "terms_version",
        "terms",
        "valid_from",
        "valid_before",
        "entitlement",
        "kind",
        "is_prorated",
    }
)
_SOLD_KINDS = {str(kind): kind for kind in (LineKind.ADD_ON, LineKind.ADDITIONAL_LINE)}


class InvalidCatalogueFile(ValueError):
    """The file cannot be read as a catalogue; `place` is where, such as `plans[2].base`, counted from 1."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}.")
        self.place = place


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """The versions that a file names."""

    plans: tuple[PlanVersion, ...]
    add_ons: tuple[AddOnVersion, ...]


def read_catalogue_file(content: bytes) -> CatalogueFile:
    """Read a catalogue, as JSON where it begins with a brace and as TOML otherwise.

    :raises InvalidCatalogueFile: naming the first place that cannot be read, and what should stand there.
    """
    document = _parse(content)
    unknown = sorted(set(document) - {"plans", "add_ons"})
    if unknown:
        raise InvalidCatalogueFile(unknown[0], "a catalogue has plans and add_ons, nothing else")
    plans = tuple(_plan(_Entry(place, entry, _PLAN_FIELDS)) for place, entry in _entries(document, "plans"))
    add_ons = tuple(_add_on(_Entry(place, entry, _ADD_ON_FIELDS)) for place, entry in _entries(document, "add_ons"))
    if not plans and not add_ons:
        raise InvalidCatalogueFile("the file", "it names no plan and no add-on")
    return CatalogueFile(plans, add_ons)


class _Entry:
    """One table of the file, whose fields are read by kind; `place` is where it stands."""

    def __init__(self, place: str, fields: Mapping[str, Any], known: frozenset[str]) -> None:
        self._place, self._fields = place, fields
        unknown = sorted(set(fields) - known)
        if unknown:
            raise InvalidCatalogueFile(
                f"{place}.{unknown[0]}", f"there is no such field, only {', '.join(sorted(known))}"
            )

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > 4_000:
            raise self._refuse(name, "a text is needed")
        return value.strip()

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self._fields else None

    def whole_number(self, name: str) -> int:
        value = self._fields.get(name)
        if type(value) is not int or not 0 <= value < 10_000_000:
            raise self._refuse(name, "a whole number from 0 on is needed")
        return value

    def truth(self, name: str, default: bool) -> bool:  # noqa: FBT001 -- the value itself
        value = self._fields.get(name, default)
        if not isinstance(value, bool):
            raise self._refuse(name, "true or false is needed")
        return value

    def unit_price(self, name: str) -> UnitPrice:
        """Return dollars with none, two or four decimals."""
        match = _MONEY.fullmatch(self.text(name)) if isinstance(self._fields.get(name), str) else None
        if match is None:
            raise self._refuse(name, 'dollars as text are needed, such as "139.00"')
        part = match["part"] or ""
        return UnitPrice(int(match["whole"]) * 10_000 + int(part.ljust(4, "0")))

    def rate(self, name: str) -> UnitPrice:
        price = self.unit_price(name)
        if price == 0:
            raise self._refuse(name, "a rate above zero is needed")
        return price

    def cents(self, name: str) -> int:
        cents, rest = divmod(self.unit_price(name), UNIT_PRICE_PER_CENT)
        if rest:
            raise self._refuse(name, "whole cents are needed")
        return cents

    def day(self, name: str) -> date:
        value = self._fields.get(name)
        if type(value) is date:
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 -- a date has no zone
        except ValueError:
            raise self._refuse(name, "a date is needed, such as 2027-01-01") from None

    def optional_day(self, name: str) -> date | None:
        return self.day(name) if name in self._fields else None

    def kind(self, name: str) -> LineKind:
        kind = _SOLD_KINDS.get(str(self._fields.get(name, LineKind.ADD_ON)))
        if kind is None:
            raise self._refuse(name, f"{' or '.join(_SOLD_KINDS)} is needed")
        return kind

    def _refuse(self, name: str, problem: str) -> InvalidCatalogueFile:
        return InvalidCatalogueFile(f"{self._place}.{name}", problem)


def _parse(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidCatalogueFile("the file", f"it is neither TOML nor JSON ({error})") from error
    return dict(document)


def _entries(document: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    entries = document.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidCatalogueFile(name, "a list of tables is needed")
    return [(f"{name}[{place}]", entry) for place, entry in enumerate(entries, start=1)]


def _plan(entry: _Entry) -> PlanVersion:
    code, valid_from = entry.text("code"), entry.day("valid_from")
    return PlanVersion(
        id=f"plan_{code}_{valid_from}",
        code=code,
        name=entry.text("name"),
        base_cents=entry.cents("base"),
        included_minutes=entry.whole_number("included_minutes"),
        overage_rate=entry.rate("overage_rate"),
        valid_from=valid_from,
        valid_before=entry.optional_day("valid_before"),
        existing_move_on=entry.optional_day("existing_accounts_move_on"),
    )


def _add_on(entry: _Entry) -> AddOnVersion:
    code, valid_from = entry.text("code"), entry.day("valid_from")
    return AddOnVersion(
        id=f"addon_{code}_{valid_from}",
        code=code,
        name=entry.text("name"),
        kind=entry.kind("kind"),
        monthly_cents=entry.cents("monthly"),
        is_prorated=entry.truth("is_prorated", default=True),
        entitlement=entry.optional_text("entitlement"),
        terms_version=entry.text("terms_version"),
        terms=entry.text("terms"),
        valid_from=valid_from,
        valid_before=entry.optional_day("valid_before"),
    )
