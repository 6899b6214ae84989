"""Money that comes in twice at one moment, on PostgreSQL: each transaction waits for the other before it looks at what
is open (rules 35, 36).
"""

from __future__ import annotations

import asyncio

import pytest

from app.domain.ledger import PostingKind
from app.domain.payment_gateway import Transaction, TransactionKind, TransactionStatus
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.operations.match_transactions import NotMatched, match_sale
from tests.services.beside import held, until_they_wait
from tests.world import ACCOUNT, World

pytestmark = pytest.mark.postgres

PRICE = 139_00


@pytest.fixture
async def world(postgres_database: Database) -> World:
    """An account with one open invoice."""
    world = await World.create(postgres_database)
    await world.add_account()
    await world.close_now()
    return world


async def posted(world: World) -> list[tuple[PostingKind, int]]:
    owner = await unit_of_work.read(world.database, lambda uow: uow.accounts.get_by_external_id(ACCOUNT))
    postings = await unit_of_work.read(world.database, lambda uow: uow.ledger.postings(owner.id))
    return [(posting.kind, posting.amount_cents) for _, _, posting in postings]


async def test_of_two_checks_the_second_is_credit(world):
    with held(world.database, ACCOUNT) as other:
        both = [asyncio.create_task(world.pay(PRICE, reference=name)) for name in ("first", "second")]
        await until_they_wait(other, 2)
        other.rollback()
        await asyncio.gather(*both)

    assert await posted(world) == [
        (PostingKind.INVOICED, PRICE),
        (PostingKind.PAYMENT_RECEIVED, PRICE),
        (PostingKind.OVERPAID, PRICE),
    ]
    assert await world.differences() == []


async def test_of_two_unknown_sales_the_second_matches_nothing(world):
    owner = await unit_of_work.read(world.database, lambda uow: uow.accounts.get_by_external_id(ACCOUNT))

    async def match(number: int) -> str:
        sale = Transaction(
            f"sale{number}",
            TransactionKind.SALE,
            TransactionStatus.SETTLED,
            PRICE,
            f"att_{number}",
            owner.id,
            f"pm_{number}",
            world.clock.now(),
        )
        return await unit_of_work.write(
            world.database, lambda uow: match_sale(uow, world.services, sale, None, "staff:ann")
        )

    with held(world.database, ACCOUNT) as other:
        both = [asyncio.create_task(match(number)) for number in (1, 2)]
        await until_they_wait(other, 2)
        other.rollback()
        results = await asyncio.gather(*both, return_exceptions=True)

    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [NotMatched]
    assert await posted(world) == [(PostingKind.INVOICED, PRICE), (PostingKind.PAYMENT_RECEIVED, PRICE)]
    assert await world.differences() == []
