"""What each kind of message says: facts as they were when it happened, which its templates put into words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from app.domain.alerts import AlertKind
from app.domain.confirmations import CONFIRMATION, REMOVAL

if TYPE_CHECKING:
    from app.domain.json_values import JsonObject

OPERATOR_ALERT = "OPERATOR_ALERT"
"""The kind of what goes to the operator on call; no customer sees it."""


class WrongFacts(TypeError):
    """A message was announced with facts of another kind."""

    def __init__(self, kind: str, facts: object) -> None:
        super().__init__(f"A message of kind {kind} does not say {type(facts).__name__}.")


class PlanChange(StrEnum):
    """What happened to the plan."""

    CHANGED = "CHANGED"
    SCHEDULED = "SCHEDULED"
    CANCELLED = "CANCELLED"


class Change(StrEnum):
    """What happened to a payment contact or a payment method; COMPLAINED of our mail, and gets no more."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    MADE_DEFAULT = "MADE_DEFAULT"
    COMPLAINED = "COMPLAINED"


@dataclass(frozen=True, slots=True)
class AllowanceUsed:
    """The allowance of a month (its first day) is used to `percent`; `overage_rate` is for a minute above it."""

    month_on: date
    plan: str
    used_seconds: int
    allowance_seconds: int
    percent: int
    overage_rate: int


@dataclass(frozen=True, slots=True)
class CostEffectivePassed:
    """The month costs more than on the next plan from here on; `difference_cents` is what that one's base is more."""

    month_on: date
    plan: str
    used_seconds: int
    threshold_seconds: int
    next_plan: str
    difference_cents: int


@dataclass(frozen=True, slots=True)
class ForecastOver:
    """At its pace the month ends above its allowance, which it reaches on `over_on`."""

    month_on: date
    plan: str
    used_seconds: int
    projected_seconds: int
    allowance_seconds: int
    over_on: date
    overage_rate: int


@dataclass(frozen=True, slots=True)
class UpgradeAhead:
    """The month will move up by the end of `expected_on`, if it goes on at its pace."""

    month_on: date
    plan: str
    target: str
    expected_on: date
    amount_due_cents: int
    saving_cents: int
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The month has moved up, with its invoice."""

    month_on: date
    plan: str
    target: str
    used_seconds: int
    invoice_number: int
    amount_due_cents: int
    saving_cents: int
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class InvoiceReady:
    """An invoice, due on receipt; `title` says what gave rise to it.

    `open_cents` is what is left to pay where that is not what was due, and `is_paid` that it was paid. `is_asked_for`
    where somebody wanted it once more.
    """

    number: int
    title: str
    month_on: date
    total_cents: int
    credit_applied_cents: int
    amount_due_cents: int
    due_on: date
    open_cents: int | None = None
    is_paid: bool = False
    is_asked_for: bool = False


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """Money came in by `method`; what paid no invoice became credit."""

    amount_cents: int
    method: str
    received_on: date
    invoice_numbers: tuple[int, ...]
    credit_cents: int


@dataclass(frozen=True, slots=True)
class RefundMade:
    """Money of an invoice went back to `method`; `open_cents` is what is left to pay of the invoice since."""

    invoice_number: int
    amount_cents: int
    method: str
    refunded_on: date
    open_cents: int


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """No method paid the invoice; `reason` is that of the last one tried, `next_try_on` None when none is to come.

    `is_undone` where it had been paid, and the money is gone again.
    """

    invoice_number: int
    amount_cents: int
    method: str
    reason: str
    next_try_on: date | None
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class BackupUsed:
    """The default failed and a back-up paid; the default stays as it is (rule 29)."""

    invoice_number: int
    amount_cents: int
    failed_method: str
    paid_by: str


@dataclass(frozen=True, slots=True)
class CardExpiring:
    """A card's last day is near; `days` is the warning's level, 30 or 7."""

    method: str
    last_day_on: date
    days: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class SuspensionScheduled:
    """Service ends on the day unless the open balance is paid (rule 33)."""

    suspends_on: date
    open_balance_cents: int


@dataclass(frozen=True, slots=True)
class Suspended:
    """Service ended on the day; it comes back when the open balance is paid."""

    suspended_on: date
    open_balance_cents: int


@dataclass(frozen=True, slots=True)
class Reactivated:
    """Service is back since the day."""

    reactivated_on: date


@dataclass(frozen=True, slots=True)
class PlanMoved:
    """The plan changed, will change, or will not; `by` did it. Where nothing was invoiced both amounts are zero."""

    change: str
    plan_before: str
    plan_after: str
    effective_on: date
    amount_due_cents: int
    credit_cents: int
    by: str


@dataclass(frozen=True, slots=True)
class AddOnBought:
    """An add-on is usable from the day on, for so much each month."""

    add_on_name: str
    since_on: date
    amount_due_cents: int
    monthly_cents: int
    by: str


@dataclass(frozen=True, slots=True)
class AddOnEnded:
    """An add-on was cancelled and has a last day, or was kept after all, and has none."""

    add_on_name: str
    last_day_on: date | None
    by: str


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """A payment contact was added, changed (in the fields named) or removed, or anybody told gets no more mail."""

    contact: str
    change: str
    fields: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class ConfirmationAsked:
    """Whoever is at an address is asked whether an account's messages may go there; the link's last day."""

    expires_on: date


@dataclass(frozen=True, slots=True)
class ContactGone:
    """An address is no payment contact's any more since the day."""

    removed_on: date


@dataclass(frozen=True, slots=True)
class PaymentMethodChanged:
    """A payment method was added, changed, removed or made the default."""

    method: str
    change: str
    changed_on: date
    by: str


@dataclass(frozen=True, slots=True)
class OperatorAlert:
    """Something that only a person of ours can settle."""

    trouble: str
    sentence: str
    noticed_on: date


Facts: TypeAlias = (
    AllowanceUsed
    | CostEffectivePassed
    | ForecastOver
    | UpgradeAhead
    | Upgraded
    | InvoiceReady
    | PaymentReceived
    | RefundMade
    | PaymentFailed
    | BackupUsed
    | CardExpiring
    | SuspensionScheduled
    | Suspended
    | Reactivated
    | PlanMoved
    | AddOnBought
    | AddOnEnded
    | ContactChanged
    | ConfirmationAsked
    | ContactGone
    | PaymentMethodChanged
    | OperatorAlert
)

FACTS: dict[str, type[Facts]] = {
    AlertKind.ALLOWANCE_NEARLY_USED: AllowanceUsed,
    AlertKind.ALLOWANCE_EXCEEDED: AllowanceUsed,
    AlertKind.COST_EFFECTIVE_EXCEEDED: CostEffectivePassed,
    AlertKind.FORECAST_OVER_ALLOWANCE: ForecastOver,
    AlertKind.UPGRADE_SCHEDULED: UpgradeAhead,
    AlertKind.UPGRADE_DONE: Upgraded,
    AlertKind.INVOICE_READY: InvoiceReady,
    AlertKind.PAYMENT_RECEIVED: PaymentReceived,
    AlertKind.PAYMENT_REFUNDED: RefundMade,
    AlertKind.PAYMENT_FAILED: PaymentFailed,
    AlertKind.BACKUP_USED: BackupUsed,
    AlertKind.CARD_EXPIRING: CardExpiring,
    AlertKind.SUSPENSION_SCHEDULED: SuspensionScheduled,
    AlertKind.SUSPENDED: Suspended,
    AlertKind.REACTIVATED: Reactivated,
    AlertKind.PLAN_CHANGED: PlanMoved,
    AlertKind.ADD_ON_BOUGHT: AddOnBought,
    AlertKind.ADD_ON_ENDED: AddOnEnded,
    AlertKind.CONTACT_CHANGED: ContactChanged,
    AlertKind.PAYMENT_METHOD_CHANGED: PaymentMethodChanged,
    CONFIRMATION: ConfirmationAsked,
    REMOVAL: ContactGone,
    OPERATOR_ALERT: OperatorAlert,
}
"""What each kind of message says."""


def suspension_subject(account_id: str, suspends_on: date) -> str:
    """Return what names the warning of a suspension for ever: once for a day, however many invoices are open."""
    return f"{account_id}:{suspends_on}"


def write_facts(kind: str, facts: Facts) -> dict[str, Any]:
    """Return facts as JSON values: dates as ISO text.

    :raises WrongFacts: when they are those of another kind.
    """
    if type(facts) is not FACTS[kind]:
        raise WrongFacts(kind, facts)
    found = {field.name: getattr(facts, field.name) for field in fields(facts)}
    return {name: _written(value) for name, value in found.items()}


def read_facts(kind: str, data: JsonObject) -> Facts:
    """Return the facts of a kind from their JSON values; `*_on` are dates."""
    found: dict[str, Any] = {name: _read(name, value) for name, value in data.items()}
    return FACTS[kind](**found)


def _written(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _read(name: str, value: object) -> object:
    if name.endswith("_on") and isinstance(value, str):
        return date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
