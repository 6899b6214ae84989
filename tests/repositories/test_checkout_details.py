"""Details of a confirmed change are stored as JSON and read back, in the form of earlier releases too."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.checkouts import AddOnDetails, CheckoutAction, PlanChangeDetails
from app.domain.plan_changes import When
from app.repositories.checkout_details import details_of, read_details, write_details

SCHEDULED = PlanChangeDetails("plv_2", When.NEXT_CYCLE, date(2026, 4, 1), None, "plv_1", 0, 0)
ADD_ON = AddOnDetails("transcription", "aov_1", "sub_1", date(2026, 3, 9), datetime(2026, 3, 9, 17, tzinfo=UTC), 4900)


@pytest.mark.parametrize(
    ("details", "action"), [(SCHEDULED, CheckoutAction.CHANGE_PLAN), (ADD_ON, CheckoutAction.ACTIVATE_ADD_ON)]
)
def test_what_is_written_is_read(details, action):
    content = write_details(details)
    assert read_details(type(details), content) == details
    assert details_of(action, content) == details


def test_the_form_of_earlier_releases_is_read():
    plan = {
        "plan": "plv_2", "when": "NEXT_CYCLE", "effective_on": "2026-04-01", "month": None, "from": "plv_1",
        "amount_due_cents": 0, "credit_cents": 0,
    }  # fmt: skip
    add_on = {
        "add_on": "transcription", "version": "aov_1", "subscription": "sub_1", "starts_on": "2026-03-09",
        "accepted_at": "2026-03-09T17:00:00+00:00", "amount_due_cents": 4900,
    }  # fmt: skip
    assert details_of(CheckoutAction.CHANGE_PLAN, plan) == SCHEDULED
    assert details_of(CheckoutAction.ACTIVATE_ADD_ON, add_on) == ADD_ON
    assert write_details(SCHEDULED) == plan
