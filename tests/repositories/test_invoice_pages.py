"""Pages of invoices and calls on both engines: what a session reads, what the books say, and nobody else's rows."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sqlmodel import col, select

from app.domain.invoice_lines import LineKind
from app.models.invoices import InvoiceRow
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.pages.calls import CALL, MONTH_CALLS, UNDERLYING_USAGE, calls_page, underlying_calls_page
from app.repositories.pages.chosen_invoices import ATTEMPTED_INVOICE, OPEN_INVOICES, SETTLED_INVOICES
from app.repositories.pages.invoices import INVOICE, INVOICE_PAIR, invoices_page
from app.repositories.pages.plans import CATALOGUE
from app.repositories.reader import Page
from app.views.calls import UsageOfDay
from tests.story import tell
from tests.world import ACCOUNT, World, pacific

JULY = {"since_at": pacific(2026, 7, 1), "before_at": pacific(2026, 8, 1)}
START = {"after_at": pacific(2026, 7, 1), "after_seq": 0, "fetch": 100}
END = {"after_at": pacific(2026, 9, 1), "after_seq": 0, "fetch": 100, "since_at": pacific(2026, 7, 1)}
LIST = {"after_number": 2**63 - 1, "fetch": 100}


@pytest.fixture
async def told(migrated_url):
    """The database of the story, with another account beside it."""
    database = Database.open(migrated_url)
    world = await World.create(database)
    await tell(world)
    await world.add_account("AA0202")
    yield database
    await database.close()


async def invoices_of(database: Database) -> list[InvoiceRow]:
    async def work(session):
        return list(await session.exec(select(InvoiceRow).order_by(col(InvoiceRow.number))))

    return await database.read_tx(work)


async def both(database: Database, page: Page[Any], **binds: Any) -> tuple[Any, Any]:
    """The view by way of the reader, and by way of a session that runs each part by itself."""
    values = {"account": ACCOUNT, **binds} if "account" in page.parameters else binds

    async def work(session):
        connection = await session.connection()
        return {
            name: [tuple(row) for row in await connection.execute(part, values)] for name, part in page.parts.items()
        }

    rows = await database.read_tx(work)
    (read,) = await database.reader.load(page.request(**values))
    return read, page.assemble(**rows)


class TestEqualReads:
    async def test_of_the_list_of_invoices(self, told):
        august = {"month_on": pacific(2026, 8, 1).date()}
        for narrowed, is_detailed, is_counted in product(
            [{}, {"status": "OPEN"}, august], [True, False], [True, False]
        ):
            page = invoices_page(
                has_status="status" in narrowed,
                has_month="month_on" in narrowed,
                is_detailed=is_detailed,
                is_counted=is_counted,
            )
            read, expected = await both(told, page, **LIST, **narrowed)
            assert read == expected
            assert len(read.invoices) == (1 if narrowed else 3)
            assert read.total == (len(read.invoices) if is_counted else None)

    async def test_of_one_invoice_and_of_two(self, told):
        _, second, third = await invoices_of(told)
        for page, binds in (
            (INVOICE, {"invoice_id": second.id}),
            (INVOICE_PAIR, {"from_id": second.id, "to_id": third.id}),
        ):
            read, expected = await both(told, page, **binds)
            assert read == expected
            assert len(read) == len(binds)

    async def test_of_what_is_open_what_a_charge_was_of_and_what_credit_has_paid(self, told):
        first, second, _ = await invoices_of(told)
        for page, binds, count in (
            (OPEN_INVOICES, {}, 1),
            (ATTEMPTED_INVOICE, {"attempt_id": "att_none"}, 0),
            (SETTLED_INVOICES, {"invoice_id": first.id}, 0),
            (SETTLED_INVOICES, {"invoice_id": second.id}, 0),
        ):
            read, expected = await both(told, page, **binds)
            assert read == expected
            assert len(read) == count

    async def test_of_the_list_of_calls(self, told):
        for has_disposition, (is_billed, count) in product([True, False], [(True, 41), (False, 2), (None, 43)]):
            page = calls_page(has_disposition=has_disposition, is_billed=is_billed, is_counted=True)
            binds = {**END, "before_at": END["after_at"], **({"disposition": "MESSAGE"} if has_disposition else {})}
            read, expected = await both(told, page, **binds)
            assert read == expected
            assert read.total == len(read.calls) == count

    async def test_of_the_calls_behind_every_kind_of_line(self, told):
        kinds = {LineKind.OVERAGE: 41, LineKind.PATCH: 39, LineKind.IVR: 39, LineKind.ADJUSTMENT: 4}
        for kind, count in kinds.items():
            page = underlying_calls_page(kind, is_counted=True)
            earlier = {"earlier_watermark": 40} if kind is LineKind.ADJUSTMENT else {}
            read, expected = await both(told, page, **JULY, **START, watermark=43, **earlier)
            assert read == expected
            assert read.total == len(read.calls) == count

    async def test_of_a_month_and_of_one_call_and_of_the_catalogue(self, told):
        account_id = (await invoices_of(told))[0].account_id
        for page, binds in (
            (MONTH_CALLS, {**JULY, **START, "watermark": 43}),
            (CALL, {"account_id": account_id, "seq": 3}),
            (CATALOGUE, {}),
        ):
            read, expected = await both(told, page, **binds)
            assert read == expected
            assert read


class TestUnderlyingUsage:
    async def test_it_is_what_the_check_of_the_books_adds_up_at_every_watermark(self, told):
        account_id = (await invoices_of(told))[0].account_id
        since, before = pacific(2026, 7, 1).date(), pacific(2026, 8, 1).date()
        for watermark in (0, 1, 17, 40, 41, 42, 43):
            read, expected = await both(told, UNDERLYING_USAGE, **JULY, watermark=watermark)
            sums = await unit_of_work.read(
                told,
                lambda uow: uow.calls.sum_days(account_id, since, before, watermark),  # noqa: B023  (read at once)
            )
            assert read == expected
            assert read == [
                UsageOfDay(on, one.live_seconds, one.patch_seconds, one.ivr_seconds, one.call_count)
                for on, one in sorted(sums.items())
            ]


class TestIsolation:
    async def test_no_page_shows_another_account_anything(self, told):
        second = (await invoices_of(told))[1]
        requests = [
            INVOICE.request(account="AA0202", invoice_id=second.id),
            INVOICE_PAIR.request(account="AA0202", from_id=second.id, to_id=second.id),
            CALL.request(account="AA0202", account_id=second.account_id, seq=1),
            UNDERLYING_USAGE.request(account="AA0202", **JULY, watermark=43),
            OPEN_INVOICES.request(account="AA0202"),
            SETTLED_INVOICES.request(account="AA0202", invoice_id=second.id),
        ]
        assert await told.reader.load(*requests) == [[], [], None, [], [], []]
        pages = [
            MONTH_CALLS.request(account="AA0202", **JULY, **START, watermark=43),
            calls_page(has_disposition=False, is_billed=None, is_counted=False).request(account="AA0202", **END),
        ]
        assert [page.calls for page in await told.reader.load(*pages)] == [[], []]
