"""Books of engine 1 in the fold: changes that gave back sums, notes over what was gone, adjustments of all usage."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from tests.factories.calls import usage
from tests.factories.invoices import a_used_month, facts
from tests.factories.positions import (
    FIRST,
    a_base,
    a_position,
    books_of,
    credited,
    given_back,
    left,
    old_adjusted,
    steps,
    taxed,
    used,
)

OCTOBER = date(2026, 10, 1)
SECOND, THIRD = FIRST + 1, FIRST + 2
PATCH, IVR = LineKind.PATCH, LineKind.IVR
LATE_USAGE = {"patch_seconds": 450, "ivr_seconds": 600}
"""At $0.10 and $0.15 a minute: $0.75 and $1.50."""


def told(*issued):
    """The net, the gross and what was moved of each kind of usage."""
    found = books_of(*issued).usage(OCTOBER)
    return [(position.net_cents, position.gross_cents, position.moved_cents) for position in found]


class TestChangesOfPlan:
    def test_one_that_gave_back_the_sum_is_off_the_oldest_lines_first(self):
        """Two upgrades in a month: 139, 239 less 139, 499 less 239."""
        changes = (a_base(239_00), given_back(139_00, None)), (a_base(499_00), given_back(239_00, None))
        position = a_position(a_base(139_00), *changes)
        assert left(position) == [((FIRST, 1), 0), ((SECOND, 1), 0), ((THIRD, 1), 499_00)]
        assert (position.net_cents, position.gross_cents, position.excess_cents) == (499_00, 499_00, 0)

    def test_one_that_gave_back_what_a_note_had_credited_left_less_than_nothing(self):
        """The $499.00 were credited in full, and given back once more by the change: $460.00 too much."""
        position = a_position(a_base(499_00), credited(499_00), (a_base(39_00), given_back(499_00, None)))
        assert (position.net_cents, position.excess_cents) == (0, 460_00)
        assert [position.target(cents) for cents in (39_00, 499_00, 949_00)] == [0, 0, 450_00]

    def test_all_that_several_gave_back_beyond_what_was_billed_adds_up(self):
        changes = (a_base(39_00), given_back(499_00, None)), (a_base(49_00), given_back(499_00, None))
        position = a_position(a_base(499_00), credited(499_00), *changes)
        assert (position.net_cents, position.excess_cents) == (0, 910_00)

    def test_a_note_over_a_line_that_a_change_had_taken_back_is_off_the_newest_line(self):
        """P3 as engine 1 let it happen: the note over the monthly invoice, after the change to 220."""
        change = (a_base(239_00), given_back(499_00, None))
        position = a_position(a_base(499_00), change, credited(300_00))
        assert (left(position)[1], position.net_cents, position.excess_cents) == (((SECOND, 1), 0), 0, 61_00)
        assert steps(position) == [(0, 300_00)]
        assert books_of(a_base(499_00), change, credited(300_00)).reasons[SECOND, 1] == [
            "credited by credit note 100003"
        ]
        assert a_position(a_base(499_00), change, credited(300_00), credited(300_00)).excess_cents == 361_00

        assert left(a_position(a_base(499_00), change, a_base(49_00), credited(60_00))) == [
            ((FIRST, 1), 0),
            ((SECOND, 1), 228_00),
            ((THIRD, 1), 0),
        ]

    def test_a_note_takes_what_is_left_of_its_own_line_first(self):
        change = (a_base(239_00), given_back(400_00, None))
        position = a_position(a_base(499_00), change, credited(150_00))
        assert left(position) == [((FIRST, 1), 0), ((SECOND, 1), 188_00)]
        assert (position.net_cents, position.excess_cents) == (188_00, 0)


class TestAdjustments:
    """One line for all kinds of usage: each kind moves to what it was rated at."""

    def test_a_charge_is_overage_where_overage_moved(self):
        assert told(used(27_95), old_adjusted(12_90, rated_cents=40_85)) == [(40_85, 40_85, 0), (0, 0, 0), (0, 0, 0)]

    def test_one_that_changes_only_the_kinds_among_themselves_is_a_line_of_nothing(self):
        late = old_adjusted(0, rated_cents=27_95, patch_seconds=450)
        assert left(books_of(used(27_95), late).usage(OCTOBER).overage) == [((FIRST, 1), 27_95), ((SECOND, 1), 0)]

    def test_a_charge_for_other_kinds_lies_with_overage_and_is_billed_of_them(self):
        """Patched 7:30 and 10:00 of IVR came late: $0.75 and $1.50."""
        late = old_adjusted(2_25, rated_cents=30_20, **LATE_USAGE)
        assert told(used(27_95), late) == [(27_95, 27_95, -2_25), (75, 75, 75), (1_50, 1_50, 1_50)]
        assert left(books_of(used(27_95), late).usage(OCTOBER).overage) == [((FIRST, 1), 27_95), ((SECOND, 1), 2_25)]

    def test_one_cent_is_given_back_like_any_other_amount(self):
        overage = books_of(used(27_95), old_adjusted(-1, rated_cents=27_94)).usage(OCTOBER).overage
        assert left(overage) == [((FIRST, 1), 27_94)]

    def test_what_several_charge_for_other_kinds_adds_up(self):
        late = old_adjusted(2_25, rated_cents=30_20, **LATE_USAGE)
        later = old_adjusted(2_25, rated_cents=32_45, patch_seconds=900, ivr_seconds=1_200)
        assert told(used(27_95), late, later) == [(27_95, 27_95, -4_50), (1_50, 1_50, 1_50), (3_00, 3_00, 3_00)]

    def test_what_one_gave_back_is_off_overage_first_then_patch_and_ivr(self):
        issued = (used(5_00), used(1_00, PATCH), used(33_30, IVR))
        gave_back = old_adjusted(-7_00, rated_cents=32_30, ivr_seconds=12_920)
        found = books_of(issued, gave_back).usage(OCTOBER)
        assert [left(position) for position in found] == [
            [((FIRST, 1), 0)],
            [((FIRST, 2), 0)],
            [((FIRST, 3), 32_30)],
        ]
        assert told(issued, gave_back) == [(0, 0, 0), (0, 0, 0), (32_30, 32_30, 0)]

    def test_what_one_gave_back_of_one_kind_is_off_that_whatever_line_it_lies_on(self):
        """IVR fell from $33.30 to $30.00; the $3.30 were taken off the line of the overage."""
        issued = (used(5_00), used(33_30, IVR)), old_adjusted(-3_30, rated_cents=35_00, ivr_seconds=12_000)
        assert told(*issued) == [(5_00, 5_00, 3_30), (0, 0, 0), (30_00, 30_00, -3_30)]

    def test_what_one_gave_back_beyond_what_was_billed_is_told_apart(self):
        """The overage of $12.90 had been credited, then turned out to be none."""
        position = books_of(used(12_90), credited(12_90), old_adjusted(-12_90, rated_cents=0)).usage(OCTOBER).overage
        assert (position.net_cents, position.gross_cents, position.excess_cents) == (0, 0, 12_90)
        once = books_of(used(3_00), old_adjusted(-5_00, rated_cents=0)).usage(OCTOBER).overage
        assert (left(once), once.excess_cents) == ([((FIRST, 1), 0)], 2_00)
        twice = (old_adjusted(-12_90, rated_cents=0),) * 2
        assert books_of(used(12_90), credited(12_90), *twice).usage(OCTOBER).overage.excess_cents == 25_80

    def test_first_of_a_month_without_usage_bills_every_kind(self):
        late = old_adjusted(15_15, rated_cents=15_15, **LATE_USAGE)
        assert told(late) == [(12_90, 12_90, -2_25), (75, 75, 75), (1_50, 1_50, 1_50)]


class TestAfterwards:
    """What this engine makes of such a month."""

    def adjustments(self, live_minutes, *issued, patch_seconds=450, ivr_seconds=600):
        """What the next invoice corrects, by kind, and the documents with it."""
        billed = books_of(*issued).usage(OCTOBER)
        known = usage(live_minutes=live_minutes, patch_seconds=patch_seconds, ivr_seconds=ivr_seconds)
        month = a_used_month("2026-10", usage=known, billed=billed)
        draft = compute_invoice(facts("2026-12", kind=InvoiceKind.FINAL, bills_base=False, used=(month,)))
        return [(str(line.usage_kind), line.amount_cents) for line in draft.lines], (*issued, draft.lines)

    def test_nothing_is_corrected_where_nothing_came_since(self):
        assert self.adjustments(110, used(12_90), old_adjusted(2_25, rated_cents=15_15, **LATE_USAGE))[0] == []

    def test_what_was_billed_in_a_line_of_another_kind_is_given_back_once(self):
        """The IVR calls turn out to be none: $1.50, and nothing any more the month after."""
        issued = used(12_90), old_adjusted(2_25, rated_cents=15_15, **LATE_USAGE)
        corrected, books = self.adjustments(110, *issued, ivr_seconds=0)
        assert corrected == [("IVR", -1_50)]
        assert told(*books) == [(12_90, 12_90, -75), (75, 75, 75), (0, 0, 0)]
        assert [position.excess_cents for position in books_of(*books).usage(OCTOBER)] == [0, 0, 0]
        assert self.adjustments(110, *books, ivr_seconds=0)[0] == []

    def test_all_kinds_can_be_given_back_at_once(self):
        issued = used(12_90), old_adjusted(2_25, rated_cents=15_15, **LATE_USAGE)
        corrected, books = self.adjustments(0, *issued, patch_seconds=0, ivr_seconds=0)
        assert corrected == [("OVERAGE", -12_90), ("PATCH", -75), ("IVR", -1_50)]
        assert told(*books) == [(0, 0, 0)] * 3
        assert [line.left_cents for line in books_of(*books).lines.values()] == [0, 0]

    def test_what_is_given_back_so_has_the_tax_of_the_line_it_lay_on(self):
        """10 % on the $2.25 of the old adjustment: $0.15 of the $0.23 go with $1.50 of it."""
        late = taxed(old_adjusted(2_25, rated_cents=15_15, **LATE_USAGE), 23, rate=100_000)
        billed = books_of(used(12_90), late).usage(OCTOBER)
        month = a_used_month("2026-10", usage=usage(live_minutes=110, patch_seconds=450), billed=billed)
        draft = compute_invoice(facts("2026-12", kind=InvoiceKind.FINAL, bills_base=False, used=(month,)))
        assert [(line.kind, line.amount_cents) for line in draft.lines] == [
            (LineKind.ADJUSTMENT, -1_50),
            (LineKind.TAX, -15),
        ]
        assert draft.reversed_cents == {SECOND: 1_65}

    @pytest.mark.parametrize(("noted_cents", "ivr_step"), [(2_25, (0, 1_50)), (1_50, (75, 75))])
    def test_a_note_over_such_a_line_is_kept_by_the_kinds_that_lay_on_it(self, noted_cents, ivr_step):
        issued = (
            used(12_90),
            old_adjusted(2_25, rated_cents=15_15, **LATE_USAGE),
            credited(12_90),
            credited(noted_cents, (SECOND, 1)),
        )
        found = books_of(*issued).usage(OCTOBER)
        assert [steps(position) for position in found] == [[(0, 12_90)], [(0, 75)], [ivr_step]]
        assert min(position.net_cents for position in found) >= 0
        assert sum(position.net_cents for position in found) == 2_25 - noted_cents
        corrected, books = self.adjustments(0, *issued, patch_seconds=0, ivr_seconds=0)
        assert sum(cents for _, cents in corrected) == noted_cents - 2_25
        assert [(net_cents, moved_cents) for net_cents, _, moved_cents in told(*books)] == [(0, 0)] * 3
