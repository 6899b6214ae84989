"""Renewing a card, in one step or verified first, as a process that kills itself with -9 at one of its steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from multiprocessing.connection import Connection

from app.domain.agreements import PAYMENT_AGREEMENT
from app.domain.payment_methods import VERIFICATION_HOLDS
from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.clock import SystemClock
from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.payment_methods.add_payment_method import AddedMethod, NewMethod, add_payment_method
from app.services.payment_methods.settle_vault import run_vault_tasks
from app.services.payment_methods.vault_service import VaultService
from app.services.payment_methods.verify_payment_method import add_verified_payment_method, verify_payment_method
from tests.scenarios.payment_run import Stepping, Steps
from tests.till import MASTERCARD
from tests.world import ACCOUNT, SettableClock

KEY = "renewal"
CALLER = Caller(ACCOUNT, "user:test")


@asynccontextmanager
async def opened_vault(around: Services) -> AsyncIterator[VaultService]:
    """The way to the vault; at the end nothing is under way."""
    vault = VaultService(around)
    try:
        yield vault
    finally:
        await vault.close()


def card(replaces: str) -> NewMethod:
    return NewMethod(MASTERCARD, PAYMENT_AGREEMENT.version, is_authorized=True, replaces=replaces)


async def renew(around: Services, replaces: str) -> AddedMethod:
    """Put a Mastercard in the place of the card on file, under the one key of this press."""
    async with opened_vault(around) as vault:
        return await add_payment_method(vault, CALLER, new=card(replaces), idempotency_key=KEY)


async def verify_and_renew(around: Services, replaces: str) -> AddedMethod:
    """As `renew`, with a press that verifies and one that adds, each under its key."""
    async with opened_vault(around) as vault:
        verified = await verify_payment_method(vault, CALLER, new=card(replaces), idempotency_key=KEY)
        return await add_verified_payment_method(
            vault, CALLER, verification_id=verified.id, makes_default=False, idempotency_key=KEY
        )


async def renew_in_one_step(around: Services, replaces: str) -> None:
    """Renew the card, and tell the vault the rest."""
    await renew(around, replaces)
    await run_vault_tasks(around)


async def renew_in_two_steps(around: Services, replaces: str) -> None:
    """Renew the card. A quarter of an hour later one that was verified before, and never added, is deleted."""
    await verify_and_renew(around, replaces)
    around.clock.instant += VERIFICATION_HOLDS
    for _ in range(2):
        await run_vault_tasks(around)


STORIES = {"one step": renew_in_one_step, "two steps": renew_in_two_steps}


def run(
    url: str, now: datetime, config: BraintreeConfig, story: tuple[str, str], dies_at: int, parent: Connection
) -> None:
    """Tell a story of a card that is renewed; tell the parent how many steps it had, unless it ends before."""
    parent.send(asyncio.run(_run(url, now, config, story, dies_at)))


async def _run(url: str, now: datetime, config: BraintreeConfig, story: tuple[str, str], dies_at: int) -> int:
    steps = Steps(dies_at)
    database = Database.open(url)
    database.run_tx = steps.around(database.run_tx)
    payments = BraintreePayments(config)
    try:
        around = Services(database, SettableClock(now), RandomIds(), Stepping(payments, steps), SystemClock())
        name, replaces = story
        await STORIES[name](around, replaces)
        return steps.count
    finally:
        await payments.aclose()
        await database.close()
