"""Stolen cards tried out with stolen tokens, on two servers that share a database: few of them reach a bank."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from itertools import cycle, islice
from pathlib import Path

import pytest

from app.domain.accounts import Role
from app.domain.agreements import PAYMENT_AGREEMENT
from app.repositories.database import Database
from app.services.payment_methods.add_payment_method import CardVerificationFailed, TooManyAttempts
from app.services.usage.put_account import AccountParticulars, Member, put_account
from tests.database import copied_database
from tests.gateway import LocalGateway
from tests.scenarios import server_run
from tests.scenarios.server_run import NEVER, Caller
from tests.scenarios.test_killed_server import PROCESSES
from tests.till import Till
from tests.wallet import Wallet
from tests.world import World

ATTEMPTS, AT_ONCE, MOST_VERIFICATIONS = 100, 20, 5
ACCOUNTS = tuple(f"AA{number:04}" for number in range(1, 11))
STOLEN_CARD = "fake-processor-declined-visa-nonce"


def person(account: str, role: Role) -> str:
    """The subject of a person who belongs to this account alone."""
    return f"{role} of {account}"


async def open_accounts(world: World) -> None:
    for account in ACCOUNTS:
        members = tuple(Member(person(account, role), f"{role}@{account}.example".lower(), role, role) for role in Role)
        particulars = AccountParticulars(account, f"Customer {account}", "100", None, date(2026, 7, 1), members)
        await put_account(world.services, particulars=particulars, actor="test")


def verifications(gateway: LocalGateway) -> int:
    """How many times the gateway has asked a bank about a card."""
    return len(gateway.server.gateway.state.store.all("verification"))


async def attempt(portal: Caller, key: int) -> str:
    """Try a card, and return how that ended."""
    answer = await portal.ask(
        "PaymentMethodAdd",
        idempotencyKey=f"attempt-{key}",
        nonce=STOLEN_CARD,
        authorize=True,
        agreementVersion=PAYMENT_AGREEMENT.version,
        makeDefault=False,
    )
    return answer["__typename"]


# Whose tokens were stolen: two people's of one account, and one person's of each of the others.
STOLEN = [(ACCOUNTS[0], Role.BILLING), *((account, Role.ADMIN) for account in ACCOUNTS)]


class TestTwoServers:
    async def test_at_most_five_of_a_hundred_cards_reach_a_bank(self, migrated_file, tmp_path, gateway):
        async with copied_database(migrated_file, tmp_path) as database:
            world = await World.create(database, payments=gateway.payments())
            gateway.clock.follow(world.clock.now)
            await open_accounts(world)
            servers = [PROCESSES.Pipe() for _ in range(2)]
            arguments = (tmp_path, world.clock.now(), gateway.config(), NEVER)
            processes = [PROCESSES.Process(target=server_run.run, args=(*arguments, theirs)) for _, theirs in servers]
            for process in processes:
                process.start()
            try:
                ports = [await asyncio.to_thread(ours.recv) for ours, _ in servers]
                ended = await attack(tmp_path, ports)
            finally:
                await asyncio.to_thread(server_run.ended, processes)
        assert ended == {"CardVerificationFailed": MOST_VERIFICATIONS, "RateLimited": ATTEMPTS - MOST_VERIFICATIONS}
        assert verifications(gateway) == MOST_VERIFICATIONS


async def attack(folder: Path, ports: list[int]) -> Counter[str]:
    """Try cards with all the tokens on all servers at once, and count how that ended."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(key: int, portal: Caller) -> str:
        async with at_once:
            return await attempt(portal, key)

    async with AsyncExitStack() as stack:
        portals = [
            await stack.enter_async_context(Caller(folder, port, subject=person(account, role), account=account))
            for account, role in STOLEN
            for port in ports
        ]
        tried = (one(key, portal) for key, portal in enumerate(islice(cycle(portals), ATTEMPTS)))
        return Counter(await asyncio.gather(*tried))


@pytest.mark.postgres
class TestPostgres:
    @pytest.fixture
    async def wallets(self, postgres_database: Database, gateway) -> AsyncIterator[list[Wallet]]:
        """Two servers' ways to one database."""
        world = await World.create(postgres_database, payments=gateway.payments())
        await open_accounts(world)
        other = Database.open(postgres_database._url.render_as_string(hide_password=False))
        yield [Wallet(Till(each, gateway)) for each in (world, World(other, world.clock.now(), gateway.payments()))]
        await other.close()

    async def test_those_who_come_at_once_do_not_pass_each_other(self, wallets, gateway):
        async def attempt(number: int) -> type[Exception]:
            wallet, account = wallets[number % 2], ACCOUNTS[number % len(ACCOUNTS)]
            by = wallet.caller(account, actor=f"user:{account}")
            with pytest.raises((CardVerificationFailed, TooManyAttempts)) as refused:
                await wallet.try_to_add(STOLEN_CARD, key=f"attempt-{number}", by=by)
            return refused.type

        ended = Counter(await asyncio.gather(*map(attempt, range(20))))
        assert ended == {CardVerificationFailed: MOST_VERIFICATIONS, TooManyAttempts: 20 - MOST_VERIFICATIONS}
        assert verifications(gateway) == MOST_VERIFICATIONS
