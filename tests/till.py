"""A world with a payment gateway: cards on file, time that passes, and the gateway's own ledger to compare with.

async def test_…(till):
    await till.world.add_account()
    card = await till.add_card()
    await till.advance_to(pacific(2026, 8, 2, 12))
    assert await till.disagreements() == []
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from app.domain.collection import AttemptState, Collection
from app.domain.payment_gateway import AnswerKind, Customer, VaultRequest
from app.domain.payment_methods import MethodStatus
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.payment_methods import Consent, MethodDraft
from app.repositories.unit_of_work import UnitOfWork
from app.services.payments.collect_due import collect_due, next_collection_at
from tests.gateway import LocalGateway
from tests.world import ACCOUNT, World

LOST = {"match": "sale", "when": "after", "action": "reset", "times": 1}
"""A charge whose answer is lost: its outcome is not known until the gateway is asked."""

VISA, MASTERCARD, AMEX = "fake-valid-visa-nonce", "fake-valid-mastercard-nonce", "fake-valid-amex-nonce"


class Till:
    """Make it by the fixture `till`; the gateway goes by the world's clock."""

    def __init__(self, world: World, gateway: LocalGateway) -> None:
        self.world = world
        self.gateway = gateway
        gateway.clock.follow(world.clock.now)

    async def add_card(self, nonce: str = VISA, *, account: str = ACCOUNT, is_default: bool | None = None) -> str:
        """A card in the vault and on file; the first is the default, the others are back-ups in their order."""
        around, method_id = self.world.services, self.world.ids.new("pm")
        owner = await self.read(lambda uow: uow.accounts.get_by_external_id(account))
        answer = await around.payments.vault(VaultRequest(Customer(owner.id, owner.name), method_id, nonce))
        assert answer.kind is AnswerKind.DONE, answer
        now = self.world.clock.now()

        async def add(uow: UnitOfWork) -> None:
            others = await uow.payment_methods.list_on_file(owner.id)
            draft = MethodDraft(method_id, owner.id, False, None, "user:test", now, None)
            consent = Consent(
                self.world.ids.new("cns"), owner.id, method_id, "1", "hash", "I agree.", "user:test", now, None, None
            )
            await uow.payment_methods.add_pending(draft, consent, settle_at=now)
            await uow.payment_methods.describe(method_id, answer.method, at=now)
            await uow.payment_methods.set_status(method_id, MethodStatus.ACTIVE, at=now)
            await uow.vault_tasks.plan(method_id, None, at=None)
            await uow.payment_methods.set_positions({method_id: len(others)})
            if is_default or not others:
                await uow.payment_methods.set_default(owner.id, method_id, former_position=len(others))

        await unit_of_work.write(self.world.database, add)
        return method_id

    async def collect(self) -> int:
        """Do what collecting has to do at this instant."""
        return await collect_due(self.world.services)

    async def advance_to(self, instant: datetime) -> None:
        """Let time pass: months close and collecting goes on, each at its own instant."""
        while (due_at := await self.next_at()) is not None and due_at <= instant:
            self.world.clock.instant = max(due_at, self.world.clock.instant)
            await self.world.close_now()
            await self.collect()
        self.world.clock.instant = instant

    async def next_at(self) -> datetime | None:
        found = [await self.world.next_due_at(), await next_collection_at(self.world.services)]
        return min((at for at in found if at is not None), default=None)

    async def collection(self, place: int = -1, *, account: str = ACCOUNT) -> Collection | None:
        """The collecting of one of the account's invoices, by its place among them."""
        invoice = (await self.world.issued(account))[place]
        return await self.read(lambda uow: uow.collections.find(invoice.id))

    async def attempts(self, place: int = -1, *, account: str = ACCOUNT) -> list:
        invoice = (await self.world.issued(account))[place]
        return await self.read(lambda uow: uow.attempts.of_invoice(invoice.id))

    async def methods(self, account: str = ACCOUNT) -> list:
        owner = await self.read(lambda uow: uow.accounts.get_by_external_id(account))
        return await self.read(lambda uow: uow.payment_methods.list_on_file(owner.id))

    async def kinds(self, account: str = ACCOUNT) -> list[str]:
        """What happened to the account, by kind, oldest first."""
        return [event.kind for event in await self.world.trail(account)]

    async def disagreements(self) -> list[str]:
        """Where attempts and the gateway's ledger differ, and every order that was captured more than once."""
        return await compare(self.world.database, self.gateway.ledger())

    async def read(self, work):
        return await unit_of_work.read(self.world.database, work)


ATTEMPTS = "SELECT id, state, amount_cents FROM payment_attempt"


async def compare(database: Database, ledger: dict[str, dict]) -> list[str]:
    """Compare every attempt with what the gateway took for it."""

    async def find(session):
        return (await (await session.connection()).execute(text(ATTEMPTS))).all()

    attempts = {row.id: row for row in await database.read_tx(find)}
    found = [f"{order} was never attempted here" for order in ledger if order not in attempts]
    for attempt in attempts.values():
        order = ledger.get(attempt.id, {"captures": 0, "captured_cents": 0})
        succeeded = attempt.state == AttemptState.SUCCEEDED
        expected = (1, attempt.amount_cents) if succeeded else (0, 0)
        if (order["captures"], order["captured_cents"]) != expected:
            found.append(f"{attempt.id} is {attempt.state}, and the gateway says {order}")
    return found
