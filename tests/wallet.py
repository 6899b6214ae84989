"""A till whose customers add and change their payment methods themselves, through the services.

async def test_…(wallet):
    await wallet.till.world.add_account()
    card = await wallet.add(VISA)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from app.domain.agreements import PAYMENT_AGREEMENT
from app.domain.payment_methods import MethodStatus, in_order
from app.ports import Origin, PaymentGateway
from app.services.common.caller import Caller
from app.services.payment_methods.add_payment_method import AddedMethod, NewMethod, add_payment_method
from app.services.payment_methods.remove_payment_method import remove_payment_method
from app.services.payment_methods.reorder_backup_payment_methods import reorder_backup_payment_methods
from app.services.payment_methods.set_default_payment_method import set_default_payment_method
from app.services.payment_methods.settle_vault import run_vault_tasks
from app.services.payment_methods.vault_service import VaultService
from app.services.payment_methods.verify_payment_method import (
    VerifiedMethod,
    add_verified_payment_method,
    verify_payment_method,
)
from tests.till import Till
from tests.world import ACCOUNT, SettableClock

ANN = "user:usr_ann"
HERE = Origin("198.51.100.7", "Portal/1.0")


class Wallet:
    """Make it by the fixture `wallet`; `changes` of the vault are its agreement, limits and patience.

    `payments` is the way to the gateway, and `clock` that of its server: the till's own unless told.
    """

    def __init__(
        self, till: Till, *, payments: PaymentGateway | None = None, clock: SettableClock | None = None, **changes: Any
    ) -> None:
        self.till = till
        self.world = till.world
        around = till.world.services
        around = replace(around, gateway=payments or around.gateway, clock=clock or around.clock)
        self.vault = VaultService(around, **changes)
        self._keys = 0

    async def try_to_add(
        self, nonce: str, *, key: str | None = None, account: str = ACCOUNT, by: Caller | None = None, **new: Any
    ) -> AddedMethod:
        """Press the button: agreed to, under a new key and by Ann unless told."""
        self._keys += 1
        agreed = {"agreement_version": PAYMENT_AGREEMENT.version, "is_authorized": True}
        return await add_payment_method(
            self.vault,
            by or self.caller(account),
            new=NewMethod(nonce, **{**agreed, **new}),
            idempotency_key=key or f"press-{self._keys}",
        )

    async def verify(
        self, nonce: str, *, key: str | None = None, by: Caller | None = None, **new: Any
    ) -> VerifiedMethod:
        """Press "Verify my Card", as `try_to_add`."""
        self._keys += 1
        agreed = {"agreement_version": PAYMENT_AGREEMENT.version, "is_authorized": True}
        return await verify_payment_method(
            self.vault,
            by or self.caller(),
            new=NewMethod(nonce, **{**agreed, **new}),
            idempotency_key=key or f"press-{self._keys}",
        )

    async def add_verified(
        self, verification_id: str, *, makes_default: bool = False, key: str | None = None, by: Caller | None = None
    ) -> AddedMethod:
        """Press "Add" after the card was verified."""
        self._keys += 1
        return await add_verified_payment_method(
            self.vault,
            by or self.caller(),
            verification_id=verification_id,
            makes_default=makes_default,
            idempotency_key=key or f"press-{self._keys}",
        )

    async def add(self, nonce: str, **new: Any) -> str:
        """As `try_to_add`, where it works; returns the id of the method."""
        added = await self.try_to_add(nonce, **new)
        assert added.method is not None
        return added.method.id

    async def set_default(self, method_id: str, account: str = ACCOUNT) -> None:
        await set_default_payment_method(self.world.services, self.caller(account), method_id=method_id)

    async def reorder(self, *method_ids: str) -> None:
        await reorder_backup_payment_methods(self.world.services, self.caller(), method_ids=method_ids)

    async def remove(self, method_id: str, account: str = ACCOUNT) -> str | None:
        return await remove_payment_method(self.world.services, self.caller(account), method_id=method_id)

    async def sweep(self) -> int:
        return await run_vault_tasks(self.world.services)

    async def on_file(self) -> list[str]:
        """The ids of the methods on file, in order; the first has to be the default, the others count from 1."""
        methods = in_order(await self.till.methods())
        assert [method.is_default for method in methods] == [place == 0 for place in range(len(methods))]
        assert [method.position for method in methods] == list(range(len(methods)))
        return [method.id for method in methods]

    async def status(self, method_id: str) -> MethodStatus:
        return (await self.stored(method_id)).method.status

    async def stored(self, method_id: str) -> Any:
        return await self.till.read(lambda uow: uow.payment_methods.find(method_id))

    async def in_vault(self) -> dict[str, bool]:
        """The methods that the vault has of the account, and which one is its default."""
        owner = await self.till.read(lambda uow: uow.accounts.get_by_external_id(ACCOUNT))
        found = await self.world.services.payments.list_methods(owner.id)
        return {method.token: method.is_default for method in found}

    async def rows(self, table: str) -> list[Any]:
        async def find(session):
            return (await (await session.connection()).execute(text(f"SELECT * FROM {table}"))).mappings().all()

        return [dict(row) for row in await self.world.database.read_tx(find)]

    async def everything(self) -> dict[str, list[Any]]:
        """All that adding and changing may write."""
        tables = ("payment_method", "payment_consent", "idempotency_key", "event", "collection")
        return {table: await self.rows(table) for table in tables}

    async def events(self) -> list[Any]:
        """What happened to payment methods, oldest first."""
        return [event for event in await self.world.trail() if event.kind.startswith("payment_method.")]

    def caller(self, account: str = ACCOUNT, *, actor: str = ANN, address: str | None = HERE.address) -> Caller:
        return Caller(account, actor, "req_1", address, HERE.user_agent)
