"""The golden vectors of the billing rules (section 5) that need neither a payment nor a plan change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.periods import Period
from app.domain.plans import cost_effective_minutes
from app.domain.policies import POLICY_VERSIONS
from app.domain.pricing import allowance_seconds
from app.domain.proration import paid_start_after_trial
from app.domain.seed_catalogue import SEED_CATALOGUE
from tests.factories.calls import a_call, usage, usage_of
from tests.factories.invoices import a_used_month, facts

POLICIES = POLICY_VERSIONS[-1]
PAID_FROM = paid_start_after_trial(date(2026, 9, 10))
SEPTEMBER = Period.parse("2026-09")
PLAN_100 = SEED_CATALOGUE.get("100", PAID_FROM)
PLAN_220 = SEED_CATALOGUE.get("220", PAID_FROM)


def amounts(invoice_facts):
    return [(line.kind, line.period.month, line.amount_cents) for line in compute_invoice(invoice_facts).lines]


class TestGoldenVectors:
    def test_the_first_invoice_after_a_trial_that_ends_on_10_september(self):
        """Rules 9 and 10: $4.63 a day for 20 days, and 67 minutes."""
        draft = compute_invoice(facts("2026-09", paid_starts_on=PAID_FROM, plan=PLAN_100))
        [line] = draft.lines
        assert (line.kind, line.quantity, line.unit, line.unit_price, line.rule) == ("BASE", 20, "day", 4_6300, 9)
        assert (draft.total_cents, draft.amount_due_cents) == (92_60, 92_60)
        assert allowance_seconds(PLAN_100, SEPTEMBER, PAID_FROM) == 67 * 60

    def test_the_next_invoice_with_ten_minutes_over(self):
        """Rules 7 and 11: 77 minutes against an allowance of 67, then the full base of October."""
        used = (a_used_month(plan=PLAN_100, usage=usage(live_minutes=77)),)
        october = facts(paid_starts_on=PAID_FROM, plan=PLAN_100, used=used)
        assert amounts(october) == [("BASE", "2026-10", 139_00), ("OVERAGE", "2026-09", 12_90)]
        assert compute_invoice(october).total_cents == 151_90

    def test_the_220_plan_in_the_same_first_month(self):
        """Rules 9 and 10: $7.97 a day for 20 days, and 147 minutes."""
        assert amounts(facts("2026-09", paid_starts_on=PAID_FROM, plan=PLAN_220)) == [("BASE", "2026-09", 159_40)]
        assert allowance_seconds(PLAN_220, SEPTEMBER, PAID_FROM) == 147 * 60

    @pytest.mark.parametrize(("on", "minutes"), [(date(2016, 8, 10), 176), (date(2026, 8, 10), 177)])
    def test_the_threshold_of_the_100_plan_at_old_and_new_prices(self, on, minutes):
        plan, higher = SEED_CATALOGUE.get("100", on), SEED_CATALOGUE.get("220", on)
        assert cost_effective_minutes(plan, higher) == minutes

    def test_a_call_of_two_minutes_with_notes_and_one_that_outlasts_its_script(self):
        """Rule 6: 2:00 and 0:30 of notes are 150 s; saved at 3:00 but recorded to 4:00 are 240 s."""
        assert a_call(script_seconds=120 + 30, recording_seconds=120).live_seconds == 150
        assert a_call(script_seconds=180, recording_seconds=240).live_seconds == 240

    def test_patch_and_ivr_time(self):
        """Rules 6 and 11: 7:30 patched is $0.75 and 3:20 of IVR is $0.50, from the first second."""
        used = (a_used_month(usage=usage(patch_seconds=7 * 60 + 30, ivr_seconds=3 * 60 + 20)),)
        assert amounts(facts(used=used))[1:] == [("PATCH", "2026-09", 75), ("IVR", "2026-09", 50)]

    def test_a_real_month_of_one_account(self):
        """Rules 4 and 7: 229,042 live and 13,318 IVR seconds of January 1999 come to $4,967.70 on 1 February."""
        plan = SEED_CATALOGUE.get("100", date(1999, 1, 1))
        used = (a_used_month("1999-01", plan=plan, usage=usage(live_seconds=229_042, ivr_seconds=13_318)),)
        february = facts("1999-02", paid_starts_on=date(1999, 1, 1), plan=plan, used=used)
        assert amounts(february) == [
            (LineKind.BASE, "1999-02", 139_00),
            (LineKind.OVERAGE, "1999-01", 4_795_40),
            (LineKind.IVR, "1999-01", 33_30),
        ]
        assert compute_invoice(february).amount_due_cents == 4_967_70

    def test_calls_of_the_trial_are_not_billed(self):
        """Rule 10: a call on 10 September at 23:59 Pacific is free, one a minute later uses the allowance."""
        trial = a_call(started_at=datetime(2026, 9, 11, 6, 59, tzinfo=UTC), script_seconds=3_600)
        paid = a_call(started_at=datetime(2026, 9, 11, 7, 0, tzinfo=UTC), script_seconds=3_600)
        assert usage_of([trial, paid], SEPTEMBER, paid_starts_on=PAID_FROM) == usage(live_minutes=60, call_count=1)
