"""Records and what the gateway has, as movements of money: what took none is none, and each is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.collection import AttemptState
from app.domain.gateway_month import Flow, Movement
from app.domain.gateway_records import (
    FLOWS_OF_POSTINGS,
    GatewayPosting,
    GatewayRecords,
    RecordedCharge,
    RecordedDispute,
    RecordedRefund,
    sides_of,
)
from app.domain.ledger import BOOKS_OF, Book, PostingKind
from app.domain.payment_gateway import Transaction, TransactionKind, TransactionStatus
from app.domain.refunds import Dispute, DisputeState

AT = datetime(2026, 11, 10, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)
ACCOUNT = "AA0101"
SALE = Transaction("t1", TransactionKind.SALE, TransactionStatus.SETTLED, 139_00, "att_1", None, None, AT)
REFUND = replace(SALE, id="t2", kind=TransactionKind.REFUND, amount_cents=39_00, order_id="rfd_1")
DISPUTE = Dispute("d1", "t1", 139_00, DisputeState.OPEN, AT, AT)
CHARGE = RecordedCharge(ACCOUNT, "att_1", "t1", 139_00, AttemptState.SUCCEEDED, AT)
REFUNDED = RecordedRefund(ACCOUNT, "rfd_1", "t2", 39_00, AttemptState.SUCCEEDED, LATER)
DISPUTED = RecordedDispute(ACCOUNT, "d1", 139_00, DisputeState.OPEN, AT, AT)


def sides(*found: Transaction, charges=(), refunds=()):
    records = GatewayRecords(charges=tuple(charges), refunds=tuple(refunds))
    return sides_of(records, {each.id: each for each in found}, {})


class TestSales:
    def test_stand_on_both_sides(self):
        found = sides(SALE, charges=[CHARGE])

        assert found.theirs == (Movement(Flow.SALE, "t1", 139_00, AT),)
        assert found.ours == (Movement(Flow.SALE, "t1", 139_00, AT, ACCOUNT),)

    @pytest.mark.parametrize("status", [TransactionStatus.VOIDED, TransactionStatus.SETTLEMENT_DECLINED])
    def test_that_were_voided_or_returned_are_sales_and_taken_back_since(self, status):
        charge = CHARGE._replace(returned_at=LATER)
        found = sides(replace(SALE, status=status), charges=[charge])

        assert found.theirs == (Movement(Flow.SALE, "t1", 139_00, AT), Movement(Flow.TAKEN_BACK, "t1", 139_00, LATER))
        assert [each._replace(account="") for each in found.ours] == list(found.theirs)

    def test_one_that_is_void_there_and_stands_here_is_taken_back_there_alone(self):
        found = sides(replace(SALE, status=TransactionStatus.VOIDED), charges=[CHARGE])

        assert [each.flow for each in found.theirs] == [Flow.SALE, Flow.TAKEN_BACK]
        assert [each.flow for each in found.ours] == [Flow.SALE]
        assert found.notes[Flow.TAKEN_BACK, "t1"] == "the transaction is VOIDED there"

    @pytest.mark.parametrize("state", [AttemptState.DECLINED, AttemptState.UNKNOWN])
    def test_one_that_took_no_money_on_either_side_is_none(self, state):
        declined = replace(SALE, status=TransactionStatus.DECLINED)

        assert sides(declined, charges=[CHARGE._replace(state=state)]).theirs == ()

    def test_a_charge_that_did_not_go_through_is_a_note_on_its_sale(self):
        charge = CHARGE._replace(transaction_id="", state=AttemptState.SENT, resolved_at=None)
        found = sides(SALE, charges=[charge])

        assert (len(found.theirs), found.ours) == (1, ())
        assert found.notes[Flow.SALE, "t1"] == "charge att_1 is SENT here"

    def test_so_is_one_that_went_through_by_another_transaction(self):
        found = sides(replace(SALE, id="t9"), charges=[CHARGE])

        assert found.notes[Flow.SALE, "t9"] == "charge att_1 is SUCCEEDED by t1 here"

    def test_one_without_a_time_is_no_movement(self):
        assert sides(charges=[CHARGE._replace(resolved_at=None)]).ours == ()


class TestRefunds:
    def test_stand_on_both_sides(self):
        found = sides(REFUND, refunds=[REFUNDED])

        assert found.theirs == (Movement(Flow.REFUND, "t2", 39_00, AT),)
        assert found.ours == (Movement(Flow.REFUND, "t2", 39_00, LATER, ACCOUNT),)

    def test_one_that_failed_is_none_and_is_noted(self):
        failed = replace(REFUND, status=TransactionStatus.FAILED)
        found = sides(failed, refunds=[REFUNDED._replace(transaction_id="", state=AttemptState.UNKNOWN)])

        assert (found.theirs, found.ours) == ((), ())
        assert found.notes[Flow.REFUND, "t2"] == "refund rfd_1 is UNKNOWN here, FAILED there"


class TestDisputes:
    def test_are_opened_and_lost_each_in_its_time(self):
        lost = replace(DISPUTE, state=DisputeState.LOST, changed_at=LATER)
        recorded = DISPUTED._replace(state=DisputeState.LOST)
        found = sides_of(GatewayRecords(disputes=(recorded,), lost_at={"d1": LATER}), {}, {"d1": lost})

        assert found.theirs == (
            Movement(Flow.DISPUTE, "d1", 139_00, AT),
            Movement(Flow.CHARGEBACK, "d1", 139_00, LATER),
        )
        assert [each._replace(account="") for each in found.ours] == list(found.theirs)

    def test_one_whose_loss_is_not_in_the_audit_log_was_lost_when_the_gateway_said(self):
        recorded = DISPUTED._replace(state=DisputeState.LOST, changed_at=LATER)
        found = sides_of(GatewayRecords(disputes=(recorded,)), {}, {})

        assert found.ours[1] == Movement(Flow.CHARGEBACK, "d1", 139_00, LATER, ACCOUNT)

    def test_the_note_says_where_it_stands_on_either_side(self):
        known = sides_of(GatewayRecords(disputes=(DISPUTED,)), {}, {"d1": replace(DISPUTE, state=DisputeState.LOST)})
        unknown = sides_of(GatewayRecords(), {}, {"d1": DISPUTE})

        assert [each.flow for each in known.ours] == [Flow.DISPUTE]
        assert known.notes[Flow.CHARGEBACK, "d1"] == "the dispute is LOST there, OPEN here"
        assert unknown.notes[Flow.CHARGEBACK, "d1"] == "the dispute is OPEN there, unknown here"


class TestPostings:
    def test_both_parts_of_a_payment_are_one_movement_and_what_goes_back_is_one_each(self):
        postings = (
            GatewayPosting(ACCOUNT, "t1", PostingKind.PAYMENT_RECEIVED, 100_00, AT),
            GatewayPosting(ACCOUNT, "t1", PostingKind.OVERPAID, 39_00, AT),
            GatewayPosting(ACCOUNT, "t1", PostingKind.REFUNDED, 10_00, LATER),
            GatewayPosting(ACCOUNT, "t1", PostingKind.REFUNDED, 10_00, LATER),
        )
        found = sides_of(GatewayRecords(postings=postings), {}, {})

        back = Movement(Flow.REFUND, "t1", 10_00, LATER, ACCOUNT)
        assert found.posted == (back, back, Movement(Flow.SALE, "t1", 139_00, AT, ACCOUNT))

    def test_every_kind_that_moves_cash_by_card_has_its_flow(self):
        by_hand = {PostingKind.PREPAID, PostingKind.CREDIT_PAID_OUT}

        assert set(FLOWS_OF_POSTINGS) == {kind for kind, books in BOOKS_OF.items() if Book.CASH in books} - by_hand
