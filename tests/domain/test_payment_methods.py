"""The methods of an account: their order, their expiry, and what may be done to them (rules 29, 34)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.payment_gateway import MethodKind, VaultRefusal
from app.domain.payment_methods import (
    ATTEMPT_LIMITS,
    AddFailure,
    InvalidOrder,
    LastPaymentMethod,
    MethodStatus,
    auto_pay_required_until,
    can_be_added,
    chargeable,
    check_removal,
    expiry_warning,
    failure_of,
    find_duplicate,
    following_default,
    in_order,
    is_auto_pay_required,
    is_being_verified,
    place_in_order,
    reordered,
    wait_before_adding,
)
from app.domain.policies import CollectionPolicies
from tests.factories.collections import a_method

POLICIES = CollectionPolicies()


class TestOrder:
    def test_rule_29_the_default_comes_first_then_the_back_ups(self):
        methods = [a_method(3), a_method(1), a_method(2)]
        assert [method.id for method in in_order(methods)] == ["pm_1", "pm_2", "pm_3"]

    def test_what_is_not_on_file_is_not_in_order(self):
        methods = [a_method(1), a_method(2, status=MethodStatus.REMOVED), a_method(3, status=MethodStatus.PENDING)]
        assert in_order(methods) == [a_method(1)]

    def test_rule_29_what_needs_attention_is_not_charged(self):
        assert chargeable([a_method(1, status=MethodStatus.NEEDS_ATTENTION), a_method(2)]) == [a_method(2)]

    def test_back_ups_are_put_in_a_new_order(self):
        methods = [a_method(1), a_method(2), a_method(3)]
        assert reordered(methods, ["pm_3", "pm_2"]) == {"pm_3": 1, "pm_2": 2}

    @pytest.mark.parametrize("ids", [["pm_2"], ["pm_2", "pm_2"], ["pm_1", "pm_2"], ["pm_2", "pm_3", "pm_9"]])
    def test_an_order_that_does_not_name_each_back_up_once_is_refused(self, ids):
        with pytest.raises(InvalidOrder):
            reordered([a_method(1), a_method(2), a_method(3)], ids)


class TestRemoval:
    def test_rule_34_the_last_method_stays_while_it_is_required(self):
        with pytest.raises(LastPaymentMethod, match="required in the first months"):
            check_removal([a_method(1)], a_method(1), is_required=True, has_open_balance=False)

    def test_rule_34_the_last_method_stays_while_something_is_open(self):
        with pytest.raises(LastPaymentMethod, match="open balance"):
            check_removal([a_method(1)], a_method(1), is_required=False, has_open_balance=True)

    def test_another_one_may_go_and_so_may_the_last_when_nothing_needs_it(self):
        check_removal([a_method(1), a_method(2)], a_method(1), is_required=True, has_open_balance=True)
        check_removal([a_method(1)], a_method(1), is_required=False, has_open_balance=False)

    def test_rule_34_the_last_that_can_be_charged_stays_too(self):
        refused = a_method(2, status=MethodStatus.NEEDS_ATTENTION)
        with pytest.raises(LastPaymentMethod):
            check_removal([a_method(1), refused], a_method(1), is_required=True, has_open_balance=False)
        check_removal([a_method(1), refused], refused, is_required=True, has_open_balance=True)
        check_removal(
            [refused, a_method(3, status=MethodStatus.NEEDS_ATTENTION)],
            refused,
            is_required=True,
            has_open_balance=True,
        )

    def test_rule_34_the_next_back_up_that_can_be_charged_becomes_the_default(self):
        methods = [a_method(1), a_method(2, status=MethodStatus.NEEDS_ATTENTION), a_method(3)]
        assert following_default(methods, "pm_1") == a_method(3)
        assert following_default(methods[:2], "pm_1") == methods[1]
        assert following_default(methods[:1], "pm_1") is None

    def test_rule_34_auto_pay_is_required_for_six_months(self):
        assert auto_pay_required_until(date(2026, 1, 31), POLICIES) == date(2026, 7, 31)
        assert is_auto_pay_required(date(2026, 1, 31), date(2026, 7, 30), POLICIES)
        assert not is_auto_pay_required(date(2026, 1, 31), date(2026, 7, 31), POLICIES)


class TestWords:
    def test_a_card_is_known_by_its_last_digits(self):
        assert a_method(1).display_name == "Visa ending in 1881"

    def test_paypal_is_known_by_its_payer(self):
        paypal = a_method(1, kind=MethodKind.PAYPAL, brand="PayPal", last4=None, payer_email="ann@example.com")
        assert paypal.display_name == "PayPal ann@example.com"
        assert a_method(1, brand="PayPal", last4=None).display_name == "PayPal"

    def test_a_card_is_valid_to_the_end_of_its_month(self):
        assert a_method(1).expires_before() == date(2028, 1, 1)
        assert not a_method(1).is_expired_on(date(2027, 12, 31))
        assert a_method(1).is_expired_on(date(2028, 1, 1))

    @pytest.mark.parametrize(
        ("today", "level"),
        [
            (date(2027, 11, 30), None),
            (date(2027, 12, 1), 30),
            (date(2027, 12, 23), 30),
            (date(2027, 12, 24), 7),
            (date(2027, 12, 31), 7),
            (date(2028, 1, 1), None),
        ],
    )
    def test_rule_38_its_end_is_told_30_and_7_days_before(self, today, level):
        assert expiry_warning(a_method(1), today) == level
        assert expiry_warning(a_method(1, expiry_year=None), today) is None

    def test_what_has_no_date_does_not_expire(self):
        paypal = a_method(1, expiry_month=None, expiry_year=None)
        assert paypal.expires_before() is None
        assert not paypal.is_expired_on(date(2099, 1, 1))


class TestAdding:
    def test_rule_29_a_new_default_comes_before_the_former_one_and_another_comes_last(self):
        methods = [a_method(1), a_method(2)]
        assert place_in_order(methods, "pm_9", as_default=True) == ["pm_9", "pm_1", "pm_2"]
        assert place_in_order(methods, "pm_2", as_default=True) == ["pm_2", "pm_1"]
        assert place_in_order(methods, "pm_9", as_default=False) == ["pm_1", "pm_2", "pm_9"]

    def test_the_same_card_is_known_by_its_fingerprint(self):
        methods = [a_method(1, fingerprint="a"), a_method(2, fingerprint="b")]
        assert find_duplicate(methods, a_method(9, fingerprint="b")) == methods[1]
        assert find_duplicate(methods, a_method(9, fingerprint="c")) is None
        assert find_duplicate([a_method(1)], a_method(9, fingerprint=None)) is None

    def test_the_same_paypal_account_is_known_by_its_payer(self):
        paypal = a_method(1, kind=MethodKind.PAYPAL, payer_email="ann@example.com")
        assert find_duplicate([paypal], a_method(9, kind=MethodKind.PAYPAL, payer_email="ann@example.com")) == paypal
        assert find_duplicate([paypal], a_method(9, kind=MethodKind.PAYPAL, payer_email="ben@example.com")) is None
        assert find_duplicate([paypal], a_method(9, kind=MethodKind.PAYPAL)) is None
        assert find_duplicate([paypal], a_method(9, fingerprint="a")) is None

    def test_rule_42_a_verified_method_may_be_added_until_its_time_is_over(self):
        until = datetime(2026, 7, 1, 12, 15, tzinfo=UTC)
        before, at = until - timedelta(microseconds=1), until
        assert can_be_added(MethodStatus.VERIFIED, until, before)
        assert not can_be_added(MethodStatus.VERIFIED, until, at)
        assert not can_be_added(MethodStatus.ACTIVE, until, before)
        assert not can_be_added(MethodStatus.VERIFIED, None, before)

    def test_rule_42_a_method_that_waits_for_the_vault_is_being_verified_until_then(self):
        until = datetime(2026, 7, 1, 12, 15, tzinfo=UTC)
        before, at = until - timedelta(microseconds=1), until
        assert is_being_verified(MethodStatus.PENDING, until, before)
        assert not is_being_verified(MethodStatus.PENDING, until, at)
        assert not is_being_verified(MethodStatus.VERIFIED, until, before)
        assert not is_being_verified(MethodStatus.PENDING, None, before)

    def test_a_refusal_without_a_reason_is_not_the_customers(self):
        assert failure_of(None) is AddFailure.UNAVAILABLE
        assert failure_of(VaultRefusal.OTHER) is AddFailure.NOT_ACCEPTED
        assert all(failure_of(refusal) in AddFailure for refusal in VaultRefusal)


class TestLimits:
    NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)

    def wait(self, *minutes_ago: float) -> int:
        tried_at = [self.NOW - timedelta(minutes=each) for each in minutes_ago]
        return wait_before_adding(tried_at, self.NOW, ATTEMPT_LIMITS)

    def test_four_in_an_hour_leave_room_for_one_and_five_do_not(self):
        assert self.wait() == self.wait(1, 2, 3, 4) == 0
        assert self.wait(1, 2, 3, 4, 50) == 600
        assert self.wait(1, 2, 3, 4, 60) == 0

    def test_twenty_a_day_are_the_most(self):
        spread = [60 * hours for hours in range(1, 21)]
        assert self.wait(*spread[:19]) == 0
        assert self.wait(*spread) == 4 * 3_600

    def test_the_longest_wait_counts(self):
        assert self.wait(*[1] * 20) == 86_400 - 60
