"""Plans, their dated price versions, and how far each is cost-effective."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from app.domain.money import UNIT_PRICE_PER_CENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.domain.money import UnitPrice

SECONDS_PER_MINUTE = 60


class PlanNotAvailable(LookupError):
    """No plan of that code is sold on the date."""

    def __init__(self, code: str, on: date, sold: Iterable[str] = ()) -> None:
        choices = ", ".join(sold)
        hint = f" Choose one of: {choices}." if choices else ""
        super().__init__(f"There is no plan {code!r} on sale on {on:%Y-%m-%d}.{hint}")
        self.plan_code = code
        self.on = on


class InvalidCatalogue(ValueError):
    """The plans sold on one date do not form a ladder in which each step up pays off exactly once."""


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One plan at one set of prices, sold from `valid_from` until the day before `valid_before` (open when None).

    `overage_rate` is the price of a live minute above the allowance. An account keeps the version it was sold, unless
    a later one names a month, by its first day in `existing_move_on`, from which existing accounts pay its prices.
    """

    id: str
    code: str
    name: str
    base_cents: int
    included_minutes: int
    overage_rate: UnitPrice
    valid_from: date
    valid_before: date | None = None
    existing_move_on: date | None = None

    def is_sold_on(self, on: date) -> bool:
        """Tell whether an account may take this version on the date."""
        return self.valid_from <= on and (self.valid_before is None or on < self.valid_before)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every version ever sold; questions about it name their date."""

    versions: tuple[PlanVersion, ...]

    def sold_on(self, on: date) -> tuple[PlanVersion, ...]:
        """Return the versions on sale, cheapest base first."""
        return tuple(sorted((v for v in self.versions if v.is_sold_on(on)), key=lambda v: v.base_cents))

    def get(self, code: str, on: date) -> PlanVersion:
        """Return the version of the plan that is on sale.

        :raises PlanNotAvailable: when none is.
        """
        sold = self.sold_on(on)
        for version in sold:
            if version.code == code:
                return version
        raise PlanNotAvailable(code, on, (version.code for version in sold))

    def moved(self, plan: PlanVersion, on: date) -> PlanVersion:
        """Return the version that an account of `plan` is billed at in the month that begins on `on`.

        The newest later version of the same plan that existing accounts have moved to by then, or `plan` itself.
        """
        later = (v for v in self.versions if v.code == plan.code and v.valid_from > plan.valid_from)
        reached = [v for v in later if v.existing_move_on is not None and v.existing_move_on <= on]
        return max(reached, key=lambda v: v.valid_from, default=plan)

    def check(self) -> None:
        """Check the ladder on every date on which a price begins or ends.

        :raises InvalidCatalogue: naming the first date and plan that break the order.
        """
        dates = {on for v in self.versions for on in (v.valid_from, v.valid_before) if on is not None}
        for on in sorted(dates):
            self.check_ladder(on)

    def find_next(self, plan: PlanVersion, on: date) -> PlanVersion | None:
        """Return the next plan up that is on sale: the smallest larger allowance; None on the highest plan."""
        larger = [v for v in self.sold_on(on) if v.included_minutes > plan.included_minutes]
        return min(larger, key=lambda v: v.included_minutes) if larger else None

    def cost_effective_minutes(self, plan: PlanVersion, on: date) -> int | None:
        """Return the last whole live minute of a month at which `plan` costs no more than the next (section 1.3).

        None on the highest plan. Rounded down: one minute further, the next plan is cheaper.
        """
        higher = self.find_next(plan, on)
        return None if higher is None else cost_effective_minutes(plan, higher)

    def check_ladder(self, on: date) -> None:
        """Check that allowances and thresholds rise together, so that the cheapest plan moves up one step at a time.

        :raises InvalidCatalogue: naming the first plan that breaks the order.
        """
        ladder = self.sold_on(on)
        for plan, higher in pairwise(ladder):
            threshold = cost_effective_minutes(plan, higher)
            if not plan.included_minutes <= threshold < higher.included_minutes:
                raise InvalidCatalogue(
                    f"On {on:%Y-%m-%d} plan {plan.code} is cost effective to {threshold} minutes, which does not lie "
                    f"between its {plan.included_minutes} minutes and the {higher.included_minutes} of {higher.code}."
                )
            if higher.overage_rate > plan.overage_rate:
                raise InvalidCatalogue(
                    f"On {on:%Y-%m-%d} a minute above the allowance costs more on plan {higher.code} than on "
                    f"{plan.code}, so that stepping up would stop paying off."
                )


def cost_effective_minutes(plan: PlanVersion, higher: PlanVersion) -> int:
    """Return `included + floor((higher.base - plan.base) / overage rate)` in minutes (section 1.3)."""
    difference = (higher.base_cents - plan.base_cents) * UNIT_PRICE_PER_CENT
    return plan.included_minutes + difference // plan.overage_rate
