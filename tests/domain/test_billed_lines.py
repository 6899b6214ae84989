"""A line that charged something: what is still billed of it and of its taxes, and what a part of it gives back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.billed_lines import BilledLine, GiveBack, LineRef, WriteOffShare
from app.domain.invoice_lines import TaxShare
from tests.factories.positions import a_base, taxed

REF = LineRef(100_001, 1)


def a_billed(cents: int = 139_00, *taxes: int) -> BilledLine:
    return BilledLine.issued(REF, taxed(a_base(cents), *taxes))


class TestLineRef:
    def test_lines_stand_in_the_order_of_issue(self):
        refs = [LineRef(100_002, 1), LineRef(100_001, 10), LineRef(100_001, 2)]
        assert sorted(refs) == [LineRef(100_001, 2), LineRef(100_001, 10), LineRef(100_002, 1)]


class TestIssued:
    def test_all_of_it_and_of_its_taxes_is_billed(self):
        line = a_billed(139_00, 9_04, 1_74)
        assert (line.left_cents, line.taxes_left, line.weight_cents) == (139_00, (9_04, 1_74), 149_78)

    def test_without_taxes_it_weighs_its_amount(self):
        assert (a_billed(139_00).taxes_left, a_billed(139_00).weight_cents) == ((), 139_00)


class TestLess:
    def test_taxes_stay_in_proportion(self):
        """100 of 139: 6.50 of 9.04, and 1.25 of 1.74."""
        line = a_billed(139_00, 9_04, 1_74).less(100_00)
        assert (line.left_cents, line.taxes_left) == (39_00, (2_54, 49))

    def test_goes_by_all_that_is_off_and_not_by_each_part(self):
        """A tax of 1 cent on 3: it goes with the second cent, where half of it is due."""
        line = a_billed(3, 1)
        assert [line.less(1).taxes_left, line.less(1).less(1).taxes_left, line.less(3).taxes_left] == [(1,), (0,), (0,)]

    def test_ends_with_the_last_cent(self):
        line = a_billed(139_00, 9_04)
        for cents in (1, 38_99, 50_00, 50_00):
            line = line.less(cents)
        assert (line.left_cents, line.taxes_left) == (0, (0,))

    def test_never_bills_a_tax_again_that_was_written_off(self):
        """More of the tax than of the amount was written off: it does not come back with a part."""
        line = a_billed(100_00, 10_00).written_off(10_00, (5_00,))
        assert line.less(10_00).taxes_left == (5_00,)
        assert line.less(50_00).taxes_left == (4_00,)
        assert line.less(90_00).taxes_left == (0,)

    @given(
        cents=st.integers(1, 5_000),
        taxes=st.lists(st.integers(0, 5_000), max_size=3),
        parts=st.lists(st.integers(1, 500), max_size=20),
    )
    def test_the_last_cent_gives_back_exactly_all_tax_that_is_left(self, cents, taxes, parts):
        line, given = a_billed(cents, *taxes), []
        for part in [*parts, cents]:
            part = min(part, line.left_cents)  # noqa: PLW2901  (as much as there is)
            given.append(line.give_back(part))
            line = line.less(part)
            exact = [share * line.left_cents / cents for share in taxes]
            assert all(abs(left - due) <= 0.5 for left, due in zip(line.taxes_left, exact, strict=True))
        assert (line.left_cents, sum(line.taxes_left)) == (0, 0)
        assert sum(back.total_cents for back in given) == cents + sum(taxes)
        assert all(share.cents > 0 for back in given for share in back.taxes)


class TestGiveBack:
    def test_names_the_invoice_and_the_tax_that_it_had_been_billed(self):
        back = a_billed(139_00, 9_04, 1_74).give_back(100_00)
        assert back == GiveBack(100_001, 100_00, (TaxShare("Tax 1", 65_000, 6_50), TaxShare("Tax 2", 65_000, 1_25)))
        assert back.total_cents == 107_75

    def test_leaves_out_a_tax_of_which_nothing_comes_back(self):
        assert a_billed(139_00, 9_04, 1).give_back(10) == GiveBack(100_001, 10, (TaxShare("Tax 1", 65_000, 1),))

    def test_its_line_has_the_shares_below_zero_with_the_invoice_that_had_billed_them(self):
        shares = (TaxShare("State", 65_000, 6_50), TaxShare("City", 12_500, 1_25))
        assert GiveBack(100_001, 100_00, shares).negated_taxes == (
            TaxShare("State", 65_000, -6_50, 100_001),
            TaxShare("City", 12_500, -1_25, 100_001),
        )
        assert GiveBack(None, 100_00, shares[:1]).negated_taxes == (TaxShare("State", 65_000, -6_50, None),)


class TestWrittenOff:
    def test_amount_and_taxes_go_as_the_share_says_and_come_back_so(self):
        line = a_billed(139_00, 9_04, 1_74)
        off = line.written_off(39_00, (2_54, 48))
        assert (off.left_cents, off.taxes_left, off.weight_cents) == (100_00, (6_50, 1_26), 107_76)
        assert off.written_off(-39_00, (-2_54, -48)) == line


class TestWriteOffShare:
    SHARE = WriteOffShare(7, 100_001, REF, 39_00, (2_54, 48))

    def test_stands_for_amount_and_taxes(self):
        assert self.SHARE.total_cents == 42_02
        assert WriteOffShare(7, 100_001, REF, 39_00).total_cents == 39_00

    @pytest.mark.parametrize(
        ("cents", "taxes", "left"), [(-39_00, (-2_54, -48), (0, (0, 0))), (-10_00, (-1_00, 0), (29_00, (1_54, 48)))]
    )
    def test_less_what_is_recovered_stands_for_the_rest(self, cents, taxes, left):
        rest = self.SHARE.plus(self.SHARE._replace(cents=cents, taxes=taxes))
        assert (rest.cents, rest.taxes) == left
        assert (rest.seq, rest.number, rest.ref) == (7, 100_001, REF)
