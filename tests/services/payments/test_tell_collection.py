"""What people hear of cards and collecting: each message when it should come, once, with its figures (29-33)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import pytest

from app.domain.alerts import AlertKind
from app.services.payment_methods.warn_of_expiry import warn_of_expiry
from tests.graphql.test_plan_changes import PLAN_220, confirm, preview
from tests.services.post import Post
from tests.till import MASTERCARD, VISA, Till
from tests.wallet import Wallet
from tests.world import pacific

HARD, SOFT = "2005", "2001"


class Told:
    """The messages that are queued, by kind: what each says, once for each admin (there is one)."""

    def __init__(self, till: Till) -> None:
        self.post = Post(till.world)

    async def counts(self) -> Counter[str]:
        return Counter(kind for (kind,) in await self.post.rows("kind"))

    async def facts(self, kind: AlertKind) -> list[dict]:
        rows = await self.post.rows("kind, facts")
        return [json.loads(facts) if isinstance(facts, str) else facts for found, facts in rows if found == kind]


@pytest.fixture
async def july(till: Till):
    await till.world.add_account()
    await till.add_card(VISA)
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    return till


class TestCharges:
    async def test_a_payment_is_told_with_its_card_and_invoice(self, july):
        await july.collect()
        (facts,) = await Told(july).facts(AlertKind.PAYMENT_RECEIVED)
        assert (facts["amount_cents"], facts["method"], facts["invoice_numbers"]) == (
            139_00,
            "Visa ending in 1881",
            [100_001],
        )

    async def test_rule_29_golden_a_back_up_that_pays_is_one_mail_that_names_both_cards(self, july):
        visa, _ = await july.methods()
        july.gateway.force(visa.id, HARD)
        before = await Told(july).counts()
        await july.collect()
        assert await Told(july).counts() - before == Counter({AlertKind.BACKUP_USED: 1})
        (facts,) = await Told(july).facts(AlertKind.BACKUP_USED)
        assert (facts["failed_method"], facts["paid_by"]) == ("Visa ending in 1881", "MasterCard ending in 4444")

    async def test_rule_30_the_first_failure_is_sent_at_once_with_the_next_date(self, july):
        july.gateway.force("*", SOFT)
        await july.collect()
        (facts,) = await Told(july).facts(AlertKind.PAYMENT_FAILED)
        assert (facts["invoice_number"], facts["amount_cents"], facts["next_try_on"]) == (100_001, 139_00, "2026-07-03")
        assert "2001" not in facts["reason"]

    async def test_rule_31_nothing_is_told_while_an_outcome_is_unknown(self, july):
        july.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        before = await Told(july).counts()
        await july.collect()
        assert await Told(july).counts() == before
        await july.advance_to(july.world.clock.now() + timedelta(minutes=1))
        assert await Told(july).counts() - before == Counter({AlertKind.PAYMENT_RECEIVED: 1})

    async def test_rule_33_suspension_is_announced_told_and_lifted_once_each(self, july):
        july.gateway.force("*", SOFT)
        await july.advance_to(pacific(2026, 7, 9))
        (ahead,) = await Told(july).facts(AlertKind.SUSPENSION_SCHEDULED)
        assert (ahead["suspends_on"], ahead["open_balance_cents"]) == ("2026-07-08", 139_00)
        (now,) = await Told(july).facts(AlertKind.SUSPENDED)
        assert (now["suspended_on"], now["open_balance_cents"]) == ("2026-07-08", 139_00)
        await july.world.pay(139_00)
        (back,) = await Told(july).facts(AlertKind.REACTIVATED)
        assert back["reactivated_on"] == "2026-07-09"


class TestChangesThatArePaidFirst:
    async def test_the_invoice_and_the_change_are_told_when_it_is_paid(self, july):
        await july.collect()
        before = await Told(july).counts()
        assert (await confirm(july.world, await preview(july.world, PLAN_220)))["status"] == "APPLIED"
        assert await Told(july).counts() - before == Counter(
            {AlertKind.PLAN_CHANGED: 1, AlertKind.INVOICE_READY: 1, AlertKind.PAYMENT_RECEIVED: 1}
        )
        facts = (await Told(july).facts(AlertKind.PLAN_CHANGED))[-1]
        assert (facts["plan_before"], facts["plan_after"], facts["amount_due_cents"]) == (
            "100 Minutes",
            "220 Minutes",
            100_00,
        )

    async def test_a_dropped_change_is_told_to_nobody_but_the_one_who_waits(self, july):
        await july.collect()
        july.gateway.force("*", SOFT)
        before = await Told(july).counts()
        await confirm(july.world, await preview(july.world, PLAN_220))
        assert await Told(july).counts() == before


class TestMethods:
    @pytest.fixture
    async def wallet(self, till):
        wallet = Wallet(till)
        await wallet.world.add_account()
        yield wallet
        await wallet.vault.close()

    async def changes(self, wallet) -> list[tuple[str, str]]:
        facts = await Told(wallet.till).facts(AlertKind.PAYMENT_METHOD_CHANGED)
        return [(each["change"], each["method"]) for each in facts]

    async def test_every_change_of_a_method_is_told_to_the_admins(self, wallet):
        await wallet.add(VISA)
        second = await wallet.add(MASTERCARD)
        await wallet.set_default(second)
        await wallet.remove(second)
        assert await self.changes(wallet) == [
            ("ADDED", "Visa ending in 1881"),
            ("ADDED", "MasterCard ending in 4444"),
            ("MADE_DEFAULT", "MasterCard ending in 4444"),
            ("REMOVED", "MasterCard ending in 4444"),
            ("MADE_DEFAULT", "Visa ending in 1881"),
        ]

    async def test_a_renewed_card_is_one_change(self, wallet):
        first = await wallet.add(VISA)
        await wallet.add(wallet.till.gateway.nonce("4111111111111111"), replaces=first)
        assert [change for change, _ in await self.changes(wallet)] == ["ADDED", "CHANGED"]

    async def test_a_card_near_its_last_day_is_sent_at_30_and_at_7_days_once_each(self, wallet):
        nonce = wallet.till.gateway.nonce("4111111111111111", expiration_date="09/2026")
        await wallet.add(nonce)
        world = wallet.world
        on = date(2026, 8, 20)
        while on < date(2026, 10, 5):
            world.clock.instant = pacific(on.year, on.month, on.day, 9)
            await warn_of_expiry(world.services)
            await warn_of_expiry(world.services)
            on += timedelta(days=1)
        facts = await Told(wallet.till).facts(AlertKind.CARD_EXPIRING)
        assert [(each["days"], each["last_day_on"]) for each in facts] == [(30, "2026-09-30"), (7, "2026-09-30")]
