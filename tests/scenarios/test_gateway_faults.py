"""Whatever goes wrong between us and the gateway, an invoice is charged at most once, and in the end we know (rule 31).

Every fault strikes before the gateway has done its part, after it, or while it goes on without us; with request keys
and without, with the gateway's own guard against duplicates and without. The gateway's ledger has the last word.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from app.domain.invoice_drafts import InvoiceStatus
from app.services.payments.collect_invoice import collect_invoice
from tests.till import Till

ACTIONS = (
    {"action": "reset"},
    {"action": "close"},
    {"action": "hang", "seconds": 0.6},
    {"action": "slow", "seconds": 0.6},
    *({"action": "status", "status": status} for status in (408, 429, 500, 502, 503, 504)),
    {"action": "empty"},
    {"action": "garbage"},
    {"action": "other"},
    {"action": "truncate"},
    {"action": "unprocessable"},
)
WHEN = ("before", "after", "late")
LATE_SECONDS = 0.1
RESOLVED_WITHIN = timedelta(minutes=30)


def named(fault: dict) -> str:
    return f"{fault['action']} {fault.get('status', '')}".strip()


async def open_accounts(till: Till) -> dict[str, str]:
    """One account for each fault, each with a card and an open invoice; names of faults by account."""
    accounts = {f"FF{place:04d}": named(fault) for place, fault in enumerate(ACTIONS)}
    for account in accounts:
        await till.world.add_account(account)
        await till.add_card(account=account)
    await till.world.close_now()
    return accounts


@pytest.mark.parametrize(("when", "has_keys", "window"), list(product(WHEN, (True, False), (30, 0))))
async def test_a_sale_is_captured_once_and_known_in_the_end(till, gateway, when, has_keys, window):
    accounts = await open_accounts(till)
    gateway.settings(request_keys=has_keys, duplicate_window_seconds=window)
    begun = till.world.clock.now()
    in_haste = replace(till.world.services, gateway=gateway.hasty_payments())
    for fault, account in zip(ACTIONS, accounts, strict=True):
        owner = await till.read(lambda uow, account=account: uow.accounts.get_by_external_id(account))
        gateway.faults({"match": "sale", "when": when, "contains": owner.id, "late_seconds": LATE_SECONDS, **fault})
        assert await collect_invoice(in_haste, (await till.world.issued(account))[0].id)
    gateway.faults()
    await gateway.until_idle()
    await till.advance_to(begun + RESOLVED_WITHIN)

    statuses = {accounts[account]: (await till.world.issued(account))[0].status for account in accounts}
    assert statuses == dict.fromkeys(statuses, InvoiceStatus.PAID)
    assert await till.disagreements() == []
    assert {order["captures"] for order in gateway.ledger().values()} == {1}
    assert await till.world.differences() == []
