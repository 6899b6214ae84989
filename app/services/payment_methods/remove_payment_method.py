"""Taking a payment method off file, unless it is the last one and may be needed (rule 34)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.payment_methods import (
    check_removal,
    following_default,
    in_order,
    is_auto_pay_required,
    place_in_order,
)
from app.domain.periods import billing_date
from app.domain.policies import COLLECTION_POLICIES, CollectionPolicies
from app.repositories import unit_of_work
from app.services.payment_methods.payment_method_changes import (
    MethodChange,
    get_on_file,
    put_in_order,
    take_off_file,
    tell_new_default,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.payment_methods import PaymentMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services


async def remove_payment_method(
    services: Services, caller: Caller, *, method_id: str, policies: CollectionPolicies = COLLECTION_POLICIES
) -> str | None:
    """Take a method off file at once, and tell the vault later; returns the id of the back-up that became the default.

    :raises PaymentMethodNotFound: when the account has no such method on file.
    :raises LastPaymentMethod: when it is the last one while auto pay is required or something is open (rule 34).
    """

    async def work(uow: UnitOfWork) -> str | None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()
        methods = await uow.payment_methods.list_on_file(owner.id)
        removed = get_on_file(methods, method_id)
        await _check(uow, owner, methods, removed, now, policies)
        change = MethodChange(services.ids, owner.id, caller.actor, now, caller.address, caller.request_id)
        await take_off_file(uow, change, removed)
        return await _promote(uow, change, methods, removed)

    return await unit_of_work.write(services.database, work)


async def _check(
    uow: UnitOfWork,
    owner: Account,
    methods: Sequence[PaymentMethod],
    removed: PaymentMethod,
    now: datetime,
    policies: CollectionPolicies,
) -> None:
    """Check that a method may go; while an outcome is not known, something is open."""
    is_open = any(invoice.balance_cents > 0 for invoice in await uow.ledger.open_invoices(owner.id))
    is_open = is_open or await uow.attempts.has_open(owner.id)
    is_served = owner.status is not AccountStatus.CLOSED
    is_required = is_served and is_auto_pay_required(owner.paid_starts_on, billing_date(now), policies)
    check_removal(methods, removed, is_required=is_required, has_open_balance=is_open)


async def _promote(
    uow: UnitOfWork, change: MethodChange, methods: Sequence[PaymentMethod], removed: PaymentMethod
) -> str | None:
    """Close the gap that a method leaves: the next back-up becomes the default when it was that (rule 34)."""
    left = [method for method in in_order(methods) if method.id != removed.id]
    following = following_default(methods, removed.id) if removed.is_default else None
    if following is None:
        if left:
            await put_in_order(uow, change.account_id, [method.id for method in left])
        return None
    await put_in_order(uow, change.account_id, place_in_order(left, following.id, as_default=True))
    await tell_new_default(uow, change, following, removed)
    return following.id
