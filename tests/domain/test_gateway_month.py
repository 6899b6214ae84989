"""A month at the gateway against ours: nothing is counted twice, and every kind of difference has its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.domain.gateway_month import Difference, DifferenceKind, Flow, FlowTotal, Movement, Sides, compare_month
from app.domain.periods import Period
from app.domain.reports import ReportMonth

MONTH = ReportMonth(Period.parse("2026-11"), is_closed=True)
AT = datetime(2026, 11, 10, 12, tzinfo=UTC)
EARLIER = AT - timedelta(days=30)


def sale(id_: str = "t1", cents: int = 139_00, at: datetime = AT, *, flow=Flow.SALE, account="AA0101") -> Movement:
    return Movement(flow, id_, cents, at, account)


def compare(theirs=(), ours=(), posted=(), notes=None):
    return compare_month(MONTH, Sides(theirs, ours, posted, notes or {}))


def named(found) -> list[tuple[DifferenceKind, str]]:
    return [(each.kind, each.id) for each in found.differences]


class TestAgreement:
    def test_every_flow_has_its_totals_on_all_three_sides(self):
        moved = [sale(), sale("t2", 10_00, flow=Flow.REFUND), sale("d1", 5_00, flow=Flow.CHARGEBACK)]
        disputed = sale("d1", 5_00, flow=Flow.DISPUTE)

        found = compare([*moved, disputed], [*moved, disputed], moved)

        assert found.differences == ()
        assert found.totals == (
            FlowTotal(Flow.SALE, 1, 139_00, 1, 139_00, 139_00),
            FlowTotal(Flow.TAKEN_BACK, 0, 0, 0, 0, 0),
            FlowTotal(Flow.REFUND, 1, 10_00, 1, 10_00, 10_00),
            FlowTotal(Flow.CHARGEBACK, 1, 5_00, 1, 5_00, 5_00),
            FlowTotal(Flow.DISPUTE, 1, 5_00, 1, 5_00, 0),
        )

    def test_what_is_of_another_month_on_both_sides_is_left_out(self):
        found = compare([sale(at=EARLIER)], [sale(at=EARLIER)])

        assert found.differences == ()
        assert found.totals[0] == FlowTotal(Flow.SALE, 0, 0, 0, 0, 0)

    def test_a_sale_that_was_voided_is_a_sale_and_one_taken_back(self):
        """The posting of a void says that it was refunded; it counts to what it belongs to."""
        both = [sale(), sale(flow=Flow.TAKEN_BACK)]

        found = compare(both, both, [sale(), sale(flow=Flow.REFUND)])

        assert found.differences == ()
        assert [total.posted_cents for total in found.totals] == [139_00, 139_00, 0, 0, 0]


class TestDifferences:
    def test_what_one_side_alone_has(self):
        notes = {(Flow.SALE, "t1"): "charge att_1 is declined here"}

        found = compare([sale("t1")], [sale("t2")], [sale("t2")], notes)

        assert found.differences == (
            Difference(DifferenceKind.UNKNOWN_AT_GATEWAY, Flow.SALE, "t2", None, sale("t2")),
            Difference(DifferenceKind.UNKNOWN_HERE, Flow.SALE, "t1", sale("t1"), None, notes[Flow.SALE, "t1"]),
        )
        assert [each.account for each in found.differences] == ["AA0101", ""]

    def test_the_same_id_in_another_flow_is_another_movement(self):
        found = compare([sale(flow=Flow.CHARGEBACK)], [sale(flow=Flow.DISPUTE)])

        assert named(found) == [(DifferenceKind.UNKNOWN_HERE, "t1"), (DifferenceKind.UNKNOWN_AT_GATEWAY, "t1")]

    def test_another_amount_and_another_month_both_at_once(self):
        found = compare([sale(cents=1, at=EARLIER)], [sale()], [sale()])

        assert named(found) == [(DifferenceKind.OTHER_AMOUNT, "t1"), (DifferenceKind.OTHER_MONTH, "t1")]
        assert found.differences[0].theirs == sale(cents=1, at=EARLIER)
        assert found.totals[0] == FlowTotal(Flow.SALE, 0, 0, 1, 139_00, 139_00)

    def test_one_that_is_ours_in_another_month_needs_no_posting_in_this_one(self):
        assert named(compare([sale()], [sale(at=EARLIER)])) == [(DifferenceKind.OTHER_MONTH, "t1")]

    def test_what_is_not_posted_and_what_is_posted_alone(self):
        """A charge that was never posted, and money that came back: nothing at the gateway stands for it."""
        came_back = sale("refund rfd_1 failed", 10_00)

        found = compare([sale()], [sale()], [came_back])

        assert named(found) == [
            (DifferenceKind.NOT_POSTED, "t1"),
            (DifferenceKind.ONLY_POSTED, "refund rfd_1 failed"),
        ]
        assert found.totals[0] == FlowTotal(Flow.SALE, 1, 139_00, 1, 139_00, 10_00)

    def test_two_of_the_same_instant_and_amount_need_two_postings(self):
        two = [sale("t1"), sale("t2")]

        assert compare(two, two, [sale("r1"), sale("r2")]).differences == ()
        assert named(compare(two, two, [sale("r1")])) == [(DifferenceKind.NOT_POSTED, "t2")]

    def test_money_in_is_not_matched_by_money_out_nor_by_another_account_s(self):
        out, other = sale(flow=Flow.REFUND), sale(account="AA0102")
        for posted in (out, other):
            kinds = [kind for kind, _ in named(compare([sale()], [sale()], [posted]))]
            assert kinds == [DifferenceKind.NOT_POSTED, DifferenceKind.ONLY_POSTED]
