"""Methods compared with the vault: what a bank has changed is taken over, what is gone or revoked needs attention."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.events.event import change_of
from app.domain.events.payment_methods import PaymentMethodMissing, PaymentMethodRevoked, PaymentMethodUpdatedByBank
from app.domain.payment_methods import MethodStatus

if TYPE_CHECKING:
    from app.domain.payment_gateway import VaultedMethod
    from app.domain.payment_methods import PaymentMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


async def flag_method(
    uow: UnitOfWork, services: Services, method_id: str, kind: type[PaymentMethodMissing | PaymentMethodRevoked]
) -> bool:
    """Let a method need attention, so that it is not charged; the default stays what it is. False when it does already.

    `kind` is the event to record. The account is locked here.
    """
    stored = await uow.payment_methods.find(method_id)
    if stored is None:
        raise LookupError(method_id)
    await uow.accounts.get(stored.method.account_id, lock=True)
    stored = await uow.payment_methods.find(method_id)
    if stored is None or stored.method.status is not MethodStatus.ACTIVE:
        return False
    now = services.clock.now()
    await uow.payment_methods.set_status(method_id, MethodStatus.NEEDS_ATTENTION, at=now)
    event = kind(
        status=(MethodStatus.ACTIVE, MethodStatus.NEEDS_ATTENTION),
        method_name=stored.method.display_name,
        is_default=stored.method.is_default,
    )
    await uow.events.record(
        event, ids=services.ids, actor="system", at=now, account_id=stored.method.account_id, subject_id=method_id
    )
    return True


async def follow_vault(uow: UnitOfWork, services: Services, vaulted: VaultedMethod) -> bool:
    """Take over what a bank has changed of a card on file; False when nothing has. The account is locked here.

    A card that was refused for good may be charged again: it has been updated (rule 29).
    """
    stored = await uow.payment_methods.find(vaulted.token, vaulted.customer_id)
    if stored is None:
        return False
    await uow.accounts.get(stored.method.account_id, lock=True)
    on_file = await uow.payment_methods.list_on_file(stored.method.account_id)
    method = next((each for each in on_file if each.id == vaulted.token), None)
    if method is None or (changed := _changes(method, vaulted)) == PaymentMethodUpdatedByBank():
        return False
    now = services.clock.now()
    is_taken = any(each.id != method.id and each.fingerprint == vaulted.fingerprint for each in on_file)
    described = replace(vaulted, fingerprint=method.fingerprint) if is_taken else vaulted
    await uow.payment_methods.describe(method.id, described, at=now)
    if method.status is MethodStatus.NEEDS_ATTENTION:
        await uow.payment_methods.set_status(method.id, MethodStatus.ACTIVE, at=now)
        changed = replace(changed, status=(MethodStatus.NEEDS_ATTENTION, MethodStatus.ACTIVE))
    await uow.events.record(
        changed, ids=services.ids, actor="system", at=now, account_id=method.account_id, subject_id=method.id
    )
    return True


def _changes(method: PaymentMethod, vaulted: VaultedMethod) -> PaymentMethodUpdatedByBank:
    """Return what a bank has changed of a card on file."""
    return PaymentMethodUpdatedByBank(
        brand=change_of(method.brand, vaulted.brand),
        last4=change_of(method.last4, vaulted.last4),
        expiry_month=change_of(method.expiry_month, vaulted.expiry_month),
        expiry_year=change_of(method.expiry_year, vaulted.expiry_year),
    )
