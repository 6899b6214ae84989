"""The documents of an invoice over HTTP: what a signed link opens, and what it does not."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest

from app.services.invoices import invoice_calls
from app.services.invoices.document_links import DocumentClaim, DocumentKind, sign
from tests.every_kind import tell_every_kind
from tests.factories.calls import a_call
from tests.fakes.edge import client
from tests.story import invoice_ids, late_calls, tell
from tests.trips import counted_trips
from tests.world import ACCOUNT, SECRET, World, pacific

LINKS = "query Links($id: ID!) { invoice(id: $id) { documents { html csv callsCsv pdf expiresAt } } }"

NAME = '=HYPERLINK("http://evil") שירותי <b>מענה</b>'


@pytest.fixture
async def told(world: World) -> World:
    await tell(world, name=NAME)
    return world


async def links(world: World, number: int) -> dict[str, str]:
    ids = await invoice_ids(world)
    data = await world.data(LINKS, variables={"id": ids[number - 100_001]})
    return data["invoice"]["documents"]


async def fetch(world: World, address: str, method: str = "GET") -> httpx2.Response:
    """Open a link as a browser tab does: without a token."""
    async with client(world.application) as http:
        return await http.request(method, address)


async def table(world: World, number: int, kind: str) -> list[dict[str, str]]:
    answer = await fetch(world, (await links(world, number))[kind])
    assert answer.status_code == 200
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


class TestEveryDocument:
    @pytest.mark.parametrize(
        ("kind", "media_type", "disposition"),
        [
            ("html", "text/html; charset=utf-8", 'inline; filename="invoice-100002.html"'),
            ("csv", "text/csv; charset=utf-8; header=present", 'attachment; filename="invoice-100002.csv"'),
            ("callsCsv", "text/csv; charset=utf-8; header=present", 'attachment; filename="invoice-100002-calls.csv"'),
            ("pdf", "application/pdf", 'inline; filename="invoice-100002.pdf"'),
        ],
    )
    async def test_says_what_it_is_and_is_kept_nowhere(self, told, kind, media_type, disposition):
        answer = await fetch(told, (await links(told, 100_002))[kind])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"] == disposition
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")

    async def test_takes_one_trip_to_the_database(self, told):
        found = await links(told, 100_002)
        for kind in ("html", "csv", "pdf"):
            async with counted_trips() as trips:
                await fetch(told, found[kind])
            assert trips.count == 1

    async def test_links_cost_no_trip_of_their_own(self, told):
        ids = await invoice_ids(told)
        async with counted_trips() as trips:
            await told.data(LINKS, variables={"id": ids[0]})
        assert trips.count == 1


class TestPage:
    async def test_shows_lines_payments_and_balance(self, told):
        page = (await fetch(told, (await links(told, 100_002))["html"])).text
        shown = [
            "Invoice 100002",
            "173 min live - 100 min included = 73 min × $1.29 a minute = $94.17",
            "Check 1042, received August 2, 2026",
            "-$226.50",
            "Paid",
        ]
        assert [words for words in shown if words not in page] == []
        assert "<b>מענה</b>" not in page

    async def test_shows_credit_and_what_is_due(self, told):
        page = (await fetch(told, (await links(told, 100_003))["html"])).text
        assert "from an earlier payment, August 2, 2026" in page
        assert "-$100.00" in page
        assert "$46.81" in page


class TestLinesTable:
    async def test_amounts_add_up_to_the_total(self, told):
        rows = await table(told, 100_002, "csv")
        assert sum(Decimal(row["Amount"]) for row in rows) == Decimal("237.50")
        assert [row["Kind"] for row in rows] == ["BASE", "OVERAGE", "PATCH", "IVR"]
        assert (rows[1]["First day"], rows[1]["Last day"], rows[1]["Quantity"]) == ("2026-07-01", "2026-07-31", "4380")

    async def test_a_name_that_would_be_a_formula_stands_behind_an_apostrophe(self, told):
        assert {row["Account"] for row in await table(told, 100_002, "csv")} == {"'" + NAME}


class TestCallsTable:
    async def test_billed_calls_add_up_to_the_lines(self, told):
        rows = await table(told, 100_002, "callsCsv")
        assert {row["Part of the invoice"] for row in rows} == {"Usage of July 2026"}
        billed = [row for row in rows if row["Billed"] == "yes"]
        assert sum(int(row["Live seconds"]) for row in billed) == 10_380
        assert sum(int(row["IVR seconds"]) for row in billed) == 1_200

    async def test_what_came_in_late_stands_under_its_correction(self, told):
        """Rule 25."""
        rows = await table(told, 100_003, "callsCsv")
        assert {row["Part of the invoice"] for row in rows} == {"Correction for July 2026"}
        assert [(row["Live seconds"], row["Billed"], row["Corrected"]) for row in rows] == [
            ("10", "yes", "no"),
            ("242", "no", "yes"),
            ("600", "yes", "no"),
            ("150", "no", "no"),
        ]

    async def test_a_final_invoice_has_the_calls_of_its_own_month_and_then_the_late_ones(self, world):
        await tell_every_kind(world)
        rows = await table(world, 100_007, "callsCsv")
        assert [(row["Part of the invoice"], row["Live seconds"]) for row in rows] == [
            ("Usage of August 2026", "6600"),
            ("Correction for July 2026", "600"),
        ]

    async def test_a_first_invoice_has_no_calls(self, told):
        assert await table(told, 100_001, "callsCsv") == []

    async def test_it_is_read_in_pieces_and_none_is_lost(self, told, monkeypatch):
        monkeypatch.setitem(invoice_calls.invoice_calls.__kwdefaults__, "at_a_time", 7)
        assert len(await table(told, 100_002, "callsCsv")) == 40

    async def test_a_disposition_that_would_be_a_formula_stands_behind_an_apostrophe(self, told):
        await told.add_calls(a_call(event_id="evil", started_at=pacific(2026, 9, 1, 9), disposition='@SUM(1)"\r\n,x'))
        await told.advance_to(pacific(2026, 10, 2, 12))
        (row,) = await table(told, 100_004, "callsCsv")
        assert row["Disposition"] == "'@SUM(1)\"\r\n,x"

    async def test_it_stays_as_it_was_when_the_invoice_was_issued(self, told):
        before = await table(told, 100_002, "callsCsv")
        later = [call._replace(event_id=f"{call.event_id} again") for call in late_calls()[:1]]
        await told.add_calls(*later)
        assert await table(told, 100_002, "callsCsv") == before


class TestOtherKinds:
    async def test_a_credit_note_is_called_one_and_names_its_invoice(self, world):
        """Rule 27."""
        await tell_every_kind(world)
        page = (await fetch(world, (await links(world, 100_006))["html"])).text
        shown = (
            "<h1>Credit note 100006</h1>",
            "On invoice 100004",
            "charged $499.00, given back now $50.00",
            "-$50.00",
        )
        assert [text for text in shown if text not in page] == []

    async def test_tax_stands_below_the_lines_of_the_page_and_among_the_rows_of_the_table(self, world):
        await tell_every_kind(world)
        page = (await fetch(world, (await links(world, 100_005))["html"])).text
        assert page.index("Subtotal") < page.index("6.5 % of $374.25 = $24.33") < page.index('row">Total')
        rows = await table(world, 100_005, "csv")
        assert sum(Decimal(row["Amount"]) for row in rows) == Decimal("398.58")
        assert (rows[-1]["Kind"], rows[-1]["Amount"]) == ("TAX", "24.33")

    async def test_every_kind_has_every_document(self, world):
        await tell_every_kind(world)
        for number in range(100_001, 100_008):
            for kind, address in (await links(world, number)).items():
                if address and kind != "expiresAt":
                    assert (await fetch(world, address)).status_code == 200


class TestRefusals:
    async def test_a_link_is_good_for_half_an_hour_of_real_time(self, told):
        found = await links(told, 100_002)
        told.clock.instant += timedelta(days=300)
        assert (await fetch(told, found["html"])).status_code == 200
        told.real_clock.instant += timedelta(minutes=30)
        answer = await fetch(told, found["html"])
        assert answer.status_code == 410
        assert "30 minutes" in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"

    async def test_a_tampered_link_opens_nothing_and_reads_nothing(self, told):
        address = (await links(told, 100_002))["html"]
        async with counted_trips() as trips:
            answers = [await fetch(told, each) for each in (address[:-3] + "AAA", address + "x", address[:-60])]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert all("Go back to the invoice" in answer.text for answer in answers)
        assert trips.count == 0

    async def test_an_invoice_of_another_account_is_as_unknown_as_a_missing_one(self, told):
        await told.add_account("AA0202")
        ids = await invoice_ids(told)
        until = told.real_clock.instant + timedelta(minutes=30)
        pairs = [("AA0202", ids[1]), (ACCOUNT, "inv_00000000000000000000000000")]
        tokens = [sign(DocumentClaim(account, id_, DocumentKind.HTML, until), SECRET) for account, id_ in pairs]
        answers = [await fetch(told, f"http://flex.test/documents/{token}") for token in tokens]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text

    async def test_a_pdf_that_cannot_be_made_names_the_extra(self, told, monkeypatch):
        address = (await links(told, 100_002))["pdf"]
        monkeypatch.setattr("app.messages.invoice_pdf.find_spec", lambda _: None)
        answer = await fetch(told, address)
        assert answer.status_code == 404
        assert "flex-billing[pdf]" in answer.text

    async def test_only_reading_is_allowed(self, told):
        address = (await links(told, 100_002))["html"]
        assert (await fetch(told, address, "POST")).status_code == 405
        assert (await fetch(told, address, "HEAD")).status_code == 200
