"""Call files into the database: counted, repeatable, and nothing lost on the way to quarantine and back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.metering import Outcome
from app.domain.periods import Period
from app.domain.plans import PlanNotAvailable
from app.gateways.ids import RandomIds
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.sandbox.sample_calls import write_sample_calls
from app.services.common.services import Services
from app.services.plans.load_catalogue import load_catalogue
from app.services.usage import quarantine
from app.services.usage.call_file import NotACallFile, read_call_file
from app.services.usage.call_items import Unreadable, write_call
from app.services.usage.import_calls import ImportCounts, NewAccounts, import_calls, read_payload
from app.services.usage.put_account import AccountParticulars, put_account
from tests.factories.calls import a_call

PLAN_100 = NewAccounts("100", date(1999, 1, 1))


class FixedClock:
    def now(self):
        return datetime(1999, 2, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
async def services(tmp_path):
    url = f"sqlite:///{tmp_path}/flex.db"
    upgrade(url)
    database = Database.open(url)
    services = Services(database, FixedClock(), RandomIds())
    await load_catalogue(services, actor="test")
    yield services
    await database.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("calls") / "calls.tsv.gz"
    return path, write_sample_calls(path, month=Period.parse("1999-01"), lines=3, seed=7)


class TestImportCalls:
    async def test_counts_every_row_and_the_seconds_of_accepted_billable_ones(self, services, sample):
        path, made = sample
        billable = [row for row in read_call_file(path) if hasattr(row, "is_billable") and row.is_billable]
        counts = await import_calls(services, path=path, actor="test", new_accounts=PLAN_100)
        assert counts == ImportCounts(
            accounts_created=3,
            accepted=made.accepted,
            not_billable=made.not_billable,
            quarantined=made.faulty,
            live_seconds=sum(call.live_seconds for call in billable),
            ivr_seconds=sum(call.ivr_seconds for call in billable),
        )

    async def test_the_same_file_twice_changes_nothing(self, services, sample):
        path, made = sample
        await import_calls(services, path=path, actor="test", new_accounts=PLAN_100)

        async def state(uow):
            accounts = await uow.accounts.choose()
            days = [await uow.calls.days(account.id) for account in accounts]
            return accounts, days, await uow.quarantine.list_open(100)

        before = await unit_of_work.read(services.database, state)
        again = await import_calls(services, path=path, actor="test", new_accounts=PLAN_100)
        assert again == ImportCounts(duplicate=made.accepted, quarantined=made.faulty)
        assert await unit_of_work.read(services.database, state) == before

    async def test_accounts_that_are_there_keep_their_plan(self, services, sample):
        particulars = AccountParticulars("AA0101", "Harbor Dental", "500", None, date(1998, 12, 1))
        await put_account(services, particulars=particulars, actor="test")
        counts = await import_calls(services, path=sample[0], actor="test", new_accounts=PLAN_100)
        account = await unit_of_work.read(services.database, lambda uow: uow.accounts.get_by_external_id("AA0101"))
        assert (counts.accounts_created, account.name, account.plan_version_id) == (2, "Harbor Dental", "plan_500_1990")

    async def test_calls_of_unknown_accounts_wait_and_can_be_released_once_the_account_is_there(self, services, sample):
        path, made = sample
        counts = await import_calls(services, path=path, actor="test")
        assert (counts.accepted, counts.quarantined) == (0, made.accepted + made.faulty)
        waiting = await unit_of_work.read(services.database, lambda uow: uow.quarantine.list_open(10_000))
        call = next(each for each in waiting if each.reason == "UNKNOWN_ACCOUNT")
        name = read_payload(call.source, call.payload).account
        release = {"quarantined_id": call.id, "parse": read_payload, "actor": "test", "reason": "the account is there"}
        assert not (await quarantine.release(services, **release)).is_released
        particulars = AccountParticulars(name, name, "100", None, date(1999, 1, 1))
        await put_account(services, particulars=particulars, actor="test")
        released = await quarantine.release(services, **release)
        assert (released.is_released, released.metered.outcome) == (True, Outcome.ACCEPTED)

    async def test_malformed_rows_name_their_line_and_what_is_wrong(self, services, tmp_path, sample):
        lines = tmp_path / "calls.tsv"
        write_sample_calls(lines, month=Period.parse("1999-01"), lines=1, seed=3, faults=1)
        await import_calls(services, path=lines, actor="test", new_accounts=PLAN_100)
        (waiting,) = await unit_of_work.read(services.database, lambda uow: uow.quarantine.list_open(10))
        text = lines.read_text().splitlines()[waiting.position - 1]
        assert (waiting.payload, waiting.reason) == (text, "MALFORMED")
        assert waiting.message.startswith("vru_time '-")
        assert waiting.message.endswith("' is negative.")

    async def test_an_unknown_plan_is_refused_before_anything_is_written(self, services, sample):
        with pytest.raises(PlanNotAvailable, match="no plan 'gold'"):
            await import_calls(
                services, path=sample[0], actor="test", new_accounts=NewAccounts("gold", date(1999, 1, 1))
            )
        assert await unit_of_work.read(services.database, lambda uow: uow.accounts.choose()) == []
        assert await unit_of_work.read(services.database, lambda uow: uow.quarantine.count_open()) == 0

    async def test_a_file_that_breaks_off_keeps_what_came_before_and_goes_on_when_repeated(
        self, services, tmp_path, sample
    ):
        path, made = sample
        broken = tmp_path / "broken.tsv.gz"
        broken.write_bytes(path.read_bytes()[:-2_000])
        with pytest.raises(NotACallFile, match="is damaged after line"):
            await import_calls(services, path=broken, actor="test", new_accounts=PLAN_100)
        counts = await import_calls(services, path=path, actor="test", new_accounts=PLAN_100)
        assert counts.duplicate > 0
        assert counts.accepted + counts.duplicate == made.accepted

    async def test_progress_ends_at_the_size_of_the_file(self, services, sample):
        heard = []
        await import_calls(services, path=sample[0], actor="test", new_accounts=PLAN_100, on_progress=heard.append)
        assert heard == sorted(heard)
        assert heard[-1] == sample[0].stat().st_size


class TestPayloads:
    def test_a_call_survives_the_way_through_its_text(self):
        call = a_call(source="call-file", corrects="AA0101/1/260914", is_billable=False, ivr_seconds=4)
        assert read_payload("call-file", write_call(call)) == call

    def test_a_row_that_could_not_be_read_stays_unreadable(self):
        assert isinstance(read_payload("call-file", "AA0101\t1\t"), Unreadable)
