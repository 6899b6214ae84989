"""Renewing a card as a process of its own that kills itself with -9 at one of its steps."""

from __future__ import annotations

import asyncio
from datetime import datetime
from multiprocessing.connection import Connection

from app.domain.agreements import PAYMENT_AGREEMENT
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
from tests.scenarios.payment_run import Stepping, Steps
from tests.till import MASTERCARD
from tests.world import ACCOUNT, SettableClock

KEY = "renewal"


async def renew(around: Services, replaces: str) -> AddedMethod:
    """Put a Mastercard in the place of the card on file, under the one key of this press."""
    vault = VaultService(around)
    try:
        return await add_payment_method(
            vault,
            Caller(ACCOUNT, "user:test"),
            new=NewMethod(MASTERCARD, PAYMENT_AGREEMENT.version, is_authorized=True, replaces=replaces),
            idempotency_key=KEY,
        )
    finally:
        await vault.close()


def run(url: str, now: datetime, config: BraintreeConfig, replaces: str, dies_at: int, parent: Connection) -> None:
    """Renew the card and tell the vault the rest; tell the parent how many steps that had, unless it ends before."""
    parent.send(asyncio.run(_run(url, now, config, replaces, dies_at)))


async def _run(url: str, now: datetime, config: BraintreeConfig, replaces: str, dies_at: int) -> int:
    steps = Steps(dies_at)
    database = Database.open(url)
    database.run_tx = steps.around(database.run_tx)
    payments = BraintreePayments(config)
    try:
        around = Services(database, SettableClock(now), RandomIds(), Stepping(payments, steps), SystemClock())
        await renew(around, replaces)
        await run_vault_tasks(around)
        return steps.count
    finally:
        await payments.aclose()
        await database.close()
