"""Verifying a payment method first, and adding it once the customer has seen what the bank said (rule 42)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.payment_methods import can_be_added, is_being_verified
from app.repositories import unit_of_work
from app.services.common.idempotency import execute_idempotently
from app.services.payment_methods.add_payment_method import (
    ADD,
    AddedMethod,
    Adding,
    VerificationExpired,
    outcome_of,
    send,
)
from app.services.payment_methods.record_vaulting import load_locked, put_on_file

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.payment_methods import PaymentMethod
    from app.repositories.payment_methods import Consent
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.payment_methods.add_payment_method import NewMethod
    from app.services.payment_methods.vault_service import VaultService


@dataclass(frozen=True, slots=True)
class VerifiedMethod:
    """What verifying came to; without `method` the vault has not said yet, and the same key asks again.

    `id` is what it is added by, until `held_until`.
    """

    id: str
    method: PaymentMethod | None
    consent: Consent
    held_until: datetime


async def verify_payment_method(
    vault: VaultService, caller: Caller, *, new: NewMethod, idempotency_key: str
) -> VerifiedMethod:
    """Verify a method and let the vault keep it for a quarter of an hour, in which it may be added; once under its key.

    :raises AuthorizationRequired, TooManyAttempts, PaymentMethodNotFound, CardVerificationFailed, NonceRejected: as
        adding does.
    :raises DuplicatePaymentMethod, GatewayUnavailable, IdempotencyConflict: as adding does.
    :raises VerificationExpired: when the same key verified a method that was not added in time.
    """
    owner, method_id = await send(Adding(vault, caller, new, idempotency_key, holds=True))

    async def outcome(uow: UnitOfWork) -> VerifiedMethod:
        stored = await uow.payment_methods.find(method_id, owner.id)
        added = await outcome_of(uow, owner.id, method_id)
        if stored is None or stored.draft.held_until is None:
            raise LookupError(method_id)
        return VerifiedMethod(method_id, added.method, added.consent, stored.draft.held_until)

    return await unit_of_work.read(vault.services.database, outcome)


async def add_verified_payment_method(
    vault: VaultService, caller: Caller, *, verification_id: str, makes_default: bool, idempotency_key: str
) -> AddedMethod:
    """Put a method on file that the same person has verified just now; once under its key.

    One that the vault has not verified yet is not added, and the same key asks again.
    :raises VerificationExpired: when it was used before, is too old, or is none of the person's.
    :raises DuplicatePaymentMethod: when the method came on file by another way meanwhile.
    :raises IdempotencyConflict: when the key came with another request before.
    """
    services = vault.services

    async def work(uow: UnitOfWork) -> _Taken:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()
        stored = await uow.payment_methods.find(verification_id, owner.id)
        own = stored if stored is not None and stored.draft.created_by == caller.actor else None
        if own is not None and is_being_verified(own.method.status, own.draft.held_until, now):
            # Nothing is kept under the key: it puts the method on file once that is verified.
            return _Taken(owner.id, waits_with=await uow.consents.find(verification_id))

        async def put() -> dict[str, Any]:
            if own is None or not can_be_added(own.method.status, own.draft.held_until, now):
                raise VerificationExpired
            await uow.payment_methods.choose_default(verification_id, wants_default=makes_default)
            await put_on_file(uow, services.ids, await load_locked(uow, verification_id), now)
            return {"method": verification_id}

        await execute_idempotently(
            uow,
            account_id=owner.id,
            operation=ADD,
            key=idempotency_key,
            request={"verification": verification_id, "default": makes_default},
            now=now,
            work=put,
        )
        return _Taken(owner.id)

    taken = await unit_of_work.write(services.database, work)
    if taken.waits_with is not None:
        return AddedMethod(None, taken.waits_with)
    return await unit_of_work.read(services.database, lambda uow: outcome_of(uow, taken.account_id, verification_id))


@dataclass(frozen=True, slots=True)
class _Taken:
    """Whose verification was taken; one that is not done yet waits with what was agreed to for it."""

    account_id: str
    waits_with: Consent | None = None
