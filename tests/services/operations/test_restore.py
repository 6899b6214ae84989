"""An older database is brought back: no number is used again, nothing is charged twice, and verify knows the gap."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.collection import AttemptState
from app.domain.payment_methods import MethodStatus
from app.repositories.database import Database
from app.repositories.database_files import (
    BackupExists,
    DatabaseInUse,
    NotABackup,
    NotAFile,
    database_path,
    read_next_number,
)
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.refund_payment import refund_payment
from app.services.operations.reconcile import Reconciliation, SinceTooLate, accept_transactions, reconcile
from app.services.operations.restore_database import (
    NextNumberNeeded,
    NextNumberTooLow,
    Restored,
    back_up,
    mark_restored,
    restore_database,
)
from app.services.operations.sweep_gateway import sweep_gateway
from tests.services.books import rows
from tests.services.staff import ANN, WHY, balances, by_ann, credit
from tests.till import LOST, MASTERCARD, Till
from tests.world import World, pacific

FIRST = 100_001
FULL = 139_00


class Disaster:
    """A till whose database is backed up, lost and brought back; the gateway remembers everything."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.path = Path(str(till.world.database._url.database))
        self.url = f"sqlite:///{self.path}"
        self.backup = self.path.with_name("backup.db")

    async def back_up(self) -> None:
        assert await back_up(self.url, self.backup) > 0

    async def restore(self, next_number: int | None = None) -> Restored:
        """Bring the backup back a day later, and open the product on it again."""
        old = self.till.world
        await old.database.close()
        old.clock.instant += timedelta(days=1)
        restored = await restore_database(
            self.url, self.backup, next_number=next_number, clock=old.clock, ids=old.ids, actor="cli:test"
        )
        world = World(Database.open(self.url), old.clock.now(), old.services.payments)
        world.ids.count = old.ids.count
        self.till = Till(world, self.till.gateway)
        return restored

    async def reconcile(self, **changes) -> Reconciliation:
        given = {"since": pacific(2026, 7, 1), "actor": "staff:ann"}
        return await reconcile(self.till.world.services, **{**given, **changes})

    async def run_due(self) -> None:
        """What the ticker does in two days."""
        await self.till.world.close_now()
        await self.till.collect()
        await self.till.advance_to(self.till.world.clock.now() + timedelta(days=2))

    def captures(self) -> list[int]:
        return [order["captures"] for order in self.till.gateway.ledger().values() if order["captures"]]


@pytest.fixture
async def disaster(till: Till):
    """An account with a Visa; July is not invoiced yet."""
    await till.world.add_account()
    await till.add_card()
    disaster = Disaster(till)
    yield disaster
    world = disaster.till.world
    assert await world.differences() == []
    await world.database.close()


async def charged(disaster: Disaster) -> None:
    """July is invoiced, backed up, and then charged."""
    await disaster.till.world.close_now()
    await disaster.back_up()
    await disaster.till.collect()
    assert disaster.captures() == [1]


class TestStory:
    async def test_a_charge_since_the_backup_is_recorded_and_nothing_is_charged_twice(self, disaster):
        await charged(disaster)
        await disaster.restore()
        await disaster.run_due()
        assert disaster.captures() == [1]
        assert balances(disaster.till.world.database) == {FIRST: ("OPEN", FULL)}
        result = await disaster.reconcile()
        assert (result.problems, result.is_lifted, len(result.recorded)) == ((), True, 1)
        await disaster.run_due()
        assert disaster.captures() == [1]
        assert balances(disaster.till.world.database) == {FIRST: ("PAID", 0)}
        assert await disaster.till.disagreements() == []
        again = await disaster.reconcile()
        assert (again.known, again.recorded, again.problems, again.is_lifted) == (1, (), (), False)

    async def test_an_invoice_since_the_backup_gets_a_new_number_and_its_charge_is_recorded(self, disaster):
        await disaster.back_up()
        await disaster.till.world.close_now()
        await disaster.till.collect()
        restored = await disaster.restore()
        assert restored.next_number == FIRST + 1
        result = await disaster.reconcile()
        assert (result.is_lifted, len(result.problems)) == (False, 1)
        assert "no open invoice" in result.problems[0]
        await disaster.run_due()
        assert balances(disaster.till.world.database) == {FIRST + 1: ("OPEN", FULL)}
        assert disaster.captures() == [1]
        assert (await disaster.reconcile()).is_lifted
        await disaster.run_due()
        assert disaster.captures() == [1]
        assert balances(disaster.till.world.database) == {FIRST + 1: ("PAID", 0)}

    async def test_what_was_under_way_in_the_backup_is_found(self, disaster):
        await disaster.till.world.close_now()
        disaster.till.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        await disaster.till.collect()
        await disaster.back_up()
        await disaster.till.advance_to(pacific(2026, 7, 2))
        await disaster.restore()
        assert (await disaster.reconcile()).is_lifted
        await disaster.run_due()
        assert disaster.captures() == [1]
        assert await disaster.till.disagreements() == []

    async def test_what_was_declined_since_goes_on_with_the_next_card(self, disaster):
        await disaster.till.world.close_now()
        (visa,) = await disaster.till.methods()
        disaster.till.gateway.force(visa.id, "2001")
        disaster.till.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        await disaster.till.collect()
        await disaster.back_up()
        disaster.till.gateway.force(visa.id, None)
        await disaster.restore()
        assert (await disaster.reconcile()).is_lifted
        assert [attempt.state for attempt in await disaster.till.attempts()] == [AttemptState.DECLINED]
        await disaster.run_due()
        assert disaster.captures() == [1]
        assert balances(disaster.till.world.database) == {FIRST: ("PAID", 0)}

    async def test_rule_35_credit_pays_what_was_declined_since_as_soon_as_that_is_known(self, disaster):
        await disaster.till.world.close_now()
        disaster.till.gateway.force("*", "2001")
        disaster.till.gateway.faults(LOST)
        await disaster.till.collect()
        world = disaster.till.world
        await grant_goodwill(world.services, by_ann(), amount_cents=20_00, reference="G1", **WHY)
        assert (balances(world.database), credit(world.database)) == ({FIRST: ("OPEN", FULL)}, 20_00)
        await disaster.back_up()
        await disaster.restore()

        assert (await disaster.reconcile()).is_lifted

        database = disaster.till.world.database
        assert (balances(database), credit(database)) == ({FIRST: ("OPEN", 119_00)}, 0)
        disaster.till.gateway.force("*", None)

    async def test_a_card_since_the_backup_is_known_again_but_not_charged(self, disaster):
        await disaster.till.world.close_now()
        await disaster.back_up()
        card = await disaster.till.add_card(MASTERCARD, is_default=True)
        await disaster.till.collect()
        await disaster.restore()
        assert (await disaster.reconcile()).is_lifted
        method = next(each for each in await disaster.till.methods() if each.id == card)
        assert (method.status, method.is_default, method.brand) == (MethodStatus.NEEDS_ATTENTION, False, "MasterCard")
        assert (await sweep_gateway(disaster.till.world.services)).findings == ()

    async def test_a_refund_since_the_backup_is_recorded(self, disaster):
        await charged(disaster)
        disaster.till.gateway.settle()
        given = {"invoice_number": FIRST, "amount_cents": 39_00, "reference": "R1", **WHY}
        await refund_payment(disaster.till.world.services, by_ann(), **given)
        await disaster.restore()
        result = await disaster.reconcile()
        assert (len(result.recorded), result.problems, result.is_lifted) == (2, (), True)
        assert balances(disaster.till.world.database) == {FIRST: ("OPEN", 39_00)}
        await disaster.run_due()
        assert disaster.captures() == [1]
        assert rows(disaster.till.world.database, "SELECT settled_at IS NOT NULL FROM payment_attempt") == [(1,)]

    async def test_a_refund_that_was_under_way_is_found(self, disaster):
        await disaster.till.world.close_now()
        await disaster.till.collect()
        disaster.till.gateway.settle()
        disaster.till.gateway.faults({"match": "refund", "when": "after", "action": "reset"})
        given = {"invoice_number": FIRST, "amount_cents": 39_00, "reference": "R1", **WHY}
        assert not (await refund_payment(disaster.till.world.services, by_ann(), **given)).is_known
        await disaster.back_up()
        await disaster.restore()
        assert (await disaster.reconcile()).is_lifted
        assert rows(disaster.till.world.database, "SELECT state FROM refund") == [("SUCCEEDED",)]

    async def test_a_void_since_the_backup_is_taken_over(self, disaster):
        await disaster.till.world.close_now()
        await disaster.till.collect()
        await disaster.back_up()
        given = {"invoice_number": FIRST, "amount_cents": FULL, "reference": "R1", **WHY}
        await refund_payment(disaster.till.world.services, by_ann(), **given)
        await disaster.restore()
        assert (await disaster.reconcile()).is_lifted
        assert balances(disaster.till.world.database) == {FIRST: ("OPEN", FULL)}
        await disaster.run_due()
        assert disaster.captures() == []

    async def test_a_stranger_keeps_the_hold_until_staff_accept_it(self, disaster):
        await charged(disaster)
        await disaster.restore()
        world = disaster.till.world
        stranger = disaster.till.gateway
        await _sale_by_hand(disaster)
        result = await disaster.reconcile()
        assert (result.is_lifted, len(result.recorded), len(result.problems)) == (False, 1, 1)
        transaction_id = result.problems[0].split()[1]
        await accept_transactions(world.services, transaction_ids=[transaction_id], **ANN)
        assert (await disaster.reconcile()).is_lifted
        assert stranger is not None

    async def test_a_time_after_the_backup_is_refused(self, disaster):
        await charged(disaster)
        await disaster.restore()
        with pytest.raises(SinceTooLate):
            await disaster.reconcile(since=disaster.till.world.clock.now())


async def _sale_by_hand(disaster: Disaster) -> None:
    """Somebody charges the card in the gateway's control panel, under an order id of their own."""
    from app.domain.payment_gateway import ChargeReason, ChargeRequest

    (visa,) = await disaster.till.methods()
    request = ChargeRequest("by-hand", 5_00, visa.account_id, visa.id, ChargeReason.UNSCHEDULED)
    await disaster.till.world.services.payments.charge(request)


class TestRestore:
    async def test_the_database_from_before_is_kept(self, disaster):
        await charged(disaster)
        restored = await disaster.restore()
        assert restored.kept is not None
        with closing(sqlite3.connect(restored.kept)) as opened:
            assert opened.execute("SELECT status FROM invoice").fetchall() == [("PAID",)]

    async def test_numbers_go_on_from_the_one_given_and_verify_knows_the_gap(self, disaster):
        await disaster.back_up()
        restored = await disaster.restore(100_500)
        assert restored.next_number == 100_500
        await disaster.till.world.close_now()
        assert list(balances(disaster.till.world.database)) == [100_500]

    async def test_a_number_that_was_used_is_refused(self, disaster):
        await disaster.back_up()
        await disaster.till.world.close_now()
        with pytest.raises(NextNumberTooLow, match="below 100002"):
            await disaster.restore(FIRST)

    async def test_without_the_lost_database_the_number_has_to_be_given(self, disaster):
        await disaster.back_up()
        await disaster.till.world.database.close()
        disaster.path.unlink()
        with pytest.raises(NextNumberNeeded):
            await disaster.restore()
        assert (await disaster.restore(100_010)).kept is None

    async def test_a_damaged_database_is_replaced_too(self, disaster):
        await disaster.back_up()
        await disaster.till.world.database.close()
        disaster.path.write_bytes(b"nonsense" * 1000)
        with pytest.raises(NextNumberNeeded):
            await disaster.restore()
        assert (await disaster.restore(100_010)).kept is not None

    async def test_while_somebody_has_it_open_nothing_is_done(self, disaster):
        await disaster.back_up()
        world = disaster.till.world
        await world.differences()
        before = disaster.path.read_bytes()
        with pytest.raises(DatabaseInUse):
            await restore_database(
                disaster.url, disaster.backup, next_number=None, clock=world.clock, ids=world.ids, actor="cli:test"
            )
        assert disaster.path.read_bytes() == before

    async def test_a_hold_after_a_restore_by_other_means(self, disaster):
        world = disaster.till.world
        await world.close_now()
        await mark_restored(world.services, next_number=100_009, actor="cli:test")
        await disaster.till.collect()
        assert disaster.captures() == []
        assert [name for (name,) in rows(world.database, "SELECT name FROM hold ORDER BY 1")] == [
            "collection",
            "messages",
        ]
        with pytest.raises(NextNumberTooLow):
            await mark_restored(world.services, next_number=FIRST, actor="cli:test")


class TestFiles:
    async def test_a_backup_is_whole_while_others_write(self, disaster):
        await disaster.till.world.close_now()
        await disaster.back_up()
        assert read_next_number(disaster.backup) == FIRST + 1
        assert disaster.backup.stat().st_mode & 0o077 == 0
        assert [path.name for path in disaster.path.parent.glob("*.partial")] == []

    async def test_no_file_is_written_over(self, disaster):
        await disaster.back_up()
        with pytest.raises(BackupExists):
            await disaster.back_up()

    @pytest.mark.parametrize("content", [b"", b"nonsense" * 500, None])
    async def test_what_is_no_backup_is_refused(self, disaster, content):
        if content is None:
            with closing(sqlite3.connect(disaster.backup)) as opened:
                opened.execute("CREATE TABLE other (id)")
        else:
            disaster.backup.write_bytes(content)
        with pytest.raises(NotABackup):
            await disaster.restore()

    async def test_a_backup_of_a_newer_program_is_refused(self, disaster):
        await disaster.back_up()
        with closing(sqlite3.connect(disaster.backup)) as opened:
            opened.execute("UPDATE alembic_version SET version_num = '9999'")
            opened.commit()
        with pytest.raises(NotABackup, match="newer program"):
            await disaster.restore()

    def test_a_database_on_a_server_has_tools_of_its_own(self):
        with pytest.raises(NotAFile, match="pg_dump"):
            database_path("postgresql://localhost/flex")
