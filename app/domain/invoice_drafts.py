"""A computed invoice on its way into the books: its lines with their taxes, its total, and the hash of its content."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from app.domain.billed_lines import BilledLine, GiveBack, LineRef
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.taxes import tax_lines, with_taxes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.domain.periods import Period
    from app.domain.taxes import TaxRate


class InvoiceKind(StrEnum):
    """What an invoice bills."""

    CYCLE = "CYCLE"
    PLAN_CHANGE = "PLAN_CHANGE"
    PLAN_UPGRADE = "PLAN_UPGRADE"
    ADD_ON = "ADD_ON"
    FINAL = "FINAL"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(StrEnum):
    """Where an invoice stands (rule 27)."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"


class DraftLine(NamedTuple):
    """A line on its way into an invoice, with the earlier charges that it gives back."""

    line: InvoiceLine
    given_back: tuple[GiveBack, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """A computed invoice, before it has an id, a number or an issue time.

    `reversed_cents`: what it gives back of earlier invoices, tax and all, by their numbers.
    """

    kind: InvoiceKind
    period: Period
    lines: tuple[InvoiceLine, ...]
    credit_applied_cents: int
    reversed_cents: Mapping[int, int] = field(default_factory=dict)

    @property
    def total_cents(self) -> int:
        """The sum of the lines; negative when the customer gets more back than is charged."""
        return sum(line.amount_cents for line in self.lines)

    @property
    def tax_cents(self) -> int:
        """The part of the total that is tax."""
        return sum(line.amount_cents for line in self.lines if line.kind is LineKind.TAX)

    @property
    def credit_created_cents(self) -> int:
        """What a total below zero leaves to the account as credit (rule 14)."""
        return max(0, -self.total_cents)

    @property
    def amount_due_cents(self) -> int:
        """What is to be paid once credit is applied; never negative."""
        return max(0, self.total_cents) - self.credit_applied_cents

    @property
    def content_hash(self) -> str:
        """A hash of everything the customer is billed; equal content gives an equal hash (rule 28)."""
        return digest(
            [_line_content(line) for line in self.lines], self.kind, self.period.month, self.credit_applied_cents
        )


def draft_of(
    kind: InvoiceKind, period: Period, items: Sequence[DraftLine], taxes: Sequence[TaxRate] = (), credit_cents: int = 0
) -> InvoiceDraft:
    """Return the invoice of some lines with the taxes on what they charge, and of what they give back."""
    lines = with_taxes([item.line for item in items], taxes)
    given_back: list[GiveBack] = []
    for place, item in enumerate(items):
        back = _kept(lines, place) if item.line.kind is LineKind.CREDIT_KEPT else item.given_back
        if back:
            shares = tuple(share for each in back for share in each.negated_taxes)
            lines[place] = replace(lines[place], taxes=shares)
            given_back += back
    lines += list(tax_lines(period, lines, taxes, given_back))
    reversed_cents: Counter[int] = Counter()
    for each in given_back:
        if each.reverses is not None:
            reversed_cents[each.reverses] += each.total_cents
    total_cents = sum(line.amount_cents for line in lines)
    applied_cents = min(max(0, total_cents), credit_cents)
    return InvoiceDraft(kind, period, tuple(lines), applied_cents, dict(sorted(reversed_cents.items())))


def _kept(lines: Sequence[InvoiceLine], place: int) -> tuple[GiveBack, ...]:
    """Return what a kept credit gives back of the charge of its own invoice, at that one's tax."""
    base = next(line for line in lines if line.kind is LineKind.BASE)
    back = BilledLine.issued(LineRef(0, 0), base).give_back(-lines[place].amount_cents)
    return (back._replace(reverses=None),)


def _line_content(line: InvoiceLine) -> list[object]:
    taxes = [[list(share) for share in line.taxes]] if line.taxes else []
    return [
        line.kind,
        line.period.month,
        line.quantity,
        line.unit,
        line.unit_price,
        line.amount_cents,
        line.rule,
        sorted(line.inputs.items()),
        *taxes,
    ]


_write_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def digest(*content: object) -> str:
    """Return a hash of values that JSON can write; equal values give an equal hash in every build."""
    return sha256(_write_json(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Issue:
    """A computed invoice on its way into the books: who it is for, and what it was computed from.

    `usage_watermark` and `ledger_watermark` are the numbers of the account's last call and last posting that it saw.
    """

    id: str
    account_id: str
    account_name: str
    number: int
    draft: InvoiceDraft
    plan_version_id: str
    policies_version: str
    usage_watermark: int
    ledger_watermark: int
    facts_hash: str
    corrects_invoice_id: str | None = None
