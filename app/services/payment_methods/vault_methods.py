"""Methods compared with the vault: what a bank has changed is taken over, what is gone or revoked needs attention."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.domain.payment_methods import MethodStatus
from app.repositories.events import Event

if TYPE_CHECKING:
    from app.domain.payment_gateway import VaultedMethod
    from app.domain.payment_methods import PaymentMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

FOLLOWED = ("brand", "last4", "expiry_month", "expiry_year")
"""What a bank may change of a card on file."""


async def flag_method(uow: UnitOfWork, services: Services, method_id: str, kind: str) -> bool:
    """Let a method need attention, so that it is not charged; the default stays what it is. False when it does already.

    `kind` is the event's. The account is locked here.
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
    data = {
        "status": [MethodStatus.ACTIVE, MethodStatus.NEEDS_ATTENTION],
        "method_name": stored.method.display_name,
        "is_default": stored.method.is_default,
    }
    event = Event(services.ids.new("evt"), stored.method.account_id, kind, "system", now, method_id, data)
    await uow.events.add_many([event])
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
    changed = {} if method is None else _changes(method, vaulted)
    if method is None or not changed:
        return False
    now = services.clock.now()
    is_taken = any(each.id != method.id and each.fingerprint == vaulted.fingerprint for each in on_file)
    described = replace(vaulted, fingerprint=method.fingerprint) if is_taken else vaulted
    await uow.payment_methods.describe(method.id, described, at=now)
    if method.status is MethodStatus.NEEDS_ATTENTION:
        await uow.payment_methods.set_status(method.id, MethodStatus.ACTIVE, at=now)
        changed["status"] = [MethodStatus.NEEDS_ATTENTION, MethodStatus.ACTIVE]
    event = Event(
        services.ids.new("evt"), method.account_id, "payment_method.updated_by_bank", "system", now, method.id, changed
    )
    await uow.events.add_many([event])
    return True


def _changes(method: PaymentMethod, vaulted: VaultedMethod) -> dict[str, Any]:
    pairs = {name: [getattr(method, name), getattr(vaulted, name)] for name in FOLLOWED}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
