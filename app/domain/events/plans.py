"""Events of plans, add-ons, additional lines and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.domain.events.event import Event
from app.domain.plan_changes import When


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMove(Event):
    """What both forms of a plan change record: the plans by their versions' ids, and the invoice's id if any."""

    plan: str
    when: When
    effective_on: date
    from_: str
    invoice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(PlanMove):
    """The plan was changed at once."""

    kind = "plan.changed"
    sentence = "Changed the plan from {from} to {plan}."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChangeScheduled(PlanMove):
    """A plan change was scheduled for the next month."""

    kind = "plan.change_scheduled"
    sentence = "Scheduled the change from {from} to {plan}."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChangeCancelled(Event):
    """A scheduled plan change was cancelled; the account stays on the plan `to`."""

    kind = "plan.change_cancelled"
    sentence = "Cancelled the scheduled change to {from}; the plan stays {to}."

    from_: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUpgraded(Event):
    """A month (`YYYY-MM`) was upgraded automatically; `saving_cents` is what that saves at its usage."""

    kind = "plan.upgraded"
    sentence = "The month's usage outgrew {from}: upgraded to {to}."

    from_: str
    to: str
    month: str
    is_permanent: bool
    saving_cents: int
    usage_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnActivated(Event):
    """An add-on was bought, by its code, under the version of its terms that was accepted."""

    kind = "add_on.activated"
    sentence = "Bought the add-on {add_on}."

    add_on: str
    version: str
    terms: str
    invoice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnSwitch(Event):
    """What both switches of an add-on record: its code, and the first day without it if it has an end."""

    add_on: str
    ends_before: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnCancelled(AddOnSwitch):
    """An add-on was cancelled."""

    kind = "add_on.cancelled"
    sentence = "Cancelled the add-on {add_on}."


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnKept(AddOnSwitch):
    """The cancellation of an add-on was withdrawn: it has no end any more."""

    kind = "add_on.kept"
    sentence = "Withdrew the cancellation of the add-on {add_on}."


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionalLineAdded(Event):
    """Staff added an additional line under a reference, with its invoice's id."""

    kind = "line.added"
    sentence = "Added an additional line ({line})."

    line: str
    version: str
    invoice: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionalLineEnded(Event):
    """Staff let an additional line end; `ends_before` is the first day without it."""

    kind = "line.ended"
    sentence = "Ended an additional line ({line}); its last day is the one before {ends_before}."

    line: str
    ends_before: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCatalogueLoaded(Event):
    """An empty database got the seed catalogue: so many versions of plans and of add-ons."""

    kind = "catalogue.loaded"

    versions: int
    add_ons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueChanged(Event):
    """Staff loaded new prices: the ids of the versions added, and of those ended with the first day without them."""

    kind = "catalogue.changed"

    added: tuple[str, ...]
    ended: dict[str, str]
    reason: str
