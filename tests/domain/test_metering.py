"""Reported calls: once recorded, recognised again, corrected, or refused with a reason (rules 8, 24 and 25)."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.metering import REFUSALS, DayDelta, MeteringResult, Outcome, RecordedCall
from app.domain.policies import Policies
from app.domain.usage import RefusalReason
from tests.factories.calls import a_call, a_metering

ACCEPTED = MeteringResult(Outcome.ACCEPTED, None, is_billable=True)
DUPLICATE = MeteringResult(Outcome.DUPLICATE)
CONFLICT = MeteringResult(Outcome.CONFLICT, RefusalReason.CONFLICT)
STARTED_AT = datetime(2026, 9, 14, 17, 30, tzinfo=UTC)
DAY = ("acc_aa0101", date(2026, 9, 14))


def quarantined(reason):
    return MeteringResult(Outcome.QUARANTINED, reason)


def taken(batch, *reports):
    return batch.take(reports)


class TestRecording:
    def test_keeps_a_call_and_adds_it_to_its_day(self):
        batch = a_metering()
        call = a_call(patch_seconds=450, ivr_seconds=200)
        assert taken(batch, call) == [ACCEPTED]
        recorded = RecordedCall(
            account_id="acc_aa0101",
            seq=4,
            source="call-centre",
            event_id="AA0101/48213/260914",
            started_at=STARTED_AT,
            on_date=date(2026, 9, 14),
            script_seconds=120,
            recording_seconds=150,
            live_seconds=150,
            patch_seconds=450,
            ivr_seconds=200,
            disposition="MESSAGE",
            is_billable=True,
            corrects_seq=None,
            received_at=batch.now,
        )
        assert batch.calls == [recorded]
        assert batch.known == {recorded.event_id: recorded}
        assert batch.days == {DAY: DayDelta(150, 450, 200, 1, 0, STARTED_AT)}
        assert batch.accounts["AA0101"].seq == 4

    def test_numbers_the_calls_of_each_account_without_a_gap(self):
        batch = a_metering()
        taken(
            batch,
            a_call(event_id="1"),
            a_call(event_id="2", account="AA0102"),
            a_call(event_id="3", account="unknown"),
            a_call(event_id="4"),
        )
        assert [(call.account_id, call.seq) for call in batch.calls] == [
            ("acc_aa0101", 4),
            ("acc_aa0102", 4),
            ("acc_aa0101", 5),
        ]

    def test_rule_3_gives_each_call_of_a_batch_its_own_date_also_where_the_clocks_change(self):
        begins = [
            datetime(2025, 11, 2, 6, 59, 59, tzinfo=UTC),
            datetime(2025, 11, 2, 7, 0, tzinfo=UTC),
            datetime(2025, 11, 3, 7, 59, 59, tzinfo=UTC),
            datetime(2025, 11, 3, 8, 0, tzinfo=UTC),
            datetime(2025, 11, 2, 7, 0, 1, tzinfo=UTC),
        ]
        reports = [a_call(event_id=f"event-{place}", started_at=at) for place, at in enumerate(begins)]
        batch = a_metering(now=datetime(2025, 11, 4, tzinfo=UTC))
        taken(batch, *reports)
        assert [call.on_date.isoformat() for call in batch.calls] == [
            "2025-11-01",
            "2025-11-02",
            "2025-11-02",
            "2025-11-03",
            "2025-11-02",
        ]

    def test_rule_8_counts_a_call_that_is_not_billable_and_charges_no_second_of_it(self):
        batch = a_metering()
        assert taken(batch, a_call(is_billable=False)) == [MeteringResult(Outcome.ACCEPTED, None, is_billable=False)]
        assert batch.days == {DAY: DayDelta(free_call_count=1, last_started_at=STARTED_AT)}

    def test_rule_8_goes_by_the_dispositions_in_force_on_the_day_of_the_call(self, monkeypatch):
        free = Policies("free", date(2026, 9, 14), non_billable_dispositions=frozenset({"FAX"}))
        monkeypatch.setattr("app.domain.policies.POLICY_VERSIONS", (Policies("old", date.min), free))
        batch = a_metering()
        today = a_call(event_id="1", disposition="FAX")
        yesterday = a_call(event_id="2", disposition="FAX", started_at=STARTED_AT - timedelta(days=1))
        assert [metered.is_billable for metered in taken(batch, today, yesterday)] == [False, True]
        assert taken(batch, today, yesterday) == [DUPLICATE, DUPLICATE]

    def test_remembers_the_latest_start_of_the_day_whatever_the_order(self):
        batch = a_metering()
        for event, minutes in enumerate([5, 9, 7]):
            taken(batch, a_call(event_id=str(event), started_at=STARTED_AT + timedelta(minutes=minutes)))
        assert batch.days[DAY].last_started_at == STARTED_AT + timedelta(minutes=9)


class TestRecognising:
    def test_rule_24_the_same_event_twice_is_one_call(self):
        batch = a_metering()
        assert taken(batch, a_call(), a_call()) == [ACCEPTED, DUPLICATE]
        later = a_metering(after=batch)
        assert taken(later, a_call()) == [DUPLICATE]
        assert (len(batch.calls), later.calls, later.days) == (1, [], {})

    @pytest.mark.parametrize(
        "change",
        [
            {"account": "AA0102"},
            {"started_at": STARTED_AT + timedelta(seconds=1)},
            {"script_seconds": 121},
            {"recording_seconds": 151},
            {"patch_seconds": 1},
            {"ivr_seconds": 1},
            {"disposition": "HANG"},
            {"is_billable": False},
            {"corrects": "0"},
            {"corrects": "not recorded"},
        ],
    )
    def test_rule_24_the_same_event_with_another_payload_is_a_conflict(self, change):
        batch = a_metering()
        taken(batch, a_call(event_id="0"), a_call())
        later = a_metering(after=batch)
        assert taken(later, a_call(**change)) == [CONFLICT]
        assert (later.calls, later.days) == ([], {})

    def test_a_known_event_is_recognised_however_old_it_is(self):
        """Rule 24 comes before rule 25: a source that sends a month again hears of duplicates, not of old calls."""
        batch = a_metering()
        taken(batch, a_call())
        year_later = a_metering(after=batch, now=batch.now + timedelta(days=365))
        year_later.accounts["AA0101"].open_from = date(2027, 9, 1)
        assert taken(year_later, a_call()) == [DUPLICATE]

    def test_a_correction_sent_twice_is_one_correction(self):
        batch = a_metering()
        correction = a_call(event_id="2", script_seconds=60, recording_seconds=60, corrects="1")
        assert taken(batch, a_call(event_id="1"), correction, correction) == [ACCEPTED, ACCEPTED, DUPLICATE]
        assert taken(a_metering(after=batch), correction._replace(corrects=None)) == [CONFLICT]

    def test_a_correction_of_another_accounts_call_is_not_the_same_though_it_has_the_same_number(self):
        batch = a_metering()
        correction = a_call(event_id="3", corrects="1")
        taken(batch, a_call(event_id="1"), a_call(event_id="2", account="AA0102"), correction)
        assert batch.known["1"].seq == batch.known["2"].seq
        assert taken(batch, correction._replace(corrects="2")) == [CONFLICT]


class TestCorrecting:
    def test_rule_24_puts_a_new_event_in_the_place_of_the_old(self):
        batch = a_metering()
        taken(batch, a_call(event_id="1", patch_seconds=450))
        later = a_metering(after=batch)
        correction = a_call(event_id="2", script_seconds=60, recording_seconds=90, corrects="1")
        assert taken(later, correction) == [ACCEPTED]
        assert (later.calls[0].seq, later.calls[0].corrects_seq) == (5, 4)
        assert later.days == {DAY: DayDelta(90 - 150, -450, 0, 0, 0, STARTED_AT)}
        assert later.corrected == {("acc_aa0101", 4)}

    def test_moves_a_call_to_the_day_on_which_it_began(self):
        batch = a_metering()
        moved = a_call(event_id="2", corrects="1", started_at=STARTED_AT - timedelta(days=1))
        taken(batch, a_call(event_id="1"), moved)
        assert [astuple(day)[:4] for day in batch.days.values()] == [(0, 0, 0, 0), (150, 0, 0, 1)]
        assert list(batch.days) == [DAY, ("acc_aa0101", date(2026, 9, 13))]

    def test_makes_a_billable_call_free_and_back(self):
        batch = a_metering()
        taken(
            batch,
            a_call(event_id="1"),
            a_call(event_id="2", corrects="1", is_billable=False),
        )
        assert astuple(batch.days[DAY])[:5] == (0, 0, 0, 0, 1)
        taken(batch, a_call(event_id="3", corrects="2"))
        assert astuple(batch.days[DAY])[:5] == (150, 0, 0, 1, 0)

    @pytest.mark.parametrize(
        ("corrects", "account", "reason"),
        [
            ("nothing", "AA0101", RefusalReason.UNKNOWN_ORIGINAL),
            ("2", "AA0101", RefusalReason.UNKNOWN_ORIGINAL),
            ("1", "AA0102", RefusalReason.UNKNOWN_ORIGINAL),
            ("0", "AA0101", RefusalReason.ALREADY_CORRECTED),
        ],
    )
    def test_refuses_what_is_not_the_accounts_or_was_replaced_before(self, corrects, account, reason):
        """Event 1 corrects event 0; event 2, the one under test, is not recorded and cannot correct itself."""
        batch = a_metering()
        taken(batch, a_call(event_id="0"), a_call(event_id="1", corrects="0"))
        later = a_metering(after=batch)
        assert taken(later, a_call(event_id="2", account=account, corrects=corrects)) == [quarantined(reason)]
        assert (later.calls, later.days) == ([], {})

    def test_rule_25_refuses_to_touch_a_call_that_is_itself_too_old(self):
        batch = a_metering()
        taken(batch, a_call(event_id="1"))
        later = a_metering(after=batch, now=STARTED_AT + timedelta(days=36))
        later.accounts["AA0101"].open_from = date(2026, 10, 1)
        correction = a_call(event_id="2", corrects="1", started_at=later.now)
        assert taken(later, correction) == [quarantined(RefusalReason.TOO_OLD)]
        assert later.calls == []


class TestRefusing:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"account": "AA0999"}, RefusalReason.UNKNOWN_ACCOUNT),
            ({"started_at": datetime(2026, 9, 15, 12, 5, 1, tzinfo=UTC)}, RefusalReason.IN_THE_FUTURE),
            ({"started_at": datetime(2026, 8, 11, 11, 59, 59, tzinfo=UTC)}, RefusalReason.TOO_OLD),
        ],
    )
    def test_rule_25_sends_a_call_to_quarantine_and_records_nothing(self, change, reason):
        batch = a_metering()
        assert taken(batch, a_call(**change)) == [quarantined(reason)]
        assert (batch.calls, batch.days, batch.known) == ([], {}, {})

    def test_records_nothing_more_for_a_closed_account_and_still_knows_its_calls(self):
        first = a_metering()
        assert taken(first, a_call(event_id="1")) == [ACCEPTED]
        batch = a_metering(after=first)
        batch.accounts["AA0101"].is_closed = True

        results = taken(batch, a_call(event_id="1"), a_call(event_id="2"), a_call(event_id="3", account="AA0102"))

        assert results == [DUPLICATE, quarantined(RefusalReason.ACCOUNT_CLOSED), ACCEPTED]
        assert [call.event_id for call in batch.calls] == ["3"]

    def test_refuses_a_call_on_the_last_day_of_the_calendar(self):
        call = a_call(started_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
        assert taken(a_metering(), call) == [quarantined(RefusalReason.IN_THE_FUTURE)]

    def test_rule_25_takes_a_late_call_of_a_closed_month(self):
        batch = a_metering()
        assert taken(batch, a_call(started_at=datetime(2026, 8, 11, 12, 0, tzinfo=UTC))) == [ACCEPTED]

    def test_rule_25_takes_a_call_of_a_month_still_open_however_late(self):
        """Its invoice is overdue: 45 days ago is not too long ago."""
        batch = a_metering(open_from=date(2026, 8, 1))
        assert taken(batch, a_call(started_at=datetime(2026, 8, 1, 12, 0, tzinfo=UTC))) == [ACCEPTED]

    def test_has_words_for_every_reason(self):
        assert set(REFUSALS) == set(RefusalReason)
        assert all(text.endswith(".") for text in REFUSALS.values())


SIX_EVENTS = [str(number) for number in range(6)]
REPORTS = st.builds(
    a_call,
    event_id=st.sampled_from(SIX_EVENTS),
    account=st.sampled_from(["AA0101", "AA0101", "AA0102", "AA0999"]),
    started_at=st.integers(-60, 1).map(lambda days: STARTED_AT + timedelta(days=days)),
    script_seconds=st.integers(0, 2),
    recording_seconds=st.integers(0, 2),
    patch_seconds=st.integers(0, 1),
    is_billable=st.booleans(),
    corrects=st.none() | st.sampled_from(SIX_EVENTS),
)


def sums(days):
    return {key: astuple(day)[:5] for key, day in days.items() if any(astuple(day)[:5])}


class TestAnyBatch:
    @given(st.lists(REPORTS, max_size=14))
    def test_leaves_the_sums_of_the_calls_that_stand(self, reports):
        batch = a_metering()
        batch.take(reports)
        expected = Counter()
        for call in batch.calls:
            if (call.account_id, call.seq) in batch.corrected:
                continue
            figures = (call.live_seconds, call.patch_seconds, call.ivr_seconds, 1, 0)
            for place, figure in enumerate(figures if call.is_billable else (0, 0, 0, 0, 1)):
                expected[call.account_id, call.on_date, place] += figure
        found = {(*key, place): figure for key, day in sums(batch.days).items() for place, figure in enumerate(day)}
        assert {key: figure for key, figure in found.items() if figure} == +expected

    @given(reports=st.lists(REPORTS, max_size=14), cut=st.integers(0, 14))
    def test_may_be_cut_in_two_anywhere(self, reports, cut):
        whole, first = a_metering(), a_metering()
        results = whole.take(reports)
        begun = first.take(reports[:cut])
        second = a_metering(after=first)
        assert begun + second.take(reports[cut:]) == results
        assert first.calls + second.calls == whole.calls

    @given(st.lists(REPORTS, max_size=14))
    def test_rule_24_sent_again_changes_nothing(self, reports):
        batch = a_metering()
        results = batch.take(reports)
        accepted = [r for r, metered in zip(reports, results, strict=True) if metered.outcome is Outcome.ACCEPTED]
        again = a_metering(after=batch)
        assert again.take(accepted) == [DUPLICATE] * len(accepted)
        assert (again.calls, again.days) == ([], {})

    def test_shares_nothing_with_another(self):
        one, other = a_metering(), a_metering()
        taken(one, a_call())
        assert (other.known, other.corrected, other.calls, other.days) == ({}, set(), [], {})
