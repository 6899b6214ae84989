"""The fold over issued documents: what is still billed of each line, and the four positions of a month.

Rules 13, 18 and 25; changes, notes and write-offs told from beginning to end: `test_books_vectors.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.billed_lines import LineRef, WriteOffEntry, WriteOffShare
from app.domain.invoice_lines import LineKind
from app.domain.position_fold import fold, position_after, position_key
from app.domain.positions import NO_USAGE_BILLED, NOTHING_BILLED, CreditStep, Position, PositionKey
from tests.factories.invoices import a_charge, an_item, facts
from tests.factories.positions import (
    FIRST,
    a_base,
    a_charge_line,
    a_document,
    a_position,
    a_write_off,
    adjusted,
    billed_usage,
    books_of,
    credited,
    given_back,
    kept,
    left,
    steps,
    taxed,
    used,
)

OCTOBER = date(2026, 10, 1)
BASE = PositionKey(OCTOBER, LineKind.BASE)
SECOND, THIRD, FOURTH = FIRST + 1, FIRST + 2, FIRST + 3


def positions(*issued, write_offs=()):
    """The kind, the net and the gross of each position."""
    found = books_of(*issued, write_offs=write_offs).positions()
    return {key.kind: (position.net_cents, position.gross_cents) for key, position in found}


class TestCreditStep:
    """A credit is kept when the bill goes up; when it goes down, the smaller of price and what is billed is paid."""

    @pytest.mark.parametrize(
        ("gross_cents", "paid_cents"),
        [(949_00, 849_00), (499_00, 399_00), (450_00, 399_00), (399_00, 399_00), (398_99, 398_99), (39_00, 39_00)],
    )
    def test_of_100_dollars_on_499_stays_off_what_is_dearer_and_leaves_what_is_cheaper(self, gross_cents, paid_cents):
        assert CreditStep(399_00, 100_00, 499_00, "credit note 100002").apply(gross_cents) == paid_cents

    @pytest.mark.parametrize(("gross_cents", "paid_cents"), [(949_00, 450_00), (499_00, 0), (39_00, 0), (0, 0)])
    def test_over_everything_leaves_only_what_is_dearer(self, gross_cents, paid_cents):
        assert CreditStep(0, 499_00, 499_00, "credit note 100002").apply(gross_cents) == paid_cents

    def test_of_nothing_changes_nothing(self):
        assert [CreditStep(399_00, 0, 399_00, "").apply(cents) for cents in (0, 399_00, 949_00)] == [0, 399_00, 949_00]


class TestPosition:
    def test_without_documents_bills_nothing(self):
        assert (NOTHING_BILLED.net_cents, NOTHING_BILLED.gross_cents, NOTHING_BILLED.target(5_00)) == (0, 0, 5_00)
        assert (NOTHING_BILLED.moved_cents, NOTHING_BILLED.excess_cents) == (0, 0)
        assert [position.net_cents for position in NO_USAGE_BILLED] == [0, 0, 0]

    def test_nothing_of_a_write_off_can_be_recovered_where_more_is_billed_than_without_it(self):
        """Books of engine 1 may bill of one kind what lies on a line of another."""
        step = CreditStep(0, 10_00, 10_00, "the write-off of invoice 100001", 7)
        assert Position(steps=(step,), gross_cents=3_00, moved_cents=5_00).recoverable_cents(7) == 0

    def test_its_net_is_what_is_still_billed_of_its_lines(self):
        position = a_position(a_base(139_00), credited(20_00))
        assert (position.net_cents, position.gross_cents, left(position)) == (119_00, 139_00, [((FIRST, 1), 119_00)])

    def test_its_target_is_the_price_where_nothing_was_credited(self):
        assert [a_position(a_base(139_00)).target(cents) for cents in (0, 39_00, 949_00)] == [0, 39_00, 949_00]

    def test_its_target_goes_through_every_credit_from_the_oldest_on(self):
        position = a_position(a_base(499_00), credited(100_00), credited(50_00))
        assert steps(position) == [(399_00, 100_00), (349_00, 50_00)]
        assert [position.target(cents) for cents in (39_00, 360_00, 499_00, 949_00)] == [39_00, 349_00, 349_00, 799_00]

    def test_a_bill_that_has_been_lower_since_keeps_less_of_an_older_credit_and_all_of_a_newer(self):
        """P11: after the way down to $39.00, of which $10.00 were credited, $499.00 cost $389.00."""
        change = (a_base(39_00, plan="economy"), given_back(399_00))
        position = a_position(a_base(499_00), credited(100_00), change, credited(10_00, (THIRD, 1)))
        assert steps(position) == [(399_00, 100_00), (29_00, 10_00)]
        assert (position.target(499_00), position.target(39_00), position.target(20_00)) == (389_00, 29_00, 20_00)

    def test_names_the_credits_that_its_target_keeps(self):
        position = a_position(a_base(499_00), credited(100_00), write_offs=(a_write_off(7, ((FIRST, 1), 50_00)),))
        assert position.kept_from(949_00) == ("credit note 100002", "the write-off of invoice 100001")
        assert position.kept_from(370_00) == ("the write-off of invoice 100001",)
        assert position.kept_from(349_00) == ()

    def test_after_one_more_invoice_is_what_the_fold_says(self):
        position = a_position(a_base(139_00), credited(20_00))
        change = (a_base(239_00, plan="220"), given_back(119_00), kept(20_00))
        found = position_after(position, BASE, change)
        assert (left(found), steps(found)) == ([((FIRST, 1), 0), ((-1, 1), 219_00)], steps(position))
        assert (found.net_cents, found.gross_cents) == (219_00, 239_00)

    def test_after_its_first_invoice_is_that_one(self):
        assert left(position_after(NOTHING_BILLED, BASE, [a_base(139_00)])) == [((-1, 1), 139_00)]

    def test_its_content_is_all_that_a_bill_depends_on(self):
        position = a_position(taxed(a_base(139_00), 9_04, 1_74), credited(20_00))
        assert position.content == [
            [[FIRST, 1, 119_00, 7_74, 1_49]],
            [[119_00, 20_00, "credit note 100002"]],
            0,
        ]


class TestKeys:
    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            (a_base(), LineKind.BASE),
            (given_back(1_00), LineKind.BASE),
            (kept(1_00), LineKind.BASE),
            (used(1_00), LineKind.OVERAGE),
            (used(1_00, LineKind.PATCH), LineKind.PATCH),
            (used(1_00, LineKind.IVR), LineKind.IVR),
            (adjusted(1_00, rated_cents=1_00, kind=LineKind.IVR), LineKind.IVR),
        ],
    )
    def test_base_and_usage_lines_bill_the_position_of_their_month(self, line, kind):
        assert position_key(line) == PositionKey(OCTOBER, kind)

    def test_other_lines_bill_none(self):
        lines = facts(recurring=(an_item(),), charges=(a_charge(),))
        assert position_key(a_charge_line()) is None
        assert lines.recurring[0].kind is LineKind.ADD_ON


class TestFold:
    def test_a_month_is_billed_by_kind(self):
        """The base of a change counts, and each kind of usage by itself."""
        assert positions(
            (a_base(139_00), a_charge_line()),
            (used(27_95), used(75, LineKind.PATCH), used(33_30, LineKind.IVR)),
        ) == {
            LineKind.BASE: (139_00, 139_00),
            LineKind.OVERAGE: (27_95, 27_95),
            LineKind.PATCH: (75, 75),
            LineKind.IVR: (33_30, 33_30),
        }

    def test_months_are_apart(self):
        books = books_of(used(27_95, month="2026-09"), used(5_00))
        assert books.position(date(2026, 9, 1), LineKind.OVERAGE).net_cents == 27_95
        assert books.usage(OCTOBER).overage.net_cents == 5_00
        assert books.position(date(2026, 8, 1), LineKind.OVERAGE) is NOTHING_BILLED
        assert books.usage(date(2026, 8, 1)) == NO_USAGE_BILLED

    def test_documents_come_in_the_order_of_issue_whatever_order_they_are_read_in(self):
        documents = [
            a_document(FIRST, a_base(499_00), saw=0),
            a_document(SECOND, credited(100_00), saw=1),
            a_document(THIRD, credited(50_00), saw=3),
        ]
        write_off = a_write_off(2, ((FIRST, 1), 10_00))
        found = fold(reversed(documents), [write_off]).position(OCTOBER, LineKind.BASE)
        assert steps(found) == [(399_00, 100_00), (389_00, 10_00), (339_00, 50_00)]

    def test_a_document_that_saw_a_write_off_comes_after_it(self):
        documents = [a_document(FIRST, a_base(499_00)), a_document(SECOND, credited(100_00), saw=2)]
        for seq, expected in ((2, [(489_00, 10_00), (389_00, 100_00)]), (3, [(399_00, 100_00), (389_00, 10_00)])):
            books = fold(documents, [a_write_off(seq, ((FIRST, 1), 10_00))])
            assert steps(books.position(OCTOBER, LineKind.BASE)) == expected

    def test_a_change_takes_the_lines_it_names_off_and_keeps_a_credit_of_its_own_line(self):
        """P7: 500 paid, a note of $100.00, then 1,000."""
        change = (a_base(949_00, plan="1000"), given_back(399_00), kept(100_00))
        position = a_position(a_base(499_00), credited(100_00), change)
        assert left(position) == [((FIRST, 1), 0), ((THIRD, 1), 849_00)]
        assert (position.net_cents, position.gross_cents) == (849_00, 949_00)

    @pytest.mark.parametrize(
        ("cents", "lines_left"),
        [
            (5_00, [27_95, 0, 3_00]),
            (8_00, [27_95, 0, 0]),
            (10_00, [25_95, 0, 0]),
            (35_95, [0, 0, 0]),
        ],
    )
    def test_an_adjustment_that_gives_back_is_off_the_newest_lines_of_its_kind(self, cents, lines_left):
        """$27.95, then $12.90, which were credited, and $8.00."""
        late = (adjusted(12_90, rated_cents=40_85), adjusted(8_00, rated_cents=48_85))
        issued = (used(27_95), late[0], late[1], credited(12_90, (SECOND, 1)))
        gives_back = adjusted(-cents, rated_cents=48_85 - cents)
        position = a_position(*issued, gives_back)
        assert [line.left_cents for line in position.lines] == lines_left
        assert (position.net_cents, position.gross_cents) == (35_95 - cents, 48_85 - cents)
        books = books_of(*issued)
        taken = {back.reverses: back.cents for back in books.adjust(gives_back)}
        assert taken == {
            number: before - after
            for number, before, after in zip((FIRST, SECOND, THIRD), (27_95, 0, 8_00), lines_left, strict=True)
            if before > after
        }

    def test_what_adjustments_give_back_beyond_what_was_billed_is_told_apart(self):
        gives_back = adjusted(-5_00, rated_cents=0)
        position = a_position(used(3_00), gives_back, gives_back)
        assert (left(position), position.net_cents, position.excess_cents) == ([((FIRST, 1), 0)], 0, 7_00)

    def test_one_cent_is_given_back_like_any_other_amount(self):
        base = a_position(a_base(139_00), given_back(1))
        overage = a_position(used(27_95), adjusted(-1, rated_cents=27_94))
        assert [(base.net_cents, base.gross_cents), (overage.net_cents, overage.gross_cents)] == [
            (138_99, 139_00),
            (27_94, 27_94),
        ]
        assert (left(base), left(overage)) == ([((FIRST, 1), 138_99)], [((FIRST, 1), 27_94)])

    def test_a_plan_that_costs_nothing_is_what_the_month_costs_last(self):
        position = a_position(a_base(139_00), (a_base(0), given_back(139_00)))
        assert (position.net_cents, position.gross_cents) == (0, 0)

    def test_a_credit_that_is_kept_is_off_the_newest_line(self):
        assert left(a_position(a_base(10_00), a_base(20_00), kept(5_00))) == [((FIRST, 1), 10_00), ((SECOND, 1), 15_00)]

    def test_what_takes_back_of_an_unknown_line_alone_leaves_an_empty_position(self):
        assert a_position(given_back(5_00, (99_999, 1))) == Position()

    def test_a_tax_line_is_no_line_of_its_own(self):
        tax = replace(a_charge_line(9_04), kind=LineKind.TAX)
        assert list(books_of((a_base(139_00), tax)).lines) == [(FIRST, 1)]

    def test_the_lines_of_an_invoice_are_its_own(self):
        books = books_of(a_base(139_00), a_charge_line(40_00), a_charge_line(50_00))
        assert [[line.left_cents for line in books.of_invoice(number)] for number in (FIRST, SECOND, THIRD)] == [
            [139_00],
            [40_00],
            [50_00],
        ]

    def test_adjustments_of_an_invoice_yet_to_come_are_lines_of_their_own(self):
        books = books_of(used(27_95))
        patch = adjusted(75, rated_cents=75, kind=LineKind.PATCH)
        assert [books.adjust(line) for line in (adjusted(5_00, rated_cents=32_95), patch)] == [(), ()]
        assert [position.net_cents for position in books.usage(OCTOBER)] == [32_95, 75, 0]

    def test_a_note_over_several_lines_of_a_position_is_one_step_and_one_of_each_position(self):
        issued = (used(27_95), used(33_30, LineKind.IVR)), adjusted(12_90, rated_cents=40_85)
        note = (credited(7_95), credited(2_90, (SECOND, 1)), credited(3_30, (FIRST, 2)))
        usage = books_of(*issued, note).usage(OCTOBER)
        assert [steps(position) for position in usage] == [[(30_00, 10_85)], [], [(30_00, 3_30)]]

    def test_lines_of_no_position_have_only_what_is_left_of_them(self):
        books = books_of((a_base(139_00), a_charge_line(40_00)), credited(15_00, (FIRST, 2)))
        assert [line.left_cents for line in books.of_invoice(FIRST)] == [139_00, 25_00]
        assert [key.kind for key, _ in books.positions()] == [LineKind.BASE]
        assert (books.key_of(LineRef(FIRST, 1)), books.key_of(LineRef(FIRST, 2))) == (
            PositionKey(OCTOBER, LineKind.BASE),
            None,
        )

    def test_a_line_that_charges_nothing_is_none_but_of_a_position(self):
        """A plan that costs nothing has a base all the same, which a change takes from."""
        for cents in (0, -5_00):
            assert list(books_of(a_charge_line(cents)).of_invoice(FIRST)) == []
        assert [line.left_cents for line in books_of(a_charge_line(1)).of_invoice(FIRST)] == [1]
        assert left(a_position(a_base(0))) == [((FIRST, 1), 0)]

    def test_says_what_took_something_off_each_line(self):
        books = books_of(
            a_base(499_00),
            credited(100_00),
            (a_base(239_00, plan="220"), given_back(300_00)),
            write_offs=(a_write_off(9, ((FIRST, 1), 99_00), ((THIRD, 1), 1_00)),),
        )
        assert books.reasons == {
            (FIRST, 1): [
                "credited by credit note 100002",
                "taken back by invoice 100003",
                "written off with invoice 100001",
            ],
            (THIRD, 1): ["written off with invoice 100001"],
        }

    @pytest.mark.parametrize(("cents", "reasons"), [(98_99, ["written off with invoice 100001"]), (99_00, [])])
    def test_names_a_write_off_until_all_of_it_is_recovered(self, cents, reasons):
        entries = (a_write_off(7, ((FIRST, 1), 99_00)), a_write_off(9, ((FIRST, 1), -cents), of_seq=7))
        assert books_of(a_base(499_00), write_offs=entries).reasons == {(FIRST, 1): reasons}

    def test_names_a_write_off_of_one_cent_and_none_of_a_tax_alone(self):
        entries = (a_write_off(7, ((FIRST, 1), 1)), a_write_off(9, ((FIRST, 1), -1), of_seq=7))
        assert books_of(a_base(499_00), write_offs=entries[:1]).reasons[FIRST, 1] == ["written off with invoice 100001"]
        assert books_of(a_base(499_00), write_offs=entries).reasons[FIRST, 1] == []
        tax_alone = (WriteOffShare(7, FIRST, LineRef(FIRST, 1), 0, (9_04,)),)
        books = books_of(taxed(a_base(139_00), 9_04), write_offs=(WriteOffEntry(7, tax_alone),))
        assert (books.reasons[FIRST, 1], books.lines[FIRST, 1].taxes_left) == ([], (0,))
        books.write_off(WriteOffEntry(9, (tax_alone[0]._replace(taxes=(-9_04,)),)))
        assert (books.reasons[FIRST, 1], books.lines[FIRST, 1].taxes_left) == ([], (9_04,))

    def test_a_reader_of_some_lines_leaves_out_what_it_cannot_know(self):
        """Of a month's base alone, a note over something else and a write-off of it are nothing."""
        books = fold(
            [
                a_document(FIRST, a_base(139_00)),
                a_document(SECOND, credited(5_00, (FIRST, 2)), given_back(5_00, (99_999, 1))),
            ],
            [a_write_off(7, ((FIRST, 2), 3_00))],
        )
        position = books.position(OCTOBER, LineKind.BASE)
        assert (left(position), steps(position)) == ([((FIRST, 1), 139_00)], [])
        assert [share.cents for share in books.written_off[7].values()] == [3_00]

    def test_a_share_of_a_line_that_it_does_not_know_or_that_is_in_no_position_hides_none_after_it(self):
        entry = a_write_off(7, ((99_999, 1), 3_00), ((FIRST, 1), 2_00), ((FIRST, 2), 1_00))
        books = books_of((a_charge_line(40_00), a_base(139_00)), write_offs=(entry,))
        assert [line.left_cents for line in books.of_invoice(FIRST)] == [38_00, 138_00]
        assert steps(books.position(OCTOBER, LineKind.BASE)) == [(138_00, 1_00)]


class TestWriteOffs:
    def test_are_a_credit_of_each_position_under_their_posting(self):
        write_off = a_write_off(7, ((FIRST, 1), 100_00), ((FIRST, 2), 20_00), ((SECOND, 1), 1_16))
        books = books_of((a_base(139_00), used(27_95)), a_base(10_00), write_offs=(write_off,))
        base, overage = books.position(OCTOBER, LineKind.BASE), books.usage(OCTOBER).overage
        source = "the write-off of invoice 100001"
        assert base.steps == (CreditStep(47_84, 101_16, 10_00, source, 7),)
        assert overage.steps == (CreditStep(7_95, 20_00, 27_95, source, 7),)

    def test_what_is_recovered_is_billed_again_and_leaves_no_credit(self):
        entries = (a_write_off(7, ((FIRST, 1), 100_00)), a_write_off(9, ((FIRST, 1), -100_00), of_seq=7))
        books = books_of(a_base(139_00), write_offs=entries)
        position = books.position(OCTOBER, LineKind.BASE)
        assert (left(position), steps(position)) == ([((FIRST, 1), 139_00)], [(139_00, 0)])
        assert [position.target(cents) for cents in (0, 139_00, 949_00)] == [0, 139_00, 949_00]
        assert [share.cents for share in books.written_off[7].values()] == [0]

    def test_a_part_that_is_recovered_lifts_its_step_and_every_later_one(self):
        """Of two credits beside it, the note before it keeps what it left."""
        documents = [
            a_document(FIRST, a_base(499_00)),
            a_document(SECOND, credited(100_00), saw=1),
            a_document(THIRD, credited(50_00), saw=8),
        ]
        entries = [a_write_off(7, ((FIRST, 1), 200_00)), a_write_off(9, ((FIRST, 1), -30_00), of_seq=7)]
        position = fold(documents, entries).position(OCTOBER, LineKind.BASE)
        assert steps(position) == [(399_00, 100_00), (229_00, 170_00), (179_00, 50_00)]
        assert position.net_cents == 179_00

    @pytest.mark.parametrize(
        ("new_cents", "recoverable_cents"), [(499_00, 499_00), (239_00, 239_00), (39_00, 39_00), (949_00, 499_00)]
    )
    def test_no_more_can_be_recovered_than_would_be_billed_without_it(self, new_cents, recoverable_cents):
        """500 written off, then another plan: its own price, and of a dearer one what was written off."""
        kept_cents = min(new_cents, 499_00)
        documents = [a_document(FIRST, a_base(499_00)), a_document(SECOND, a_base(new_cents), kept(kept_cents), saw=9)]
        position = fold(documents, [a_write_off(7, ((FIRST, 1), 499_00))]).position(OCTOBER, LineKind.BASE)
        assert position.recoverable_cents(7) == recoverable_cents

    def test_nothing_can_be_recovered_where_a_later_note_had_credited_all_of_a_lower_bill(self):
        documents = [
            a_document(FIRST, a_base(499_00)),
            a_document(SECOND, a_base(39_00), given_back(399_00), saw=9),
            a_document(THIRD, credited(39_00, (SECOND, 1)), saw=10),
        ]
        position = fold(documents, [a_write_off(7, ((FIRST, 1), 100_00))]).position(OCTOBER, LineKind.BASE)
        assert (position.net_cents, position.recoverable_cents(7)) == (0, 0)

    def test_a_later_credit_stays_off_what_can_be_recovered(self):
        """Without the write-off the $449.00 that the note left would be billed, less than $450.00; $349.00 are."""
        documents = [
            a_document(FIRST, a_base(499_00)),
            a_document(SECOND, credited(50_00), saw=9),
            a_document(THIRD, a_base(450_00), given_back(349_00), kept(101_00), saw=10),
        ]
        position = fold(documents, [a_write_off(7, ((FIRST, 1), 100_00))]).position(OCTOBER, LineKind.BASE)
        assert (position.net_cents, position.recoverable_cents(7)) == (349_00, 100_00)
        again = position.recovered(7, 51_00)
        assert (steps(again), again.target(450_00)) == ([(450_00, 49_00), (400_00, 50_00)], 400_00)
        whole = position.recovered(7, 100_00)
        assert (steps(whole), whole.target(450_00)) == ([(499_00, 0), (449_00, 50_00)], 449_00)

    def test_one_that_is_recovered_in_full_is_as_none(self):
        """500, $100.00 written off, Economy, a note of $10.00, 1,000, all recovered; Economy then costs $29.00."""
        documents = [
            a_document(FIRST, a_base(499_00)),
            a_document(SECOND, a_base(39_00), given_back(399_00), saw=9),
            a_document(THIRD, credited(10_00, (SECOND, 1)), saw=10),
            a_document(FOURTH, a_base(949_00), given_back(29_00, (SECOND, 1)), kept(110_00), saw=11),
        ]
        written_off = a_write_off(7, ((FIRST, 1), 100_00))
        position = fold(documents, [written_off]).position(OCTOBER, LineKind.BASE)
        assert (position.net_cents, position.recoverable_cents(7)) == (839_00, 100_00)
        again = position.recovered(7, 100_00)
        assert [again.target(cents) for cents in (949_00, 39_00)] == [939_00, 29_00]

    def test_two_write_offs_of_a_line_are_kept_apart(self):
        entries = (a_write_off(7, ((FIRST, 1), 10_00)), a_write_off(8, ((FIRST, 1), 20_00)))
        books = books_of(a_base(139_00), write_offs=(*entries, a_write_off(9, ((FIRST, 1), -4_00), of_seq=8)))
        assert steps(books.position(OCTOBER, LineKind.BASE)) == [(129_00, 10_00), (113_00, 16_00)]
        assert {seq: [share.cents for share in shares.values()] for seq, shares in books.written_off.items()} == {
            7: [10_00],
            8: [16_00],
        }

    def test_each_beside_a_note_can_be_recovered_by_itself(self):
        documents = [a_document(FIRST, a_base(139_00)), a_document(SECOND, credited(5_00), saw=1)]
        entries = (a_write_off(7, ((FIRST, 1), 10_00)), a_write_off(8, ((FIRST, 1), 20_00)))
        position = fold(documents, entries).position(OCTOBER, LineKind.BASE)
        assert [position.recoverable_cents(seq) for seq in (7, 8)] == [10_00, 20_00]

    @pytest.mark.parametrize(("new_cents", "recoverable_cents"), [(450_00, 51_00), (39_00, 0)])
    def test_of_a_part_no_more_can_be_recovered_than_the_new_price_leaves(self, new_cents, recoverable_cents):
        """$100.00 of 499 written off, then a cheaper plan, of which at most the $399.00 are billed that were left."""
        change = (a_base(new_cents), given_back(399_00), kept(max(0, new_cents - 399_00)))
        documents = [a_document(FIRST, a_base(499_00)), a_document(SECOND, *change, saw=9)]
        position = fold(documents, [a_write_off(7, ((FIRST, 1), 100_00))]).position(OCTOBER, LineKind.BASE)
        assert (position.net_cents, position.recoverable_cents(7)) == (min(new_cents, 399_00), recoverable_cents)

    def test_a_part_larger_than_what_was_left_lifts_a_later_credit_by_all_of_it(self):
        documents = [a_document(FIRST, a_base(499_00)), a_document(SECOND, credited(50_00), saw=8)]
        entries = [a_write_off(7, ((FIRST, 1), 400_00)), a_write_off(9, ((FIRST, 1), -300_00), of_seq=7)]
        position = fold(documents, entries).position(OCTOBER, LineKind.BASE)
        assert steps(position) == [(399_00, 100_00), (349_00, 50_00)]

    def test_of_a_line_in_no_position_are_no_step(self):
        entries = (a_write_off(7, ((FIRST, 1), 40_00)), a_write_off(9, ((FIRST, 1), -15_00), of_seq=7))
        books = books_of(a_charge_line(40_00), write_offs=entries)
        assert ([line.left_cents for line in books.of_invoice(FIRST)], list(books.positions())) == ([15_00], [])


def test_usage_billed_in_parts_is_one_position_each():
    """What the factories of other tests build."""
    found = billed_usage(overage=12_90, ivr=50)
    assert [position.net_cents for position in found] == [12_90, 0, 50]
    assert isinstance(found.patch, Position)
