"""Not paying, told from the first decline to suspension and back; and a year of it for fifty accounts (rules 29-33)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random

from app.domain.accounts import AccountStatus
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.invoice_lines import LineKind
from tests.factories.calls import a_call
from tests.till import MASTERCARD, VISA, Till
from tests.world import ACCOUNT, pacific

SOFT, HARD = "2001", "2005"
TEN = [f"DD{place:04d}" for place in range(10)]


async def happened(till: Till, *kinds: str) -> list[tuple[str, str]]:
    """What happened to the account and on which day, for the kinds named."""
    trail = await till.world.trail()
    return [(event.kind, f"{event.occurred_at:%m-%d %H:%M}") for event in trail if event.kind in kinds]


class TestTwentyOneDays:
    async def test_of_an_account_with_a_year_behind_it(self, till: Till):
        await till.world.add_account(paid_since_on=date(2025, 7, 1))
        till.world.clock.instant = pacific(2026, 7, 2, 12)
        await till.world.close_now()
        await till.add_card(VISA)
        await till.add_card(MASTERCARD)
        await till.collect()
        assert {invoice.status for invoice in await till.world.issued()} == {InvoiceStatus.PAID}

        till.gateway.force("*", SOFT)
        await till.advance_to(pacific(2026, 8, 23, 12))
        assert await happened(
            till, "payment.failed", "late_fee.added", "suspension.scheduled", "account.suspended"
        ) == [
            ("payment.failed", "08-01 13:00"),
            ("payment.failed", "08-03 13:00"),
            ("payment.failed", "08-08 13:00"),
            ("late_fee.added", "08-08 13:00"),
            ("payment.failed", "08-15 13:00"),
            ("suspension.scheduled", "08-19 13:00"),
            ("payment.failed", "08-22 13:00"),
            ("account.suspended", "08-22 13:00"),
        ]
        assert len(await till.attempts()) == 10  # five rounds over two cards
        refused = await till.world.data(
            '{ planChangePreview(planId: "plan_220_2020", when: NOW) { ... on UserError { code } } }'
        )
        assert refused["planChangePreview"]["code"] == "ACCOUNT_SUSPENDED"

        await till.world.add_calls(a_call(started_at=pacific(2026, 8, 23, 9), script_seconds=60))
        till.gateway.force("*", None)
        pay = 'payOpenBalance(input: {idempotencyKey: "now"}) { ... on OpenBalancePaid { outcomes { result } } }'
        paid = await till.world.data(f"mutation {{ {pay} }}")
        assert paid["payOpenBalance"]["outcomes"] == [{"result": "PAID"}]
        assert (await owner(till)).status is AccountStatus.ACTIVE

        await till.advance_to(pacific(2026, 9, 1, 12))
        september = (await till.world.issued())[-1]
        fees = [line.amount_cents for line in september.lines if line.kind is LineKind.LATE_FEE]
        assert (fees, september.status) == ([25_00], InvoiceStatus.PAID)
        assert await till.world.differences() == []
        assert await till.disagreements() == []

    async def test_a_new_card_pays_at_once_where_the_old_one_was_refused_for_good(self, till: Till):
        await till.world.add_account()
        visa = await till.add_card(VISA)
        till.gateway.force(visa, HARD)
        await till.advance_to(pacific(2026, 7, 2))
        assert (await till.world.issued())[0].status is InvoiceStatus.OPEN
        await till.advance_to(pacific(2026, 7, 3, 12))
        assert len(await till.attempts()) == 1  # refused for good, so the second round finds nothing to charge
        await till.add_card(MASTERCARD)
        await till.advance_to(pacific(2026, 7, 8, 12))
        assert (await till.world.issued())[0].status is InvoiceStatus.PAID

    async def test_an_account_that_pays_by_check_is_not_told_of_failures_but_pays_the_fee(self, till: Till):
        await till.world.add_account(paid_since_on=date(2025, 7, 1))
        till.world.clock.instant = pacific(2026, 7, 1, 12)
        await till.world.close_now()
        await till.world.pay(13 * 139_00)
        await till.advance_to(pacific(2026, 8, 10))
        assert await happened(till, "payment.failed", "late_fee.added") == [("late_fee.added", "08-08 13:00")]
        assert await till.attempts() == []

    async def test_a_check_over_all_that_is_open_brings_service_back(self, till: Till):
        await till.world.add_account()
        await till.advance_to(pacific(2026, 7, 9))
        assert (await owner(till)).status is AccountStatus.SUSPENDED
        await till.world.pay(100_00)
        assert (await owner(till)).status is AccountStatus.SUSPENDED
        await till.world.pay(39_00)
        assert (await owner(till)).status is AccountStatus.ACTIVE
        assert await till.world.differences() == []


async def owner(till: Till):
    return await till.read(lambda uow: uow.accounts.get_by_external_id(ACCOUNT))


class TestAYear:
    async def test_of_ten_accounts_with_declines_of_every_sort(self, till: Till):
        """Two of three cards work; each month some soften, harden or recover. Months, fees and suspensions go on."""
        random = Random(7)
        for place, account in enumerate(TEN):
            await till.world.add_account(account, plan=("economy", "100", "220")[place % 3])
            await till.add_card(VISA, account=account)
            if place % 2:
                await till.add_card(MASTERCARD, account=account)
        cards = [method.id for account in TEN for method in await till.methods(account)]
        for month in range(12):
            for card in random.sample(cards, 5):
                till.gateway.force(card, random.choice([SOFT, SOFT, "3000", HARD, *[None] * 8]))
            year, place = divmod(6 + month, 12)
            await till.advance_to(pacific(2026 + year, place + 1, 28, 12))
            for account in random.sample(TEN, 2):
                await till.world.pay(random.randrange(1_00, 300_00), account=account)

        issued = [invoice for account in TEN for invoice in await till.world.issued(account)]
        statuses = Counter(invoice.status for invoice in issued)
        assert statuses[InvoiceStatus.PAID] > 55
        assert statuses[InvoiceStatus.OPEN] > 0
        assert await till.world.differences() == []
        assert await till.disagreements() == []
        assert max(order["captures"] for order in till.gateway.ledger().values()) == 1
