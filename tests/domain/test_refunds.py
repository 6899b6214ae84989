"""Money that goes back: what a refund is after an answer, when it may be sent again, and how collecting goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.collection import GATEWAY_DEADLINE, KEY_LIFE, AttemptState, Collection, CollectionStatus
from app.domain.ledger import PostingKind
from app.domain.payment_gateway import (
    AnswerKind,
    ChargeAnswer,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from app.domain.policies import COLLECTION_POLICIES, CollectionPolicies
from app.domain.refunds import (
    Refund,
    RefundKind,
    can_refund_again,
    collected_again,
    collected_by_hand,
    is_decided,
    net_received_cents,
    refund_state_after,
    sent_again,
)

NOW = datetime(2026, 8, 3, 19, tzinfo=UTC)
PLANNED = Refund("rfd_1", "acc_1", "att_1", RefundKind.REFUND, 39_00, AttemptState.PLANNED, "staff:ann", "Ticket 1")
SENT = replace(PLANNED, state=AttemptState.SENT, sends=1, sent_at=NOW)
VOID = replace(SENT, kind=RefundKind.VOID)
DONE = Collection("inv_1", "acc_1", CollectionStatus.DONE, date(2026, 8, 1), round_no=1, slots_used=1, is_checkout=True)


def given_back(status: TransactionStatus) -> Transaction:
    return Transaction("t1", TransactionKind.REFUND, status, 39_00, "rfd_1", "acc_1", "pm_1", NOW, "t0")


class TestReceived:
    def test_it_is_what_came_in_less_what_went_back(self):
        sums = {
            PostingKind.INVOICED: 500,
            PostingKind.PAYMENT_RECEIVED: 300,
            PostingKind.REFUNDED: 20,
            PostingKind.CHARGED_BACK: 30,
            PostingKind.RETURNED: 40,
        }
        assert net_received_cents(sums) == 210
        assert net_received_cents({}) == 0


class TestAnswers:
    @pytest.mark.parametrize(
        ("kind", "was_sent", "state"),
        [
            (AnswerKind.DONE, False, AttemptState.SUCCEEDED),
            (AnswerKind.REFUSED, False, AttemptState.DECLINED),
            (AnswerKind.REFUSED, True, AttemptState.DECLINED),
            (AnswerKind.DECLINED, True, AttemptState.DECLINED),
            (AnswerKind.NEVER_SENT, False, AttemptState.PLANNED),
            (AnswerKind.NEVER_SENT, True, AttemptState.UNKNOWN),
            (AnswerKind.UNKNOWN, False, AttemptState.UNKNOWN),
        ],
    )
    def test_of_a_void(self, kind, was_sent, state):
        assert refund_state_after(VOID, ChargeAnswer(kind), was_sent=was_sent) is state

    @pytest.mark.parametrize(
        ("answer", "was_sent", "state"),
        [
            (ChargeAnswer(AnswerKind.DONE, given_back(TransactionStatus.CAPTURED)), True, AttemptState.SUCCEEDED),
            (ChargeAnswer(AnswerKind.REFUSED), False, AttemptState.DECLINED),
            (ChargeAnswer(AnswerKind.REFUSED), True, AttemptState.UNKNOWN),
            (ChargeAnswer(AnswerKind.UNKNOWN), False, AttemptState.UNKNOWN),
        ],
    )
    def test_of_a_refund_it_is_believed_as_of_a_charge(self, answer, was_sent, state):
        assert refund_state_after(SENT, answer, was_sent=was_sent) is state

    def test_a_void_and_the_refund_in_its_place_have_keys_of_their_own(self):
        assert (VOID.request_key, SENT.request_key) == ("rfd_1-void", "rfd_1")


class TestSendingAgain:
    """Rule 31: only what is safe is sent again."""

    def test_what_was_never_sent_may_be(self):
        assert can_refund_again(PLANNED, NOW)
        assert can_refund_again(replace(SENT, state=AttemptState.PLANNED), NOW + 2 * KEY_LIFE)
        assert can_refund_again(replace(SENT, sent_at=None), NOW)
        assert (PLANNED.sends, PLANNED.absences) == (0, 0)

    def test_under_its_key_as_long_as_the_gateway_remembers_it(self):
        assert can_refund_again(SENT, NOW)
        for state in (AttemptState.SENT, AttemptState.DECLINED):
            assert not can_refund_again(replace(SENT, state=state), NOW + KEY_LIFE)
        assert not can_refund_again(SENT, NOW + 2 * KEY_LIFE)
        assert can_refund_again(replace(SENT, absences=2), NOW + KEY_LIFE)

    def test_without_a_key_after_it_was_not_found_twice(self):
        keyless = replace(SENT, uses_key=False)
        assert not can_refund_again(replace(keyless, absences=1), NOW)
        assert can_refund_again(replace(keyless, absences=2), NOW)
        assert can_refund_again(replace(keyless, absences=3), NOW)

    def test_with_a_key_the_first_sending_counts_and_without_the_last(self):
        later = NOW + timedelta(hours=1)
        again = sent_again(SENT, later)
        assert (again.sends, again.sent_at, again.state) == (2, NOW, AttemptState.SENT)
        keyless = sent_again(replace(SENT, uses_key=False, absences=2), later)
        assert (keyless.sent_at, keyless.absences) == (later, 0)
        assert (sent_again(PLANNED, later).sends, sent_again(PLANNED, later).sent_at) == (1, later)
        assert sent_again(replace(SENT, state=AttemptState.DECLINED), later).sent_at == NOW
        assert sent_again(replace(SENT, state=AttemptState.PLANNED), later).sent_at == later

    def test_looking_tells_something_after_the_gateway_s_deadline(self):
        assert is_decided(None, NOW)
        assert not is_decided(NOW, NOW)
        assert is_decided(NOW, NOW + GATEWAY_DEADLINE)
        assert is_decided(NOW, NOW + 2 * GATEWAY_DEADLINE)


class TestByHand:
    def test_a_finished_collecting_waits_without_a_date(self):
        changed = replace(replace(DONE, failures=3), **collected_by_hand(DONE))
        assert (changed.status, changed.is_by_hand, changed.is_checkout) == (CollectionStatus.WAITING, True, False)
        assert changed.failures == 0
        assert {changed.next_attempt_at, changed.late_fee_at, changed.warn_at, changed.suspend_at} == {None}

    @pytest.mark.parametrize("status", [CollectionStatus.UNKNOWN, CollectionStatus.CHARGING])
    def test_one_that_is_under_way_is_left_to_end(self, status):
        under_way = replace(DONE, status=status, retry_at=NOW, suspend_at=NOW, is_requested=True)
        changed = replace(under_way, **collected_by_hand(under_way))
        assert (changed.status, changed.retry_at, changed.suspend_at) == (status, NOW, None)
        assert not changed.is_requested


class TestCollectedAgain:
    def again(self, collection: Collection = DONE, policies: CollectionPolicies = COLLECTION_POLICIES, **changes):
        given = {"returned_on": date(2026, 8, 3), "paid_starts_on": date(2026, 1, 1), "had_late_fee": False}
        return collected_again(collection, **{**given, **changes}, policies=policies)

    def test_rules_30_32_and_33_the_day_of_the_return_is_the_first_of_the_schedule(self):
        changed = replace(replace(DONE, is_requested=True, failures=3), **self.again())
        assert (changed.status, changed.slots_used, changed.due_on) == (CollectionStatus.WAITING, 1, date(2026, 8, 3))
        assert (changed.is_checkout, changed.is_by_hand, changed.is_requested) == (False, False, False)
        assert changed.failures == 0
        days = [at.date() for at in (changed.next_attempt_at, changed.late_fee_at, changed.warn_at, changed.suspend_at)]
        assert days == [date(2026, 8, 5), date(2026, 8, 10), date(2026, 8, 21), date(2026, 8, 24)]

    def test_rule_32_the_fee_is_due_once(self):
        assert self.again(had_late_fee=True)["late_fee_at"] is None

    def test_a_schedule_of_one_round_has_no_next(self):
        assert self.again(policies=CollectionPolicies(retry_days=(0,)))["next_attempt_at"] is None

    def test_what_was_paid_by_hand_is_collected_as_any_other(self):
        assert not replace(DONE, **self.again(replace(DONE, is_by_hand=True))).is_by_hand

    @pytest.mark.parametrize("status", [CollectionStatus.WAITING, CollectionStatus.CHARGING])
    def test_what_is_not_finished_goes_on_as_it_was(self, status):
        assert self.again(replace(DONE, status=status)) == {}
