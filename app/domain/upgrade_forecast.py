"""The automatic upgrades that a month is heading for, at the projected pace of its usage (rules 19-21)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import BASE_LINE_KINDS, LineKind
from app.domain.invoices import compute_invoice
from app.domain.plan_changes import plan_change_facts
from app.domain.position_fold import position_after
from app.domain.positions import PositionKey
from app.domain.pricing import month_cost_cents
from app.domain.upgrades import find_upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from app.domain.invoice_drafts import InvoiceDraft
    from app.domain.plan_changes import PlanSnapshot
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.positions import Position
    from app.domain.projection import Projection


@dataclass(frozen=True, slots=True)
class UpgradeForecast:
    """An upgrade to come: the day by whose end it is due, the plans, and the invoice it will issue.

    `saving_cents` is what the projected month costs less on `target` than on `plan`.
    """

    on: date
    plan: PlanVersion
    target: PlanVersion
    is_permanent: bool
    draft: InvoiceDraft
    saving_cents: int

    @property
    def base_difference_cents(self) -> int:
        """The new base less the one billed already, before tax and credit."""
        return self.draft.total_cents - self.draft.tax_cents

    @property
    def amount_due_cents(self) -> int:
        """What is to be paid when it happens, with tax, once credit is applied."""
        return self.draft.amount_due_cents


def forecast_upgrades(
    *, snapshot: PlanSnapshot, projection: Projection, upgrades_so_far: int, catalogue: Catalogue
) -> tuple[UpgradeForecast, ...]:
    """Return the automatic upgrades of the current month, in order, as they would follow from the projection (rule 21).

    Each day's end is looked at as the month itself will be, with the usage projected up to it (rule 19). None where
    there is too little to project from.
    """
    return tuple(_forecasts(snapshot, projection, upgrades_so_far, catalogue))


def forecast_upgrade(
    *, snapshot: PlanSnapshot, projection: Projection, upgrades_so_far: int, catalogue: Catalogue
) -> UpgradeForecast | None:
    """Return the next automatic upgrade of the current month, or None when none is to be expected (rule 21)."""
    return next(_forecasts(snapshot, projection, upgrades_so_far, catalogue), None)


def _forecasts(
    snapshot: PlanSnapshot, projection: Projection, upgrades_so_far: int, catalogue: Catalogue
) -> Iterator[UpgradeForecast]:
    snapshot = replace(snapshot, billed_base=_billed_by_then(snapshot))
    for day in projection.days:
        upgrade = find_upgrade(
            plan=snapshot.month_plan,
            usage=day.usage,
            period=snapshot.period,
            paid_starts_on=snapshot.paid_starts_on,
            upgrades_so_far=upgrades_so_far,
            catalogue=catalogue,
        )
        if upgrade is None:
            continue
        draft = compute_invoice(plan_change_facts(snapshot, upgrade.target, InvoiceKind.PLAN_UPGRADE))
        yield UpgradeForecast(
            on=day.on,
            plan=snapshot.month_plan,
            target=upgrade.target,
            is_permanent=upgrade.is_permanent and snapshot.pending_plan is None,
            draft=draft,
            saving_cents=_cost(snapshot, snapshot.month_plan, projection) - _cost(snapshot, upgrade.target, projection),
        )
        upgrades_so_far = 0 if upgrade.is_permanent else upgrades_so_far + 1
        snapshot = _after(snapshot, upgrade.target, draft)


def _after(snapshot: PlanSnapshot, target: PlanVersion, draft: InvoiceDraft) -> PlanSnapshot:
    return replace(
        snapshot,
        month_plan=target,
        billed_base=_billed_after(snapshot, draft),
        credit_available_cents=snapshot.credit_available_cents - draft.credit_applied_cents,
    )


def _billed_by_then(snapshot: PlanSnapshot) -> Position:
    """Return the base of the month as it is billed, on the 1st also before its invoice is issued."""
    if snapshot.billed_base.lines:
        return snapshot.billed_base
    facts = plan_change_facts(snapshot, snapshot.month_plan, InvoiceKind.CYCLE)
    return _billed_after(snapshot, compute_invoice(facts))


def _billed_after(snapshot: PlanSnapshot, draft: InvoiceDraft) -> Position:
    key = PositionKey(snapshot.period.starts_on, LineKind.BASE)
    return position_after(snapshot.billed_base, key, [line for line in draft.lines if line.kind in BASE_LINE_KINDS])


def _cost(snapshot: PlanSnapshot, plan: PlanVersion, projection: Projection) -> int:
    return month_cost_cents(projection.usage, plan, snapshot.period, snapshot.paid_starts_on)
