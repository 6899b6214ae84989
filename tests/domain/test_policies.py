"""The dated decisions and their defaults (rules 6, 8, 12 and 25)."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from app.domain.policies import POLICY_VERSIONS, UnknownPolicies, policies_on, policies_version


class TestPolicies:
    def test_hold_the_figures_of_the_rules(self):
        """Rule 6: patch $0.10, IVR $0.15; rule 8: nothing is free yet; rule 12: 06:00; rule 25: 35 days, 5 minutes."""
        policies = policies_on(date(2026, 11, 1))
        assert (policies.patch_rate, policies.ivr_rate) == (1_000, 1_500)
        assert policies.non_billable_dispositions == frozenset()
        assert policies.cycle_runs_at == time(6)
        assert (policies.late_call_days, policies.future_tolerance) == (35, timedelta(minutes=5))

    def test_begin_with_the_beginning_of_time_and_follow_each_other(self):
        dates = [policies.effective_from for policies in POLICY_VERSIONS]
        assert dates[0] == date.min
        assert dates == sorted(set(dates))
        assert len({policies.version for policies in POLICY_VERSIONS}) == len(POLICY_VERSIONS)

    @pytest.mark.parametrize("on", [date.min, date(1999, 1, 1), date.max])
    def test_are_in_force_on_every_day(self, on):
        assert policies_on(on) in POLICY_VERSIONS

    def test_are_found_again_by_the_version_an_invoice_names(self):
        assert [policies_version(p.version) for p in POLICY_VERSIONS] == list(POLICY_VERSIONS)

    def test_of_an_unknown_version_are_refused(self):
        with pytest.raises(UnknownPolicies, match="no billing policies of version '1998-01'") as refusal:
            policies_version("1998-01")
        assert refusal.value.version == "1998-01"
