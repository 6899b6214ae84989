"""What accounts owe as of a day: as it was then, by the due dates of their invoices (rule 35)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.aging import AgingReport
from app.domain.reports import DayNotBegun
from app.services.operations.report_aging import cents_of, csv_text, report_aging
from app.services.operations.report_month import report_month
from tests.services.operations.test_report_month import october
from tests.services.staff import book, credit
from tests.trips import counted_trips
from tests.world import World, pacific

__all__ = ["october"]


async def aging(world: World, as_of: date | None = None) -> AgingReport:
    return await report_aging(world.services, as_of=as_of)


def figures(report: AgingReport) -> dict[str, list[int]]:
    return {each.account: list(cents_of(each)) for each in (*report.accounts, report.total)}


class TestReport:
    async def test_of_a_day_that_is_past_is_what_was_open_then(self, october):
        """On 31 July AA0101 has 11.00 left over; AA0102 owes its July, less 20.00 given within the last hour."""
        assert figures(await aging(october, date(2026, 7, 30))) == {
            "AA0101": [0, 0, 0, 0, 0, 0, 11_00],
            "AA0102": [0, 239_00, 0, 0, 0, 239_00, 0],
            "all": [0, 239_00, 0, 0, 0, 239_00, 11_00],
        }
        assert figures(await aging(october, date(2026, 7, 31)))["AA0102"] == [0, 219_00, 0, 0, 0, 219_00, 0]

    async def test_what_stays_open_grows_older(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 10, 2))
        found = figures(await aging(world))

        assert found["AA0101"] == [0, 139_00, 139_00, 139_00, 139_00, 4 * 139_00, 0]
        assert figures(await aging(world, date(2026, 7, 1)))["AA0101"] == [0, 139_00, 0, 0, 0, 139_00, 0]
        assert figures(await aging(world, date(2026, 6, 30))) == {"all": [0] * 7}

    async def test_totals_are_the_books_at_the_end_of_each_month(self, october):
        for month, last in (("2026-07", 31), ("2026-08", 31), ("2026-09", 30)):
            books = await report_month(october.services, month=month)
            total = (await aging(october, date.fromisoformat(f"{month}-{last}"))).total
            assert (total.open_cents, total.credit_cents) == (
                books.receivable.closing_cents,
                books.credit.closing_cents,
            )

    async def test_without_a_day_it_is_today_and_to_date(self, october):
        found = await aging(october)

        assert (found.day.on, found.day.is_closed) == (date(2026, 10, 10), False)
        assert found.total.open_cents == book(october.database, "RECEIVABLE")
        assert found.total.credit_cents == credit(october.database)

    async def test_a_day_in_the_future_is_refused(self, october):
        with pytest.raises(DayNotBegun):
            await aging(october, date(2026, 10, 11))

    async def test_statements_do_not_grow_with_the_data(self, october):
        async with counted_trips() as few:
            await aging(october, date(2026, 6, 1))
        async with counted_trips() as many:
            await aging(october)
        assert few.count == many.count == 2


class TestCsv:
    async def test_has_a_row_for_each_account_and_columns_that_add_up(self, october):
        october.clock.instant += timedelta(days=1)

        assert csv_text(await aging(october, date(2026, 8, 31))) == (
            "as_of,account,not_due,days_0_30,days_31_60,days_61_90,over_90_days,open,credit,is_closed\n"
            "2026-08-31,AA0101,0.00,163.90,0.00,0.00,0.00,163.90,0.00,yes\n"
            "2026-08-31,AA0102,0.00,0.00,0.00,0.00,0.00,0.00,261.00,yes\n"
        )
