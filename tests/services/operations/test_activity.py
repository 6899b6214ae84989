"""The audit log in words, also for rows that no release of today writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.services.operations.activity import activity
from app.views.activity import ActivityEntry, ActivityEvent, ActivityFacts

PLANS = {"plan_100": "100 Minutes", "plan_220": "220 Minutes"}
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def said(kind: str, data: dict) -> ActivityEntry:
    event = ActivityEvent("evt_1", kind, "system", None, NOON, None, data)
    (entry,) = activity(ActivityFacts([event], None, PLANS, {"on_call": "On-Call"}))
    return entry


class TestSentences:
    @pytest.mark.parametrize(
        ("kind", "data", "what"),
        [
            (
                "plan.changed",
                {"plan": "plan_220", "from": "plan_100"},
                "Changed the plan from 100 Minutes to 220 Minutes.",
            ),
            ("add_on.kept", {"add_on": "on_call"}, "Withdrew the cancellation of the add-on On-Call."),
            (
                "payment.refunded",
                {"number": 100_001, "method_name": "Visa", "amount_cents": 12_50, "kind": "VOID"},
                "Refunded $12.50 to Visa; it is open again on invoice 100001.",
            ),
            (
                "charge.adopted",
                {"number": 100_001, "amount_cents": 100},
                "Matched a charge of $1.00 at the payment gateway to invoice 100001.",
            ),
            (
                "alerts.switched",
                {"on": [], "off": ["Usage", "Forecast"]},
                "Switched their alerts: on none; off Usage, Forecast.",
            ),
        ],
    )
    def test_says_the_fields_in_words(self, kind, data, what):
        assert said(kind, data).what == what

    def test_what_an_older_row_lacks_is_left_open(self):
        assert said("invoice.issued", {"number": 100_001}).what == "Issued invoice 100001; … was due."

    def test_a_kind_without_a_sentence_is_said_by_its_name(self):
        assert said("usage.recorded", {"calls": 2}).what == "Usage recorded."

    def test_a_kind_that_no_class_has_is_said_by_its_name(self):
        entry = said("crystal_ball.polished", {"shine_cents": 100, "state": ["dull", "bright"]})
        assert entry.what == "Crystal ball polished."
        assert entry.details == [("Shine", "$1.00"), ("State", "dull → bright")]


class TestDetails:
    def test_are_all_that_the_row_has(self):
        entry = said("tax.set", {"valid_from": "2026-08-01", "name": "Tax", "of_an_early_release": True})
        assert entry.what == "Set the tax rate of the account."
        assert entry.details == [("Valid from", "2026-08-01"), ("Name", "Tax"), ("Of an early release", "yes")]
