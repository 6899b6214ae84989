"""Invoices as pages show them: frozen at issue, but for what was paid since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import USAGE_LINE_KINDS, InvoiceLine, LineKind
from app.domain.periods import Period
from app.views.calls import UnderlyingCalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.collection import AttemptState, CollectionStatus
    from app.domain.ledger import PaymentKind, PostingKind


class InvoiceFacts(NamedTuple):
    """What an invoice says of itself, and where its payment stands.

    `tax_cents` is part of the total. `balance_cents` is what the postings leave to be paid; what was written off counts
    as not paid. Watermarks count the account's calls: those it saw, and those that the invoice of usage before it saw.
    `corrects_id` and `corrects_number` name the invoice that a credit note gives back of, or whose place it takes.
    """

    id: str
    account_id: str
    account_external_id: str
    account_name: str
    kind: InvoiceKind
    status: InvoiceStatus
    number: int
    period_on: date
    issued_at: datetime
    due_on: date
    paid_at: datetime | None
    total_cents: int
    credit_applied_cents: int
    amount_due_cents: int
    content_hash: str
    corrects_id: str | None
    corrects_number: int | None
    tax_cents: int
    balance_cents: int
    paid_starts_on: date
    usage_watermark: int
    earlier_watermark: int


class Payment(NamedTuple):
    """The part of a payment that went to an invoice; `reference` is what the payer or the bank calls it.

    The method that was charged is described as it is known today; a check has none.
    """

    kind: PaymentKind
    amount_cents: int
    received_on: date
    reference: str
    brand: str | None = None
    last4: str | None = None
    payer_email: str | None = None


class Reversal(NamedTuple):
    """What went back of a payment, and why: the invoice is open again by it."""

    why: PostingKind
    amount_cents: int
    reversed_at: datetime
    kind: PaymentKind
    reference: str
    brand: str | None = None
    last4: str | None = None
    payer_email: str | None = None


class Collecting(NamedTuple):
    """How the collecting of an invoice stands, with the dates of what comes next unless it is paid before."""

    status: CollectionStatus
    next_attempt_at: datetime | None
    late_fee_at: datetime | None
    suspend_at: datetime | None


class ChargeAttempt(NamedTuple):
    """One charge of an invoice, with the method as it is known today; `decline` is what its bank said."""

    id: str
    made_at: datetime
    amount_cents: int
    state: AttemptState
    method_id: str
    brand: str
    last4: str | None
    payer_email: str | None
    decline: dict[str, Any] | None


class Credit(NamedTuple):
    """Credit that went to an invoice, at its issue or later, and the posting that had granted it."""

    amount_cents: int
    origin: PostingKind
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line with its place on its invoice; `behind` are the calls that it bills, None where it bills none."""

    invoice: InvoiceFacts
    position: int
    line: InvoiceLine
    behind: UnderlyingCalls | None

    @property
    def id(self) -> str:
        """What clients call the line; made from the invoice's id and the line's place, never stored."""
        return f"line_{self.invoice.id.partition('_')[2]}_{self.position}"

    @property
    def paid_days(self) -> int:
        """The days of its month that the line charges or gives back: all, unless it says otherwise."""
        paid_days = self.line.inputs.get("paid_days")
        if paid_days is not None:
            return int(paid_days)
        if self.line.kind is LineKind.BASE_REVERSAL:
            # What is given back was billed for the days paid, as what is charged instead (rule 13).
            return self.line.period.days_from(self.invoice.paid_starts_on)
        return self.line.period.days


@dataclass(frozen=True, slots=True)
class Invoice:
    """One issued invoice, whole; `collecting` is None where nothing ever was to be collected."""

    facts: InvoiceFacts
    lines: Sequence[PlacedLine]
    payments: Sequence[Payment]
    credits: Sequence[Credit]
    collecting: Collecting | None = None
    attempts: Sequence[ChargeAttempt] = ()
    reversals: Sequence[Reversal] = ()

    @property
    def period(self) -> Period:
        """The month that the invoice opens or, if it is not a cycle invoice, falls in."""
        return Period.containing(self.facts.period_on)

    @property
    def credits_at_issue(self) -> Sequence[Credit]:
        """The credit that it used when it was issued: the first ones, up to what it says itself (rule 35)."""
        return self.credits[: self._count_at_issue()]

    @property
    def later_credits(self) -> Sequence[Credit]:
        """The credit that went to it after it was issued, such as that of a credit note."""
        return self.credits[self._count_at_issue() :]

    def _count_at_issue(self) -> int:
        sums = accumulate(credit.amount_cents for credit in self.credits)
        return sum(cents <= self.facts.credit_applied_cents for cents in sums)

    @property
    def usage_period(self) -> Period | None:
        """The month whose usage it bills: the one that ended, or the last of a closed account; None for other kinds."""
        if self.facts.kind is InvoiceKind.CYCLE:
            return self.period.shifted(-1)
        return self.period if self.facts.kind is InvoiceKind.FINAL else None

    @property
    def subtotal_cents(self) -> int:
        """The total before tax."""
        return self.facts.total_cents - self.facts.tax_cents

    @property
    def credit_created_cents(self) -> int:
        """What a total below zero left to the account as credit (rule 14)."""
        return max(0, -self.facts.total_cents)


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """A stretch of a list of invoices; `total` is None when nobody asked for the count."""

    invoices: Sequence[Invoice]
    total: int | None


def place_line(facts: InvoiceFacts, position: int, line: InvoiceLine) -> PlacedLine:
    """Put a line on its invoice; calls of the trial stand behind no line (rule 10)."""
    behind = None
    if line.kind in USAGE_LINE_KINDS:
        behind = underlying_calls(facts, line)
    return PlacedLine(facts, position, line, behind)


def underlying_calls(facts: InvoiceFacts, line: InvoiceLine) -> UnderlyingCalls:
    """Return which calls a line of usage bills."""
    since_on = max(line.period.starts_on, facts.paid_starts_on)
    return UnderlyingCalls(line.kind, since_on, line.period.ends_before, facts.usage_watermark, facts.earlier_watermark)
