"""Calls come in once, come again, come late and are corrected: what is kept, and what it costs in the end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.metering import MeteringResult, Outcome
from app.domain.usage import RefusalReason
from app.services.usage.call_items import Unreadable, write_call
from app.services.usage.record_calls import Item, record_calls
from tests.factories.calls import a_call
from tests.services.books import days, differences, dump, events, invoices, lines, rows
from tests.world import World, pacific

ACCEPTED = MeteringResult(Outcome.ACCEPTED, None, is_billable=True)
DUPLICATE = MeteringResult(Outcome.DUPLICATE)
MINUTE = 60


def refused(reason: RefusalReason) -> MeteringResult:
    outcome = Outcome.CONFLICT if reason is RefusalReason.CONFLICT else Outcome.QUARANTINED
    return MeteringResult(outcome, reason)


def quarantine(world: World) -> list[tuple[str, str]]:
    return rows(world.database, "SELECT reason, payload FROM quarantined_call ORDER BY id")


def calls(world: World) -> list[tuple[int, str, int, int | None]]:
    return rows(world.database, "SELECT seq, event_id, live_seconds, corrects_seq FROM call ORDER BY seq")


@pytest.fixture
async def july(world: World) -> World:
    """An account that pays since 1 July, at noon of 14 July 2026."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 14, 12))
    return world


class TestRecording:
    async def test_keeps_the_call_its_daily_sum_and_one_event_in_one_transaction(self, july):
        started_at = pacific(2026, 7, 13, 23, 59)

        results = await july.add_calls(
            a_call(event_id="1", started_at=started_at, script_seconds=200, recording_seconds=150, patch_seconds=7),
            a_call(event_id="2", started_at=started_at, script_seconds=0, recording_seconds=30, ivr_seconds=11),
        )

        assert results == [ACCEPTED, ACCEPTED]
        assert calls(july) == [(1, "1", 200, None), (2, "2", 30, None)]
        assert days(july.database) == {date(2026, 7, 13): (230, 7, 11, 2, 0)}
        assert rows(july.database, "SELECT usage_seq FROM account") == [(2,)]
        event = (await events(july.database))[-1]
        assert (event.kind, event.actor, event.data) == ("usage.recorded", "test", {"calls": 2, "last_call": 2})
        assert await differences(july.database) == []

    async def test_rule_24_the_same_call_again_writes_nothing(self, july):
        call = a_call(started_at=pacific(2026, 7, 13, 9))
        await july.add_calls(call)
        before = dump(july.database)

        assert await july.add_calls(call, call) == [DUPLICATE, DUPLICATE]

        assert dump(july.database) == before

    async def test_rule_24_the_same_call_twice_in_one_batch_is_one_row(self, july):
        call = a_call(started_at=pacific(2026, 7, 13, 9))

        assert await july.add_calls(call, call) == [ACCEPTED, DUPLICATE]

        assert days(july.database) == {date(2026, 7, 13): (150, 0, 0, 1, 0)}

    @pytest.mark.parametrize(
        "other",
        [
            {"started_at": pacific(2026, 7, 13, 9, 1)},
            {"script_seconds": 121},
            {"recording_seconds": 151},
            {"patch_seconds": 1},
            {"ivr_seconds": 1},
            {"disposition": "HANG UP"},
            {"is_billable": False},
            {"account": "AA0102"},
            {"corrects": "another"},
        ],
        ids=lambda other: next(iter(other)),
    )
    async def test_rule_24_another_call_under_the_same_event_id_is_a_conflict_and_changes_no_usage(self, july, other):
        await july.add_account("AA0102")
        call = a_call(started_at=pacific(2026, 7, 13, 9))
        await july.add_calls(call)
        before = dump(july.database)

        assert await july.add_calls(call._replace(**other)) == [refused(RefusalReason.CONFLICT)]

        after = dump(july.database)
        assert len(after.pop("quarantined_call")) == 1
        assert before.pop("quarantined_call") == []
        assert after == before

    async def test_rule_24_a_conflict_that_comes_again_waits_once(self, july):
        call = a_call(started_at=pacific(2026, 7, 13, 9))
        other = call._replace(script_seconds=999)
        await july.add_calls(call)
        for _ in range(3):
            await july.add_calls(other)

        assert quarantine(july) == [("CONFLICT", write_call(other))]

    async def test_rule_24_sources_have_event_ids_of_their_own(self, july):
        call = a_call(started_at=pacific(2026, 7, 13, 9), source="east")

        assert await july.add_calls(call, call._replace(source="west")) == [ACCEPTED, ACCEPTED]

        assert days(july.database) == {date(2026, 7, 13): (300, 0, 0, 2, 0)}

    async def test_rule_8_a_call_that_is_not_billable_is_kept_and_counted_but_never_charged(self, july):
        results = await july.add_calls(
            a_call(started_at=pacific(2026, 7, 13, 9), script_seconds=200 * MINUTE, is_billable=False)
        )
        await july.advance_to(pacific(2026, 8, 2))

        assert results == [MeteringResult(Outcome.ACCEPTED, None, is_billable=False)]
        assert days(july.database) == {date(2026, 7, 13): (0, 0, 0, 0, 1)}
        assert await lines(july.database) == [[("BASE", "2026-07", 139_00)], [("BASE", "2026-08", 139_00)]]
        assert await differences(july.database) == []

    async def test_a_call_of_nobody_waits_and_the_rest_of_the_batch_goes_on(self, july):
        items = [
            Item(7, a_call(account="nobody", event_id="1"), "first"),
            Item(8, Unreadable("startedAt: missing."), "sec\0nd"),
            Item(9, a_call(event_id="3", started_at=pacific(2026, 7, 13, 9)), "third"),
        ]

        results = await record_calls(july.services, source="call-centre", items=items, actor="test")

        unknown = refused(RefusalReason.UNKNOWN_ACCOUNT)
        assert results == [unknown, refused(RefusalReason.MALFORMED), ACCEPTED]
        kept = rows(
            july.database, "SELECT position, payload, reason, message, resolution FROM quarantined_call ORDER BY id"
        )
        assert kept == [
            (7, "first", "UNKNOWN_ACCOUNT", "No account has this id. Create the account, then release the call.", None),
            (8, "sec\N{REPLACEMENT CHARACTER}nd", "MALFORMED", "startedAt: missing.", None),
        ]

    async def test_an_empty_batch_writes_nothing(self, july):
        before = dump(july.database)

        assert await record_calls(july.services, source="call-centre", items=[], actor="test") == []

        assert dump(july.database) == before


class TestTimeOfTheCall:
    @pytest.mark.parametrize(
        ("started_at", "on"),
        [
            (datetime(2026, 11, 1, 6, 59, 59, tzinfo=UTC), date(2026, 10, 31)),
            (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), date(2026, 11, 1)),
            (datetime(2026, 11, 1, 8, 30, tzinfo=UTC), date(2026, 11, 1)),  # 01:30 in summer time
            (datetime(2026, 11, 1, 9, 30, tzinfo=UTC), date(2026, 11, 1)),  # 01:30 again, in winter time
            (datetime(2026, 11, 2, 7, 59, 59, tzinfo=UTC), date(2026, 11, 1)),
            (datetime(2026, 11, 2, 8, 0, tzinfo=UTC), date(2026, 11, 2)),
            (datetime(2027, 3, 14, 7, 59, 59, tzinfo=UTC), date(2027, 3, 13)),
            (datetime(2027, 3, 14, 8, 0, tzinfo=UTC), date(2027, 3, 14)),
            (datetime(2027, 3, 15, 6, 59, 59, tzinfo=UTC), date(2027, 3, 14)),  # a day of 23 hours
            (datetime(2027, 3, 15, 7, 0, tzinfo=UTC), date(2027, 3, 15)),
        ],
    )
    async def test_rule_3_days_of_summer_time_change_are_25_and_23_hours_long(self, world, started_at, on):
        await world.add_account()
        world.clock.instant = pacific(2027, 4, 1)

        assert await world.add_calls(a_call(started_at=started_at)) == [ACCEPTED]

        assert list(days(world.database)) == [on]
        assert await differences(world.database) == []

    async def test_rule_25_a_call_may_begin_five_minutes_ahead_and_no_second_more(self, july):
        ahead = july.clock.now() + timedelta(minutes=5)

        results = await july.add_calls(
            a_call(event_id="1", started_at=ahead), a_call(event_id="2", started_at=ahead + timedelta(seconds=1))
        )

        assert results == [ACCEPTED, refused(RefusalReason.IN_THE_FUTURE)]

    async def test_rule_25_a_call_of_a_closed_month_may_be_35_days_old_and_no_second_older(self, july):
        await july.advance_to(pacific(2026, 9, 3, 12))
        oldest = july.clock.now() - timedelta(days=35)

        results = await july.add_calls(
            a_call(event_id="1", started_at=oldest), a_call(event_id="2", started_at=oldest - timedelta(seconds=1))
        )

        assert oldest == pacific(2026, 7, 30, 12)
        assert results == [ACCEPTED, refused(RefusalReason.TOO_OLD)]
        assert await differences(july.database) == []

    async def test_rule_25_a_call_of_an_open_month_is_taken_however_old(self, world):
        await world.add_account()
        await world.close_now()
        world.clock.instant = pacific(2026, 12, 20)

        assert await world.add_calls(a_call(started_at=pacific(2026, 7, 1))) == [ACCEPTED]

    async def test_rule_24_a_call_too_old_to_be_taken_is_still_recognised(self, july):
        call = a_call(started_at=pacific(2026, 7, 13, 9))
        await july.add_calls(call)
        await july.advance_to(pacific(2026, 11, 20))

        assert await july.add_calls(call) == [DUPLICATE]

    async def test_rule_10_calls_before_the_paid_start_are_kept_and_not_billed(self, world):
        """Rule 10: the trial ends on 10 July; 500 minutes of it cost nothing, 5 minutes beyond 68 afterwards do."""
        await world.add_account(trial_ends_on=date(2026, 7, 10))
        world.clock.instant = pacific(2026, 7, 11, 1)
        await world.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 7, 10, 23, 59), script_seconds=500 * MINUTE),
            a_call(event_id="2", started_at=pacific(2026, 7, 11), script_seconds=73 * MINUTE),
        )
        await world.advance_to(pacific(2026, 8, 1, 6))

        assert days(world.database)[date(2026, 7, 10)] == (30_000, 0, 0, 1, 0)
        assert await lines(world.database) == [
            [("BASE", "2026-07", 94_08)],  # $139 / 31 days = $4.48; 21 days
            [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 6_45)],
        ]
        assert await differences(world.database) == []


class TestLateCalls:
    async def test_rule_25_late_calls_are_one_adjustment_a_kind_of_usage_on_the_next_invoice(self, july):
        await july.add_calls(a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=90 * MINUTE))
        await july.advance_to(pacific(2026, 8, 10))
        await july.add_calls(
            a_call(event_id="2", started_at=pacific(2026, 7, 30), script_seconds=20 * MINUTE, patch_seconds=450),
            a_call(
                event_id="3", started_at=pacific(2026, 7, 31), script_seconds=0, recording_seconds=0, ivr_seconds=200
            ),
        )
        assert await differences(july.database) == []  # the invoices before saw none of it

        await july.advance_to(pacific(2026, 10, 2))

        assert (await lines(july.database))[1:] == [
            [("BASE", "2026-08", 139_00)],
            [
                ("BASE", "2026-09", 139_00),
                ("ADJUSTMENT", "2026-07", 12_90),
                ("ADJUSTMENT", "2026-07", 75),
                ("ADJUSTMENT", "2026-07", 50),
            ],
            [("BASE", "2026-10", 139_00)],
        ]
        adjusted = [line.inputs["usage"] for line in (await invoices(july.database))[2].lines[1:]]
        assert adjusted == ["OVERAGE", "PATCH", "IVR"]
        assert await differences(july.database) == []

    async def test_rule_25_late_calls_of_two_months_are_two_adjustments_newest_first(self, july):
        await july.advance_to(pacific(2026, 9, 2, 12))
        await july.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 7, 31), script_seconds=101 * MINUTE),
            a_call(event_id="2", started_at=pacific(2026, 8, 5), script_seconds=102 * MINUTE),
            a_call(event_id="3", started_at=pacific(2026, 9, 1), script_seconds=103 * MINUTE),
        )
        await july.advance_to(pacific(2026, 10, 2))

        assert (await lines(july.database))[-1] == [
            ("BASE", "2026-10", 139_00),
            ("OVERAGE", "2026-09", 3_87),
            ("ADJUSTMENT", "2026-08", 2_58),
            ("ADJUSTMENT", "2026-07", 1_29),
        ]
        assert await differences(july.database) == []

    async def test_rule_26_late_usage_moves_no_closed_month_to_another_plan(self, july):
        """Rule 26: 5,000 late minutes are billed at the price of the month's own plan, on the next invoice alone."""
        await july.advance_to(pacific(2026, 8, 10))
        await july.add_calls(
            *(
                a_call(event_id=str(at), started_at=pacific(2026, 7, 20, at), script_seconds=1_000 * MINUTE)
                for at in range(5)
            )
        )
        plans_before = rows(july.database, "SELECT * FROM billing_cycle")
        assert await july.close_now() == 0

        await july.advance_to(pacific(2026, 9, 1, 6))

        assert plans_before == rows(july.database, "SELECT * FROM billing_cycle WHERE period_on < '2026-09-01'")
        assert {plan for (plan,) in rows(july.database, "SELECT plan_version_id FROM billing_cycle")} == {
            "plan_100_2020"
        }
        assert (await lines(july.database))[-1] == [
            ("BASE", "2026-09", 139_00),
            ("ADJUSTMENT", "2026-07", 4_900 * 1_29),
        ]
        assert await differences(july.database) == []

    async def test_a_late_call_within_the_allowance_costs_nothing_and_gives_no_line(self, july):
        await july.advance_to(pacific(2026, 8, 10))
        await july.add_calls(a_call(started_at=pacific(2026, 7, 30), script_seconds=99 * MINUTE))
        await july.advance_to(pacific(2026, 9, 2))

        assert (await lines(july.database))[-1] == [("BASE", "2026-09", 139_00)]
        assert [invoice.usage_watermark for invoice in await invoices(july.database)] == [0, 0, 1]


class TestCorrections:
    async def test_rule_24_a_correction_moves_a_call_to_another_day(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 12), script_seconds=600, patch_seconds=60)
        await july.add_calls(call)
        correction = call._replace(event_id="2", started_at=pacific(2026, 7, 13), script_seconds=300, corrects="1")

        assert await july.add_calls(correction) == [ACCEPTED]

        assert days(july.database) == {date(2026, 7, 12): (0, 0, 0, 0, 0), date(2026, 7, 13): (300, 60, 0, 1, 0)}
        assert calls(july) == [(1, "1", 600, None), (2, "2", 300, 1)]
        assert await differences(july.database) == []

    async def test_rule_25_a_correction_across_months_takes_from_one_and_gives_to_the_other(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=110 * MINUTE)
        await july.add_calls(call)
        await july.advance_to(pacific(2026, 8, 10))
        await july.add_calls(call._replace(event_id="2", started_at=pacific(2026, 8, 2), corrects="1"))
        assert await differences(july.database) == []

        await july.advance_to(pacific(2026, 9, 2))

        assert (await lines(july.database))[1:] == [
            [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 12_90)],
            [("BASE", "2026-09", 139_00), ("OVERAGE", "2026-08", 12_90), ("ADJUSTMENT", "2026-07", -12_90)],
        ]
        assert await differences(july.database) == []

    async def test_rule_24_a_correction_of_a_correction_counts_alone(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=600)
        results = await july.add_calls(
            call,
            call._replace(event_id="2", script_seconds=500, corrects="1"),
            call._replace(event_id="3", script_seconds=400, corrects="2"),
        )

        assert results == [ACCEPTED, ACCEPTED, ACCEPTED]
        assert days(july.database) == {date(2026, 7, 13): (400, 0, 0, 1, 0)}
        assert await differences(july.database) == []

    async def test_rule_24_the_same_correction_again_writes_nothing(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13))
        correction = call._replace(event_id="2", script_seconds=500, corrects="1")
        await july.add_calls(call, correction)
        before = dump(july.database)

        assert await july.add_calls(correction, call) == [DUPLICATE, DUPLICATE]

        assert dump(july.database) == before

    async def test_rule_24_a_call_is_corrected_once(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13))
        await july.add_calls(call, call._replace(event_id="2", corrects="1"))

        results = await july.add_calls(call._replace(event_id="3", corrects="1"))

        assert results == [refused(RefusalReason.ALREADY_CORRECTED)]
        assert days(july.database) == {date(2026, 7, 13): (150, 0, 0, 1, 0)}

    @pytest.mark.parametrize(
        "correction",
        [{"corrects": "never seen"}, {"source": "other", "corrects": "1"}, {"account": "AA0102", "corrects": "1"}],
        ids=["nothing", "a call of another source", "a call of another account"],
    )
    async def test_a_correction_of_what_is_not_there_waits(self, july, correction):
        await july.add_account("AA0102")
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13))
        await july.add_calls(call)

        assert await july.add_calls(call._replace(event_id="2", **correction)) == [
            refused(RefusalReason.UNKNOWN_ORIGINAL)
        ]

        assert days(july.database) == {date(2026, 7, 13): (150, 0, 0, 1, 0)}

    async def test_a_correction_that_came_before_its_original_is_released_with_it(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 12), script_seconds=600)
        correction = call._replace(event_id="2", started_at=pacific(2026, 7, 13), script_seconds=300, corrects="1")
        assert await july.add_calls(correction) == [refused(RefusalReason.UNKNOWN_ORIGINAL)]
        assert days(july.database) == {}

        assert await july.add_calls(call) == [ACCEPTED]

        assert calls(july) == [(1, "1", 600, None), (2, "2", 300, 1)]
        assert days(july.database) == {date(2026, 7, 12): (0, 0, 0, 0, 0), date(2026, 7, 13): (300, 0, 0, 1, 0)}
        settled = rows(july.database, "SELECT resolution, resolved_by, resolution_note FROM quarantined_call")
        assert settled == [("RELEASED", "test", "The call that it corrects has come in.")]
        assert await july.add_calls(correction, call) == [DUPLICATE, DUPLICATE]
        assert await differences(july.database) == []

    async def test_one_that_came_earlier_in_the_same_batch_is_accepted(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=600)
        correction = call._replace(event_id="2", script_seconds=300, corrects="1")
        unknown = call._replace(event_id="4", account="nobody")

        results = await july.add_calls(correction, unknown, call)

        assert results == [ACCEPTED, refused(RefusalReason.UNKNOWN_ACCOUNT), ACCEPTED]
        assert calls(july) == [(1, "1", 600, None), (2, "2", 300, 1)]
        assert await differences(july.database) == []

    async def test_a_chain_of_corrections_that_came_backwards_ends_in_the_last(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=600)
        for number in (3, 2):
            later = call._replace(event_id=str(number), script_seconds=number, corrects=str(number - 1))
            assert await july.add_calls(later) == [refused(RefusalReason.UNKNOWN_ORIGINAL)]

        await july.add_calls(call)

        assert [event for _, event, _, _ in calls(july)] == ["1", "2", "3"]
        assert days(july.database) == {date(2026, 7, 13): (150, 0, 0, 1, 0)}
        assert await differences(july.database) == []

    async def test_only_the_first_of_two_corrections_that_wait_for_one_call_is_released(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=600)
        for number in (2, 3):
            await july.add_calls(call._replace(event_id=str(number), script_seconds=900 + number, corrects="1"))

        await july.add_calls(call)

        assert calls(july) == [(1, "1", 600, None), (2, "2", 902, 1)]
        assert rows(july.database, "SELECT resolution FROM quarantined_call ORDER BY id") == [("RELEASED",), (None,)]

    async def test_rule_25_a_call_too_old_to_come_is_too_old_to_be_corrected(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13))
        await july.add_calls(call)
        await july.advance_to(pacific(2026, 9, 20))

        moved = call._replace(event_id="2", started_at=pacific(2026, 9, 19), corrects="1")

        assert await july.add_calls(moved) == [refused(RefusalReason.TOO_OLD)]

    async def test_rule_8_a_call_can_be_corrected_to_be_free(self, july):
        call = a_call(event_id="1", started_at=pacific(2026, 7, 13), script_seconds=110 * MINUTE, patch_seconds=60)
        await july.add_calls(call)
        await july.advance_to(pacific(2026, 8, 10))
        await july.add_calls(call._replace(event_id="2", is_billable=False, corrects="1"))
        await july.advance_to(pacific(2026, 9, 2))

        assert days(july.database) == {date(2026, 7, 13): (0, 0, 0, 0, 1)}
        assert (await lines(july.database))[-1] == [
            ("BASE", "2026-09", 139_00),
            ("ADJUSTMENT", "2026-07", -12_90),
            ("ADJUSTMENT", "2026-07", -10),
        ]
        assert await differences(july.database) == []
