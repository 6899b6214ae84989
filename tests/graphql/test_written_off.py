"""An invoice that was given up on and paid after all: what its payments list, its balance, and its documents say."""

from __future__ import annotations

import pytest

from app.messages.invoice_words import Sum, invoice_words
from app.repositories.pages.invoices import INVOICE
from app.services.adjustments.write_off import write_off_invoice
from tests.services.staff import WHY, by_ann
from tests.trips import counted_trips
from tests.world import ACCOUNT, pacific

SHOW = """query ($id: ID!) { invoice(id: $id) {
  status paidAt total { amount } balance { amount } payments { kind amount { amount } reference receivedOn }
} }"""


@pytest.fixture
async def written_off(world):
    """$39.00 of July's $139.00 are paid, the rest is written off; August's is paid. In the end the books agree."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 2, 12))
    await world.pay(39_00, reference="first")
    await write_off_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)
    await world.pay(139_00)
    yield world
    assert await world.differences() == []


async def first_id(world):
    return (await world.issued())[0].id


async def show(world):
    return (await world.data(SHOW, variables={"id": await first_id(world)}))["invoice"]


async def words(world):
    """What every document of it says."""
    ((found,),) = await world.database.reader.load(INVOICE.request(account=ACCOUNT, invoice_id=await first_id(world)))
    return invoice_words(found)


def cents(shown):
    return int(shown.replace("$", "").replace(".", "").replace(",", ""))


def check_sums(said):
    """From the lines to the total, and from there to the balance, each row adds what it shows."""
    total, *between, balance = said.sums
    assert sum(cents(line.amount) for line in said.lines) == cents(total.amount)
    assert sum(cents(each.amount) for each in (total, *between)) == cents(balance.amount)


class TestRecovered:
    async def test_before_any_money_it_owes_what_is_written_off(self, written_off):
        invoice = await show(written_off)
        assert (invoice["status"], invoice["paidAt"]) == ("UNCOLLECTIBLE", None)
        assert invoice["balance"] == {"amount": "100.00"}
        check_sums(await words(written_off))

    async def test_in_part_the_money_is_among_its_payments_and_the_rest_stays_written_off(self, written_off):
        await written_off.pay(60_00, reference="later")

        invoice, said = await show(written_off), await words(written_off)

        assert (invoice["status"], invoice["balance"], invoice["paidAt"]) == (
            "UNCOLLECTIBLE",
            {"amount": "40.00"},
            None,
        )
        assert [(each["kind"], each["amount"]["amount"], each["reference"]) for each in invoice["payments"]] == [
            ("CHECK", "39.00", "first"),
            ("CHECK", "60.00", "later"),
        ]
        assert said.sums == (
            Sum("Total", "$139.00"),
            Sum("Payment", "-$39.00", "Check first, received August 2, 2026"),
            Sum("Payment", "-$60.00", "Check later, received August 2, 2026"),
            Sum("Balance", "$40.00", "written off", is_final=True),
        )
        check_sums(said)

    async def test_in_full_it_is_paid(self, written_off):
        await written_off.pay(60_00)
        await written_off.advance_to(pacific(2026, 8, 9, 12))
        await written_off.pay(40_00)

        invoice, said = await show(written_off), await words(written_off)

        assert (invoice["status"], invoice["balance"]) == ("PAID", {"amount": "0.00"})
        assert invoice["paidAt"] == "2026-08-09T19:00:00.000Z"
        assert [each["amount"]["amount"] for each in invoice["payments"]] == ["39.00", "60.00", "40.00"]
        assert (said.status, said.sums[-1]) == ("Paid", Sum("Balance", "$0.00", is_final=True))
        check_sums(said)

    async def test_is_found_by_its_status(self, written_off):
        query = "{{ invoices(filter: {{status: {}}}) {{ nodes {{ number }} }} }}"
        await written_off.pay(60_00)
        found = (await written_off.data(query.format("UNCOLLECTIBLE")))["invoices"]["nodes"]
        assert found == [{"number": "100001"}]
        await written_off.pay(40_00)
        assert (await written_off.data(query.format("UNCOLLECTIBLE")))["invoices"]["nodes"] == []

    async def test_is_shown_in_one_trip(self, written_off):
        await written_off.pay(60_00)
        invoice_id = await first_id(written_off)
        async with counted_trips() as trips:
            await written_off.data(SHOW, variables={"id": invoice_id})
        assert trips.count == 1, trips.statements
