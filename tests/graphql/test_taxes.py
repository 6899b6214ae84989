"""Several taxes on an invoice as a client sees them: what each charges, and which invoice's tax is given back."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.invoice_lines import LineKind
from app.domain.taxes import TaxRate
from app.services.adjustments.set_taxes import set_taxes
from tests.every_kind import give_back, move_to
from tests.graphql.test_invoice_kinds import cents
from tests.services.staff import WHY, by_ann
from tests.trips import counted_trips
from tests.world import pacific

STATE, CITY = "Kansas sales tax", "Wichita sales tax"

SHOW = """query ($id: ID!) { invoice(id: $id) {
  subtotal { amount } tax { amount } total { amount } balance { amount }
  taxes { name percentage taxed { amount } amount { amount } reversesNumber }
  lines { __typename kind displayName amount { amount } explanation { arithmetic }
    ... on TaxLine { taxName percentage taxed { amount } reversesNumber } }
} }"""


async def tax(world, *rates: TaxRate, valid_from: date = date(2026, 7, 1)) -> None:
    await set_taxes(world.services, by_ann(), taxes=rates, valid_from=valid_from, **WHY)


async def show(world, number):
    [found] = [each for each in await world.issued() if each.number == number]
    return (await world.data(SHOW, variables={"id": found.id}))["invoice"]


def taxes(invoice):
    return [
        (each["name"], each["percentage"], each["taxed"]["amount"], each["amount"]["amount"], each["reversesNumber"])
        for each in invoice["taxes"]
    ]


def check_sums(invoice):
    """The taxes are the lines of tax, and add up to the tax; subtotal and tax add up to the total."""
    lines = [line for line in invoice["lines"] if line["__typename"] == "TaxLine"]
    assert taxes(invoice) == [
        (
            line["taxName"],
            line["percentage"],
            line["taxed"]["amount"],
            line["amount"]["amount"],
            line["reversesNumber"],
        )
        for line in lines
    ]
    assert sum(cents(each["amount"]) for each in invoice["taxes"]) == cents(invoice["tax"])
    assert cents(invoice["subtotal"]) + cents(invoice["tax"]) == cents(invoice["total"])
    assert sum(cents(line["amount"]) for line in invoice["lines"]) == cents(invoice["total"])


@pytest.fixture
async def taxed(world):
    """6.5 % to the state and 1.25 % to the city; July on plan 100 is billed and paid. In the end the books agree."""
    await world.add_account()
    await tax(world, TaxRate(STATE, 65_000), TaxRate(CITY, 12_500))
    await world.advance_to(pacific(2026, 7, 10, 12))
    await world.pay(149_78)
    yield world
    assert await world.differences() == []


class TestTwoTaxes:
    async def test_each_is_rounded_by_itself_and_has_a_line_of_its_own(self, taxed):
        invoice = await show(taxed, 100_001)
        assert taxes(invoice) == [
            (STATE, "6.5", "139.00", "9.04", None),
            (CITY, "1.25", "139.00", "1.74", None),
        ]
        assert (invoice["tax"], invoice["total"]) == ({"amount": "10.78"}, {"amount": "149.78"})
        check_sums(invoice)

    async def test_a_change_gives_back_what_the_month_was_taxed_and_names_its_invoice(self, taxed):
        """The city raises its tax between the two: what is given back has the rate of then."""
        await tax(taxed, TaxRate(STATE, 65_000), TaxRate(CITY, 28_750), valid_from=date(2026, 7, 5))
        await move_to(taxed, "220")
        change = await show(taxed, 100_002)
        assert taxes(change) == [
            (STATE, "6.5", "239.00", "15.54", None),
            (CITY, "2.875", "239.00", "6.87", None),
            (STATE, "6.5", "-139.00", "-9.04", "100001"),
            (CITY, "1.25", "-139.00", "-1.74", "100001"),
        ]
        assert change["total"] == change["balance"] == {"amount": "111.63"}
        assert change["lines"][-2]["displayName"] == f"{STATE} of invoice 100001: given back"
        check_sums(change)

    async def test_a_credit_note_gives_back_its_share_of_each(self, taxed):
        await give_back(taxed, 100_001, {1: 100_00}, "N1")
        await give_back(taxed, 100_001, {1: 39_00}, "N2")
        first, second = await show(taxed, 100_002), await show(taxed, 100_003)
        assert taxes(first) == [
            (STATE, "6.5", "-100.00", "-6.50", "100001"),
            (CITY, "1.25", "-100.00", "-1.25", "100001"),
        ]
        assert taxes(second) == [
            (STATE, "6.5", "-39.00", "-2.54", "100001"),
            (CITY, "1.25", "-39.00", "-0.49", "100001"),
        ]
        for note in (first, second):
            check_sums(note)

    async def test_credit_kept_on_a_new_price_takes_the_tax_of_that_price_off(self, taxed):
        await give_back(taxed, 100_001, {1: 39_00}, "N1")
        await move_to(taxed, "220")
        change = await show(taxed, 100_003)
        assert [(line["__typename"], line["kind"], line["amount"]["amount"]) for line in change["lines"][:3]] == [
            ("PlanLine", "BASE", "239.00"),
            ("PlanLine", "BASE_REVERSAL", "-100.00"),
            ("ChargeLine", "CREDIT_KEPT", "-39.00"),
        ]
        assert change["lines"][2]["displayName"] == "Credit kept from credit note 100002"
        assert taxes(change) == [
            (STATE, "6.5", "239.00", "15.54", None),
            (CITY, "1.25", "239.00", "2.99", None),
            (STATE, "6.5", "-39.00", "-2.54", None),
            (CITY, "1.25", "-39.00", "-0.49", None),
            (STATE, "6.5", "-100.00", "-6.50", "100001"),
            (CITY, "1.25", "-100.00", "-1.25", "100001"),
        ]
        assert change["total"] == {"amount": "107.75"}
        check_sums(change)

    async def test_are_shown_in_one_trip(self, taxed):
        [invoice] = await taxed.issued()
        async with counted_trips() as trips:
            await taxed.data(SHOW, variables={"id": invoice.id})
        assert trips.count == 1, trips.statements


class TestRates:
    @pytest.mark.parametrize(
        ("rate", "percentage", "amount"),
        [(88_750, "8.875", "12.34"), (92_500, "9.25", "12.86"), (70_000, "7", "9.73"), (12_345, "1.2345", "1.72")],
    )
    async def test_have_up_to_four_decimals(self, world, rate, percentage, amount):
        await world.add_account()
        await tax(world, TaxRate("Sales tax", rate))
        await world.close_now()
        assert taxes(await show(world, 100_001)) == [("Sales tax", percentage, "139.00", amount, None)]

    async def test_a_tax_that_applies_to_nothing_here_has_no_line(self, world):
        await world.add_account()
        await tax(world, TaxRate("Telephone tax", 50_000, (LineKind.PATCH,)), TaxRate("Sales tax", 10_000))
        await world.close_now()
        assert taxes(await show(world, 100_001)) == [("Sales tax", "1", "139.00", "1.39", None)]

    async def test_without_taxes_the_list_is_empty(self, world):
        await world.add_account()
        await world.close_now()
        invoice = await show(world, 100_001)
        assert (invoice["taxes"], invoice["tax"]) == ([], {"amount": "0.00"})
