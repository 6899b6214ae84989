"""The accountant's figures on both engines: the same rows, in the same order, to the byte."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.tax_report import TaxKey, TaxSums
from app.domain.taxes import TaxRate
from app.repositories.database import Database
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import write_off_invoice
from app.services.operations.report_aging import cents_of, report_aging
from app.services.operations.report_taxes import report_taxes
from tests.services.accountant import agreed, journal, rows
from tests.services.staff import WHY, by_ann
from tests.world import World, pacific


@pytest.fixture
async def world(migrated_url):
    """Accounts whose ids stand in another order by language than by bytes, and some of what may happen to them."""
    database = Database.open(migrated_url)
    world = await World.create(database)
    for external_id in ("b2", "B10", "a-1", "~1"):
        await world.add_account(external_id)
    await world.advance_to(pacific(2026, 7, 2, 12))
    await world.pay(150_00, account="b2", reference="C1")
    await write_off_invoice(world.services, by_ann("~1"), invoice_number=100_004, **WHY)
    await world.advance_to(pacific(2026, 9, 3))
    yield world
    await database.close()


async def test_the_journal_stands_in_the_order_of_bytes_and_documents_bear_it_out(world):
    text, _ = await journal(world.database, world.clock, "2026-07")

    assert [(row["account"], row["kind"], row["payment"]) for row in rows(text)] == [
        ("B10", "INVOICED", ""),
        ("a-1", "INVOICED", ""),
        ("b2", "INVOICED", ""),
        ("~1", "INVOICED", ""),
        ("b2", "PAYMENT_RECEIVED", "C1"),
        ("b2", "OVERPAID", "C1"),
        ("~1", "WRITTEN_OFF", ""),
    ]
    for month in ("2026-07", "2026-08", "2026-09"):
        await agreed(world.database, world.clock, month)


async def test_aging_is_what_is_open_by_account_and_its_credit(world):
    found = await report_aging(world.services, as_of=date(2026, 8, 30))

    assert [(each.account, list(cents_of(each))) for each in found.accounts] == [
        ("B10", [0, 139_00, 139_00, 0, 0, 278_00, 0]),
        ("a-1", [0, 139_00, 139_00, 0, 0, 278_00, 0]),
        ("b2", [0, 128_00, 0, 0, 0, 128_00, 0]),
        ("~1", [0, 139_00, 0, 0, 0, 139_00, 0]),
    ]


async def test_taxes_are_those_of_the_month_s_invoices_and_of_what_is_voided_in_it(world):
    taxes = [TaxRate("Tax", 100_000)]
    await set_taxes(world.services, by_ann("a-1"), taxes=taxes, valid_from=date(2026, 10, 1), **WHY)
    await world.advance_to(pacific(2026, 11, 1, 1))
    number = (await world.issued("a-1"))[-1].number
    await void_invoice(world.services, by_ann("a-1"), invoice_number=number, **WHY)
    october, november = [await report_taxes(world.services, month=month) for month in ("2026-10", "2026-11")]

    assert october.taxes == ((TaxKey("Tax", 100_000), TaxSums(139_00, 13_90)),)
    assert november.taxes == ((TaxKey("Tax", 100_000), TaxSums(139_00, 13_90, 139_00, 13_90)),)
    assert (october.exempt_cents, october.agrees, november.agrees) == ({"Tax": 3 * 139_00}, True, True)
