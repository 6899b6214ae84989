"""A month that might be: so many minutes, these add-ons, and its bill on each plan by the one function that bills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.add_ons import get_add_on, get_line, recurring_items
from app.domain.billing_items import RecurringItem
from app.domain.invoice_lines import LineKind
from app.domain.invoices import BillingFacts, UsedPeriod, compute_invoice
from app.domain.plans import SECONDS_PER_MINUTE
from app.domain.policies import policies_on
from app.domain.usage import UsageTotals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from app.domain.add_ons import AddOnSubscription, AddOnVersion
    from app.domain.invoice_drafts import InvoiceDraft
    from app.domain.periods import Period
    from app.domain.plans import PlanVersion
    from app.domain.taxes import TaxRate

MOST_MINUTES = 100_000
"""How many minutes of a kind may be asked about."""

MOST_LINES = 100
"""How many additional lines may be asked about."""


class MinutesOutOfRange(ValueError):
    """A month of that many minutes is none that could be billed."""

    def __init__(self, name: str, minutes: int) -> None:
        super().__init__(f"{minutes:,} {name} minutes are out of range. Ask about 0 to {MOST_MINUTES:,}.")
        self.name = name
        self.minutes = minutes


class LinesOutOfRange(ValueError):
    """No account has that many additional lines."""

    def __init__(self, lines: int) -> None:
        super().__init__(f"{lines:,} additional lines are out of range. Ask about 0 to {MOST_LINES:,}.")
        self.lines = lines


@dataclass(frozen=True, slots=True)
class WhatIfBill:
    """The bill of the month on one plan; the amounts are cents, and add up to the total."""

    plan: PlanVersion
    is_current: bool
    draft: InvoiceDraft

    @property
    def base_cents(self) -> int:
        """The price of the plan."""
        return self._sum(LineKind.BASE)

    @property
    def add_on_cents(self) -> int:
        """Add-ons and additional lines."""
        return self._sum(LineKind.ADD_ON, LineKind.ADDITIONAL_LINE)

    @property
    def overage_cents(self) -> int:
        """Live minutes above the allowance."""
        return self._sum(LineKind.OVERAGE)

    @property
    def patch_cents(self) -> int:
        """Patched calls."""
        return self._sum(LineKind.PATCH)

    @property
    def ivr_cents(self) -> int:
        """Automated (IVR) time."""
        return self._sum(LineKind.IVR)

    @property
    def tax_cents(self) -> int:
        """Tax on all of it."""
        return self.draft.tax_cents

    @property
    def total_cents(self) -> int:
        """The whole bill; credit of the account is left out."""
        return self.draft.total_cents

    def _sum(self, *kinds: LineKind) -> int:
        return sum(line.amount_cents for line in self.draft.lines if line.kind in kinds)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The bills of one month that might be, cheapest base first, and the plan that is cheapest for it."""

    period: Period
    usage: UsageTotals
    bills: tuple[WhatIfBill, ...]
    cheapest: WhatIfBill


def usage_of_minutes(*, live_minutes: int, patch_minutes: int = 0, ivr_minutes: int = 0) -> UsageTotals:
    """Return the usage of whole minutes.

    :raises MinutesOutOfRange: when one is below zero or beyond what may be asked.
    """
    named = {"live": live_minutes, "patch": patch_minutes, "IVR": ivr_minutes}
    for name, minutes in named.items():
        if not 0 <= minutes <= MOST_MINUTES:
            raise MinutesOutOfRange(name, minutes)
    return UsageTotals(*(minutes * SECONDS_PER_MINUTE for minutes in named.values()))


def items_of(
    period: Period,
    *,
    subscriptions: Iterable[AddOnSubscription],
    versions: Iterable[AddOnVersion],
    today: date,
    add_on_codes: Iterable[str] | None = None,
    additional_lines: int | None = None,
) -> tuple[RecurringItem, ...]:
    """Return the add-ons and lines of a full month: those asked for, or where None is, those it has as things stand.

    What the account has keeps its price; the rest is at the price of today (rule 22).
    :raises AddOnNotAvailable: when an add-on or a line is asked for that is not on sale.
    :raises LinesOutOfRange: when the number of lines is below zero or beyond what may be asked.
    """
    if additional_lines is not None and not 0 <= additional_lines <= MOST_LINES:
        raise LinesOutOfRange(additional_lines)
    held = list(recurring_items(subscriptions, period))
    add_ons = [item for item in held if item.kind is LineKind.ADD_ON]
    lines = [item for item in held if item.kind is LineKind.ADDITIONAL_LINE]
    sold = [version for version in versions if version.is_sold_on(today)]
    if add_on_codes is not None:
        add_ons = [_add_on(add_ons, sold, code, today) for code in dict.fromkeys(add_on_codes)]
    if additional_lines is not None:
        missing = max(0, additional_lines - len(lines))
        lines = [*lines[:additional_lines], *([_item(get_line(sold, today))] * missing if missing else ())]
    return (*add_ons, *lines)


def what_if(
    *,
    period: Period,
    usage: UsageTotals,
    items: Sequence[RecurringItem],
    plan: PlanVersion,
    versions: Iterable[PlanVersion],
    taxes: tuple[TaxRate, ...] = (),
) -> WhatIf:
    """Bill a full month of `usage` and `items` on `plan`, which the account has, and on each of `versions`.

    Each bill is one invoice with the month's base and its usage together (rules 6, 7, 11, 22). Where plans cost the
    same, the account's own is the cheapest, then the one with the lower base.
    """
    choices = sorted({plan.id: plan, **{v.id: v for v in versions}}.values(), key=lambda v: (v.base_cents, v.id))
    bills = tuple(
        WhatIfBill(version, version.id == plan.id, compute_invoice(_facts(period, usage, items, version, taxes)))
        for version in choices
    )
    return WhatIf(period, usage, bills, min(bills, key=lambda bill: (bill.total_cents, not bill.is_current)))


def _add_on(held: Iterable[RecurringItem], sold: Iterable[AddOnVersion], code: str, today: date) -> RecurringItem:
    found = next((item for item in held if item.code == code), None)
    return found or _item(get_add_on((version for version in sold if version.kind is LineKind.ADD_ON), code, today))


def _item(version: AddOnVersion) -> RecurringItem:
    return RecurringItem(version.kind, version.code, version.name, version.monthly_cents)


def _facts(
    period: Period, usage: UsageTotals, items: Sequence[RecurringItem], plan: PlanVersion, taxes: tuple[TaxRate, ...]
) -> BillingFacts:
    policies = policies_on(period.starts_on)
    return BillingFacts(
        period=period,
        paid_starts_on=period.starts_on,
        plan=plan,
        policies=policies,
        used=(UsedPeriod(period, plan, policies, usage, is_current=True),),
        recurring=tuple(items),
        taxes=taxes,
    )
