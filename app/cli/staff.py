"""Commands for what staff do by hand; each says who does it and why, and the audit log keeps both."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.cli.failures import Refused
from app.cli.running import parse_cents, parse_date, run
from app.cli.terminal import tell
from app.domain.explanations import percent
from app.domain.invoice_lines import TAXABLE_KINDS, LineKind
from app.domain.ledger import PaymentKind
from app.domain.taxes import ONE_PER_CENT, TaxRate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.surroundings import Surroundings

T = TypeVar("T")

staff = typer.Typer(name="staff", help="What staff do by hand.", no_args_is_help=True)
catalogue = typer.Typer(name="catalogue", help="What is sold, and at which prices.", no_args_is_help=True)

ExternalId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="As SAS Flex calls it, such as AA0101.")]
Number = Annotated[int, typer.Argument(metavar="INVOICE", help="The invoice's number.")]
Amount = Annotated[str, typer.Argument(help="In dollars, such as 4967.70.", show_default=False)]
Reference = Annotated[str, typer.Option(help="What it is known by; the same reference twice does it once.")]
ReceivedOn = Annotated[str, typer.Option(metavar="DATE", help="When it was received.")]
Who = Annotated[str, typer.Option("--actor", help="Who does it.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log.")]

_LINE = re.compile(r"(?P<position>\d{1,3})(?:=(?P<amount>.+))?", re.ASCII)
_TAX = re.compile(
    r"(?P<name>[^=]+)=(?P<whole>\d{1,3})(?:\.(?P<part>\d{1,4}))?\s*%?(?::(?P<kinds>[A-Za-z_, ]+))?", re.ASCII
)


def act(service: Callable[..., Awaitable[T]], who: str, reason: str) -> T:
    """Do by hand what a service does, in the name of a member of staff and with the reason."""

    async def job(around: Surroundings) -> T:
        return await service(around.services, actor=f"staff:{who}", reason=reason)

    return run(job)


def act_on(service: Callable[..., Awaitable[T]], account: str, who: str, reason: str) -> T:
    """Do by hand what a service does to an account, in the name of a member of staff and with the reason."""
    from app.services.common.caller import Caller

    async def job(around: Surroundings) -> T:
        return await service(around.services, Caller(account, f"staff:{who}"), reason=reason)

    return run(job)


def _tell(sentence: str, *, is_new: bool) -> None:
    tell(sentence if is_new else f"That had been done before; nothing changed. ({sentence})")


@staff.command("record-payment")
def record_payment(
    account: ExternalId, amount: Amount, reference: Reference, received_on: ReceivedOn, who: Who, reason: Reason
) -> None:
    """Record a check: it pays open invoices, then recovers what was written off, each from the oldest on; the rest
    becomes credit.
    """
    from app.formatting import format_money
    from app.services.adjustments import record_payment as recording

    recorded = act_on(
        partial(
            recording.record_payment,
            kind=PaymentKind.CHECK,
            amount_cents=parse_cents(amount),
            reference=reference,
            received_on=parse_date(received_on),
        ),
        account,
        who,
        reason,
    )
    money = format_money(recorded.payment.amount_cents)
    if not recorded.is_new:
        tell(f"{money} from {account} had been recorded before; nothing changed.")
        return
    paid = len(recorded.paid_invoice_ids)
    tell(f"{money} from {account} recorded: {paid} invoice{'s' * (paid != 1)} paid in full.")
    if recorded.recovered_cents:
        tell(f"{format_money(recorded.recovered_cents)} of it recovers what had been written off.")
    if recorded.credit_cents:
        tell(f"{format_money(recorded.credit_cents)} is left over and became credit.")


@staff.command("record-prepayment")
def record_prepayment(
    account: ExternalId, amount: Amount, reference: Reference, received_on: ReceivedOn, who: Who, reason: Reason
) -> None:
    """Record money paid in advance: it becomes credit, which pays what is open and then coming invoices."""
    from app.formatting import format_money
    from app.services.adjustments import grant_credit as granting

    granted = act_on(
        partial(
            granting.record_prepayment,
            amount_cents=parse_cents(amount),
            reference=reference,
            received_on=parse_date(received_on),
        ),
        account,
        who,
        reason,
    )
    _tell(f"The credit of {account} is {format_money(granted.credit_cents)}.", is_new=granted.is_new)


@staff.command("grant-credit")
def grant_credit(account: ExternalId, amount: Amount, reference: Reference, who: Who, reason: Reason) -> None:
    """Give credit out of goodwill; it pays what is open, and then coming invoices."""
    from app.formatting import format_money
    from app.services.adjustments import grant_credit as granting

    granted = act_on(
        partial(granting.grant_goodwill, amount_cents=parse_cents(amount), reference=reference), account, who, reason
    )
    _tell(f"The credit of {account} is {format_money(granted.credit_cents)}.", is_new=granted.is_new)


@staff.command("credit-note")
def credit_note(
    account: ExternalId,
    invoice: Number,
    reference: Reference,
    who: Who,
    reason: Reason,
    line: Annotated[
        list[str] | None, typer.Option(help="A line to give back, such as 2, or 2=12.50 for a part; else all of them.")
    ] = None,
) -> None:
    """Give back what an invoice charged too much, with its tax: it lowers what is open, and the rest is credit."""
    from app.formatting import format_money
    from app.services.adjustments import credit_note as noting

    issued = act_on(
        partial(
            noting.issue_credit_note,
            invoice_number=invoice,
            cents_by_line=dict(map(_read_line, line or ())),
            reference=reference,
        ),
        account,
        who,
        reason,
    )
    _tell(f"Credit note {issued.number} over {format_money(issued.credited_cents)} is issued.", is_new=issued.is_new)


@staff.command("void-invoice")
def void_invoice(account: ExternalId, invoice: Number, who: Who, reason: Reason) -> None:
    """Void the newest monthly invoice, on which nothing was paid, and issue it again from today's facts."""
    from app.services.adjustments import void_invoice as voiding

    voided = act_on(partial(voiding.void_invoice, invoice_number=invoice), account, who, reason)
    _tell(f"Invoice {invoice} is void; {voided.replacement_number} takes its place.", is_new=voided.is_new)


@staff.command("write-off")
def write_off(account: ExternalId, invoice: Number, who: Who, reason: Reason) -> None:
    """Give an open invoice up: it is not expected to be paid any more."""
    from app.formatting import format_money
    from app.services.adjustments import write_off as writing

    written = act_on(partial(writing.write_off_invoice, invoice_number=invoice), account, who, reason)
    _tell(f"{format_money(written.amount_cents)} of invoice {invoice} is written off.", is_new=written.is_new)


@staff.command("add-charge")
def add_charge(
    account: ExternalId,
    amount: Amount,
    title: Annotated[str, typer.Option(help="What the customer reads on the invoice.")],
    reference: Reference,
    who: Who,
    reason: Reason,
) -> None:
    """Put one more line on the next invoice."""
    from app.formatting import format_money
    from app.services.adjustments import add_charge as adding

    added = act_on(
        partial(adding.add_charge, title=title, amount_cents=parse_cents(amount), reference=reference),
        account,
        who,
        reason,
    )
    _tell(f"{format_money(added.amount_cents)} will be on the next invoice, as {added.charge_id}.", is_new=added.is_new)


@staff.command("waive-charge")
def waive_charge(
    account: ExternalId,
    charge: Annotated[str, typer.Argument(metavar="CHARGE", help="Its id, as add-charge told it.")],
    who: Who,
    reason: Reason,
) -> None:
    """Waive a fee or a charge that is not invoiced yet."""
    from app.services.adjustments import waive_charge as waiving

    waived = act_on(partial(waiving.waive_charge, charge_id=charge), account, who, reason)
    _tell(f"{charge} is waived.", is_new=waived.is_new)


@staff.command("add-line")
def add_line(account: ExternalId, reference: Reference, who: Who, reason: Reason) -> None:
    """Add a telephone line from today on: its whole month is invoiced at once, every later one in advance."""
    from app.formatting import format_money
    from app.services.plans import change_lines as lines

    added = act_on(partial(lines.add_line, reference=reference), account, who, reason)
    due = format_money(added.amount_due_cents)
    _tell(f"{account} has one more line; invoice {added.invoice_number} leaves {due} due.", is_new=added.is_new)


@staff.command("end-line")
def end_line(account: ExternalId, reference: Reference, who: Who, reason: Reason) -> None:
    """Let the line that was added under a reference end with this month; nothing is refunded."""
    from app.services.plans import change_lines as lines

    ended = act_on(partial(lines.end_line, reference=reference), account, who, reason)
    _tell(f"A line of {account} ends: {ended.ends_before} is the first day without it.", is_new=ended.is_new)


@staff.command("set-taxes")
def set_taxes(
    account: ExternalId,
    valid_from: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day they are due.")],
    who: Who,
    reason: Reason,
    tax: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PERCENT[:KINDS]",
            help="A tax as the customer reads it, such as 'State tax=6.5', or 'City tax=1.25:BASE,OVERAGE' for some "
            "kinds of charge. Once for each; without any, no tax is due from that day on.",
        ),
    ] = None,
) -> None:
    """State all the taxes that an account pays from a day on."""
    from app.services.adjustments import set_taxes as taxing

    taxes = [_read_tax(text) for text in tax or ()]
    act_on(partial(taxing.set_taxes, taxes=taxes, valid_from=parse_date(valid_from)), account, who, reason)
    words = " and ".join(f"{each.name} of {percent(each.rate)} %" for each in taxes) or "no tax"
    tell(f"From {valid_from} on {account} pays {words}.")


@staff.command("close-account")
def close_account(account: ExternalId, who: Who, reason: Reason) -> None:
    """Close an account: a last invoice for its usage, no base; credit pays it, and what is left is to be paid out."""
    from app.formatting import format_money
    from app.services.cycle import close_account as closing

    closed = act_on(closing.close_account, account, who, reason)
    due, out = format_money(closed.amount_due_cents), format_money(closed.paid_out_cents)
    sentence = f"{account} is closed. Its last invoice leaves {due} due; {out} of credit is to be paid out."
    _tell(sentence, is_new=closed.is_new)


@catalogue.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="JSON or TOML with plans and add_ons.")], who: Who, reason: Reason
) -> None:
    """Take new prices from a file: all of it, or nothing. Accounts keep theirs unless a plan says when they move."""
    from app.services.plans import load_catalogue as loading

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}).") from None
    loaded = act(partial(loading.load_catalogue_file, content=content), who, reason)
    names = ", ".join(version.id for version in loaded.added) or "nothing"
    _tell(f"Added: {names}.", is_new=loaded.is_new)


def _read_line(text: str) -> tuple[int, int | None]:
    match = _LINE.fullmatch(text)
    if match is None:
        raise Refused(f"{text!r} is no line of an invoice. Write its position, such as 2, or 2=12.50 for a part of it.")
    return int(match["position"]), None if match["amount"] is None else parse_cents(match["amount"])


def _read_tax(text: str) -> TaxRate:
    match = _TAX.fullmatch(text)
    if match is None:
        raise Refused(f"{text!r} is no tax. Write it like 'State tax=6.5', with four decimals at most.")
    kinds = tuple(_read_kind(kind) for kind in (match["kinds"] or "").split(",") if kind)
    rate = int(match["whole"]) * ONE_PER_CENT + int((match["part"] or "").ljust(4, "0"))
    return TaxRate(match["name"].strip(), rate, kinds)


def _read_kind(text: str) -> LineKind:
    try:
        return LineKind(text.strip().upper())
    except ValueError:
        raise Refused(f"{text!r} is no kind of charge. What can be taxed: {', '.join(TAXABLE_KINDS)}.") from None
