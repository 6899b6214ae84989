"""Issued invoices as pages show them; by default that of 100 minutes in August 2026, open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.views.invoices import Credit, Invoice, InvoiceFacts, Payment, Reversal, place_line
from tests.factories.invoices import a_line

ISSUED_AT = datetime(2026, 8, 1, 13, 0, tzinfo=UTC)


def an_invoice(
    *,
    total_cents: int = 139_00,
    lines: Sequence[InvoiceLine] | None = None,
    used: Sequence[Credit] = (),
    used_later: Sequence[Credit] = (),
    payments: Sequence[Payment] = (),
    reversals: Sequence[Reversal] = (),
    kind: InvoiceKind = InvoiceKind.CYCLE,
    status: InvoiceStatus = InvoiceStatus.OPEN,
    corrects_number: int | None = None,
) -> Invoice:
    """`used` is credit applied at issue, `used_later` what went to it after that."""
    lines = [a_line(amount_cents=total_cents, month="2026-08")] if lines is None else lines
    total_cents = sum(line.amount_cents for line in lines)
    applied_cents = sum(credit.amount_cents for credit in used)
    settled_cents = sum(part.amount_cents for part in (*used, *used_later, *payments))
    settled_cents -= sum(back.amount_cents for back in reversals)
    facts = InvoiceFacts(
        id="inv_1",
        account_id="acc_1",
        account_external_id="AA0101",
        account_name="Harbor Dental",
        kind=kind,
        status=status,
        number=100_002,
        period_on=date(2026, 8, 1),
        issued_at=ISSUED_AT,
        due_on=date(2026, 8, 1),
        paid_at=None,
        total_cents=total_cents,
        credit_applied_cents=applied_cents,
        amount_due_cents=max(0, total_cents) - applied_cents,
        content_hash="",
        corrects_id=None if corrects_number is None else "inv_0",
        corrects_number=corrects_number,
        tax_cents=sum(line.amount_cents for line in lines if line.kind is LineKind.TAX),
        balance_cents=0 if status is InvoiceStatus.VOID else max(0, total_cents) - settled_cents,
        paid_starts_on=date(2026, 7, 1),
        usage_watermark=0,
        earlier_watermark=0,
    )
    placed = [place_line(facts, position, line) for position, line in enumerate(lines, start=1)]
    return Invoice(facts, placed, payments, (*used, *used_later), reversals=reversals)
