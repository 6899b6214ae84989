"""The golden vectors of the books: nothing is billed twice, nothing is given back twice (rules 13, 14, 18, 25, 27, 35).

P1 to P14, by the core alone; no tax. The amounts of a change stand in the order of its lines.
"""

from __future__ import annotations

import pytest

from app.domain.credit_notes import NothingLeftToCredit
from app.domain.ledger import Book
from tests.factories.account_books import AccountBooks
from tests.factories.calls import usage
from tests.factories.positions import FIRST

SECOND, THIRD = FIRST + 1, FIRST + 2

OVER_27_95 = usage(live_minutes=121, live_seconds=40)
"""21:40 above the allowance of 100 minutes, at $1.29 a minute."""
OVER_40_85 = usage(live_minutes=131, live_seconds=40)
OVER_53_75 = usage(live_minutes=141, live_seconds=40)
IVR_33_30 = usage(ivr_seconds=13_320)


def a_month(code: str, *, paid_cents: int = 0) -> AccountBooks:
    account = AccountBooks()
    account.start(code)
    if paid_cents:
        account.pay(paid_cents)
    return account


def amounts(draft):
    return [(str(line.kind), line.amount_cents) for line in draft.lines]


def snapshot(account):
    """The net of the base, what is open in all, and the credit."""
    return account.base.net_cents, sum(each.balance_cents for each in account.open_invoices()), account.credit_cents


class TestGoldenVectors:
    def test_p1_500_paid_and_credited_in_full_then_economy(self):
        account = a_month("500", paid_cents=499_00)
        account.note(FIRST)
        change = account.change("economy")
        assert amounts(change) == [("BASE", 39_00), ("CREDIT_KEPT", -39_00)]
        assert change.lines[1].inputs["kept_from"] == "credit note 100002"
        assert change.total_cents == 0
        assert snapshot(account) == (0, 0, 499_00)

    def test_p2_100_unpaid_then_economy_lowers_the_open_invoice(self):
        account = a_month("100")
        change = account.change("economy")
        assert change.total_cents == -100_00
        assert change.reversed_cents == {FIRST: 139_00}
        assert snapshot(account) == (39_00, 39_00, 0)
        assert account.open_cents(FIRST) == 39_00
        assert (account.left(FIRST), account.left(SECOND)) == ([0], [39_00])
        with pytest.raises(NothingLeftToCredit):
            account.note(FIRST)
        assert account.note(SECOND).total_cents == -39_00
        assert snapshot(account) == (0, 0, 0)

    def test_p3_500_paid_then_220_then_a_note_over_the_monthly_invoice(self):
        account = a_month("500", paid_cents=499_00)
        change = account.change("220")
        assert amounts(change) == [("BASE", 239_00), ("BASE_REVERSAL", -499_00)]
        with pytest.raises(NothingLeftToCredit):
            account.note(FIRST)
        assert (account.left(FIRST), account.left(SECOND)) == ([0], [239_00])
        assert snapshot(account) == (239_00, 0, 260_00)

    def test_p4_500_never_paid_and_written_off_then_economy(self):
        account = a_month("500")
        account.write_off(FIRST)
        change = account.change("economy")
        assert amounts(change) == [("BASE", 39_00), ("CREDIT_KEPT", -39_00)]
        assert change.lines[1].inputs["kept_from"] == "the write-off of invoice 100001"
        assert snapshot(account) == (0, 0, 0)

    def test_p5_a_note_over_the_overage_is_kept_when_late_calls_turn_out_to_be_none(self):
        account = AccountBooks()
        account.use(OVER_27_95)
        account.pay(27_95)
        assert amounts(account.adjust(OVER_40_85)) == [("ADJUSTMENT", 12_90)]
        account.pay(12_90)
        account.note(FIRST)
        correction = account.adjust(usage(live_minutes=100))
        assert amounts(correction) == [("ADJUSTMENT", -12_90)]
        assert account.credit_cents == 27_95 + 12_90

    def test_p6_a_note_over_the_overage_is_kept_when_more_calls_come(self):
        account = AccountBooks()
        account.use(OVER_27_95)
        account.pay(27_95)
        account.adjust(OVER_40_85)
        account.pay(12_90)
        account.note(FIRST)
        correction = account.adjust(OVER_53_75)
        assert amounts(correction) == [("ADJUSTMENT", 12_90)]
        assert (
            correction.lines[0].inputs.items()
            >= {
                "rated_cents": 53_75,
                "billed_cents": 12_90,
                "kept_cents": 27_95,
                "kept_from": "credit note 100003",
            }.items()
        )
        assert account.credit_cents == 27_95 - 12_90

    @pytest.mark.parametrize(
        ("code", "lines", "total_cents", "after"),
        [
            ("economy", [("BASE", 39_00), ("BASE_REVERSAL", -399_00)], -360_00, (39_00, 0, 460_00)),
            (
                "1000",
                [("BASE", 949_00), ("BASE_REVERSAL", -399_00), ("CREDIT_KEPT", -100_00)],
                450_00,
                (849_00, 350_00, 0),
            ),
        ],
    )
    def test_p7_500_paid_and_100_credited_then_economy_or_1000(self, code, lines, total_cents, after):
        account = a_month("500", paid_cents=499_00)
        account.note(FIRST, {1: 100_00})
        change = account.change(code)
        assert (amounts(change), change.total_cents) == (lines, total_cents)
        assert snapshot(account) == after

    def test_p8_500_paid_and_refunded_in_full_then_economy_lowers_the_invoice_that_is_open_again(self):
        account = a_month("500", paid_cents=499_00)
        account.refund(FIRST, 499_00)
        assert account.change("economy").total_cents == -460_00
        assert snapshot(account) == (39_00, 39_00, 0)

    def test_p9_500_unpaid_then_economy_leaves_39_to_be_charged(self):
        account = a_month("500")
        account.change("economy")
        assert account.open_invoices()[0].balance_cents == 39_00
        account.pay(39_00)
        assert snapshot(account) == (39_00, 0, 0)

    @pytest.mark.parametrize("second_note", [True, False])
    def test_p10_a_second_note_over_a_dearer_plan_changes_nothing_on_the_way_back(self, second_note):
        account = a_month("500", paid_cents=499_00)
        account.note(FIRST, {1: 100_00})
        account.change("1000")
        if second_note:
            account.note(THIRD, {1: 50_00})
        account.change("500")
        assert account.base.net_cents == 399_00

    def test_p11_a_second_note_over_a_cheaper_plan_is_kept_on_the_way_back(self):
        account = a_month("500", paid_cents=499_00)
        account.note(FIRST, {1: 100_00})
        account.change("economy")
        account.note(THIRD, {1: 10_00})
        account.change("500")
        assert account.base.net_cents == 389_00

    @pytest.mark.parametrize("checks", [[499_00], [200_00, 299_00], [1, 498_99]])
    def test_p12_what_was_written_off_is_recovered_by_a_later_check(self, checks):
        account = a_month("500")
        account.write_off(FIRST)
        net_cents = 0
        for cents in checks:
            account.pay(cents)
            net_cents += cents
            assert snapshot(account) == (net_cents, 0, 0)
            assert account.lost_cents(FIRST) == 499_00 - net_cents
        assert account.left(FIRST) == [499_00]
        assert account.balance(Book.CASH) == 499_00

    def test_p13_what_was_never_paid_is_credit_to_nobody(self):
        account = a_month("100")
        account.change("economy")
        assert account.write_off(FIRST) == 39_00
        assert snapshot(account) == (0, 0, 0)
        change = account.change("100")
        assert change.total_cents == 100_00
        assert amounts(change) == [("BASE", 139_00), ("CREDIT_KEPT", -39_00)]
        assert snapshot(account) == (100_00, 100_00, 0)

    def test_p14_a_note_over_one_kind_of_usage_is_not_kept_by_another(self):
        account = AccountBooks()
        account.use(OVER_27_95 + IVR_33_30)
        account.pay(27_95 + 33_30)
        account.note(FIRST, {2: None})
        correction = account.adjust(usage(live_minutes=100) + IVR_33_30)
        assert amounts(correction) == [("ADJUSTMENT", -27_95)]
        assert account.credit_cents == 33_30 + 27_95
