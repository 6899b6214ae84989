"""Whatever goes wrong between us and the gateway, money goes back at most once, and in the end we know (rule 31).

Every fault strikes before the gateway has done its part, after it, or while it goes on without us; with request keys
and without. The gateway's ledger has the last word.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from app.services.adjustments.refund_payment import RefundRefused, refund_payment
from app.services.adjustments.refund_steps import settle_refunds
from app.services.common.services import Services
from tests.scenarios.test_gateway_faults import ACTIONS, LATE_SECONDS, named
from tests.services.books import rows
from tests.services.staff import WHY, by_ann
from tests.till import Till

FULL, PART = 139_00, 39_00


async def paid_accounts(till: Till) -> dict[str, int]:
    """One account for each fault, each with a card and a paid invoice; numbers of invoices by account."""
    accounts = [f"FF{place:04d}" for place in range(len(ACTIONS))]
    for account in accounts:
        await till.world.add_account(account)
        await till.add_card(account=account)
    await till.world.close_now()
    await till.collect()
    return {account: (await till.world.issued(account))[0].number for account in accounts}


async def refund(around: Services, account: str, number: int, cents: int) -> bool | None:
    """Give money back, and return whether it is known to have arrived; None when it was refused."""
    given = {"invoice_number": number, "amount_cents": cents, "reference": "R1", **WHY}
    try:
        return (await refund_payment(around, by_ann(account), **given)).is_known
    except RefundRefused:
        return None


@pytest.mark.parametrize(
    ("way", "when", "has_keys"), list(product(("void", "refund"), ("before", "after", "late"), (True, False)))
)
async def test_money_goes_back_once_and_that_is_known_in_the_end(till, gateway, way, when, has_keys):
    accounts = await paid_accounts(till)
    gateway.settings(request_keys=has_keys)
    cents = FULL
    if way == "refund":
        gateway.settle()
        cents = PART
    in_haste = replace(till.world.services, gateway=gateway.hasty_payments())
    for fault, (account, number) in zip(ACTIONS, accounts.items(), strict=True):
        gateway.faults({"match": way, "when": when, "late_seconds": LATE_SECONDS, **fault})
        assert await refund(in_haste, account, number, cents) is not None, named(fault)
    gateway.faults()
    await gateway.until_idle()
    for _ in range(8):
        till.world.clock.instant += timedelta(minutes=3)
        await settle_refunds(till.world.services)

    known = {account: await refund(till.world.services, account, number, cents) for account, number in accounts.items()}
    assert known == dict.fromkeys(accounts, True)
    expected = (0, 0) if way == "void" else (FULL, PART)
    orders = {id_: (order["captured_cents"], order["refunded_cents"]) for id_, order in gateway.ledger().items()}
    assert set(orders.values()) == {expected}
    assert rows(
        till.world.database, "SELECT count(*), sum(amount_cents) FROM ledger_posting WHERE kind = 'REFUNDED'"
    ) == [(len(ACTIONS), cents * len(ACTIONS))]
    assert await till.world.differences() == []
