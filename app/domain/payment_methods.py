"""The ways an account can pay: one default, back-ups in order, and what may be done to them (rules 29, 34)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

from app.domain.payment_gateway import MethodKind, VaultRefusal
from app.domain.periods import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from app.domain.payment_gateway import Verification
    from app.domain.policies import CollectionPolicies


class MethodStatus(StrEnum):
    """How far a method has come: it waits for the vault, was verified and may be added, can be charged, was refused
    for good, or is gone.
    """

    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    ACTIVE = "ACTIVE"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    FAILED = "FAILED"
    REMOVED = "REMOVED"


class VaultTask(StrEnum):
    """What is still to be done at the vault: find out about a method that was sent, make it the default, delete it."""

    SETTLE = "SETTLE"
    MAKE_DEFAULT = "MAKE_DEFAULT"
    DELETE = "DELETE"


class AddFailure(StrEnum):
    """Why a method did not come on file; UNAVAILABLE and NOT_THERE are nobody's refusal of it.

    NOT_ADDED was verified, and then not added in time (rule 42).
    """

    DECLINED = "DECLINED"
    NONCE_UNKNOWN = "NONCE_UNKNOWN"
    NONCE_CONSUMED = "NONCE_CONSUMED"
    NONCE_NOT_REUSABLE = "NONCE_NOT_REUSABLE"
    CARD_INVALID = "CARD_INVALID"
    DUPLICATE = "DUPLICATE"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_THERE = "NOT_THERE"
    NOT_ADDED = "NOT_ADDED"


_REFUSALS = {
    VaultRefusal.NONCE_UNKNOWN: AddFailure.NONCE_UNKNOWN,
    VaultRefusal.NONCE_CONSUMED: AddFailure.NONCE_CONSUMED,
    VaultRefusal.NONCE_NOT_REUSABLE: AddFailure.NONCE_NOT_REUSABLE,
    VaultRefusal.CARD_INVALID: AddFailure.CARD_INVALID,
    VaultRefusal.DUPLICATE: AddFailure.DUPLICATE,
    VaultRefusal.OTHER: AddFailure.NOT_ACCEPTED,
}


VERIFICATION_HOLDS = timedelta(minutes=15)
"""How long a verified method waits in the vault to be added (rule 42)."""

ON_FILE = frozenset({MethodStatus.ACTIVE, MethodStatus.NEEDS_ATTENTION})
"""The statuses of methods that the customer sees."""


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """One method of an account; its id is its token in the vault. `position` orders the back-ups, from 1 on.

    Card numbers, security codes, nonces and device data are never part of it.
    """

    id: str
    account_id: str
    kind: MethodKind
    status: MethodStatus
    is_default: bool
    position: int
    brand: str
    last4: str | None = None
    expiry_month: int | None = None
    expiry_year: int | None = None
    cardholder: str | None = None
    postal_code: str | None = None
    payer_email: str | None = None
    fingerprint: str | None = None
    verification: Verification | None = None

    @property
    def display_name(self) -> str:
        """How people tell it from others, such as `Visa ending in 1881`."""
        return method_name(self.brand, self.last4, self.payer_email)

    def expires_before(self) -> date | None:
        """Return the first day on which the card is no longer valid; None for what does not expire."""
        if self.expiry_year is None or self.expiry_month is None:
            return None
        return add_months(date(self.expiry_year, self.expiry_month, 1), 1)

    def is_expired_on(self, on: date) -> bool:
        """Tell whether the card's last month is over; its bank may still accept it."""
        ends = self.expires_before()
        return ends is not None and on >= ends


def method_name(brand: str, last4: str | None, payer_email: str | None) -> str:
    """Return how people tell a method from others."""
    if last4 is not None:
        return f"{brand} ending in {last4}"
    return f"{brand} {payer_email}" if payer_email else brand


class LastPaymentMethod(ValueError):
    """The only method cannot go while something may have to be charged to it (rule 34)."""

    def __init__(self, *, is_required: bool) -> None:
        why = "a payment method on file is required in the first months" if is_required else "there is an open balance"
        super().__init__(f"This is your only payment method, and {why}. Add another one first, then remove this one.")
        self.is_required = is_required


def can_be_added(status: MethodStatus, held_until: datetime | None, now: datetime) -> bool:
    """Tell whether a verified method may still come on file (rule 42)."""
    return status is MethodStatus.VERIFIED and held_until is not None and now < held_until


def is_being_verified(status: MethodStatus, held_until: datetime | None, now: datetime) -> bool:
    """Tell whether the vault has still to say if a method may be added, in time for that (rule 42)."""
    return status is MethodStatus.PENDING and held_until is not None and now < held_until


class InvalidOrder(ValueError):
    """The order given does not name each back-up exactly once."""

    def __init__(self) -> None:
        super().__init__("Name every back-up payment method exactly once, in the order in which to try them.")


def in_order(methods: Iterable[PaymentMethod]) -> list[PaymentMethod]:
    """Return methods on file in the order in which they are tried: the default, then the back-ups (rule 29)."""
    on_file = [method for method in methods if method.status in ON_FILE]
    return sorted(on_file, key=lambda method: (not method.is_default, method.position, method.id))


def chargeable(methods: Iterable[PaymentMethod]) -> list[PaymentMethod]:
    """Return what a collection round tries, in order; a method that was refused for good waits to be updated."""
    return [method for method in in_order(methods) if method.status is MethodStatus.ACTIVE]


EXPIRY_WARNINGS = (7, 30)
"""How many days before its last a card's expiry is told; the nearest counts."""


def expiry_warning(method: PaymentMethod, today: date) -> int | None:
    """Return the level of the warning that a card is in, in days before its last one; None far from it, or past it."""
    ends = method.expires_before()
    if ends is None or ends <= today:
        return None
    days_left = (ends - today).days - 1
    return next((days for days in EXPIRY_WARNINGS if days_left <= days), None)


def is_auto_pay_required(paid_starts_on: date, today: date, policies: CollectionPolicies) -> bool:
    """Tell whether the account must keep a method on file: in its first months (rule 34)."""
    return today < auto_pay_required_until(paid_starts_on, policies)


def auto_pay_required_until(paid_starts_on: date, policies: CollectionPolicies) -> date:
    """Return the first day on which an account may pay otherwise."""
    return add_months(paid_starts_on, policies.early_months)


def check_removal(
    methods: Sequence[PaymentMethod], removed: PaymentMethod, *, is_required: bool, has_open_balance: bool
) -> None:
    """Check that one of the methods on file may go (rule 34).

    :raises LastPaymentMethod: when it is the last one, or the last that can be charged, and may be needed.
    """
    left = [method for method in in_order(methods) if method.id != removed.id]
    is_last = not left or (removed.status is MethodStatus.ACTIVE and not chargeable(left))
    if is_last and (is_required or has_open_balance):
        raise LastPaymentMethod(is_required=is_required)


def following_default(methods: Iterable[PaymentMethod], removed_id: str) -> PaymentMethod | None:
    """Return the back-up that becomes the default when the default is removed, or None (rule 34)."""
    left = [method for method in in_order(methods) if method.id != removed_id]
    usable = [method for method in left if method.status is MethodStatus.ACTIVE]
    return next(iter([*usable, *left]), None)


def reordered(methods: Iterable[PaymentMethod], ids: Sequence[str]) -> dict[str, int]:
    """Return the position of each back-up in the order given, from 1 on.

    :raises InvalidOrder: when the ids are not those of the back-ups, each once.
    """
    backups = {method.id for method in in_order(methods) if not method.is_default}
    if len(ids) != len(backups) or set(ids) != backups:
        raise InvalidOrder
    return {method_id: position for position, method_id in enumerate(ids, start=1)}


def place_in_order(methods: Iterable[PaymentMethod], added_id: str, *, as_default: bool) -> list[str]:
    """Return the ids in the order in which they are tried once a method is added, or made the default (rule 29).

    A new default comes before the one it takes the place of, which becomes the first back-up; another comes last.
    """
    others = [method.id for method in in_order(methods) if method.id != added_id]
    return [added_id, *others] if as_default else [*others, added_id]


def find_duplicate(methods: Iterable[PaymentMethod], added: PaymentMethod) -> PaymentMethod | None:
    """Return the method on file that is the same card, or the same payer's PayPal account, or None."""
    for method in in_order(methods):
        if method.kind is added.kind and _is_same(method, added):
            return method
    return None


def _is_same(method: PaymentMethod, added: PaymentMethod) -> bool:
    if added.kind is MethodKind.PAYPAL:
        return added.payer_email is not None and method.payer_email == added.payer_email
    return added.fingerprint is not None and method.fingerprint == added.fingerprint


def failure_of(refusal: VaultRefusal | None) -> AddFailure:
    """Return why a method did not come on file when the gateway refused it; without a reason, it refused us."""
    return AddFailure.UNAVAILABLE if refusal is None else _REFUSALS[refusal]


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """How many methods may be tried within how many seconds, against those who try out stolen cards."""

    most: int
    within_seconds: int


ATTEMPT_LIMITS = (AttemptLimit(5, 3_600), AttemptLimit(20, 86_400))


def wait_before_adding(tried_at: Iterable[datetime], now: datetime, limits: Sequence[AttemptLimit]) -> int:
    """Return how many whole seconds to wait before another one may be tried; zero when it may now."""
    ages = sorted((now - each).total_seconds() for each in tried_at)
    waits = [limit.within_seconds - ages[limit.most - 1] for limit in limits if len(ages) >= limit.most]
    return max(0, ceil(max(waits, default=0)))
