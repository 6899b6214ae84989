"""The story of an account and of an invoice, for the person who is asked why."""

from __future__ import annotations

from datetime import date

import pytest

from app.repositories.accounts import AccountNotFound
from app.services.common.staff_actions import InvoiceNotFound
from app.services.operations.explain import Fact, explain_account, explain_invoice
from tests.factories.calls import a_call
from tests.services.books import dump, invoices
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


@pytest.fixture
async def august(world: World) -> World:
    """Noon of 10 August 2026: 110 minutes in July, a check of $200.00, so August's invoice took $61.00 of credit."""
    await world.add_account(trial_ends_on=date(2026, 6, 30))
    await world.advance_to(pacific(2026, 7, 20))
    await world.add_calls(
        a_call(event_id="1", started_at=pacific(2026, 7, 12), script_seconds=100 * MINUTE, patch_seconds=450),
        a_call(event_id="2", started_at=pacific(2026, 7, 12), script_seconds=10 * MINUTE),
        a_call(event_id="3", started_at=pacific(2026, 7, 13), script_seconds=0, recording_seconds=0, ivr_seconds=200),
        a_call(event_id="4", started_at=pacific(2026, 7, 14), script_seconds=0, recording_seconds=0),
    )
    await world.pay(200_00, reference="4711")
    await world.advance_to(pacific(2026, 8, 10, 12))
    return world


class TestAccount:
    async def test_its_facts_and_its_next_invoice_are_told(self, august):
        story = await explain_account(database=august.database, account=ACCOUNT)

        assert story.title == "Account AA0101, Harbor Dental"
        told = {fact.name: fact.value for fact in story.facts}
        assert told.pop("id").startswith("acc_")
        assert told == {
            "status": "ACTIVE",
            "trial ends on": "2026-06-30",
            "paid from": "2026-07-01",
            "plan chosen": "plan_100_2020",
            "next invoice opens": "September 2026",
            "next invoice, 100 Minutes plan, September 2026": "$139.00 (rule 11: 1 month at $139.00)",
            "next invoice, due as of now": "$139.00",
        }

    async def test_what_happened_is_told_oldest_first(self, august):
        story = await explain_account(database=august.database, account=ACCOUNT)

        happened = [(entry.what, entry.actor, entry.detail) for entry in story.timeline]
        paid = (await invoices(august.database))[0].id
        assert happened == [
            ("account.created", "test", "members: ['ADMIN ADMIN', 'BILLING BILLING', 'MEMBER MEMBER']"),
            ("invoice.issued", "system", "number: 100001, kind: CYCLE, month: 2026-07, amount_due_cents: 13900"),
            ("usage.recorded", "test", "calls: 4, last_call: 4"),
            (
                "payment.recorded",
                "test",
                f"amount_cents: 20000, reference: 4711, reason: A check came in., paid: ['{paid}']",
            ),
            ("invoice.issued", "system", "number: 100002, kind: CYCLE, month: 2026-08, amount_due_cents: 9215"),
        ]
        assert [entry.at for entry in story.timeline] == sorted(entry.at for entry in story.timeline)

    async def test_an_account_without_a_trial_and_without_an_invoice_has_a_story_too(self, world):
        await world.add_account(paid_since_on=date(2026, 9, 1))

        story = await explain_account(database=world.database, account=ACCOUNT)

        assert Fact("trial ends on", "no trial") in story.facts
        assert Fact("next invoice, due as of now", "$139.00") in story.facts

    async def test_an_unknown_account_is_refused(self, world):
        with pytest.raises(AccountNotFound, match=r"There is no account 'AA0101'"):
            await explain_account(database=world.database, account=ACCOUNT)


class TestInvoice:
    async def test_its_lines_its_usage_and_its_figures_are_told(self, august):
        story = await explain_invoice(database=august.database, number=100_002)

        assert story.title == "Invoice 100002 of account AA0101, Harbor Dental"
        told = {fact.name: fact.value for fact in story.facts}
        assert told.pop("id").startswith("inv_")
        assert told == {
            "status": "OPEN",
            "opens": "August 2026",
            "issued at": "2026-08-01T13:00:00+00:00",
            "plan": "plan_100_2020",
            "policies, engine": "2026-11, 2",
            "saw calls up to": "number 4 of the account",
            "total": "$153.15",
            "credit applied": "$61.00",
            "amount due": "$92.15",
            "100 Minutes plan, August 2026": "$139.00 (rule 11: 1 month at $139.00)",
            "Minutes above the allowance of 100 Minutes, July 2026": (
                "$12.90 (rule 7: 110 min live - 100 min included = 10 min × $1.29 a minute = $12.90)"
            ),
            "Patched calls, July 2026": "$0.75 (rule 6: 7 min 30 s × $0.10 a minute = $0.75)",
            "Automated (IVR) time, July 2026": "$0.50 (rule 6: 3 min 20 s × $0.15 a minute = $0.50)",
            "usage of 2026-07-12": "2 calls; live 110 min, patch 7 min 30 s",
            "usage of 2026-07-13": "1 call; IVR 3 min 20 s",
            "usage of 2026-07-14": "1 call",
        }

    async def test_only_what_touched_it_is_told(self, august):
        story = await explain_invoice(database=august.database, number=100_001)

        assert [entry.what for entry in story.timeline] == ["invoice.issued", "payment.recorded"]

    async def test_an_unknown_number_is_refused(self, august):
        with pytest.raises(InvoiceNotFound, match=r"There is no invoice 7\. Its number has six digits or more"):
            await explain_invoice(database=august.database, number=7)

    async def test_telling_writes_nothing(self, august):
        before = dump(august.database)

        await explain_invoice(database=august.database, number=100_001)
        await explain_account(database=august.database, account=ACCOUNT)

        assert dump(august.database) == before
