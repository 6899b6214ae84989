"""Payment methods on file without a gateway, for stories that charge nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.payment_gateway import (
    CheckResult,
    MethodKind,
    VaultedMethod,
    Verification,
    VerificationStatus,
)
from app.domain.payment_methods import MethodStatus
from app.repositories import unit_of_work
from app.repositories.payment_methods import Consent, MethodDraft
from app.repositories.unit_of_work import UnitOfWork
from tests.world import ACCOUNT, World

VERIFIED = Verification(
    "ver_1",
    VerificationStatus.VERIFIED,
    CheckResult.MATCHES,
    CheckResult.DOES_NOT_MATCH,
    CheckResult.NOT_SUPPORTED,
    datetime(2026, 7, 1, 19, tzinfo=UTC),
)


async def put_on_file(world: World, *, account: str = ACCOUNT, **vaulted) -> str:
    """A Visa unless told otherwise; the first is the default, the others are back-ups in their order."""
    method_id, now = world.ids.new("pm"), world.clock.now()
    card = {"last4": "1881", "expiry_month": 12, "expiry_year": 2027} if "kind" not in vaulted else {}

    async def add(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(account, lock=True)
        others = await uow.payment_methods.list_on_file(owner.id)
        draft = MethodDraft(method_id, owner.id, False, None, "user:test", now, None)
        consent = Consent(world.ids.new("cns"), owner.id, method_id, "1", "hash", "Yes.", "user:test", now, None, None)
        described = {"kind": MethodKind.CARD, "brand": "Visa", **card, **vaulted}
        await uow.payment_methods.add_pending(draft, consent, settle_at=now)
        await uow.payment_methods.describe(method_id, VaultedMethod(method_id, owner.id, **described), at=now)
        if described["kind"] is MethodKind.CARD:
            await uow.payment_methods.set_verification(method_id, VERIFIED)
        await uow.payment_methods.set_status(method_id, MethodStatus.ACTIVE, at=now)
        await uow.vault_tasks.plan(method_id, None, at=None)
        await uow.payment_methods.set_positions({method_id: len(others)})
        if not others:
            await uow.payment_methods.set_default(owner.id, method_id, former_position=1)

    await unit_of_work.write(world.database, add)
    return method_id
