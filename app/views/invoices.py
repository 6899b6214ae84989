"""Invoices as pages show them: frozen at issue, but for what was paid since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003  (named-tuple fields)
from typing import TYPE_CHECKING, NamedTuple

from app.domain.invoices import USAGE_KINDS, InvoiceKind, InvoiceLine, InvoiceStatus
from app.domain.periods import Period
from app.views.calls import CallsBehind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.ledger import PaymentKind, PostingKind


class InvoiceFacts(NamedTuple):
    """What an invoice says of itself. Watermarks count the account's calls: those it saw, and its predecessor saw."""

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
    paid_cents: int
    paid_starts_on: date
    usage_watermark: int
    earlier_watermark: int


class Payment(NamedTuple):
    """The part of a payment that went to an invoice; `reference` is what the payer or the bank calls it."""

    kind: PaymentKind
    amount_cents: int
    received_on: date
    reference: str


class Credit(NamedTuple):
    """Credit that an invoice used up, and the posting that had granted it."""

    amount_cents: int
    origin: PostingKind
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line with its place on its invoice; `behind` are the calls that it bills, None where it bills none."""

    invoice_id: str
    position: int
    line: InvoiceLine
    behind: CallsBehind | None

    @property
    def id(self) -> str:
        """What clients call the line; made from the invoice's id and the line's place, never stored."""
        return f"line_{self.invoice_id.partition('_')[2]}_{self.position}"


@dataclass(frozen=True, slots=True)
class Invoice:
    """One issued invoice, whole."""

    facts: InvoiceFacts
    lines: Sequence[PlacedLine]
    payments: Sequence[Payment]
    credits: Sequence[Credit]

    @property
    def period(self) -> Period:
        """The month that the invoice opens."""
        return Period.containing(self.facts.period_on)

    @property
    def balance_cents(self) -> int:
        """What is still to be paid."""
        return self.facts.amount_due_cents - self.facts.paid_cents

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
    if line.kind in USAGE_KINDS:
        behind = calls_behind(facts, line)
    return PlacedLine(facts.id, position, line, behind)


def calls_behind(facts: InvoiceFacts, line: InvoiceLine) -> CallsBehind:
    """Return which calls a line of usage bills."""
    since_on = max(line.period.starts_on, facts.paid_starts_on)
    return CallsBehind(line.kind, since_on, line.period.ends_before, facts.usage_watermark, facts.earlier_watermark)
