"""When which method is charged by itself, and until when one has to be on file: rules 29, 30 and 34."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.accounts import AccountStatus
from app.domain.auto_pay import OpenRound, PayingAccount, auto_pay
from app.domain.collection import CollectionStatus
from app.domain.payment_methods import MethodStatus
from app.domain.policies import CollectionPolicies
from tests.factories.collections import a_method
from tests.world import pacific

NOW = pacific(2026, 8, 14, 12)
ACCOUNT = PayingAccount(AccountStatus.ACTIVE, date(2026, 7, 1), date(2026, 9, 1))
METHODS = (a_method(1), a_method(2))
CLOSED = replace(ACCOUNT, status=AccountStatus.CLOSED)


def found(account=ACCOUNT, methods=METHODS, rounds=(), now=NOW):
    return auto_pay(account, methods, rounds, now, CollectionPolicies())


def a_round(status=CollectionStatus.WAITING, next_attempt_at=None, is_requested=False):
    return OpenRound(status, is_requested, next_attempt_at)


class TestRequired:
    def test_rule_34_for_six_months(self):
        assert (found().is_required, found().required_until) == (True, date(2027, 1, 1))
        later = found(now=pacific(2027, 1, 1, 0))
        assert (later.is_required, later.required_until) == (False, None)

    def test_not_of_a_closed_account(self):
        assert (found(CLOSED).is_required, found(CLOSED).required_until) == (False, None)


class TestNextCharge:
    def test_is_the_next_invoice_where_nothing_is_open(self):
        assert found().next_charge_on == date(2026, 9, 1)

    def test_of_a_trial_is_its_first_paid_day(self):
        trial = replace(ACCOUNT, paid_starts_on=date(2026, 8, 20), next_cycle_on=date(2026, 8, 1))
        assert found(trial).next_charge_on == date(2026, 8, 20)

    def test_that_is_late_is_today(self):
        assert found(replace(ACCOUNT, next_cycle_on=date(2026, 8, 1))).next_charge_on == date(2026, 8, 14)

    @pytest.mark.parametrize(
        ("each", "day"),
        [
            (a_round(next_attempt_at=pacific(2026, 8, 21, 6)), date(2026, 8, 21)),
            (a_round(next_attempt_at=pacific(2026, 8, 1, 6)), date(2026, 8, 14)),
            (a_round(next_attempt_at=pacific(2026, 8, 21, 6), is_requested=True), date(2026, 8, 14)),
            (a_round(CollectionStatus.CHARGING), date(2026, 8, 14)),
            (a_round(), date(2026, 9, 1)),
            (a_round(CollectionStatus.PARKED, is_requested=True), date(2026, 9, 1)),
        ],
    )
    def test_rule_30_is_the_next_round_of_an_open_invoice(self, each, day):
        assert found(rounds=[each]).next_charge_on == day

    def test_of_a_closed_account_is_for_open_invoices_alone(self):
        assert found(CLOSED).next_charge_on is None
        assert found(CLOSED, rounds=[a_round(CollectionStatus.CHARGING)]).next_charge_on == date(2026, 8, 14)


class TestMethod:
    def test_rule_29_is_the_first_that_can_be_charged(self):
        assert found().method == a_method(1)
        refused = a_method(1, status=MethodStatus.NEEDS_ATTENTION)
        assert found(methods=[refused, a_method(2)]).method == a_method(2)

    def test_without_one_nothing_is_charged(self):
        assert (found(methods=[]).method, found(methods=[]).next_charge_on) == (None, None)
