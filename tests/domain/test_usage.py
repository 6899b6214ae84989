"""Calls: what counts, to which month, and which are refused (rules 3, 6, 8, 24 and 25)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.periods import Period
from app.domain.policies import Policies
from app.domain.usage import RefusalReason, Resolution, UsageTotals, is_charged, refuse
from tests.factories.calls import a_call, usage
from tests.factories.strategies import TOTALS

NOW = datetime(2026, 10, 10, 18, 0, tzinfo=UTC)
OPEN_FROM = date(2026, 10, 1)
POLICIES = Policies(version="test", effective_from=date.min)
ONE_SECOND = timedelta(seconds=1)


class TestCallReport:
    @pytest.mark.parametrize(
        ("script_seconds", "recording_seconds", "live_seconds"),
        [(150, 120, 150), (180, 240, 240), (95, 95, 95), (0, 30, 30), (30, 0, 30), (0, 0, 0)],
    )
    def test_rule_6_counts_the_longer_of_script_and_recording(self, script_seconds, recording_seconds, live_seconds):
        """Two minutes and half a minute of notes; saved after three minutes while the caller stays for four."""
        call = a_call(script_seconds=script_seconds, recording_seconds=recording_seconds)
        assert call.live_seconds == live_seconds

    def test_rule_3_belongs_to_the_day_of_its_start_and_is_not_split(self):
        begins = datetime(2026, 10, 1, 6, 59, 59, tzinfo=UTC)
        call = a_call(started_at=begins, script_seconds=3_600)
        assert call.on == date(2026, 9, 30)
        assert Period.containing(call.on) == Period.parse("2026-09")
        assert Period.containing(a_call(started_at=begins + ONE_SECOND).on) == Period.parse("2026-10")

    def test_rule_24_the_same_payload_is_equal_and_any_other_is_not(self):
        call = a_call()
        assert call == a_call()
        changes = {
            "source": "other",
            "event_id": "AA0101/48214/260914",
            "account": "AA0102",
            "started_at": call.started_at + ONE_SECOND,
            "script_seconds": 121,
            "recording_seconds": 151,
            "patch_seconds": 1,
            "ivr_seconds": 1,
            "disposition": "HANG",
            "is_billable": False,
            "corrects": "AA0101/1/260914",
        }
        assert set(changes) == set(call._fields)
        assert [name for name, value in changes.items() if call == call._replace(**{name: value})] == []


class TestIsCharged:
    @pytest.mark.parametrize("disposition", ["MESSAGE", "FAX", "PHANTOM", ""])
    def test_rule_8_frees_no_disposition_by_default(self, disposition):
        assert is_charged(True, disposition, POLICIES)
        assert not is_charged(False, disposition, POLICIES)

    def test_rule_8_frees_the_dispositions_on_the_list(self):
        policies = Policies("test", date.min, non_billable_dispositions=frozenset({"FAX"}))
        assert [is_charged(True, d, policies) for d in ("FAX", "MESSAGE", "")] == [False, True, True]


class TestUsageTotals:
    def test_adds_kind_by_kind(self):
        one = UsageTotals(live_seconds=150, patch_seconds=450, ivr_seconds=200, call_count=1)
        assert one + UsageTotals(1, 2, 3, 4) == UsageTotals(151, 452, 203, 5)
        assert usage(live_minutes=110, live_seconds=1) == UsageTotals(live_seconds=6_601)

    @given(one=TOTALS, other=TOTALS, third=TOTALS)
    def test_does_not_depend_on_the_order(self, one, other, third):
        assert one + other + third == third + (other + one)
        assert one + UsageTotals() == one


class TestRefuse:
    @pytest.mark.parametrize(
        ("started_at", "reason"),
        [
            (NOW, None),
            (NOW + timedelta(minutes=5), None),
            (NOW + timedelta(minutes=5) + ONE_SECOND, RefusalReason.IN_THE_FUTURE),
            (NOW - timedelta(days=35), None),
            (NOW - timedelta(days=35) - ONE_SECOND, RefusalReason.TOO_OLD),
            (datetime(1999, 1, 1, tzinfo=UTC), RefusalReason.TOO_OLD),
        ],
    )
    def test_rule_25_takes_35_days_of_closed_months_and_5_minutes_of_the_future(self, started_at, reason):
        assert refuse(started_at, NOW, OPEN_FROM, POLICIES) == reason

    def test_rule_25_takes_any_call_of_a_month_that_is_not_closed(self):
        """A missed run leaves an old month open: its calls are not late, however old they are."""
        begins = datetime(2026, 8, 1, 7, 0, tzinfo=UTC)
        assert refuse(begins, NOW, date(2026, 8, 1), POLICIES) is None
        assert refuse(begins - ONE_SECOND, NOW, date(2026, 8, 1), POLICIES) is RefusalReason.TOO_OLD

    def test_goes_by_the_policies(self):
        strict = Policies("test", date.min, late_call_days=1, future_tolerance=timedelta(0))
        assert refuse(NOW + ONE_SECOND, NOW, OPEN_FROM, strict) is RefusalReason.IN_THE_FUTURE
        assert refuse(NOW - timedelta(days=10), NOW, OPEN_FROM, strict) is RefusalReason.TOO_OLD

    @given(ahead=st.timedeltas(timedelta(days=-400), timedelta(days=10)), open_days=st.integers(0, 200))
    def test_agrees_with_the_rule_read_literally(self, ahead, open_days):
        open_from = NOW.date() - timedelta(days=open_days)
        reason = refuse(NOW + ahead, NOW, open_from, POLICIES)
        call = a_call(started_at=NOW + ahead)
        recent = ahead >= timedelta(days=-35) or call.on >= open_from
        assert (reason is None) == (recent and ahead <= timedelta(minutes=5))


class TestQuarantine:
    def test_knows_why_a_call_waits_and_what_became_of_it(self):
        assert [reason.value for reason in RefusalReason] == [
            "MALFORMED",
            "UNKNOWN_ACCOUNT",
            "TOO_OLD",
            "IN_THE_FUTURE",
            "CONFLICT",
            "UNKNOWN_ORIGINAL",
            "ALREADY_CORRECTED",
            "ACCOUNT_CLOSED",
        ]
        assert [resolution.value for resolution in Resolution] == ["RELEASED", "DISCARDED"]
