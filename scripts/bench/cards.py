"""A card on file for a bench's account, as the product keeps one that the vault has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.payment_methods import MethodStatus
from app.repositories import unit_of_work
from app.repositories.payment_methods import Consent, MethodDraft

if TYPE_CHECKING:
    from app.domain.payment_gateway import VaultedMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


async def put_on_file(services: Services, account_id: str, method_id: str, card: VaultedMethod) -> None:
    """Make a card of the vault the account's default."""
    now = services.clock.now()
    draft = MethodDraft(
        id=method_id,
        account_id=account_id,
        wants_default=True,
        replaces_id=None,
        created_by="bench",
        created_at=now,
        request_id=None,
    )
    consent = Consent(services.ids.new("cns"), account_id, method_id, "1", "", "", "bench", now, None, None)

    async def add(uow: UnitOfWork) -> None:
        await uow.payment_methods.add_pending(draft, consent, settle_at=now)
        await uow.payment_methods.describe(method_id, card, at=now)
        await uow.payment_methods.set_status(method_id, MethodStatus.ACTIVE, at=now)
        await uow.vault_tasks.plan(method_id, None, at=None)
        await uow.payment_methods.set_default(account_id, method_id, former_position=1)

    await unit_of_work.write(services.database, add)
