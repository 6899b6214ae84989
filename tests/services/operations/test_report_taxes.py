"""The taxes of a month: read from invoices, voids in their own month, and equal to the book of tax payable."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.periods import InvalidMonth
from app.domain.reports import MonthNotBegun
from app.domain.tax_report import TaxKey, TaxReport, TaxSums
from app.domain.taxes import TaxRate
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.operations.report_taxes import csv_text, report_taxes
from tests.every_kind import tell_every_kind
from tests.services.accountant import rows
from tests.services.books import rows as sql
from tests.services.operations.test_report_month import october
from tests.services.staff import WHY, by_ann
from tests.trips import counted_trips
from tests.world import World, pacific

__all__ = ["october"]

TAX, KANSAS = TaxKey("Tax", 100_000), TaxKey("Kansas sales tax", 65_000)
MOVED = """
    SELECT coalesce(sum(amount_cents * ((credit = 'TAX_PAYABLE') - (debit = 'TAX_PAYABLE'))), 0) FROM ledger_posting
"""


async def taxes(world: World, month: str) -> TaxReport:
    return await report_taxes(world.services, month=month)


async def pays(world: World, *taxes: TaxRate, valid_from: date = date(2026, 7, 1)) -> None:
    await set_taxes(world.services, by_ann(), taxes=taxes, valid_from=valid_from, **WHY)


class TestReport:
    async def test_what_was_taxed_what_was_not_and_what_was_given_back(self, october):
        """AA0101: 169.00 at 10 %, of which 10.00 was credited; AA0102 pays none, its first invoice was voided."""
        found = await taxes(october, "2026-08")

        assert found.taxes == ((TAX, TaxSums(169_00, 16_90, 10_00, 1_00)),)
        assert found.exempt_cents == {"Tax": 239_00}
        assert (found.tax_cents, found.posted_cents) == (15_90, 15_90)

    async def test_agrees_with_the_journal_in_every_month(self, october):
        found = [await taxes(october, f"2026-{month:02}") for month in range(6, 11)]

        assert all(each.agrees for each in found)
        assert sum(each.posted_cents for each in found) == sql(october.database, MOVED)[0][0]

    async def test_so_does_a_life_with_every_kind_of_invoice(self, world):
        await tell_every_kind(world)
        july, august = [await taxes(world, month) for month in ("2026-07", "2026-08")]

        assert (july.taxes, july.agrees, august.agrees) == ((), True, True)
        assert [key for key, _ in august.taxes] == [KANSAS]
        assert august.tax_cents > 0


class TestVoids:
    @pytest.fixture
    async def taxed(self, world: World) -> World:
        await world.add_account()
        await pays(world, TaxRate("Tax", 100_000))
        await world.advance_to(pacific(2026, 7, 2))
        return world

    async def void(self, world: World) -> None:
        await void_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)

    async def test_in_the_month_of_issue_counts_for_nothing(self, taxed):
        await self.void(taxed)
        found = await taxes(taxed, "2026-07")

        assert found.taxes == ((TAX, TaxSums(139_00, 13_90)),)
        assert (found.exempt_cents, found.agrees) == ({"Tax": 0}, True)

    async def test_in_a_later_month_counts_as_issued_there_and_as_given_back_here(self, taxed):
        """The month's invoice can be voided until the next one is issued, which is hours after midnight."""
        taxed.clock.instant = pacific(2026, 8, 1, 1)
        await self.void(taxed)
        july, august = await taxes(taxed, "2026-07"), await taxes(taxed, "2026-08")

        assert july.taxes == ((TAX, TaxSums(139_00, 13_90)),)
        assert august.taxes == ((TAX, TaxSums(139_00, 13_90, 139_00, 13_90)),)
        assert (july.agrees, august.agrees, august.posted_cents) == (True, True, 0)
        assert (july.exempt_cents, august.exempt_cents) == ({"Tax": 0}, {"Tax": 0})

    async def test_a_closed_month_stays_as_it_was(self, taxed):
        taxed.clock.instant = pacific(2026, 8, 1, 1)
        before = csv_text(await taxes(taxed, "2026-07"))
        await self.void(taxed)
        await issue_credit_note(
            taxed.services, by_ann(), invoice_number=100_002, cents_by_line={}, reference="N", **WHY
        )

        assert csv_text(await taxes(taxed, "2026-07")) == before


class TestForm:
    async def test_csv_has_a_row_for_each_tax_and_rate_and_one_for_what_it_leaves_out(self, october):
        header, *lines = csv_text(await taxes(october, "2026-08")).splitlines()

        assert header == (
            "month,tax,rate_percent,taxable_base,exempt_base,tax_charged,base_given_back,tax_given_back,is_closed"
        )
        assert lines == [
            "2026-08,Tax,10,169.00,0.00,16.90,10.00,1.00,yes",
            "2026-08,Tax,,0.00,239.00,0.00,0.00,0.00,yes",
        ]

    async def test_a_name_that_would_be_a_formula_is_guarded(self, world):
        await world.add_account()
        await pays(world, TaxRate("-Tax", 62_500))
        await world.advance_to(pacific(2026, 7, 2))

        found = rows(csv_text(await taxes(world, "2026-07")))

        assert [(row["tax"], row["rate_percent"]) for row in found] == [("'-Tax", "6.25"), ("'-Tax", "")]

    @pytest.mark.parametrize(("month", "error"), [("2026-11", MonthNotBegun), ("soon", InvalidMonth)])
    async def test_a_month_in_the_future_and_what_is_no_month_are_refused(self, october, month, error):
        with pytest.raises(error):
            await taxes(october, month)

    async def test_statements_do_not_grow_with_the_data(self, october):
        async with counted_trips() as few:
            await taxes(october, "2026-06")
        async with counted_trips() as many:
            await taxes(october, "2026-08")
        assert few.count == many.count == 4
