"""Months are closed: each account's invoices at their hour, in order, numbered without a gap, once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.invoice_drafts import InvoiceStatus
from app.repositories.events import EventRepository
from app.services.cycle.close_periods import close_periods
from tests.factories.calls import a_call
from tests.services.books import connection, differences, dump, events, invoices, lines, postings, rows
from tests.services.staff import balances
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


def moved(posted) -> list[tuple[str, int, int | None]]:
    return [(str(each.posting.kind), each.posting.amount_cents, each.posting.grant_seq) for each in posted]


class TestFirstInvoices:
    async def test_rules_9_10_and_11_hold_for_the_published_example(self, world):
        """Rules 9-11: trial ends 10 Sep: $139 / 30 = $4.63, 20 days, $92.60, 67 minutes; 10 more are $12.90 later."""
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 9, 20))
        await world.add_calls(a_call(started_at=pacific(2026, 9, 19), script_seconds=77 * MINUTE))
        await world.advance_to(pacific(2026, 10, 1, 6))

        assert await lines(world.database) == [
            [("BASE", "2026-09", 92_60)],
            [("BASE", "2026-10", 139_00), ("OVERAGE", "2026-09", 12_90)],
        ]
        first, second = await invoices(world.database)
        assert (first.issued_at, first.amount_due_cents) == (pacific(2026, 9, 11, 6), 92_60)
        assert (second.issued_at, second.amount_due_cents) == (pacific(2026, 10, 1, 6), 151_90)
        assert dict(second.lines[1].inputs)["allowance_seconds"] == 67 * MINUTE
        assert await differences(world.database) == []

    async def test_rule_9_a_start_on_the_first_is_the_full_base(self, world):
        await world.add_account(trial_ends_on=date(2026, 8, 31))
        await world.advance_to(pacific(2026, 9, 1, 6))

        assert await lines(world.database) == [[("BASE", "2026-09", 139_00)]]

    async def test_rule_9_a_start_on_the_last_is_one_day(self, world):
        await world.add_account(paid_since_on=date(2026, 7, 31))
        await world.advance_to(pacific(2026, 8, 1, 6))

        assert await lines(world.database) == [[("BASE", "2026-07", 4_48)], [("BASE", "2026-08", 139_00)]]

    async def test_rule_11_lines_stand_base_first_then_overage_patch_ivr_then_earlier_months(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 8, 10))
        await world.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 7, 20), ivr_seconds=3_600, script_seconds=0),
            a_call(event_id="2", started_at=pacific(2026, 8, 9), ivr_seconds=200, patch_seconds=450),
            a_call(event_id="3", started_at=pacific(2026, 8, 8), script_seconds=101 * MINUTE),
        )
        await world.advance_to(pacific(2026, 9, 1, 6))

        assert (await lines(world.database))[-1] == [
            ("BASE", "2026-09", 139_00),
            ("OVERAGE", "2026-08", 4_52),  # 103 min 30 s: the last call alone and 150 s of the one before
            ("PATCH", "2026-08", 75),
            ("IVR", "2026-08", 50),
            ("ADJUSTMENT", "2026-07", 9_00),
        ]


class TestTheHour:
    async def test_rule_12_the_run_is_at_six_in_the_morning_and_not_a_second_before(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 8, 1, 6) - timedelta(seconds=1))
        assert len(await invoices(world.database)) == 1

        world.clock.instant = pacific(2026, 8, 1, 6)

        assert await world.close_now() == 1

    @pytest.mark.parametrize(
        ("month", "hour_utc"), [("2026-11-01", 14), ("2026-12-01", 14), ("2027-03-01", 14), ("2027-04-01", 13)]
    )
    async def test_rule_12_six_is_six_on_the_wall_on_both_sides_of_summer_time(self, world, month, hour_utc):
        """Rule 12: on 1 November 2026 the clocks change in the night of the run."""
        await world.add_account()
        await world.advance_to(pacific(2027, 4, 2))

        issued = {invoice.period.starts_on.isoformat(): invoice.issued_at for invoice in await invoices(world.database)}

        expected = date.fromisoformat(month)
        assert issued[month] == datetime(expected.year, expected.month, 1, hour_utc, tzinfo=UTC)

    async def test_rule_12_running_it_again_writes_nothing(self, world):
        await world.add_account()
        assert await world.close_now() == 1
        before = dump(world.database)

        assert await world.close_now() == 0

        assert dump(world.database) == before

    async def test_without_any_account_there_is_nothing_to_do(self, world):
        before = dump(world.database)

        assert await world.close_now() == 0

        assert dump(world.database) == before


class TestCatchingUp:
    async def test_rule_12_missed_months_come_in_order_each_with_its_own_usage(self, world):
        await world.add_account()
        world.clock.instant = pacific(2026, 10, 15, 12)
        await world.add_calls(
            *(
                a_call(event_id=str(month), started_at=pacific(2026, month, 3), script_seconds=(94 + month) * MINUTE)
                for month in (7, 8, 9, 10)
            )
        )

        assert await world.close_now() == 4

        assert await lines(world.database) == [
            [("BASE", "2026-07", 139_00)],
            [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 1_29)],
            [("BASE", "2026-09", 139_00), ("OVERAGE", "2026-08", 2_58)],
            [("BASE", "2026-10", 139_00), ("OVERAGE", "2026-09", 3_87)],
        ]
        issued = [(invoice.number, invoice.issued_at) for invoice in await invoices(world.database)]
        assert issued == [(number, world.clock.now()) for number in range(100_001, 100_005)]
        assert await differences(world.database) == []

    async def test_rule_27_numbers_have_no_gap_across_accounts_and_chunks(self, world):
        for at in range(5):
            await world.add_account(f"AA010{at}")
        world.clock.instant = pacific(2026, 9, 2)
        told: list[int] = []

        assert await close_periods(world.services, chunk_size=2, on_progress=told.append) == 15

        numbers = rows(world.database, "SELECT number FROM invoice ORDER BY number")
        assert numbers == [(number,) for number in range(100_001, 100_016)]
        assert (sum(told), max(told)) == (15, 2)
        assert await differences(world.database) == []

    async def test_rule_12_the_database_itself_refuses_a_month_billed_twice(self, world):
        await world.add_account()
        await world.close_now()
        before = dump(world.database)

        changed = {"id": "'inv_again'", "number": "100002", "status": "'DRAFT'"}
        with connection(world.database) as opened:
            columns = [name for _, name, *_ in opened.execute("PRAGMA table_info(invoice)")]
            values = ", ".join(changed.get(name, name) for name in columns)
            with pytest.raises(sqlite3.IntegrityError, match=r"invoice\.period_on"):
                opened.execute(f"INSERT INTO invoice SELECT {values} FROM invoice")

        assert dump(world.database) == before


class TestFailing:
    async def test_rule_27_a_failed_transaction_leaves_nothing_and_gives_its_numbers_back(self, world, monkeypatch):
        for at in range(4):
            await world.add_account(f"AA010{at}")
        before = dump(world.database)
        add_many = EventRepository.add_many

        async def fail(self, events):
            raise OSError("the disk is full")

        monkeypatch.setattr(EventRepository, "add_many", fail)
        with pytest.raises(OSError, match="the disk is full"):
            await world.close_now()
        assert dump(world.database) == before

        monkeypatch.setattr(EventRepository, "add_many", add_many)
        assert await world.close_now() == 4
        assert rows(world.database, "SELECT min(number), max(number), count(*) FROM invoice") == [(100_001, 100_004, 4)]
        assert await differences(world.database) == []

    async def test_rule_12_chunks_before_a_failure_stand_and_the_next_run_goes_on(self, world, monkeypatch):
        for at in range(5):
            await world.add_account(f"AA010{at}")
        add_many = EventRepository.add_many
        batches = 0

        async def fail_in_the_second_chunk(self, events):
            nonlocal batches
            batches += 1
            if batches == 2:
                raise OSError("the disk is full")
            await add_many(self, events)

        monkeypatch.setattr(EventRepository, "add_many", fail_in_the_second_chunk)
        with pytest.raises(OSError, match="the disk is full"):
            await close_periods(world.services, chunk_size=2)
        assert rows(world.database, "SELECT count(*) FROM invoice") == [(2,)]

        assert await close_periods(world.services, chunk_size=2) == 3

        assert rows(world.database, "SELECT min(number), max(number), count(*) FROM invoice") == [(100_001, 100_005, 5)]
        assert await differences(world.database) == []


class TestWhatAnInvoiceKeeps:
    async def test_rule_28_engine_policies_watermarks_and_hashes_are_stored(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 20))
        await world.add_calls(a_call(started_at=pacific(2026, 7, 19)))
        await world.pay(139_00)
        await world.advance_to(pacific(2026, 8, 1, 6))

        first, second = await invoices(world.database)

        assert (first.engine_version, first.policies_version, first.plan_version_id) == (2, "2026-11", "plan_100_2020")
        assert (first.usage_watermark, first.ledger_watermark) == (0, 0)
        assert (second.usage_watermark, second.ledger_watermark) == (1, 2)
        assert {len(text) for text in (first.facts_hash, first.content_hash)} == {64}
        assert first.facts_hash != second.facts_hash
        assert rows(world.database, "SELECT due_on FROM invoice") == [("2026-07-01",), ("2026-08-01",)]

    async def test_one_event_tells_of_each_invoice(self, world):
        await world.add_account()
        await world.close_now()

        (invoice,) = await invoices(world.database)
        event = (await events(world.database))[-1]

        assert (event.kind, event.actor, event.subject_id) == ("invoice.issued", "system", invoice.id)
        assert event.data == {
            "number": 100_001,
            "kind": "CYCLE",
            "month": "2026-07",
            "amount_due_cents": 139_00,
        }


class TestCredit:
    async def test_rule_35_credit_is_applied_from_the_oldest_on_over_several_invoices(self, world):
        await world.add_account()
        await world.close_now()
        await world.pay(239_00)
        await world.pay(80_00)
        await world.advance_to(pacific(2026, 9, 1, 6))

        assert moved(await postings(world.database)) == [
            ("INVOICED", 139_00, None),
            ("PAYMENT_RECEIVED", 139_00, None),
            ("OVERPAID", 100_00, None),
            ("OVERPAID", 80_00, None),
            ("INVOICED", 139_00, None),
            ("CREDIT_APPLIED", 100_00, 3),
            ("CREDIT_APPLIED", 39_00, 4),
            ("INVOICED", 139_00, None),
            ("CREDIT_APPLIED", 41_00, 4),
        ]
        figures = [(i.status, i.credit_applied_cents, i.amount_due_cents) for i in await invoices(world.database)]
        assert figures == [
            (InvoiceStatus.PAID, 0, 139_00),
            (InvoiceStatus.PAID, 139_00, 0),
            (InvoiceStatus.OPEN, 41_00, 98_00),
        ]
        assert await differences(world.database) == []

    async def test_rule_27_an_invoice_with_nothing_due_is_paid_at_once(self, world):
        await world.add_account()
        await world.pay(139_00)
        await world.close_now()

        assert rows(world.database, "SELECT status, paid_at = issued_at FROM invoice") == [("PAID", 1)]

    async def overbilled(self, world: World) -> None:
        """71 minutes too many are on August's invoice, 137.69 with its base; it is 10 August, and that is corrected."""
        await world.add_account(plan="economy")
        await world.advance_to(pacific(2026, 7, 20))
        call = a_call(event_id="1", started_at=pacific(2026, 7, 19), script_seconds=71 * MINUTE)
        await world.add_calls(call)
        await world.advance_to(pacific(2026, 8, 10))
        await world.add_calls(call._replace(event_id="2", script_seconds=1, recording_seconds=0, corrects="1"))

    async def test_a_total_below_zero_becomes_credit_for_the_invoices_after_it(self, world):
        """Rule 14: 71 minutes too many were billed and paid; taking them back leaves $59.67 for the next invoice."""
        await self.overbilled(world)
        await world.pay(39_00 + 137_69)
        await world.advance_to(pacific(2026, 10, 1, 6))

        figures = [
            (i.status, i.total_cents, i.credit_applied_cents, i.amount_due_cents)
            for i in await invoices(world.database)
        ]
        assert figures == [
            (InvoiceStatus.PAID, 39_00, 0, 39_00),
            (InvoiceStatus.PAID, 137_69, 0, 137_69),
            (InvoiceStatus.PAID, -59_67, 0, 0),
            (InvoiceStatus.PAID, 39_00, 39_00, 0),
        ]
        assert moved(await postings(world.database))[4:] == [
            ("CREDIT_GRANTED", 59_67, None),
            ("INVOICED", 39_00, None),
            ("CREDIT_APPLIED", 39_00, 5),
        ]
        assert await differences(world.database) == []

    async def test_a_total_below_zero_pays_first_what_is_open_on_the_invoice_it_corrects(self, world):
        """Rules 14, 35: nothing was paid; the credit lowers August's invoice, not the older one of July."""
        await self.overbilled(world)
        await world.advance_to(pacific(2026, 10, 1, 6))

        figures = [
            (i.status, i.total_cents, i.credit_applied_cents, i.amount_due_cents)
            for i in await invoices(world.database)
        ]
        assert figures == [
            (InvoiceStatus.OPEN, 39_00, 0, 39_00),
            (InvoiceStatus.OPEN, 137_69, 0, 137_69),
            (InvoiceStatus.PAID, -59_67, 0, 0),
            (InvoiceStatus.OPEN, 39_00, 0, 39_00),
        ]
        assert moved(await postings(world.database))[2:] == [
            ("CREDIT_GRANTED", 59_67, None),
            ("CREDIT_APPLIED", 59_67, 3),
            ("INVOICED", 39_00, None),
        ]
        assert balances(world.database)[100_002] == ("OPEN", 78_02)
        assert await differences(world.database) == []

    async def test_credit_of_one_account_never_pays_for_another(self, world):
        await world.add_account(ACCOUNT)
        await world.add_account("AA0102")
        await world.pay(500_00)
        await world.close_now()

        assert [i.amount_due_cents for i in await invoices(world.database, "AA0102")] == [139_00]
        assert await differences(world.database) == []


async def test_plans_keep_the_prices_they_were_sold_at(world: World):
    """An account of 2019 is billed at the prices of 2019 after the catalogue has moved on."""
    await world.add_account(paid_since_on=date(2019, 11, 1))
    world.clock.instant = pacific(2020, 2, 2)
    await world.close_now()

    assert [line[0] for line in await lines(world.database)] == [
        ("BASE", month, 128_00) for month in ("2019-11", "2019-12", "2020-01", "2020-02")
    ]
    assert await differences(world.database) == []
