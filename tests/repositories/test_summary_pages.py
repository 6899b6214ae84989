"""The pages of Summary, usage and plans on both engines: they read what a session reads, and no one else's."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.usage import UsageTotals
from app.domain.usage_months import UsageSums
from app.repositories.database import Database
from app.repositories.pages.billing_summary import BILLING_SUMMARY
from app.repositories.pages.next_invoice import NEXT_INVOICE
from app.repositories.pages.usage import USAGE_BY_DAY, USAGE_BY_MONTH
from app.repositories.unit_of_work import read
from tests.factories.calls import a_call
from tests.world import World, calls_of, pacific

QUARTER = {"since": date(2026, 7, 1), "before": date(2026, 10, 1)}
SEPTEMBER = {"since": date(2026, 9, 1), "before": date(2026, 10, 1)}

PAGES = [
    pytest.param(USAGE_BY_MONTH, QUARTER, id="usage by month"),
    pytest.param(USAGE_BY_DAY, QUARTER, id="usage by day"),
    pytest.param(NEXT_INVOICE, {}, id="next invoice"),
    pytest.param(BILLING_SUMMARY, SEPTEMBER, id="billing summary"),
]

CALLS = [
    a_call(started_at=pacific(2026, 7, 2, 12), event_id="trial"),
    a_call(started_at=pacific(2026, 7, 11), event_id="first", script_seconds=5_000, ivr_seconds=30),
    a_call(started_at=pacific(2026, 7, 31, 23, 59), event_id="last", script_seconds=0, recording_seconds=70),
    a_call(started_at=pacific(2026, 8, 1), event_id="free", is_billable=False),
    a_call(started_at=pacific(2026, 9, 3, 8), event_id="newest", script_seconds=10_000, patch_seconds=61),
]


@pytest.fixture
async def two_accounts(migrated_url):
    """Both have a trial until 10 July and the same calls, the second twice over; 4 September, each has paid $500."""
    database = Database.open(migrated_url)
    world = await World.create(database)
    for account in ("AA0101", "AA0102"):
        await world.add_account(account, trial_ends_on=date(2026, 7, 10))
    await world.advance_to(pacific(2026, 8, 1, 1))
    for account, times in (("AA0101", 1), ("AA0102", 2)):
        await world.add_calls(*calls_of(CALLS[:-1] * times, account))
    await world.advance_to(pacific(2026, 9, 4, 12))
    for account in ("AA0101", "AA0102"):
        await world.add_calls(CALLS[-1]._replace(account=account, event_id=f"{account}/newest"))
        await world.pay(500_00, account=account)
    yield database
    await database.close()


async def by_session(database, page, parameters):
    """The view of a page when its selects are run by a session, one after the other."""

    async def work(session):
        connection = await session.connection()
        return {
            name: [tuple(row) for row in await connection.execute(part, parameters)]
            for name, part in page.parts.items()
        }

    return page.assemble(**await database.read_tx(work))


async def by_reader(database, page, parameters):
    (view,) = await database.reader.load(page.request(**parameters))
    return view


class TestPages:
    @pytest.mark.parametrize(("page", "months"), PAGES)
    @pytest.mark.parametrize("account", ["AA0101", "AA0102", "AA0999"])
    async def test_read_what_a_session_reads(self, two_accounts, page, months, account):
        parameters = {"account": account, **months}
        assert await by_reader(two_accounts, page, parameters) == await by_session(two_accounts, page, parameters)

    @pytest.mark.parametrize(("page", "months"), PAGES)
    async def test_find_nothing_of_an_account_that_is_not_there(self, two_accounts, page, months):
        assert await by_reader(two_accounts, page, {"account": "AA0999", **months}) is None

    async def test_count_the_calls_since_the_paid_start(self, two_accounts):
        """Rule 10: the trial's call is recorded and not billed."""
        facts = await by_reader(two_accounts, USAGE_BY_MONTH, {"account": "AA0101", **QUARTER})

        assert facts.sums == {
            date(2026, 7, 1): UsageSums(UsageTotals(5_070, 0, 30, 2), 0, pacific(2026, 7, 31, 23, 59)),
            date(2026, 8, 1): UsageSums(UsageTotals(), 1, pacific(2026, 8, 1)),
            date(2026, 9, 1): UsageSums(UsageTotals(10_000, 61, 0, 1), 0, pacific(2026, 9, 3, 8)),
        }
        assert sorted(facts.plans) == [date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)]
        assert {plan.id for plan in facts.plans.values()} == {facts.chosen_plan.id} == {"plan_100_2020"}

    async def test_add_up_to_the_same_by_day(self, two_accounts):
        parameters = {"account": "AA0102", **QUARTER}
        by_day = await by_reader(two_accounts, USAGE_BY_DAY, parameters)

        assert by_day.sums == (await by_reader(two_accounts, USAGE_BY_MONTH, parameters)).sums
        assert [day.on for day in by_day.days] == [
            *(date(2026, 7, 11), date(2026, 7, 31), date(2026, 8, 1), date(2026, 9, 3)),
        ]

    async def test_read_the_facts_that_the_cycle_run_bills_from(self, two_accounts):
        for account in ("AA0101", "AA0102"):
            found = await by_reader(two_accounts, NEXT_INVOICE, {"account": account})
            facts = await read(two_accounts, lambda uow, found=found: uow.cycles.facts([found.account_id]))
            summary = await by_reader(two_accounts, BILLING_SUMMARY, {"account": account, **SEPTEMBER})

            assert facts == {found.account_id: found.billing}
            assert summary.next_invoice == found

    async def test_read_the_balances_of_the_books(self, two_accounts):
        """$94.08 for 21 days of July at $4.48, then $139.00 twice and what July's calls cost above 68 minutes."""
        found = await by_reader(two_accounts, BILLING_SUMMARY, {"account": "AA0101", **SEPTEMBER})
        issued = 94_08 + 139_00 + 21_29 + 139_00 + 8
        assert (found.open_balance_cents, found.credit_balance_cents) == (0, 500_00 - issued)

    async def test_read_the_catalogue_of_the_range(self, two_accounts):
        facts = await by_reader(two_accounts, USAGE_BY_MONTH, {"account": "AA0101", **QUARTER})
        past = {"since": date(2019, 12, 1), "before": date(2020, 2, 1)}
        earlier = await by_reader(two_accounts, USAGE_BY_MONTH, {"account": "AA0101", **past})

        assert len(facts.catalogue.versions) == 8
        assert len(earlier.catalogue.versions) == 10
