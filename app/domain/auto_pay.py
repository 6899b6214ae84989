"""Automatic payment: whether an account has to keep a method on file, and when which one is charged (rules 29, 34)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.collection import CollectionStatus
from app.domain.payment_methods import auto_pay_required_until, chargeable
from app.domain.periods import billing_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from app.domain.payment_methods import PaymentMethod
    from app.domain.policies import CollectionPolicies


@dataclass(frozen=True, slots=True)
class OpenRound:
    """The collecting of an open invoice, as far as its next round goes."""

    status: CollectionStatus
    is_requested: bool
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class AutoPay:
    """`next_charge_on` is the day of the next round or invoice, on which `method` is charged first.

    Both are None while nothing on file can be charged, and the day also where nothing is going to be.
    """

    is_required: bool
    required_until: date | None
    next_charge_on: date | None
    method: PaymentMethod | None


@dataclass(frozen=True, slots=True)
class PayingAccount:
    """What automatic payment depends on in an account."""

    status: AccountStatus
    paid_starts_on: date
    next_cycle_on: date


def auto_pay(
    account: PayingAccount,
    methods: Iterable[PaymentMethod],
    rounds: Sequence[OpenRound],
    now: datetime,
    policies: CollectionPolicies,
) -> AutoPay:
    """Return how an account pays by itself; a closed one needs nothing on file, but open invoices are still tried."""
    today, is_served = billing_date(now), account.status is not AccountStatus.CLOSED
    until = auto_pay_required_until(account.paid_starts_on, policies)
    is_required = is_served and today < until
    method = next(iter(chargeable(methods)), None)
    days = [day for each in rounds if (day := _day_of(each, today)) is not None]
    if is_served:
        days.append(max(account.next_cycle_on, account.paid_starts_on, today))
    return AutoPay(
        is_required=is_required,
        required_until=until if is_required else None,
        next_charge_on=min(days, default=None) if method is not None else None,
        method=method,
    )


def _day_of(each: OpenRound, today: date) -> date | None:
    """Return the day of an invoice's next round; None when none is planned."""
    if each.status in {CollectionStatus.PARKED, CollectionStatus.DONE}:
        return None
    if each.is_requested or each.status is CollectionStatus.CHARGING:
        return today
    return None if each.next_attempt_at is None else max(today, billing_date(each.next_attempt_at))
