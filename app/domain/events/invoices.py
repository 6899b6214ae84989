"""Events of invoices, credit notes, credit and one-time charges."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.checkouts import CheckoutAction
from app.domain.events.event import BeforeAfter, Event
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceIssued(Event):
    """An invoice was issued for a month (`YYYY-MM`); the cycle run leaves its kind out."""

    kind = "invoice.issued"
    sentence = "Issued invoice {number}; {amount_due_cents} was due."

    number: int
    kind_: InvoiceKind | None = None
    month: str
    amount_due_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceVoided(Event):
    """Staff voided an invoice; its month was issued again as `replaced_by`, with the second of the totals."""

    kind = "invoice.voided"
    sentence = "Voided invoice {number} and issued {replaced_by} in its place."

    number: int
    month: str
    status: BeforeAfter[InvoiceStatus]
    total_cents: BeforeAfter[int]
    replaced_by: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutDeclined(Event):
    """A change could not be paid for: its invoice is void, and nothing was changed."""

    kind = "checkout.declined"
    sentence = "Voided invoice {number}: it could not be charged, so nothing was changed."

    number: int
    action: CheckoutAction
    status: BeforeAfter[InvoiceStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceResent(Event):
    """The mail of an invoice was sent again, to these addresses."""

    kind = "invoice.resent"
    sentence = "Resent invoice {number} to {sent_to}."

    number: int
    sent_to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceWrittenOff(Event):
    """Staff wrote off what was open on an invoice."""

    kind = "invoice.written_off"
    sentence = "Wrote off what was open on invoice {number}."

    number: int
    status: BeforeAfter[InvoiceStatus]
    balance_cents: BeforeAfter[int]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRecovered(Event):
    """A payment recovered an amount that had been written off; `written_off_cents` is what still is."""

    kind = "invoice.recovered"
    sentence = "A payment recovered {amount_cents} of invoice {number}, which had been written off."

    number: int
    amount_cents: int
    written_off_cents: BeforeAfter[int]
    payment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteIssued(Event):
    """Staff issued a credit note over an invoice; of `credited_cents`, `applied_cents` went to that invoice."""

    kind = "credit_note.issued"
    sentence = "Issued the credit note {number} for invoice {corrects}."

    invoice_id: str
    number: int
    credited_cents: int
    applied_cents: int
    corrects: int
    balance_cents: BeforeAfter[int]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillGranted(Event):
    """Staff granted credit as goodwill; `credit_cents` is all credit of the account."""

    kind = "credit.granted"
    sentence = "Granted credit of {amount_cents}."

    amount_cents: int
    reference: str
    reason: str
    credit_cents: BeforeAfter[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditApplied(Event):
    """Credit paid for an open invoice after its issue."""

    kind = "credit.applied"
    sentence = "Applied credit to an open invoice."

    number: int
    amount_cents: int
    balance_cents: BeforeAfter[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSettled(Event):
    """Credit that a closed account got later was applied to open invoices or paid out."""

    kind = "credit.settled"
    sentence = "Settled the credit of the closed account."

    applied_cents: int
    paid_out_cents: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeChargeAdded(Event):
    """Staff added a one-time charge, which waits for the next invoice."""

    kind = "charge.added"
    sentence = "Added the charge “{title}” of {amount_cents}."

    title: str
    amount_cents: int
    state: BeforeAfter[str | None] = (None, "WAITING")
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeChargeWaived(Event):
    """Staff waived a one-time charge that waited for the next invoice."""

    kind = "charge.waived"
    sentence = "Waived the charge “{title}” of {amount_cents}."

    title: str
    amount_cents: int
    state: BeforeAfter[str] = ("WAITING", "WAIVED")
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFeeAdded(Event):
    """A late fee for an invoice was added, as a charge that waits for the next one."""

    kind = "late_fee.added"
    sentence = "Added a late fee of {amount_cents} for invoice {number}."

    number: int
    amount_cents: int
    charge: str
