"""The reference model tells the golden vectors of `books.md`, and its own parts do what they say."""

from __future__ import annotations

from datetime import date

import pytest

from tests.scenarios.account_properties import net_without
from tests.scenarios.reference_bills import Bill, Position, Rate, Refused
from tests.scenarios.reference_model import ReferenceAccount
from tests.scenarios.reference_prices import PLANS, Call, shared

MARCH, APRIL, MAY = (2026, 3), (2026, 4), (2026, 5)
BASE = Position(MARCH, "BASE")
CODES = {plan.code: plan for plan in PLANS}
TEN = Rate("Sales tax", 100_000)


class Clerk:
    """An account that begins on 1 March 2026 and is told what happens, on the 2nd unless told otherwise."""

    def __init__(self, plan: str, *rates: Rate) -> None:
        self.account = ReferenceAccount(date(2026, 3, 1), CODES[plan])
        self.books = self.account.books
        if rates:
            self.account.set_taxes(date(2026, 3, 1), rates)
        self.first = self.open(3)

    def open(self, month: int) -> int:
        self.account.open_month(date(2026, month, 1))
        return self.last

    @property
    def last(self) -> int:
        return self.books.invoices[-1].number

    def balance(self, number: int) -> int:
        return self.books.invoice(number).balance_cents

    def now(self, plan: str, day: int = 2) -> Bill:
        self.account.change(CODES[plan], "NOW", date(2026, 3, day))
        return self.books.invoices[-1].bill

    def note(self, number: int, day: int = 2, **cents: int) -> Bill:
        """The whole invoice, or so much of the line given as `line_0=…`."""
        by_line = {int(name.removeprefix("line_")): each for name, each in cents.items()}
        return self.account.credit_note(number, by_line, date(2026, 3, day))

    def taxed_from_the_2nd(self, *rates: Rate) -> None:
        self.account.set_taxes(date(2026, 3, 2), rates)

    def pay(self) -> None:
        self.books.check(self.books.open_cents)

    def talk(self, month: int, minutes: float, *, ivr_minutes: float = 0, name: str = "a call") -> None:
        self.account.calls[name] = Call(date(2026, month, 5), round(minutes * 60), 0, round(ivr_minutes * 60), True)

    def net(self, position: Position = BASE) -> int:
        return self.books.standing(position).net_cents


@pytest.fixture(autouse=True)
def _books_agree(monkeypatch):
    """Whatever happened, what always holds does."""
    told: list[Clerk] = []
    begin = Clerk.__init__

    def begin_and_remember(self, *args):
        told.append(self)
        begin(self, *args)

    monkeypatch.setattr(Clerk, "__init__", begin_and_remember)
    yield
    for clerk in told:
        clerk.books.check_positions()
        clerk.books.check_money()


def amounts(bill: Bill) -> list[tuple[str, int]]:
    return [(line.kind, line.cents) for line in bill.lines]


class TestPositions:
    def test_p1_a_note_over_all_is_kept_and_the_lower_plan_costs_nothing(self):
        clerk = Clerk("500")
        clerk.pay()
        clerk.note(clerk.first)

        assert amounts(clerk.now("economy")) == [("BASE", 3_900), ("CREDIT_KEPT", -3_900)]
        assert clerk.books.grants == [49_900]

    def test_p2_a_downgrade_of_an_unpaid_month_lowers_what_is_open(self):
        clerk = Clerk("100")

        assert clerk.now("economy").total_cents == -10_000
        assert (clerk.balance(clerk.first), clerk.books.grants) == (3_900, [])
        with pytest.raises(Refused, match="NothingLeftToCredit"):
            clerk.note(clerk.first)
        assert clerk.note(clerk.last).total_cents == -3_900

    def test_p3_after_a_downgrade_nothing_is_left_of_the_monthly_invoice(self):
        clerk = Clerk("500")
        clerk.pay()

        assert amounts(clerk.now("220")) == [("BASE", 23_900), ("BASE_REVERSAL", -49_900)]
        with pytest.raises(Refused, match="NothingLeftToCredit"):
            clerk.note(clerk.first)
        assert clerk.note(clerk.last).total_cents == -23_900

    def test_p4_what_was_written_off_is_no_credit_later(self):
        clerk = Clerk("500")
        clerk.books.write_off(clerk.first)

        assert amounts(clerk.now("economy")) == [("BASE", 3_900), ("CREDIT_KEPT", -3_900)]
        assert clerk.books.grants == []

    @pytest.mark.parametrize(("minutes", "adjustment"), [(0, -1_290), (100 + 41 + 2 / 3, 1_290)])
    def test_p5_and_p6_a_credited_overage_is_not_given_back_again_and_stays_credited(self, minutes, adjustment):
        clerk = Clerk("100")
        clerk.talk(3, 100 + 21 + 2 / 3)
        first = clerk.open(4)
        clerk.talk(3, 10, name="a late call")
        assert amounts(self.adjusted(clerk, 5)) == [("ADJUSTMENT", 1_290)]
        clerk.pay()
        clerk.note(first, line_1=2_795)
        clerk.account.calls.clear()
        clerk.talk(3, minutes)

        assert amounts(self.adjusted(clerk, 6)) == [("ADJUSTMENT", adjustment)]

    @staticmethod
    def adjusted(clerk: Clerk, month: int) -> Bill:
        bill = clerk.books.invoice(clerk.open(month)).bill
        lines = tuple(line for line in bill.lines if line.kind == "ADJUSTMENT")
        return Bill(bill.kind, bill.month, lines, (), ())

    def test_p7_a_part_that_was_credited_is_kept_when_the_bill_goes_up(self):
        down, up = Clerk("500"), Clerk("500")
        for clerk in (down, up):
            clerk.pay()
            clerk.note(clerk.first, line_0=10_000)

        assert down.now("economy").total_cents == -36_000
        assert [cents for _, cents in amounts(up.now("1000"))] == [94_900, -39_900, -10_000]

    def test_p8_a_downgrade_after_a_refund_lowers_what_is_open_again(self):
        clerk = Clerk("500")
        clerk.books.charge(clerk.books.invoice(clerk.first))
        clerk.books.refund(clerk.first, 49_900)

        assert clerk.now("economy").total_cents == -46_000
        assert (clerk.balance(clerk.first), clerk.books.grants) == (3_900, [])

    def test_p9_a_card_that_comes_later_pays_what_the_downgrade_left(self):
        clerk = Clerk("500")
        clerk.now("economy")
        clerk.books.charge(clerk.books.invoice(clerk.first))

        assert clerk.books.cash_cents == 3_900

    @pytest.mark.parametrize("second", [True, False])
    def test_p10_the_way_to_a_plan_does_not_matter(self, second):
        clerk = Clerk("500")
        clerk.pay()
        clerk.note(clerk.first, line_0=10_000)
        clerk.now("1000")
        if second:
            clerk.note(clerk.last, line_0=5_000)
        clerk.now("500")

        assert clerk.net() == 39_900

    def test_p11_two_notes_around_a_lower_plan(self):
        clerk = Clerk("500")
        clerk.pay()
        clerk.note(clerk.first, line_0=10_000)
        clerk.now("economy")
        clerk.note(clerk.last, line_0=1_000)
        clerk.now("500")

        assert clerk.net() == 38_900

    @pytest.mark.parametrize("cents", [49_900, 20_000])
    def test_p12_money_that_comes_for_what_was_written_off_recovers_it(self, cents):
        clerk = Clerk("500")
        clerk.books.write_off(clerk.first)
        clerk.books.check(cents)

        assert (clerk.net(), clerk.books.grants) == (cents, [])
        assert clerk.books.invoice(clerk.first).status == ("PAID" if cents == 49_900 else "UNCOLLECTIBLE")

    def test_p13_what_was_never_paid_becomes_no_credit(self):
        clerk = Clerk("100")
        clerk.now("economy")
        clerk.books.write_off(clerk.first)

        assert clerk.now("100").total_cents == 10_000
        assert clerk.books.grants == []

    def test_p14_each_kind_of_usage_is_a_position_of_its_own(self):
        clerk = Clerk("100")
        clerk.talk(3, 100 + 21 + 2 / 3, ivr_minutes=222)
        first = clerk.open(4)
        clerk.pay()
        assert [line.cents for line in clerk.books.invoice(first).bill.lines] == [13_900, 2_795, 3_330]
        clerk.note(first, line_2=3_330)
        clerk.talk(3, 0, ivr_minutes=222)

        assert amounts(self.adjusted(clerk, 5)) == [("ADJUSTMENT", -2_795)]


class TestTaxes:
    def test_t1_what_was_untaxed_is_given_back_untaxed(self):
        clerk = Clerk("500")
        clerk.taxed_from_the_2nd(TEN)
        bill = clerk.now("220")

        assert (bill.net_cents, bill.tax_cents, bill.total_cents) == (-26_000, 2_390, -23_610)

    def test_t2_what_was_taxed_is_given_back_with_its_tax(self):
        clerk = Clerk("500", Rate("Sales tax", 200_000))
        assert clerk.books.open_cents == 59_880
        clerk.pay()
        clerk.taxed_from_the_2nd()
        bill = clerk.now("220")

        assert bill.tax_lines == [("Sales tax", 200_000, clerk.first, -9_980)]
        assert bill.total_cents == -35_980

    def test_t3_a_correction_of_untaxed_overage_stays_untaxed(self):
        clerk = Clerk("economy")
        clerk.talk(3, 70)
        assert clerk.books.invoice(clerk.open(4)).bill.lines[1].cents == 9_730
        clerk.account.set_taxes(date(2026, 4, 2), (Rate("Sales tax", 92_500),))
        clerk.talk(3, 0.503)
        bill = clerk.books.invoice(clerk.open(5)).bill

        assert [*amounts(bill)] == [("BASE", 3_900), ("ADJUSTMENT", -9_660)]
        assert (bill.tax_cents, bill.total_cents) == (361, -5_399)

    def test_t4_a_rate_of_three_decimals(self):
        clerk = Clerk("1000", Rate("Sales tax", 88_750))

        assert clerk.books.invoice(clerk.first).bill.tax_cents == 8_422

    def test_t5_two_taxes_are_two_lines(self):
        clerk = Clerk("100", Rate("State", 65_000), Rate("City", 12_500))

        assert clerk.books.invoice(clerk.first).bill.tax_lines == [
            ("City", 12_500, 0, 174),
            ("State", 65_000, 0, 904),
        ]

    def test_t6_a_credit_that_is_kept_keeps_its_tax(self):
        clerk = Clerk("500", TEN)
        clerk.pay()
        clerk.note(clerk.first)

        assert clerk.now("economy").total_cents == 0
        assert clerk.books.credit_cents == 54_890


class TestMoney:
    def test_a_void_takes_nothing_back_any_more_and_gives_its_credit_to_the_invoice_in_its_place(self):
        clerk = Clerk("100", TEN)
        clerk.talk(3, 150)
        overage = clerk.open(4)
        clerk.pay()
        clerk.talk(3, 120)
        adjusted = clerk.open(5)
        clerk.books.goodwill(1_000)
        before = clerk.balance(adjusted), clerk.books.invoice(overage).entries[1].gross_left
        clerk.account.void(adjusted, date(2026, 5, 2))

        assert (clerk.balance(clerk.last), clerk.books.invoice(overage).entries[1].gross_left) == before
        assert clerk.balance(adjusted) == 0

    def test_a_write_off_goes_on_to_other_lines_of_its_positions(self):
        clerk = Clerk("500", TEN)
        clerk.books.charge(clerk.books.invoice(clerk.first))
        clerk.now("economy")
        clerk.books.refund(clerk.first, 54_890)
        write_off = clerk.books.write_off(clerk.first)

        assert [(share.net_cents, share.cents) for share in write_off.shares] == [(3_900, 4_290)]
        assert (clerk.net(), write_off.lineless_cents) == (0, 54_890 - 4_290)

    def test_money_recovers_no_more_than_the_position_would_be_billed(self):
        clerk = Clerk("500")
        clerk.books.write_off(clerk.first)
        clerk.now("economy")
        clerk.books.check(49_900)

        assert (clerk.net(), clerk.books.grants) == (3_900, [46_000])

    def test_a_write_off_is_shared_between_a_line_and_its_taxes(self):
        clerk = Clerk("100", Rate("State", 65_000), Rate("City", 12_500))
        clerk.books.check(10_000)
        clerk.books.write_off(clerk.first)

        left = clerk.books.invoice(clerk.first).entries[0]
        assert left.gross_left == 10_000
        assert (left.left, left.taxes_left) == (9_280, {("State", 65_000): 604, ("City", 12_500): 116})

    def test_a_note_that_is_left_out_leaves_more_billed(self):
        clerk = Clerk("500")
        clerk.pay()
        clerk.note(clerk.first, line_0=10_000)
        clerk.now("economy")
        clerk.note(clerk.last, line_0=1_000)
        clerk.now("500")
        movements = clerk.books.movements
        first, second = (each for each in movements if each.gross_cents is None)

        billed = [net_without(movements, left_out) for left_out in (None, second, first)]
        assert billed == [38_900, 39_900, 48_900]

    def test_what_was_recovered_counts_when_a_note_is_left_out(self):
        clerk = Clerk("500")
        clerk.books.check(10_000)
        clerk.note(clerk.first, line_0=5_000)
        clerk.books.write_off(clerk.first)
        clerk.books.check(20_000)
        note = next(each for each in clerk.books.movements if each.invoice.bill.kind == "CREDIT_NOTE")

        assert net_without(clerk.books.movements, None) == clerk.net() == 30_000
        assert net_without(clerk.books.movements, note) == 35_000

    def test_money_for_a_write_off_takes_no_note_back(self):
        clerk = Clerk("500")
        clerk.books.check(10_000)
        clerk.books.write_off(clerk.first)
        clerk.now("220")
        clerk.books.check(13_900)
        clerk.note(clerk.last, line_0=5_000)
        clerk.books.check(5_000)

        assert (clerk.net(), clerk.books.grants) == (18_900, [5_000, 5_000])

    def test_shares_are_the_floors_and_the_largest_remainders(self):
        assert shared(100, [1, 1, 1]) == [34, 33, 33]
        assert shared(5, [10, 30, 20]) == [1, 2, 2]
        assert shared(0, [3, 4]) == [0, 0]
