"""Write-offs stand on lines as credit that nobody gets; money that comes later bills them again (rules 27 and 35)."""

from __future__ import annotations

from app.domain.billed_lines import LineRef, WriteOffEntry, WriteOffShare
from app.domain.invoice_lines import LineKind
from app.domain.position_fold import Books, fold
from app.domain.write_offs import recover, unrecovered_shares, write_off_shares
from tests.factories.positions import (
    FIRST,
    a_base,
    a_charge_line,
    a_document,
    a_write_off,
    adjusted,
    books_of,
    credited,
    given_back,
    kept,
    taxed,
    used,
)

SECOND, THIRD = FIRST + 1, FIRST + 2


def parts(shares):
    """What stands for a write-off: the line, the cents before tax, and those of its taxes."""
    return [(tuple(share.ref), share.cents, *share.taxes) for share in shares]


def written_off(books: Books, cents: int, number: int = FIRST, seq: int = 7) -> tuple[WriteOffShare, ...]:
    """Write off what is open on an invoice, in the books."""
    shares = write_off_shares(books, number, cents, seq)
    books.write_off(WriteOffEntry(seq, shares))
    return shares


def left(books: Books, number: int = FIRST):
    """What is still billed of each line of an invoice, and of its taxes."""
    return [(line.left_cents, *line.taxes_left) for line in books.of_invoice(number)]


class TestShares:
    def test_the_whole_invoice_is_off_all_its_lines_with_their_taxes(self):
        books = books_of((taxed(a_base(139_00), 9_04), taxed(a_charge_line(40_00), 2_60)))
        shares = written_off(books, 190_64)
        assert parts(shares) == [((FIRST, 1), 139_00, 9_04), ((FIRST, 2), 40_00, 2_60)]
        assert {(share.seq, share.number) for share in shares} == {(7, FIRST)}
        assert left(books) == [(0, 0), (0, 0)]

    def test_a_part_is_shared_by_what_is_billed_of_each_line_and_splits_between_it_and_its_tax(self):
        """$100.00 of 148.04 and 42.60: 77.65 and 22.35, of which the tax is 4.74 and 1.36."""
        books = books_of((taxed(a_base(139_00), 9_04), taxed(a_charge_line(40_00), 2_60)))
        shares = written_off(books, 100_00)
        assert parts(shares) == [((FIRST, 1), 72_91, 4_74), ((FIRST, 2), 20_99, 1_36)]
        assert left(books) == [(66_09, 4_30), (19_01, 1_24)]

    def test_the_tax_of_a_part_is_shared_over_the_taxes_of_its_line(self):
        books = books_of(taxed(a_base(139_00), 9_04, 1_74))
        assert parts(written_off(books, 50_00)) == [((FIRST, 1), 46_40, 3_02, 58)]

    def test_a_line_of_which_nothing_is_billed_any_more_stands_for_nothing(self):
        books = books_of((a_base(139_00), a_charge_line(40_00), used(0, LineKind.IVR)), credited(139_00))
        assert parts(written_off(books, 40_00)) == [((FIRST, 2), 40_00)]

    def test_a_share_of_no_cent_is_none(self):
        """One cent over two lines: the first has it."""
        books = books_of((a_charge_line(5_00), a_charge_line(5_00)))
        assert parts(written_off(books, 1)) == [((FIRST, 1), 1)]

    def test_what_its_own_lines_do_not_bear_is_off_other_lines_of_their_positions_newest_first(self):
        """P13 and more: the month's base was billed anew by two changes, $39.00 and $200.00 are billed of them."""
        books = books_of(a_base(139_00), (a_base(39_00), given_back(139_00)), (a_base(239_00), kept(39_00)))
        assert parts(written_off(books, 139_00)) == [((THIRD, 1), 139_00)]
        assert parts(written_off(books, 100_00, seq=8)) == [((THIRD, 1), 61_00), ((SECOND, 1), 39_00)]

    def test_other_lines_bear_only_what_its_own_do_not_whichever_is_older(self):
        books = books_of(a_base(10_00), a_base(20_00))
        assert parts(written_off(books, 5_00)) == [((FIRST, 1), 5_00)]
        assert parts(written_off(books, 22_00, number=SECOND, seq=8)) == [((SECOND, 1), 20_00), ((FIRST, 1), 2_00)]

    def test_a_line_bears_its_last_cent_and_another_the_one_beyond(self):
        books = books_of(a_base(1), a_base(20_00))
        assert parts(written_off(books, 2)) == [((FIRST, 1), 1), ((SECOND, 1), 1)]

    def test_lines_of_another_position_bear_nothing_of_it(self):
        """The overage was taken back by a correction; base and IVR are not its position."""
        issued = (used(27_95), used(33_30, LineKind.IVR)), a_base(139_00), adjusted(-27_95, rated_cents=0)
        books = books_of(*issued)
        assert parts(written_off(books, 61_25)) == [((FIRST, 2), 33_30)]

    def test_lines_of_all_positions_of_the_invoice_are_newest_first_together(self):
        books = books_of(
            (used(10_00), used(20_00, LineKind.IVR)),
            adjusted(5_00, rated_cents=25_00, kind=LineKind.IVR),
            adjusted(4_00, rated_cents=14_00),
            (credited(10_00), credited(20_00, (FIRST, 2))),
        )
        assert parts(written_off(books, 7_00)) == [((THIRD, 1), 4_00), ((SECOND, 1), 3_00)]

    def test_what_no_line_bears_is_bad_debt_all_the_same(self):
        books = books_of((a_base(139_00), a_charge_line(40_00)), (credited(139_00), credited(40_00, (FIRST, 2))))
        assert written_off(books, 50_00) == ()

    def test_is_one_credit_of_each_position(self):
        books = books_of((a_base(139_00), used(61_00)))
        written_off(books, 100_00)
        steps = {key.kind: [(s.net_cents, s.cents, s.seq) for s in p.steps] for key, p in books.positions()}
        assert steps == {LineKind.BASE: [(69_50, 69_50, 7)], LineKind.OVERAGE: [(30_50, 30_50, 7)]}


class TestUnrecovered:
    def test_are_what_is_left_of_the_shares_of_an_invoice_in_the_order_made(self):
        books = books_of((a_base(139_00), a_charge_line(40_00)), a_charge_line(9_00))
        written_off(books, 100_00)
        written_off(books, 9_00, number=SECOND, seq=8)
        written_off(books, 20_00, seq=9)
        books.write_off(a_write_off(10, ((FIRST, 1), -77_65), of_seq=7))
        assert parts(unrecovered_shares(books, FIRST)) == [
            ((FIRST, 2), 22_35),
            ((FIRST, 1), 15_53),
            ((FIRST, 2), 4_47),
        ]
        assert parts(unrecovered_shares(books, SECOND)) == [((SECOND, 1), 9_00)]
        assert unrecovered_shares(books, THIRD) == []


class TestRecovering:
    def test_all_of_it_bills_every_line_again(self):
        issued = (taxed(a_base(139_00), 9_04, 1_74), taxed(a_charge_line(40_00), 2_60, 50))
        books = books_of(issued)
        before = left(books)
        written_off(books, 100_00)
        recovered, shares = recover(books, FIRST, 100_00, unrecovered_cents=100_00, seq=9)
        assert (recovered, left(books)) == (100_00, before)
        assert {share.seq for share in shares} == {7}
        assert sum(share.total_cents for share in shares) == -100_00
        assert unrecovered_shares(books, FIRST) == []

    def test_a_line_with_more_tax_left_than_amount_is_off_and_billed_again_with_all_of_it(self):
        books = books_of(taxed(a_base(1_00), 5_00))
        assert parts(written_off(books, 6_00)) == [((FIRST, 1), 1_00, 5_00)]
        recovered, shares = recover(books, FIRST, 6_00, unrecovered_cents=6_00, seq=9)
        assert (recovered, parts(shares), left(books)) == (6_00, [((FIRST, 1), -1_00, -5_00)], [(1_00, 5_00)])

    def test_a_part_fills_the_first_share_then_the_next(self):
        books = books_of((a_charge_line(50_00), taxed(a_charge_line(40_00), 4_00)))
        written_off(books, 94_00)
        recovered, shares = recover(books, FIRST, 61_00, unrecovered_cents=94_00, seq=9)
        assert (recovered, parts(shares)) == (61_00, [((FIRST, 1), -50_00), ((FIRST, 2), -10_00, -1_00)])
        assert left(books) == [(50_00,), (10_00, 1_00)]

    def test_more_than_was_written_off_is_not_recovered(self):
        books = books_of(a_base(139_00))
        written_off(books, 39_00)
        assert recover(books, FIRST, 50_00, unrecovered_cents=39_00, seq=9)[0] == 39_00
        assert left(books) == [(139_00,)]

    def test_one_cent_is_recovered_like_any_other_amount(self):
        books = books_of(a_charge_line(40_00))
        written_off(books, 2)
        assert recover(books, FIRST, 1, unrecovered_cents=2, seq=9)[0] == 1
        assert (parts(unrecovered_shares(books, FIRST)), left(books)) == ([((FIRST, 1), 1)], [(39_99,)])

    def test_nothing_of_an_invoice_that_was_not_written_off(self):
        assert recover(books_of(a_base(139_00)), FIRST, 50_00, unrecovered_cents=0, seq=9) == (0, ())

    def test_the_part_that_had_no_line_comes_last(self):
        """$50.00 written off, of which $40.00 had a line."""
        books = books_of(a_charge_line(40_00))
        written_off(books, 50_00)
        assert recover(books, FIRST, 30_00, unrecovered_cents=50_00, seq=9)[0] == 30_00
        assert left(books) == [(30_00,)]
        assert recover(books, FIRST, 15_00, unrecovered_cents=20_00, seq=10)[0] == 15_00
        assert left(books) == [(40_00,)]
        assert recover(books, FIRST, 9_00, unrecovered_cents=5_00, seq=11) == (5_00, ())

    def test_the_part_that_had_no_line_is_recovered_to_its_last_cent_and_no_further(self):
        books = books_of(a_charge_line(40_00))
        written_off(books, 50_00)
        assert recover(books, FIRST, 60_00, unrecovered_cents=50_00, seq=9)[0] == 50_00

    def test_a_position_takes_back_no_more_than_the_month_is_billed(self):
        """500 written off, then Economy: a check of $499.00 pays the $39.00 of it."""
        documents = [a_document(FIRST, a_base(499_00)), a_document(SECOND, a_base(39_00), kept(39_00), saw=7)]
        books = fold(documents, [a_write_off(7, ((FIRST, 1), 499_00))])
        recovered, shares = recover(books, FIRST, 499_00, unrecovered_cents=499_00, seq=9)
        assert (recovered, parts(shares)) == (39_00, [((FIRST, 1), -39_00)])
        assert recover(books, FIRST, 460_00, unrecovered_cents=460_00, seq=10) == (0, ())

    def test_what_it_takes_back_so_has_its_part_of_the_tax(self):
        """The same with 10 %: $3.90 with the $39.00."""
        documents = [
            a_document(FIRST, taxed(a_base(499_00), 49_90)),
            a_document(SECOND, taxed(a_base(39_00), 3_90), kept(39_00), saw=7),
        ]
        books = fold(documents[:1])
        write_off = WriteOffEntry(7, write_off_shares(books, FIRST, 548_90, 7))
        books = fold(documents, [write_off])
        recovered, shares = recover(books, FIRST, 548_90, unrecovered_cents=548_90, seq=9)
        assert (recovered, parts(shares)) == (42_90, [((FIRST, 1), -39_00, -3_90)])
        assert left(books) == [(39_00, 3_90)]

    def test_lines_of_no_position_are_billed_again_whatever_the_month_is_billed(self):
        documents = [
            a_document(FIRST, a_base(499_00), a_charge_line(40_00)),
            a_document(SECOND, a_base(39_00), kept(39_00), saw=7),
        ]
        books = fold(documents, [a_write_off(7, ((FIRST, 1), 499_00), ((FIRST, 2), 40_00))])
        recovered, _ = recover(books, FIRST, 539_00, unrecovered_cents=539_00, seq=9)
        assert (recovered, left(books)) == (79_00, [(39_00,), (40_00,)])

    def test_a_note_that_came_since_is_kept(self):
        """$139.00 written off, then 220 for $100.00, of which $9.00 were credited: $230.00 once all is recovered."""
        documents = [
            a_document(FIRST, a_base(139_00)),
            a_document(SECOND, a_base(239_00), kept(139_00), saw=7),
            a_document(THIRD, credited(9_00, (SECOND, 1)), saw=8),
        ]
        books = fold(documents, [a_write_off(7, ((FIRST, 1), 139_00))])
        recovered, _ = recover(books, FIRST, 139_00, unrecovered_cents=139_00, seq=9)
        position = books.position(a_base().period.starts_on, LineKind.BASE)
        assert (recovered, position.net_cents, position.target(239_00)) == (139_00, 230_00, 230_00)

    def test_the_oldest_of_several_write_offs_is_recovered_first(self):
        books = books_of(a_charge_line(40_00))
        written_off(books, 10_00)
        written_off(books, 20_00, seq=8)
        _, shares = recover(books, FIRST, 15_00, unrecovered_cents=30_00, seq=9)
        assert [(share.seq, share.ref, share.cents) for share in shares] == [
            (7, LineRef(FIRST, 1), -10_00),
            (8, LineRef(FIRST, 1), -5_00),
        ]
