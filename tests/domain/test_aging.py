"""How long what customers owe has been due: each age begins on its day, and every cent has one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.aging import AccountAging, Age, OpenAmount, age_of, aging_report
from app.domain.reports import ReportDay

DAY = ReportDay(date(2026, 11, 30), is_closed=True)


class TestAge:
    @pytest.mark.parametrize(
        ("days", "age"),
        [
            (-40, Age.NOT_DUE),
            (-1, Age.NOT_DUE),
            (0, Age.UP_TO_30),
            (30, Age.UP_TO_30),
            (31, Age.UP_TO_60),
            (60, Age.UP_TO_60),
            (61, Age.UP_TO_90),
            (90, Age.UP_TO_90),
            (91, Age.OLDER),
            (2_000, Age.OLDER),
        ],
    )
    def test_counts_the_days_since_it_fell_due(self, days, age):
        assert age_of(DAY.on - timedelta(days=days), DAY.on) is age


class TestReport:
    def test_by_account_and_age_with_totals_and_credit_beside(self):
        amounts = [
            OpenAmount("B", date(2026, 11, 1), 139_00),
            OpenAmount("B", date(2026, 11, 15), 10_00),
            OpenAmount("A", date(2026, 8, 1), 5_00),
            OpenAmount("A", date(2026, 12, 1), 7_00),
        ]

        found = aging_report(DAY, amounts, {"B": 2_00, "C": 50_00})

        ages = dict.fromkeys(Age, 0)
        assert found.accounts == (
            AccountAging("A", ages | {Age.NOT_DUE: 7_00, Age.OLDER: 5_00}, 0),
            AccountAging("B", ages | {Age.UP_TO_30: 149_00}, 2_00),
            AccountAging("C", ages, 50_00),
        )
        assert found.total == AccountAging(
            "all", ages | {Age.NOT_DUE: 7_00, Age.UP_TO_30: 149_00, Age.OLDER: 5_00}, 52_00
        )
        assert found.total.open_cents == 161_00

    def test_of_nothing_is_nothing(self):
        found = aging_report(DAY, [], {})
        assert (found.accounts, found.total.open_cents, found.total.credit_cents) == ((), 0, 0)

    @given(
        st.lists(
            st.builds(OpenAmount, st.sampled_from("AB"), st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(1))
        )
    )
    def test_no_cent_is_lost_or_counted_twice(self, amounts):
        found = aging_report(DAY, amounts, {})

        assert found.total.open_cents == sum(amount.cents for amount in amounts)
        assert sum(each.open_cents for each in found.accounts) == found.total.open_cents
