"""What people are told about, who is told, and which usage tells it once for each arming (rules 21, 37, 38)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.plans import SECONDS_PER_MINUTE
from app.domain.pricing import allowance_seconds
from app.domain.usage_months import month_cost_effective_minutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion

NEARLY_PERCENT = 80
"""The part of the allowance from which on it is nearly used."""

FULL_PERCENT = 100


class AlertKind(StrEnum):
    """Everything that a customer can be told about (rule 38)."""

    ALLOWANCE_NEARLY_USED = "ALLOWANCE_NEARLY_USED"
    ALLOWANCE_EXCEEDED = "ALLOWANCE_EXCEEDED"
    COST_EFFECTIVE_EXCEEDED = "COST_EFFECTIVE_EXCEEDED"
    FORECAST_OVER_ALLOWANCE = "FORECAST_OVER_ALLOWANCE"
    UPGRADE_SCHEDULED = "UPGRADE_SCHEDULED"
    UPGRADE_DONE = "UPGRADE_DONE"
    INVOICE_READY = "INVOICE_READY"
    PAYMENT_RECEIVED = "PAYMENT_RECEIVED"
    PAYMENT_REFUNDED = "PAYMENT_REFUNDED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    BACKUP_USED = "BACKUP_USED"
    CARD_EXPIRING = "CARD_EXPIRING"
    SUSPENSION_SCHEDULED = "SUSPENSION_SCHEDULED"
    SUSPENDED = "SUSPENDED"
    REACTIVATED = "REACTIVATED"
    PLAN_CHANGED = "PLAN_CHANGED"
    ADD_ON_BOUGHT = "ADD_ON_BOUGHT"
    ADD_ON_ENDED = "ADD_ON_ENDED"
    CONTACT_CHANGED = "CONTACT_CHANGED"
    PAYMENT_METHOD_CHANGED = "PAYMENT_METHOD_CHANGED"


class Audience(StrEnum):
    """Who is told: the admins who have the alert switched on, the payment contacts who have the kind, or both."""

    ADMINS = "ADMINS"
    BOTH = "BOTH"


@dataclass(frozen=True, slots=True)
class AlertDefinition:
    """One kind in the portal's words. `is_switchable` holds for admins.

    `is_mandatory` marks what a payment contact is there for: nobody unsubscribes from it in a mail.
    """

    kind: AlertKind
    title: str
    description: str
    audience: Audience = Audience.BOTH
    is_switchable: bool = True
    is_mandatory: bool = False

    @property
    def reaches_contacts(self) -> bool:
        """Tell whether payment contacts can have it."""
        return self.audience is Audience.BOTH


@dataclass(frozen=True, slots=True)
class UsageThreshold:
    """A limit of a month: `from_seconds` is the least live time that is past it; `level` is a percentage of it."""

    kind: AlertKind
    level: int
    limit_seconds: int
    from_seconds: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A limit that was passed in a month, and told. `is_rearmed`: it will be told again when passed again (rule 37)."""

    kind: AlertKind
    level: int
    arming_no: int
    is_rearmed: bool = False


FORECAST_KINDS = (AlertKind.FORECAST_OVER_ALLOWANCE, AlertKind.UPGRADE_SCHEDULED)
"""The kinds that a projection tells, not usage."""


def usage_thresholds(
    *, plan: PlanVersion, period: Period, paid_starts_on: date, catalogue: Catalogue
) -> tuple[UsageThreshold, ...]:
    """Return the limits of a month on its plan; a plan without an allowance has none of those (rule 38).

    In a first, partial month they follow its prorated allowance and prices (rules 9, 10).
    """
    found = []
    allowance = allowance_seconds(plan, period, paid_starts_on)
    if allowance:
        nearly = -(-allowance * NEARLY_PERCENT // FULL_PERCENT)
        found.append(UsageThreshold(AlertKind.ALLOWANCE_NEARLY_USED, NEARLY_PERCENT, allowance, nearly))
        found.append(UsageThreshold(AlertKind.ALLOWANCE_EXCEEDED, FULL_PERCENT, allowance, allowance + 1))
    higher = catalogue.find_next(plan, period.starts_on)
    if higher is not None:
        limit = month_cost_effective_minutes(plan, higher, period, paid_starts_on) * SECONDS_PER_MINUTE
        found.append(UsageThreshold(AlertKind.COST_EFFECTIVE_EXCEEDED, FULL_PERCENT, limit, limit + 1))
    return tuple(found)


def next_arming(kind: AlertKind, level: int, past: Iterable[Crossing]) -> int | None:
    """Return the number under which a limit is told now, or None where it was told and not armed again (rule 37)."""
    own = [crossing for crossing in past if (crossing.kind, crossing.level) == (kind, level)]
    if not own:
        return 1
    last = max(own, key=lambda crossing: crossing.arming_no)
    return last.arming_no + 1 if last.is_rearmed else None


def find_crossings(
    thresholds: Iterable[UsageThreshold], live_seconds: int, past: Sequence[Crossing]
) -> Iterator[tuple[UsageThreshold, int]]:
    """Yield the limits that the month's live time has passed and that are to be told, each with its arming number."""
    for threshold in thresholds:
        if live_seconds >= threshold.from_seconds:
            arming_no = next_arming(threshold.kind, threshold.level, past)
            if arming_no is not None:
                yield threshold, arming_no


def next_watch(thresholds: Iterable[UsageThreshold], live_seconds: int) -> int | None:
    """Return the live time from which on the month has to be looked at again, or None when nothing is left in it.

    Once the limits passed so far are told, only those above the usage are left.
    """
    ahead = (threshold.from_seconds for threshold in thresholds if threshold.from_seconds > live_seconds)
    return min(ahead, default=None)


def find_rearmed(
    thresholds: Iterable[UsageThreshold], live_seconds: int, past: Iterable[Crossing]
) -> Iterator[Crossing]:
    """Yield what a change of plan arms again: limits that usage is below on the new plan, and every forecast (rule 37).

    `thresholds` are those of the new plan. What the new plan has no limit for stays told.
    """
    below = {(limit.kind, limit.level) for limit in thresholds if live_seconds < limit.from_seconds}
    for crossing in past:
        if not crossing.is_rearmed and (crossing.kind in FORECAST_KINDS or (crossing.kind, crossing.level) in below):
            yield crossing


_ADMINS = Audience.ADMINS

CATALOGUE: dict[AlertKind, AlertDefinition] = {
    definition.kind: definition
    for definition in (
        AlertDefinition(
            AlertKind.ALLOWANCE_NEARLY_USED,
            "Allowance nearly used",
            "80 % of this month's included minutes are used.",
            _ADMINS,
        ),
        AlertDefinition(
            AlertKind.ALLOWANCE_EXCEEDED,
            "Allowance exceeded",
            "All included minutes are used. Further minutes are charged as overage.",
            _ADMINS,
        ),
        AlertDefinition(
            AlertKind.COST_EFFECTIVE_EXCEEDED,
            "Cost-effective threshold exceeded",
            "Usage has passed the point above which the next plan costs less this month.",
            _ADMINS,
        ),
        AlertDefinition(
            AlertKind.FORECAST_OVER_ALLOWANCE,
            "Forecast over the allowance",
            "At the current pace, this month's usage will exceed the included minutes.",
            _ADMINS,
        ),
        AlertDefinition(
            AlertKind.UPGRADE_SCHEDULED,
            "Automatic upgrade ahead",
            "At the current pace, this month will be upgraded automatically to a plan that costs less for its usage.",
        ),
        AlertDefinition(
            AlertKind.UPGRADE_DONE,
            "Automatic upgrade done",
            "The month was upgraded automatically to the plan that fits its usage.",
        ),
        AlertDefinition(AlertKind.INVOICE_READY, "Invoice ready", "A new invoice was issued."),
        AlertDefinition(AlertKind.PAYMENT_RECEIVED, "Payment received", "A payment was received."),
        AlertDefinition(AlertKind.PAYMENT_REFUNDED, "Payment refunded", "A payment was refunded, in whole or in part."),
        AlertDefinition(
            AlertKind.PAYMENT_FAILED,
            "Payment failed",
            "No payment method on file could pay an invoice.",
            is_mandatory=True,
        ),
        AlertDefinition(
            AlertKind.BACKUP_USED,
            "Back-up payment method used",
            "The default payment method failed, and a back-up paid the invoice.",
            is_mandatory=True,
        ),
        AlertDefinition(
            AlertKind.CARD_EXPIRING,
            "Card expiring",
            "A card on file expires within 30 days, and again within 7.",
            is_mandatory=True,
        ),
        AlertDefinition(
            AlertKind.SUSPENSION_SCHEDULED,
            "Suspension scheduled",
            "Service will be suspended unless the open balance is paid.",
            is_mandatory=True,
        ),
        AlertDefinition(
            AlertKind.SUSPENDED,
            "Service suspended",
            "Service is suspended until the open balance is paid.",
            is_mandatory=True,
        ),
        AlertDefinition(AlertKind.REACTIVATED, "Service restored", "The open balance is paid and service has resumed."),
        AlertDefinition(
            AlertKind.PLAN_CHANGED,
            "Plan changed",
            "The plan was changed, a change was scheduled, or a scheduled change was cancelled.",
            _ADMINS,
        ),
        AlertDefinition(AlertKind.ADD_ON_BOUGHT, "Add-on bought", "An add-on was bought.", _ADMINS),
        AlertDefinition(
            AlertKind.ADD_ON_ENDED,
            "Add-on cancelled",
            "An add-on was cancelled, or its cancellation was withdrawn.",
            _ADMINS,
        ),
        AlertDefinition(
            AlertKind.CONTACT_CHANGED,
            "Payment contact changed",
            "A payment contact was added, changed or removed.",
        ),
        AlertDefinition(
            AlertKind.PAYMENT_METHOD_CHANGED,
            "Payment method changed",
            "A payment method was added, changed, removed or made the default. This alert cannot be switched off.",
            _ADMINS,
            is_switchable=False,
        ),
    )
}
"""Every kind, in the order of the settings page."""

CONTACT_KINDS = frozenset(kind for kind, definition in CATALOGUE.items() if definition.reaches_contacts)
"""What a payment contact can be told about."""
