"""Engine 1, frozen: how invoices issued before engine 2 were computed. Replay alone uses it, nothing bills by it.

It summed what was billed without credit notes, knew one tax on an invoice's whole total, and adjusted a month in one
line. Line for line as it was released: what it got wrong stays wrong here, for those invoices say so (rule 28).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING

from app.domain.explanations import explain, tax_rate_of
from app.domain.invoice_drafts import InvoiceDraft, InvoiceKind, digest
from app.domain.invoice_lines import InvoiceLine, LineKind, TaxShare
from app.domain.money import UnitPrice, round_half_up, share_out
from app.domain.pricing import rate_usage
from app.domain.proration import daily_rate_cents, prorated_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from app.domain.invoices import BillingFacts, UsedPeriod
    from app.domain.periods import Period
    from app.domain.pricing import RatedUsage

ENGINE_VERSION = 1


@dataclass(frozen=True, slots=True)
class BilledBase:
    """What earlier invoices charged for the base of the month, in sum, and the plan it was for."""

    plan_code: str
    plan_name: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class OldTax:
    """The one tax of an account; `ten_thousandths` of the amount: 650 is 6.5 %."""

    name: str
    ten_thousandths: int


@dataclass(frozen=True, slots=True)
class OldFacts:
    """The facts of an invoice as this engine saw them; `billed_usage` by the first day of the month."""

    facts: BillingFacts
    billed_base: BilledBase | None = None
    billed_usage: Mapping[date, int] = field(default_factory=dict)
    tax: OldTax | None = None


def compute_invoice(old: OldFacts) -> InvoiceDraft:
    """Compute an invoice of engine 1 again."""
    facts = old.facts
    charged = (*_base_lines(old), *_recurring_lines(facts), *_usage_lines(old), *_charge_lines(facts))
    lines = (*charged, *_tax_lines(old, charged))
    total_cents = sum(line.amount_cents for line in lines)
    applied_cents = min(max(0, total_cents), facts.credit_available_cents)
    return InvoiceDraft(facts.kind, facts.period, lines, applied_cents)


def facts_hash(old: OldFacts) -> str:
    """Return the hash of an invoice's facts as this engine wrote it."""
    facts = old.facts
    used = [
        (
            month.period.month,
            month.plan.id,
            month.policies.version,
            month.usage.live_seconds,
            month.usage.patch_seconds,
            month.usage.ivr_seconds,
            old.billed_usage.get(month.period.starts_on, 0),
        )
        for month in facts.used
    ]
    opening = (
        facts.period.month,
        facts.paid_starts_on.isoformat(),
        facts.plan.id,
        facts.policies.version,
        facts.credit_available_cents,
    )
    return digest(ENGINE_VERSION, opening, used, *_further_facts(old))


def _further_facts(old: OldFacts) -> Iterator[tuple[str, object]]:
    """Yield what most invoices have none of; what is absent does not enter the hash, so that older hashes stand."""
    facts = old.facts
    if facts.kind is not InvoiceKind.CYCLE:
        yield "kind", facts.kind
    if not facts.bills_base:
        yield "bills base", False
    if old.billed_base:
        yield "billed base", astuple(old.billed_base)
    if facts.recurring:
        yield "recurring", [(*astuple(item)[:-1], str(item.first_day)) for item in facts.recurring]
    if facts.charges:
        yield "charges", [astuple(charge) for charge in facts.charges]
    if old.tax:
        yield "tax", astuple(old.tax)


def _base_lines(old: OldFacts) -> Iterator[InvoiceLine]:
    facts = old.facts
    if not facts.bills_base:
        return
    line, billed = _base_line(facts), old.billed_base
    if billed is None or billed.amount_cents == 0:
        yield line
    elif billed.amount_cents != line.amount_cents or billed.plan_code != facts.plan.code:
        yield replace(line, rule=13)
        inputs: dict[str, int | str] = {"plan": billed.plan_code, "plan_name": billed.plan_name}
        price, amount = UnitPrice(billed.amount_cents * 100), -billed.amount_cents
        yield InvoiceLine(LineKind.BASE_REVERSAL, facts.period, 1, "reversal", price, amount, 13, inputs)


def _base_line(facts: BillingFacts) -> InvoiceLine:
    plan, period = facts.plan, facts.period
    paid_days = period.days_from(facts.paid_starts_on)
    inputs: dict[str, int | str] = {
        "plan": plan.code,
        "plan_name": plan.name,
        "paid_days": paid_days,
        "days": period.days,
    }
    amount = prorated_cents(plan.base_cents, period, facts.paid_starts_on)
    if paid_days == period.days:
        return InvoiceLine(LineKind.BASE, period, 1, "month", UnitPrice(plan.base_cents * 100), amount, 11, inputs)
    daily = daily_rate_cents(plan.base_cents, period)
    inputs |= {"monthly_cents": plan.base_cents, "daily_cents": daily}
    return InvoiceLine(LineKind.BASE, period, paid_days, "day", UnitPrice(daily * 100), amount, 9, inputs)


def _recurring_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    period = facts.period
    for item in facts.recurring:
        inputs: dict[str, int | str] = {"item": item.code, "item_name": item.name}
        monthly, price = item.monthly_cents, UnitPrice(item.monthly_cents * 100)
        if item.is_prorated and item.first_day is not None and item.first_day > period.starts_on:
            days, daily = period.days_from(item.first_day), daily_rate_cents(monthly, period)
            inputs |= {"paid_days": days, "days": period.days, "monthly_cents": monthly, "daily_cents": daily}
            price, amount = UnitPrice(daily * 100), prorated_cents(monthly, period, item.first_day)
            yield InvoiceLine(item.kind, period, days, "day", price, amount, 22, inputs)
        else:
            yield InvoiceLine(item.kind, period, 1, "month", price, monthly, 22, inputs)


def _charge_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    for charge in facts.charges:
        rule = 32 if charge.kind is LineKind.LATE_FEE else 27
        inputs: dict[str, int | str] = {"charge": charge.id, "title": charge.title}
        price = UnitPrice(charge.amount_cents * 100)
        yield InvoiceLine(charge.kind, facts.period, 1, "charge", price, charge.amount_cents, rule, inputs)


def _tax_lines(old: OldFacts, charged: Sequence[InvoiceLine]) -> Iterator[InvoiceLine]:
    taxed_cents = sum(line.amount_cents for line in charged)
    if old.tax is None or taxed_cents == 0:
        return
    rate = old.tax.ten_thousandths
    inputs: dict[str, int | str] = {"tax_name": old.tax.name, "taxed_cents": taxed_cents}
    amount = round_half_up(taxed_cents * rate, 10_000)
    yield InvoiceLine(LineKind.TAX, old.facts.period, 1, "ten-thousandths", UnitPrice(rate), amount, 11, inputs)


def _usage_lines(old: OldFacts) -> Iterator[InvoiceLine]:
    facts = old.facts
    for month in facts.used:
        rated = rate_usage(month.usage, month.plan, month.period, facts.paid_starts_on, month.policies)
        is_ending = facts.kind is InvoiceKind.CYCLE and month.period.ends_before == facts.period.starts_on
        if is_ending or month.is_current:
            yield from _ended_month_lines(month, rated)
        elif rated.total_cents != (billed_cents := old.billed_usage.get(month.period.starts_on, 0)):
            yield _adjustment_line(month, rated, billed_cents)


def _ended_month_lines(month: UsedPeriod, rated: RatedUsage) -> Iterator[InvoiceLine]:
    usage, period = month.usage, month.period
    if rated.overage_seconds:
        inputs: dict[str, int | str] = {
            "plan": month.plan.code,
            "plan_name": month.plan.name,
            "live_seconds": usage.live_seconds,
            "allowance_seconds": rated.allowance_seconds,
        }
        rate = month.plan.overage_rate
        yield InvoiceLine(
            LineKind.OVERAGE, period, rated.overage_seconds, "second", rate, rated.overage_cents, 7, inputs
        )
    if usage.patch_seconds:
        rate = month.policies.patch_rate
        yield InvoiceLine(LineKind.PATCH, period, usage.patch_seconds, "second", rate, rated.patch_cents, 6)
    if usage.ivr_seconds:
        rate = month.policies.ivr_rate
        yield InvoiceLine(LineKind.IVR, period, usage.ivr_seconds, "second", rate, rated.ivr_cents, 6)


def _adjustment_line(month: UsedPeriod, rated: RatedUsage, billed_cents: int) -> InvoiceLine:
    inputs: dict[str, int | str] = {
        "plan": month.plan.code,
        "plan_name": month.plan.name,
        "live_seconds": month.usage.live_seconds,
        "patch_seconds": month.usage.patch_seconds,
        "ivr_seconds": month.usage.ivr_seconds,
        "allowance_seconds": rated.allowance_seconds,
        "rated_cents": rated.total_cents,
        "billed_cents": billed_cents,
    }
    amount = rated.total_cents - billed_cents
    unit_price = UnitPrice(amount * 100)
    return InvoiceLine(LineKind.ADJUSTMENT, month.period, 1, "correction", unit_price, amount, 25, inputs)


@dataclass(frozen=True, slots=True)
class OldCreditable:
    """An issued invoice with all that earlier credit notes gave back of it.

    `lines` in the order of the invoice, whose first has position 1; `earlier` are the lines of its credit notes.
    """

    number: int
    lines: Sequence[InvoiceLine]
    earlier: Sequence[InvoiceLine] = ()

    @property
    def given_cents(self) -> Counter[int]:
        """What earlier notes gave back, before tax, by the position of the line."""
        given: Counter[int] = Counter()
        for line in self.earlier:
            if line.kind is LineKind.CORRECTION:
                given[int(line.inputs["line"])] -= line.amount_cents
        return given


def recompute_credit_note(creditable: OldCreditable, note_lines: Sequence[InvoiceLine], period: Period) -> InvoiceDraft:
    """Return a credit note of engine 1 computed again from what it gave back of each line."""
    given = {int(line.inputs["line"]): -line.amount_cents for line in note_lines if line.kind is LineKind.CORRECTION}
    total_cents = sum(given.values())
    corrections = (_correction(creditable, position, cents) for position, cents in sorted(given.items()) if cents)
    return InvoiceDraft(InvoiceKind.CREDIT_NOTE, period, (*corrections, *_note_tax(creditable, total_cents)), 0)


def credit_note_facts_hash(creditable: OldCreditable, draft: InvoiceDraft) -> str:
    """Return the hash of a credit note's facts as this engine wrote it."""
    charged = [line.amount_cents for line in creditable.lines]
    given = [[int(line.inputs["line"]), line.amount_cents] for line in draft.lines if line.kind is LineKind.CORRECTION]
    earlier = sorted(creditable.given_cents.items())
    return digest(ENGINE_VERSION, "credit note", draft.period.month, creditable.number, charged, earlier, given)


def _correction(creditable: OldCreditable, position: int, cents: int) -> InvoiceLine:
    line = creditable.lines[position - 1]
    inputs: dict[str, int | str] = {
        "title": f"Credit on invoice {creditable.number}: {explain(line).title}",
        "invoice": str(creditable.number),
        "line": position,
        "charged_cents": line.amount_cents,
        "credited_before_cents": creditable.given_cents[position],
    }
    return InvoiceLine(LineKind.CORRECTION, line.period, 1, "correction", UnitPrice(-cents * 100), -cents, 27, inputs)


def _note_tax(creditable: OldCreditable, total_cents: int) -> Iterator[InvoiceLine]:
    """Give back the tax on all that notes have given back by now, less what they gave back of it before."""
    for line in creditable.lines:
        if line.kind is LineKind.TAX:
            before = sum(note.amount_cents for note in creditable.earlier if note.kind is LineKind.TAX)
            credited_cents = creditable.given_cents.total() + total_cents
            amount = -round_half_up(credited_cents * line.unit_price, 10_000) - before
            inputs: dict[str, int | str] = {"tax_name": line.inputs["tax_name"], "taxed_cents": -total_cents}
            if amount:
                yield InvoiceLine(LineKind.TAX, line.period, 1, line.unit, line.unit_price, amount, 27, inputs)


def derived_taxes(lines: Sequence[InvoiceLine]) -> list[tuple[TaxShare, ...]]:
    """Return the share that each line has of its invoice's tax, which this engine kept in one line for all.

    What lines give back has its share rounded by line; the rest is shared by largest remainder over what is charged.
    """
    shares: list[tuple[TaxShare, ...]] = [() for _ in lines]
    amounts = [0 if line.kind is LineKind.TAX else line.amount_cents for line in lines]
    charged, back = [max(0, cents) for cents in amounts], [max(0, -cents) for cents in amounts]
    for tax in (line for line in lines if line.kind is LineKind.TAX):
        name, rate = str(tax.inputs["tax_name"]), tax_rate_of(tax)
        parts = [-round_half_up(cents * tax.unit_price, 10_000) for cents in back]
        rest = tax.amount_cents - sum(parts)
        parts = [
            one + more for one, more in zip(parts, share_out(rest, charged if any(charged) else back), strict=True)
        ]
        shares = [
            (*known, TaxShare(name, rate, cents)) if cents else known
            for known, cents in zip(shares, parts, strict=True)
        ]
    return shares
