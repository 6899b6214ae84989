"""What collecting does next, from the facts alone: rules 17 and 29 to 33."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from app.domain.collection import (
    GATEWAY_DEADLINE,
    KEY_LIFE,
    LONGEST_PAUSE,
    AddLateFee,
    AttemptState,
    Charge,
    CollectionStatus,
    EndRound,
    Finish,
    Resolve,
    Suspend,
    Wait,
    Warn,
    begin_round,
    best_of,
    can_send_again,
    is_hard,
    look_up_at,
    next_step,
    opened_collection,
    outcome_among,
    pause_after,
    reached_no_bank,
    request_collection_attempt,
    state_after,
    warned_suspension_at,
)
from app.domain.payment_gateway import AnswerKind, ChargeAnswer, Decline, DeclineSeverity, TransactionStatus
from app.domain.payment_methods import MethodStatus
from app.domain.policies import CollectionPolicies
from tests.factories.collections import HARD, NOW, SOFT, a_collection, a_method, a_transaction, an_attempt
from tests.world import pacific

POLICIES = CollectionPolicies()
DAY = timedelta(days=1)
AS_DUPLICATE = Decline(DeclineSeverity.SOFT, "duplicate", "Gateway Rejected: duplicate")
FRAUD = Decline(DeclineSeverity.HARD, "fraud", "Gateway Rejected: fraud")


def step(collection=None, *, balance_cents=139_00, attempts=(), methods=None, now=NOW):
    return next_step(
        collection or a_collection(),
        balance_cents=balance_cents,
        attempts=attempts,
        methods=[a_method(1), a_method(2)] if methods is None else methods,
        now=now,
    )


def opened(paid_starts_on=date(2026, 1, 1), **options):
    return opened_collection(
        invoice_id="inv_1",
        account_id="acc_1",
        due_on=date(2026, 8, 1),
        issued_at=NOW,
        paid_starts_on=paid_starts_on,
        policies=options.pop("policies", POLICIES),
        **options,
    )


class TestOpened:
    def test_rule_11_the_first_round_is_due_at_once(self):
        assert opened().next_attempt_at == NOW

    def test_rule_32_the_late_fee_falls_due_seven_days_after_the_due_date(self):
        assert opened().late_fee_at == pacific(2026, 8, 8, 6)

    def test_rule_33_service_is_suspended_after_21_days_and_announced_three_before(self):
        assert (opened().warn_at, opened().suspend_at) == (pacific(2026, 8, 19, 6), pacific(2026, 8, 22, 6))

    def test_rule_33_in_the_first_six_months_after_seven_days(self):
        early = opened(paid_starts_on=date(2026, 2, 2))
        assert (early.warn_at, early.suspend_at) == (pacific(2026, 8, 5, 6), pacific(2026, 8, 8, 6))
        assert opened(paid_starts_on=date(2026, 2, 1)).suspend_at == pacific(2026, 8, 22, 6)

    def test_rule_32_a_policy_switches_the_fee_off(self):
        assert opened(policies=CollectionPolicies(late_fee_cents=None)).late_fee_at is None

    def test_rule_17_a_change_that_waits_for_its_payment_has_one_round_and_no_dunning(self):
        checkout = opened(is_checkout=True)
        assert (checkout.next_attempt_at, checkout.late_fee_at, checkout.suspend_at) == (NOW, None, None)


class TestRound:
    def test_rule_29_begins_with_the_default(self):
        assert step() == Charge(a_method(1), begins_round=True)

    def test_rule_29_goes_on_with_the_back_ups_in_their_order(self):
        methods = [a_method(3), a_method(2), a_method(1)]
        charging = a_collection(status=CollectionStatus.CHARGING, round_no=1)
        assert step(charging, attempts=[an_attempt()], methods=methods) == Charge(a_method(2), begins_round=False)

    def test_rule_29_a_method_that_was_refused_for_good_is_skipped(self):
        methods = [a_method(1, status=MethodStatus.NEEDS_ATTENTION), a_method(2)]
        assert step(methods=methods) == Charge(a_method(2), begins_round=True)

    def test_a_method_is_tried_once_in_a_round(self):
        charging = a_collection(status=CollectionStatus.CHARGING, round_no=1)
        tried = (an_attempt(1), an_attempt(2, method_id="pm_2"))
        assert step(charging, attempts=tried) == EndRound(tried, begins_round=False)

    def test_a_soft_decline_of_an_earlier_round_is_tried_again(self):
        later = a_collection(status=CollectionStatus.WAITING, round_no=1)
        assert step(later, attempts=[an_attempt()]) == Charge(a_method(1), begins_round=True)
        charging = a_collection(status=CollectionStatus.CHARGING, round_no=2)
        assert step(charging, attempts=[an_attempt()]) == Charge(a_method(1), begins_round=False)

    def test_ends_at_once_where_there_is_nothing_to_charge(self):
        assert step(methods=[]) == EndRound((), begins_round=True)

    def test_rule_30_a_requested_round_begins_before_the_next_slot(self):
        waiting = a_collection(status=CollectionStatus.WAITING, is_requested=True, next_attempt_at=NOW + DAY)
        assert isinstance(step(waiting), Charge)

    def test_waits_for_the_next_date(self):
        waiting = a_collection(
            status=CollectionStatus.WAITING, next_attempt_at=NOW + 2 * DAY, late_fee_at=NOW + 7 * DAY
        )
        assert step(waiting) == Wait(NOW + 2 * DAY)

    def test_waits_for_nothing_when_no_date_is_left(self):
        assert step(a_collection(status=CollectionStatus.WAITING, next_attempt_at=None)) == Wait(None)

    def test_a_pause_comes_before_the_next_charge(self):
        assert step(a_collection(retry_at=NOW + DAY)) == Wait(NOW + DAY)
        for over in (NOW, NOW - DAY):
            assert step(a_collection(retry_at=over)) == Charge(a_method(1), begins_round=True)

    def test_what_is_parked_waits_for_staff(self):
        assert step(a_collection(status=CollectionStatus.PARKED)) == Wait(None)


class TestUnknown:
    @pytest.mark.parametrize("state", [AttemptState.PLANNED, AttemptState.SENT, AttemptState.UNKNOWN])
    def test_rule_31_an_outcome_that_is_not_known_comes_before_everything(self, state):
        attempt = an_attempt(state=state, decline=None)
        assert step(attempts=[attempt]) == Resolve(attempt)
        assert step(attempts=[attempt], balance_cents=0) == Resolve(attempt)

    def test_rule_31_nothing_else_is_done_until_it_is_looked_for_again(self):
        attempt = an_attempt(state=AttemptState.UNKNOWN, decline=None)
        late = a_collection(status=CollectionStatus.UNKNOWN, retry_at=NOW + DAY, suspend_at=NOW - DAY)
        assert step(late, attempts=[attempt]) == Wait(NOW + DAY)
        for due in (NOW, NOW - DAY):
            assert step(replace(late, retry_at=due), attempts=[attempt]) == Resolve(attempt)

    def test_under_a_key_it_is_sent_again_for_29_days(self):
        attempt = an_attempt(state=AttemptState.UNKNOWN)
        assert can_send_again(attempt, NOW + KEY_LIFE - DAY)
        for later in (NOW + KEY_LIFE, NOW + 2 * KEY_LIFE):
            assert not can_send_again(attempt, later)
            assert not can_send_again(replace(attempt, state=AttemptState.DECLINED), later)
            assert can_send_again(replace(attempt, absences=2), later)

    def test_without_a_key_only_when_it_was_not_found_twice(self):
        attempt = an_attempt(state=AttemptState.UNKNOWN, uses_key=False)
        assert [can_send_again(replace(attempt, absences=n), NOW) for n in range(4)] == [False, False, True, True]

    def test_what_never_left_is_sent_in_any_case(self):
        attempt = an_attempt(state=AttemptState.PLANNED, uses_key=False)
        assert can_send_again(attempt, NOW + 2 * KEY_LIFE)
        assert can_send_again(replace(attempt, sent_at=None, state=AttemptState.UNKNOWN), NOW)

    def test_it_is_looked_for_after_the_gateway_s_own_deadline(self):
        assert look_up_at(an_attempt(), NOW) == NOW + GATEWAY_DEADLINE
        assert look_up_at(an_attempt(sent_at=None), NOW) == NOW

    def test_among_several_transactions_the_one_that_moves_money_counts(self):
        declined, taken = a_transaction(TransactionStatus.DECLINED), a_transaction(id="tr_2")
        void = a_transaction(TransactionStatus.VOIDED, id="tr_3")
        assert best_of([declined, taken, void]) is taken
        assert best_of([declined, void]) is declined
        assert best_of([]) is None

    def test_a_rejection_as_a_duplicate_only_says_that_there_is_another(self):
        duplicate, declined = (
            a_transaction(TransactionStatus.REJECTED, decline=AS_DUPLICATE),
            a_transaction(TransactionStatus.DECLINED),
        )
        taken, fraud = a_transaction(id="tr_2"), a_transaction(TransactionStatus.REJECTED, id="tr_3", decline=FRAUD)
        assert best_of([taken, duplicate]) is taken
        assert best_of([declined, duplicate]) is declined
        assert best_of([fraud, duplicate]) is fraud
        assert best_of([duplicate]) is None

    def test_rule_31_it_is_the_outcome_once_the_charge_before_it_was_missed_twice(self):
        duplicate = a_transaction(TransactionStatus.REJECTED, decline=AS_DUPLICATE)
        missed = an_attempt(state=AttemptState.UNKNOWN, decline=AS_DUPLICATE)
        assert outcome_among([duplicate], missed) is None
        missed = replace(missed, absences=1)
        assert outcome_among([duplicate], missed) is duplicate
        assert outcome_among([duplicate], replace(missed, absences=2)) is duplicate
        assert outcome_among([], missed) is None
        taken = a_transaction(id="tr_2")
        assert outcome_among([taken, duplicate], missed) is taken

    def test_rule_31_what_was_rejected_as_a_duplicate_is_looked_for_and_not_sent_again(self):
        attempt = an_attempt(state=AttemptState.UNKNOWN, decline=AS_DUPLICATE)
        assert not can_send_again(attempt, NOW)
        assert not can_send_again(replace(attempt, absences=5), NOW + KEY_LIFE)

    def test_pauses_double_up_to_ten_minutes(self):
        assert [pause_after(n).total_seconds() for n in range(4)] == [5, 10, 20, 40]
        assert pause_after(40) == LONGEST_PAUSE


class TestState:
    @pytest.mark.parametrize(
        ("answer", "was_sent", "state"),
        [
            (ChargeAnswer(AnswerKind.DONE, a_transaction()), False, AttemptState.SUCCEEDED),
            (ChargeAnswer(AnswerKind.DONE, a_transaction(TransactionStatus.VOIDED)), True, AttemptState.DECLINED),
            (ChargeAnswer(AnswerKind.DONE), False, AttemptState.UNKNOWN),
            (ChargeAnswer(AnswerKind.DECLINED, decline=SOFT), True, AttemptState.DECLINED),
            (ChargeAnswer(AnswerKind.REFUSED), False, AttemptState.DECLINED),
            (ChargeAnswer(AnswerKind.REFUSED), True, AttemptState.UNKNOWN),
            (ChargeAnswer(AnswerKind.NEVER_SENT), False, AttemptState.PLANNED),
            (ChargeAnswer(AnswerKind.NEVER_SENT), True, AttemptState.UNKNOWN),
            (ChargeAnswer(AnswerKind.UNKNOWN), False, AttemptState.UNKNOWN),
        ],
    )
    def test_only_a_definite_answer_is_believed(self, answer, was_sent, state):
        assert state_after(answer, was_sent=was_sent) is state

    def test_a_hard_decline_is_told_from_a_soft_one(self):
        assert (is_hard(HARD), is_hard(SOFT), is_hard(None)) == (True, False, False)


class TestDunning:
    @pytest.mark.parametrize("balance_cents", [0, -1])
    def test_nothing_is_done_about_an_invoice_that_owes_nothing(self, balance_cents):
        assert step(balance_cents=balance_cents) == Finish()

    def late(self, **dates):
        return a_collection(status=CollectionStatus.WAITING, next_attempt_at=None, **dates)

    def test_rule_32_the_late_fee(self):
        assert step(self.late(late_fee_at=NOW)) == AddLateFee()

    def test_rule_33_the_warning_and_the_suspension(self):
        assert step(self.late(warn_at=NOW)) == Warn()
        assert step(self.late(suspend_at=NOW)) == Suspend()
        assert step(self.late(warn_at=NOW, suspend_at=NOW)) == Warn()

    @pytest.mark.parametrize(("planned", "suspends_after"), [(2, 3), (3, 3), (9, 9)])
    def test_rule_33_a_warning_that_comes_late_leaves_its_days_of_notice(self, planned, suspends_after):
        waiting = self.late(warn_at=NOW, suspend_at=NOW + planned * DAY)
        assert warned_suspension_at(waiting, NOW, POLICIES) == NOW + suspends_after * DAY
        assert warned_suspension_at(self.late(warn_at=NOW), NOW, POLICIES) is None

    def test_a_round_of_the_same_moment_comes_first(self):
        assert isinstance(step(a_collection(late_fee_at=NOW, suspend_at=NOW)), Charge)


class TestSlots:
    def slots(self, *instants: datetime):
        """Each round begun at its instant; returns the date of the next after each."""
        collection, following = a_collection(), []
        for at in instants:
            collection = replace(collection, **begin_round(collection, at, POLICIES))
            collection = replace(collection, status=CollectionStatus.WAITING)
            following.append(collection.next_attempt_at)
        return collection, following

    def test_rule_30_rounds_at_0_2_7_14_and_21_days(self):
        days = [NOW, *(pacific(2026, 8, day, 6) for day in (3, 8, 15, 22))]
        collection, following = self.slots(*days)
        assert following == [*days[1:], None]
        assert (collection.slots_used, collection.round_no) == (5, 5)

    @pytest.mark.parametrize(("slots_used", "next_day"), [(0, 3), (2, 15)])
    def test_rule_30_a_round_that_begins_before_its_slot_uses_that_one(self, slots_used, next_day):
        """An invoice of 1 am is charged at once, though charges of a schedule begin at 6."""
        at = pacific(2026, 8, 1, 1)
        changed = begin_round(a_collection(slots_used=slots_used, next_attempt_at=at), at, POLICIES)
        assert (changed["slots_used"], changed["next_attempt_at"]) == (slots_used + 1, pacific(2026, 8, next_day, 6))

    def test_rule_30_a_requested_round_uses_no_slot(self):
        waiting = a_collection(
            status=CollectionStatus.WAITING, is_requested=True, slots_used=1, next_attempt_at=pacific(2026, 8, 3, 6)
        )
        changed = begin_round(waiting, NOW, POLICIES)
        assert (changed["round_no"], changed["is_requested"]) == (1, False)
        assert "slots_used" not in changed
        assert "next_attempt_at" not in changed

    def test_a_round_that_was_asked_for_begins_at_once_whatever_failed_before(self):
        parked = a_collection(status=CollectionStatus.PARKED, failures=10, next_attempt_at=None)
        asked = replace(parked, **request_collection_attempt(NOW))
        assert step(parked) == Wait(None)
        assert step(asked) == Charge(a_method(1), begins_round=True)
        assert asked.failures == 0

    def test_a_long_pause_is_not_made_up_for_by_a_burst_of_charges(self):
        collection, following = self.slots(NOW, pacific(2026, 8, 16, 12))
        assert (collection.slots_used, following[-1]) == (4, pacific(2026, 8, 22, 6))
        collection, following = self.slots(NOW, pacific(2026, 8, 15, 6))
        assert (collection.slots_used, following[-1]) == (4, pacific(2026, 8, 22, 6))

    def test_a_round_beyond_the_schedule_is_the_last(self):
        assert begin_round(a_collection(slots_used=5), NOW, POLICIES)["next_attempt_at"] is None

    def test_a_change_that_waits_has_one_round(self):
        changed = begin_round(a_collection(is_checkout=True), NOW, POLICIES)
        assert changed["next_attempt_at"] is None


class TestWhoCanHelp:
    def test_what_no_bank_has_declined_no_customer_can_help(self):
        refused, declined = an_attempt(decline=None), an_attempt(2, decline=SOFT)
        assert reached_no_bank([refused, refused])
        assert not reached_no_bank([refused, declined])
        assert not reached_no_bank([])
