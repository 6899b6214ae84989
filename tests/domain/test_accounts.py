"""When an account's invoices fall due (rules 9 and 12)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from app.domain.accounts import (
    Account,
    AccountStatus,
    Role,
    User,
    cycle_runs_at,
    first_cycle_on,
    is_external_id,
)
from app.domain.policies import POLICY_VERSIONS, Policies

POLICIES = POLICY_VERSIONS[-1]


class TestFirstCycle:
    @pytest.mark.parametrize("day", [1, 11, 30])
    def test_opens_the_month_of_the_first_paid_day(self, day):
        assert first_cycle_on(date(2026, 9, day)) == date(2026, 9, 1)


class TestCycleRunsAt:
    @pytest.mark.parametrize(
        ("cycle_on", "runs_at"),
        [
            (date(2026, 10, 1), datetime(2026, 10, 1, 13, tzinfo=UTC)),
            (date(2026, 11, 1), datetime(2026, 11, 1, 14, tzinfo=UTC)),
            (date(2026, 12, 1), datetime(2026, 12, 1, 14, tzinfo=UTC)),
        ],
    )
    def test_rule_12_is_six_in_the_morning_of_the_first(self, cycle_on, runs_at):
        """1 November 2026 is itself the day on which summer time ends."""
        assert cycle_runs_at(cycle_on, date(2026, 9, 11), POLICIES) == runs_at

    def test_the_first_invoice_comes_on_the_first_paid_day(self):
        runs_at = cycle_runs_at(date(2026, 9, 1), date(2026, 9, 11), POLICIES)
        assert runs_at == datetime(2026, 9, 11, 13, tzinfo=UTC)

    def test_goes_by_the_hour_of_the_policies(self):
        noon = Policies("test", date.min, cycle_runs_at=time(12))
        assert cycle_runs_at(date(2026, 10, 1), date(2026, 9, 11), noon) == datetime(2026, 10, 1, 19, tzinfo=UTC)


class TestValues:
    def test_hold_what_they_are_given(self):
        account = Account(
            id="acc_1",
            external_id="AA0101",
            name="Harbor Dental",
            status=AccountStatus.ACTIVE,
            trial_ends_on=None,
            paid_starts_on=date(2026, 9, 11),
            plan_version_id="plan_100_2020",
            next_cycle_on=date(2026, 10, 1),
        )
        user = User(id="usr_1", subject="auth|17", email="ann@example.com", name="Ann Lee")
        assert (account.external_id, account.status, user.subject) == ("AA0101", "ACTIVE", "auth|17")
        assert [role.value for role in Role] == ["ADMIN", "BILLING", "MEMBER"]
        assert [status.value for status in AccountStatus] == ["ACTIVE", "SUSPENDED", "CLOSED"]


class TestExternalIds:
    @pytest.mark.parametrize("text", ["A", "AA0101", "007", "a/b?c=d", "~!", "A" * 128])
    def test_visible_ascii_is_one(self, text):
        assert is_external_id(text)

    @pytest.mark.parametrize("text", ["", " ", "A B", "A\t", "A\n", "\x7f", "\u0410A", "A\u200b", "\u00a0", "A" * 129])
    def test_anything_else_is_none(self, text):
        assert not is_external_id(text)
