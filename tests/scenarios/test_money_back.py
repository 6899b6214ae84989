"""Charges, refunds, disputes, returns and lost answers in any order: our cash is the gateway's, to the cent.

After each of them, documents bear out what the journal of every month makes of open invoices and credit, and nothing
of a month is unknown on one side.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from app.domain.gateway_month import DifferenceKind
from app.domain.periods import Period, billing_date
from app.services.adjustments.refund_payment import NothingToRefund, RefundRefused, RefundUnderWay, refund_payment
from app.services.adjustments.refund_steps import settle_refunds
from app.services.common.caller import Caller
from app.services.operations.process_webhook_events import process_webhook_events
from app.services.operations.report_reconcile import report_reconcile
from app.services.operations.sweep_gateway import sweep_gateway
from app.services.payments.pay_invoice import NothingToPay, pay_open_balance
from app.services.payments.payment_runner import PaymentRunner
from tests.inbox import Inbox
from tests.scenarios.test_gateway_faults import ACTIONS
from tests.services.accountant import agreed
from tests.services.books import rows
from tests.services.staff import WHY, by_ann, check_books
from tests.till import MASTERCARD, Till
from tests.world import ACCOUNT

STEPS = 25
MAY_DIFFER = {DifferenceKind.OTHER_MONTH, DifferenceKind.ONLY_POSTED}
"""What is known later than it happened, and what went back and came again, such as by a dispute that was won."""

CASH = """
    SELECT coalesce(sum(amount_cents * ((debit = 'CASH') - (credit = 'CASH'))), 0) FROM ledger_posting
    WHERE payment_id IS NOT NULL
"""


class Year:
    """One account, and whatever may happen to its money."""

    def __init__(self, till: Till, inbox: Inbox, random: Random) -> None:
        self.till, self.inbox, self.random = till, inbox, random
        self.in_haste = replace(till.world.services, gateway=till.gateway.hasty_payments())
        self.webhooks: list[str] = []
        self.disputes: list[str] = []
        self.count = 0

    async def time_passes(self) -> None:
        await self.till.advance_to(self.till.world.clock.now() + timedelta(days=self.random.randint(1, 20)))

    async def staff_refund(self) -> None:
        charges = await self.charges()
        if not charges:
            return
        number, _, cents = self.random.choice(charges)
        self.count += 1
        given = {
            "invoice_number": number,
            "amount_cents": self.random.choice([cents, self.random.randint(1, cents)]),
            "reference": f"R{self.count}",
        }
        if self.random.random() < 0.4:
            when, fault = self.random.choice(["before", "after"]), self.random.choice(ACTIONS)
            self.till.gateway.faults({"match": self.random.choice(["void", "refund"]), "when": when, **fault})
        with suppress(NothingToRefund, RefundRefused, RefundUnderWay):
            await refund_payment(self.in_haste, by_ann(), **given, **WHY)
        self.till.gateway.faults()

    async def gateway_settles(self) -> None:
        self.till.gateway.settle()

    async def bank_returns(self) -> None:
        transaction_id = await self.any_transaction("submitted_for_settlement", "settled")
        if transaction_id is not None:
            self.till.gateway.settle(transaction_id, status="settlement_declined")
            self.webhooks.append(
                self.till.gateway.webhook("transaction_settlement_declined", transaction_id=transaction_id)
            )

    async def bank_disputes(self) -> None:
        transaction_id = await self.any_transaction("settled")
        if transaction_id is not None:
            told = self.till.gateway.dispute(transaction_id=transaction_id)
            self.disputes.append(told["dispute_id"])
            self.webhooks.append(told["webhook_id"])

    async def bank_decides(self) -> None:
        if self.disputes:
            dispute_id, status = self.random.choice(self.disputes), self.random.choice(["won", "lost", "lost"])
            self.webhooks.append(self.till.gateway.dispute(dispute_id=dispute_id, status=status)["webhook_id"])

    async def webhooks_come(self) -> None:
        """Some come now, some twice, in any order; the others later."""
        self.random.shuffle(self.webhooks)
        await self.inbox.post(*self.webhooks[: self.random.randint(0, len(self.webhooks))])
        await process_webhook_events(self.till.world.services)

    async def customer_pays(self) -> None:
        self.count += 1
        with suppress(NothingToPay):
            await pay_open_balance(
                self.till.world.services,
                Caller(ACCOUNT, "user:ann"),
                payment_runner=PaymentRunner(self.till.world.services),
                idempotency_key=f"K{self.count}",
            )

    async def sweep(self) -> None:
        await sweep_gateway(self.till.world.services)

    async def all_is_told(self) -> None:
        """Everything that is under way comes to its end."""
        await self.till.gateway.until_idle()
        await self.inbox.post(*self.webhooks)
        for _ in range(8):
            self.till.world.clock.instant += timedelta(minutes=10)
            await settle_refunds(self.till.world.services)
            await process_webhook_events(self.till.world.services)
        await self.sweep()

    async def charges(self) -> list[tuple[int, str, int]]:
        return rows(
            self.till.world.database,
            "SELECT number, transaction_id, amount_cents FROM payment_attempt JOIN invoice"
            " ON invoice.id = invoice_id WHERE state = 'SUCCEEDED' ORDER BY payment_attempt.id",
        )

    async def any_transaction(self, *statuses: str) -> str | None:
        known = {transaction_id for _, transaction_id, _ in await self.charges()}
        found = [
            each["id"]
            for order in self.till.gateway.ledger().values()
            for each in order["transactions"]
            if each["id"] in known and each["status"] in statuses
        ]
        return self.random.choice(sorted(found)) if found else None

    def steps(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self.time_passes,
            self.time_passes,
            self.staff_refund,
            self.staff_refund,
            self.gateway_settles,
            self.bank_returns,
            self.bank_disputes,
            self.bank_decides,
            self.webhooks_come,
            self.customer_pays,
            self.sweep,
        ]


@pytest.mark.parametrize("seed", range(12))
async def test_our_cash_is_the_gateway_s(till, gateway, seed):
    random, database = Random(seed), till.world.database
    gateway.settings(request_keys=seed % 3 > 0, duplicate_window_seconds=0)
    await till.world.add_account()
    await till.add_card()
    await till.add_card(MASTERCARD)
    year = Year(till, Inbox(till), random)
    await year.time_passes()
    for _ in range(STEPS):
        await random.choice(year.steps())()
    await year.all_is_told()

    ledger = gateway.ledger().values()
    expected = sum(order["captured_cents"] - order["refunded_cents"] - order["lost_cents"] for order in ledger)
    assert rows(database, CASH) == [(expected,)]
    assert rows(database, "SELECT count(*) FROM gateway_notice WHERE state <> 'DONE'") == [(0,)]
    assert rows(database, "SELECT count(*) FROM refund WHERE state NOT IN ('SUCCEEDED', 'DECLINED')") == [(0,)]
    assert await till.world.differences() == []
    check_books(database)
    month = Period.parse("2026-07")
    while month.starts_on <= billing_date(till.world.clock.now()):
        await agreed(database, till.world.clock, month.month)
        compared = await report_reconcile(till.world.services, month=month.month)
        assert [each for each in compared.differences if each.kind not in MAY_DIFFER] == []
        month = month.shifted(1)
