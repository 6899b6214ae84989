"""Collecting an invoice: rounds over the account's methods, retries, the late fee and suspension (rules 29-33).

Everything is decided here from rows as they stand, one step at a time: whoever comes next, after whatever went wrong,
goes on from the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

from app.domain.payment_gateway import AnswerKind, ChargeReason, DeclineSeverity, Transaction, TransactionStatus
from app.domain.payment_methods import chargeable
from app.domain.periods import add_months, billing_instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from app.domain.payment_gateway import ChargeAnswer, Decline
    from app.domain.payment_methods import PaymentMethod
    from app.domain.policies import CollectionPolicies


class CollectionStatus(StrEnum):
    """Where the collecting of an invoice stands.

    IDLE before its first round, CHARGING within one, WAITING between rounds, UNKNOWN while an outcome is not known.
    DONE needs nothing more, PARKED waits for staff after internal errors.
    """

    IDLE = "IDLE"
    CHARGING = "CHARGING"
    WAITING = "WAITING"
    UNKNOWN = "UNKNOWN"
    DONE = "DONE"
    PARKED = "PARKED"


class AttemptState(StrEnum):
    """What is known of one charge (rule 31)."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"
    UNKNOWN = "UNKNOWN"


OPEN_STATES = frozenset({AttemptState.PLANNED, AttemptState.SENT, AttemptState.UNKNOWN})
"""The states of an attempt that has no outcome yet: while there is one, nothing else is tried (rule 31)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One charge of an invoice to a method. Its id is the gateway's order id and request key in one.

    `round_no` is the round that it belongs to. `uses_key` is false where the gateway takes no request keys; `absences`
    counts how often it was looked for then, and not found.
    """

    id: str
    account_id: str
    invoice_id: str
    attempt_no: int
    round_no: int
    method_id: str
    amount_cents: int
    state: AttemptState
    reason: ChargeReason
    sent_at: datetime | None = None
    transaction_id: str | None = None
    decline: Decline | None = None
    uses_key: bool = True
    sends: int = 0
    absences: int = 0

    @property
    def is_duplicate(self) -> bool:
        """Tell whether the gateway rejected it for an equal charge before it, which is looked for."""
        return self.decline is not None and self.decline.is_duplicate


@dataclass(frozen=True, slots=True)
class Collection:
    """The collecting of one invoice; instants are None where nothing more is planned.

    `round_no` counts all rounds, `slots_used` those of the schedule. `is_requested` asks for a round at once, which
    uses no slot (rule 30). `is_checkout` belongs to a change that takes effect when it is paid (rule 17). `is_by_hand`
    where money of it went back: it is charged again only when the customer asks for it.
    """

    invoice_id: str
    account_id: str
    status: CollectionStatus
    due_on: date
    round_no: int = 0
    slots_used: int = 0
    is_requested: bool = False
    is_checkout: bool = False
    is_by_hand: bool = False
    next_attempt_at: datetime | None = None
    late_fee_at: datetime | None = None
    warn_at: datetime | None = None
    suspend_at: datetime | None = None
    retry_at: datetime | None = None
    failures: int = 0


class CollectionChange(TypedDict, total=False):
    """Fields of a collection that change; the others stay."""

    status: CollectionStatus
    due_on: date
    round_no: int
    slots_used: int
    is_requested: bool
    is_checkout: bool
    is_by_hand: bool
    next_attempt_at: datetime | None
    late_fee_at: datetime | None
    warn_at: datetime | None
    suspend_at: datetime | None
    retry_at: datetime | None
    failures: int
    note: str | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class Resolve:
    """Find out the outcome of an attempt, or send it if it never was."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge a method; `begins_round` where no round is under way."""

    method: PaymentMethod
    begins_round: bool


@dataclass(frozen=True, slots=True)
class EndRound:
    """No method is left to try in this round; `tried` are its declined attempts."""

    tried: tuple[Attempt, ...]
    begins_round: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is owed on the invoice any more."""


@dataclass(frozen=True, slots=True)
class AddLateFee:
    """The fee for paying late falls due (rule 32)."""


@dataclass(frozen=True, slots=True)
class Warn:
    """Suspension is to be announced (rule 33)."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """Service is to be suspended (rule 33)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before `until`; None means not by itself."""

    until: datetime | None


Step = Resolve | Charge | EndRound | Finish | AddLateFee | Warn | Suspend | Wait


def opened_collection(
    *,
    invoice_id: str,
    account_id: str,
    due_on: date,
    issued_at: datetime,
    paid_starts_on: date,
    policies: CollectionPolicies,
    is_checkout: bool = False,
) -> Collection:
    """Return the collecting of an invoice that was just issued: its first round is due at once (rules 11, 30)."""
    if is_checkout:
        return Collection(
            invoice_id, account_id, CollectionStatus.IDLE, due_on, is_checkout=True, next_attempt_at=issued_at
        )
    is_early = add_months(paid_starts_on, policies.early_months) > due_on
    days = policies.early_suspension_days if is_early else policies.suspension_days
    return Collection(
        invoice_id,
        account_id,
        CollectionStatus.IDLE,
        due_on,
        next_attempt_at=issued_at,
        late_fee_at=None if policies.late_fee_cents is None else _later(due_on, policies.late_fee_days, policies),
        warn_at=_later(due_on, days - policies.warning_days, policies),
        suspend_at=_later(due_on, days, policies),
    )


def next_step(
    collection: Collection,
    *,
    balance_cents: int,
    attempts: Sequence[Attempt],
    methods: Sequence[PaymentMethod],
    now: datetime,
) -> Step:
    """Return the one thing to do next; `attempts` are those of the invoice, in order.

    An outcome that is not known comes before everything else: nothing is charged, and nobody is told anything, until it
    is known (rule 31).
    """
    open_attempt = next((attempt for attempt in attempts if attempt.state in OPEN_STATES), None)
    if open_attempt is not None:
        is_due = collection.retry_at is None or collection.retry_at <= now
        return Resolve(open_attempt) if is_due else Wait(collection.retry_at)
    if balance_cents <= 0:
        return Finish()
    if collection.status is CollectionStatus.PARKED:
        return Wait(None)
    if collection.retry_at is not None and collection.retry_at > now:
        return Wait(collection.retry_at)
    return _round_step(collection, attempts, methods, now) or _dunning_step(collection, now)


def _round_step(
    collection: Collection, attempts: Sequence[Attempt], methods: Sequence[PaymentMethod], now: datetime
) -> Step | None:
    in_round = collection.status is CollectionStatus.CHARGING
    if not (in_round or collection.is_requested or _is_due(collection.next_attempt_at, now)):
        return None
    tried = tuple(a for a in attempts if in_round and a.round_no == collection.round_no)
    tried_ids = {attempt.method_id for attempt in tried}
    method = next((method for method in chargeable(methods) if method.id not in tried_ids), None)
    return EndRound(tried, not in_round) if method is None else Charge(method, not in_round)


def _dunning_step(collection: Collection, now: datetime) -> Step:
    if _is_due(collection.late_fee_at, now):
        return AddLateFee()
    if _is_due(collection.warn_at, now):
        return Warn()
    if _is_due(collection.suspend_at, now):
        return Suspend()
    dates = (collection.next_attempt_at, collection.late_fee_at, collection.warn_at, collection.suspend_at)
    return Wait(min((at for at in dates if at is not None), default=None))


def warned_suspension_at(collection: Collection, now: datetime, policies: CollectionPolicies) -> datetime | None:
    """Return when service is suspended once a warning goes out now: as planned, but not before its days of notice."""
    if collection.suspend_at is None:
        return None
    return max(collection.suspend_at, now + timedelta(days=policies.warning_days))


def begin_round(collection: Collection, now: datetime, policies: CollectionPolicies) -> CollectionChange:
    """Return the fields of the collection that beginning a round changes.

    A requested round uses no slot; a scheduled one uses every slot that is due, so that a long pause is not made up for
    by a burst of charges (rule 30).
    """
    changed: CollectionChange = {
        "status": CollectionStatus.CHARGING,
        "round_no": collection.round_no + 1,
        "is_requested": False,
        "retry_at": now,
    }
    if _is_due(collection.next_attempt_at, now):
        slots = [_later(collection.due_on, days, policies) for days in policies.retry_days]
        used = max(collection.slots_used + 1, sum(at <= now for at in slots))
        following = slots[used] if used < len(slots) and not collection.is_checkout else None
        changed |= {"slots_used": used, "next_attempt_at": following}
    return changed


def request_collection_attempt(now: datetime) -> CollectionChange:
    """Return the fields of a collection that asking for a round at once changes; failures before it are forgotten."""
    return {"status": CollectionStatus.WAITING, "is_requested": True, "retry_at": now, "failures": 0}


FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
MOST_FAILURES = 10
"""How often the gateway may refuse a charge for reasons of ours before staff have to look."""


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: it doubles up to ten minutes."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(failures, 16)
    return min(doubled, LONGEST_PAUSE)


KEY_LIFE = timedelta(days=29)
"""How long the gateway remembers a request key, less a day."""

ABSENCES_TO_BELIEVE = 2
"""How often a charge is looked for and not found before it counts as never made."""

GATEWAY_DEADLINE = timedelta(seconds=75)
"""After this long the gateway has decided about a charge that was sent, whatever it answered: its own limit of 60
seconds, and a margin."""


def state_after(answer: ChargeAnswer, *, was_sent: bool) -> AttemptState:
    """Return what an attempt is after an answer of the gateway; `was_sent` where it had been sent before this time.

    A second sending that did not reach the gateway, or was refused, tells nothing about the first. A transaction that
    was taken back has paid nothing.
    """
    if answer.kind is AnswerKind.DONE and answer.transaction is not None:
        return AttemptState.SUCCEEDED if answer.transaction.moves_money else AttemptState.DECLINED
    if answer.kind is AnswerKind.DECLINED:
        return AttemptState.DECLINED
    if answer.kind in {AnswerKind.UNKNOWN, AnswerKind.DONE} or was_sent:
        return AttemptState.UNKNOWN
    return AttemptState.PLANNED if answer.kind is AnswerKind.NEVER_SENT else AttemptState.DECLINED


def can_send_again(attempt: Attempt, now: datetime) -> bool:
    """Tell whether sending an attempt again is safe: under its key, or when it was not found twice (rule 31).

    One that was rejected as a duplicate is only looked for: sending it again brings the same answer.
    """
    if attempt.sent_at is None or attempt.state is AttemptState.PLANNED:
        return True
    if attempt.is_duplicate:
        return False
    has_key = attempt.uses_key and now - attempt.sent_at < KEY_LIFE
    return has_key or attempt.absences >= ABSENCES_TO_BELIEVE


def look_up_at(attempt: Attempt, now: datetime) -> datetime:
    """Return when looking for an attempt that is not sent again can tell something: after the gateway's deadline."""
    return now if attempt.sent_at is None else attempt.sent_at + GATEWAY_DEADLINE


def best_of(found: Sequence[Transaction]) -> Transaction | None:
    """Return the transaction that counts among those of one order: one that moves money, else the last that ended.

    A rejection as a duplicate never counts: it only says that there is another.
    """
    moving = [transaction for transaction in found if transaction.moves_money]
    ended = [t for t in found if t.status is not TransactionStatus.VOIDED and not t.is_duplicate]
    return next(iter([*moving, *reversed(ended)]), None)


def outcome_among(found: Sequence[Transaction], attempt: Attempt) -> Transaction | None:
    """Return the transaction of its order that an attempt without an outcome is settled by; None while none is known.

    A rejection as a duplicate is the outcome only once the charge before it has been missed twice: then no money has
    moved under this order.
    """
    best = best_of(found)
    if best is not None or attempt.absences + 1 < ABSENCES_TO_BELIEVE:
        return best
    return next((transaction for transaction in found if transaction.is_duplicate), None)


def reached_no_bank(declined: Sequence[Attempt]) -> bool:
    """Tell whether charges were made and none was a bank's to decline: what stopped them no customer can help."""
    return bool(declined) and all(attempt.decline is None for attempt in declined)


def is_hard(decline: Decline | None) -> bool:
    """Tell whether the method is not to be tried again until it is updated (rule 29)."""
    return decline is not None and decline.severity is DeclineSeverity.HARD


def _later(due_on: date, days: int, policies: CollectionPolicies) -> datetime:
    return billing_instant(due_on + timedelta(days=days), policies.collects_at)


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
