"""A confirmed change says by its details what takes effect."""

from __future__ import annotations

from datetime import UTC, date, datetime

from app.domain.checkouts import (
    AddOnDetails,
    ChangeInProgress,
    Checkout,
    CheckoutAction,
    CheckoutState,
    PlanChangeDetails,
)
from app.domain.plan_changes import When

AN_ADD_ON = AddOnDetails("transcription", "aov_1", "sub_1", date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC), 4900)
A_PLAN = PlanChangeDetails("plv_2", When.NOW, date(2026, 3, 1), date(2026, 3, 1), "plv_1", 12_000, 0)


def a_checkout(details):
    return Checkout("chk_1", "acc_1", "inv_1", CheckoutState.WAITING, details, "user:1")


def test_the_action_follows_from_the_details():
    assert a_checkout(A_PLAN).action is CheckoutAction.CHANGE_PLAN
    assert a_checkout(AN_ADD_ON).action is CheckoutAction.ACTIVATE_ADD_ON


def test_a_second_change_is_told_of_the_first():
    checkout = a_checkout(AN_ADD_ON)
    assert ChangeInProgress(checkout).checkout is checkout
