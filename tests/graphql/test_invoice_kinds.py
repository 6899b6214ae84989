"""Invoices of every kind over HTTP, with every kind of line, and what is left to pay whatever moved it."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import LineKind
from app.domain.ledger import BOOKS_OF, Book
from app.graphql.schema import schema
from app.graphql.types.invoice import CREDIT_ORIGINS
from app.graphql.types.line_kinds import KIND_TYPES, LINE_TYPES
from app.services.adjustments.grant_credit import grant_goodwill, record_prepayment
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import write_off_invoice
from tests.every_kind import give_back, move_to, set_tax, talk, tell_every_kind
from tests.services.staff import WHY, by_ann
from tests.trips import counted_trips
from tests.world import pacific

SHOW = """query Show($id: ID!) { invoice(id: $id) {
  id number kind kindDisplayName status corrects period { startsOn }
  subtotal { amount } tax { amount } total { amount } creditApplied { amount } creditCreated { amount }
  amountDue { amount } balance { amount }
  credits { amount { amount } grantedOn origin } payments { amount { amount } }
  documents { html csv callsCsv }
  lines { __typename id kind displayName amount { amount }
    ... on PlanLine { planCode paidDays }
    ... on AddOnLine { addOnCode addOnName paidDays }
    ... on ChargeLine { corrects correctsNumber }
    ... on TaxLine { taxName percentage taxed { amount } }
    ... on MeteredLine { usage { live { minutes } callCount } calls { totalCount nodes { live { minutes } } } } }
} }"""

OPEN_BALANCE = "{ billingSummary { openBalance { amount } creditBalance { amount } } }"


@pytest.fixture
async def told(world):
    await tell_every_kind(world)
    return world


@pytest.fixture
async def august(world):
    """Two open invoices of $139.00; it is noon of 10 August."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 10, 12))
    return world


async def show(world, number):
    [invoice] = [each for each in await world.issued() if each.number == number]
    return (await world.data(SHOW, variables={"id": invoice.id}))["invoice"]


async def everything(world):
    return [await show(world, invoice.number) for invoice in await world.issued()]


async def summary(world):
    found = (await world.data(OPEN_BALANCE))["billingSummary"]
    return found["openBalance"]["amount"], found["creditBalance"]["amount"]


def amounts(invoice):
    return [(line["__typename"], line["kind"], line["amount"]["amount"]) for line in invoice["lines"]]


def own(line, *fields):
    return tuple(line[field] for field in fields)


def cents(money):
    return int(money["amount"].replace(".", ""))


class TestEveryKind:
    async def test_is_shown_with_its_name(self, told):
        shown = [(each["number"], each["kind"], each["kindDisplayName"]) for each in await everything(told)]
        assert shown == [
            ("100001", "CYCLE", "Monthly invoice"),
            ("100002", "PLAN_CHANGE", "Plan change"),
            ("100003", "ADD_ON", "Add-on"),
            ("100004", "PLAN_UPGRADE", "Automatic plan upgrade"),
            ("100005", "CYCLE", "Monthly invoice"),
            ("100006", "CREDIT_NOTE", "Credit note"),
            ("100007", "FINAL", "Final invoice"),
        ]
        assert {kind for _, kind, _ in shown} == set(InvoiceKind)

    async def test_adds_up_from_its_lines_over_tax_and_credit_to_the_balance(self, told):
        for invoice in await everything(told):
            lines = sum(cents(line["amount"]) for line in invoice["lines"])
            assert lines == cents(invoice["total"]) == cents(invoice["subtotal"]) + cents(invoice["tax"])
            tax = sum(cents(line["amount"]) for line in invoice["lines"] if line["kind"] == "TAX")
            assert tax == cents(invoice["tax"])
            credit = sum(cents(each["amount"]) for each in invoice["credits"])
            assert cents(invoice["balance"]) == max(0, lines) - credit

    async def test_balances_add_up_to_what_the_summary_says_is_open(self, told):
        """Rule 35."""
        balances = sum(cents(invoice["balance"]) for invoice in await everything(told))
        assert (await summary(told))[0] == f"{balances / 100:.2f}" == "915.82"

    async def test_is_found_among_the_invoices_of_its_month(self, told):
        query = '{ invoices(filter: {month: "2026-07"}) { totalCount nodes { number kind } } }'
        found = (await told.data(query))["invoices"]
        assert [node["number"] for node in found["nodes"]] == ["100004", "100003", "100002", "100001"]

    async def test_has_documents_and_calls_only_where_it_bills_usage(self, told):
        kinds = {each["kind"]: each["documents"] for each in await everything(told)}
        assert all(documents["html"] and documents["csv"] for documents in kinds.values())
        assert {kind for kind, documents in kinds.items() if documents["callsCsv"]} == {"CYCLE", "FINAL"}

    async def test_takes_one_trip_with_its_lines_and_one_more_for_what_is_behind_them(self, told):
        ids = [invoice.id for invoice in await told.issued()]
        async with counted_trips() as trips:
            await told.data(SHOW, variables={"id": ids[3]})
        assert trips.count == 1
        async with counted_trips() as trips:
            await told.data(SHOW, variables={"id": ids[6]})
        assert trips.count == 2


class TestEveryLine:
    def test_has_a_type_that_clients_can_ask_for(self):
        assert set(KIND_TYPES) == set(LineKind)
        assert {kind for kind, _ in KIND_TYPES.values()} == set(LINE_TYPES)
        implemented = {kind.name for kind in schema._schema.get_possible_types(schema._schema.type_map["InvoiceLine"])}
        assert implemented == {kind.__name__ for kind in LINE_TYPES}

    async def test_of_a_plan_that_is_given_back_names_it(self, told):
        """Rule 13."""
        new, old = (await show(told, 100_002))["lines"]
        assert own(new, "__typename", "kind", "planCode", "paidDays") == ("PlanLine", "BASE", "220", 31)
        assert own(old, "__typename", "kind", "planCode", "paidDays") == ("PlanLine", "BASE_REVERSAL", "100", 31)
        assert (new["amount"]["amount"], old["amount"]["amount"]) == ("239.00", "-139.00")

    async def test_of_a_plan_given_back_in_a_first_month_has_the_days_that_were_paid(self, world):
        """Rules 9 and 13: 159.40 - 92.60 = $66.80."""
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 9, 20, 12))
        await move_to(world, "220")
        change = await show(world, 100_002)
        assert [(line["paidDays"], line["amount"]["amount"]) for line in change["lines"]] == [
            (20, "159.40"),
            (20, "-92.60"),
        ]
        assert change["balance"] == {"amount": "66.80"}

    async def test_of_an_add_on_has_the_days_it_bills(self, told):
        """Rule 22: 17 days of July, then all of August."""
        bought = (await show(told, 100_003))["lines"][0]
        recurring = (await show(told, 100_005))["lines"][1]
        assert own(bought, "__typename", "addOnCode", "addOnName", "paidDays") == (
            "AddOnLine",
            "on_call",
            "On-Call",
            17,
        )
        assert own(recurring, "__typename", "addOnCode", "paidDays") == ("AddOnLine", "on_call", 31)

    async def test_of_a_credit_note_leads_to_the_invoice_it_gives_back_of(self, told):
        """Rule 27."""
        corrected, note = await show(told, 100_004), await show(told, 100_006)
        [line] = note["lines"]
        assert own(line, "__typename", "kind", "corrects", "correctsNumber") == (
            "ChargeLine",
            "CORRECTION",
            corrected["id"],
            "100004",
        )
        assert (note["corrects"], note["creditCreated"]) == (corrected["id"], {"amount": "50.00"})

    async def test_of_a_single_charge_corrects_nothing(self, told):
        line = (await show(told, 100_007))["lines"][3]
        assert own(line, "__typename", "displayName", "corrects", "correctsNumber") == (
            "ChargeLine",
            "Script rewritten",
            None,
            None,
        )

    async def test_of_tax_has_its_rate_and_what_it_is_on(self, told):
        invoice = await show(told, 100_005)
        line = invoice["lines"][-1]
        assert own(line, "__typename", "taxName", "percentage") == ("TaxLine", "Kansas sales tax", "6.5")
        assert line["taxed"] == invoice["subtotal"] == {"amount": "374.25"}
        assert (invoice["tax"], invoice["total"]) == ({"amount": "24.33"}, {"amount": "398.58"})

    async def test_is_found_again_by_its_id(self, told):
        query = "query ($id: ID!) { node(id: $id) { id __typename } }"
        for invoice in await everything(told):
            for line in invoice["lines"]:
                assert (await told.data(query, variables={"id": line["id"]}))["node"] == own_node(line)


def own_node(line):
    return {"id": line["id"], "__typename": line["__typename"]}


class TestUnderlyingCalls:
    async def test_of_a_final_invoice_are_those_of_its_own_month(self, told):
        patch, ivr, late, *_ = (await show(told, 100_007))["lines"]
        for line in (patch, ivr):
            assert line["usage"] == {"live": {"minutes": "110.00"}, "callCount": 1}
            assert [call["live"]["minutes"] for call in line["calls"]["nodes"]] == ["110.00"]
        assert [call["live"]["minutes"] for call in late["calls"]["nodes"]] == ["10.00"]

    async def test_of_a_month_stand_across_the_invoices_in_between(self, told):
        overage = (await show(told, 100_005))["lines"][2]
        assert overage["usage"] == {"live": {"minutes": "600.00"}, "callCount": 1}
        assert overage["calls"]["totalCount"] == 1

    async def test_of_a_correction_are_those_since_the_last_invoice_of_usage_and_not_since_any_other(self, world):
        """Rule 25: a change of plan in between has seen the late call, and billed no usage."""
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 20, 12))
        await world.add_calls(talk("july", pacific(2026, 7, 20, 9), 120))
        await world.advance_to(pacific(2026, 8, 5, 12))
        await world.add_calls(talk("late", pacific(2026, 7, 30, 9), 7))
        await move_to(world, "220")
        await world.add_calls(talk("later", pacific(2026, 7, 31, 9), 8))
        await give_back(world, 100_001, {1: 1_00}, "note")
        await world.advance_to(pacific(2026, 9, 2, 12))
        [correction] = [line for line in (await show(world, 100_005))["lines"] if line["kind"] == "ADJUSTMENT"]
        assert correction["amount"] == {"amount": "19.35"}
        assert [call["live"]["minutes"] for call in correction["calls"]["nodes"]] == ["7.00", "8.00"]

    async def test_of_a_correction_issued_again_are_those_of_the_void_one(self, world):
        """Rules 25 and 27: the void invoice billed nothing, so the one in its place brings the late call as well."""
        await world.add_account()
        await world.advance_to(pacific(2026, 8, 5, 12))
        await world.add_calls(talk("late", pacific(2026, 7, 30, 9), 107))
        await world.advance_to(pacific(2026, 9, 2, 12))
        await void_invoice(world.services, by_ann(), invoice_number=100_003, **WHY)
        void, again = await show(world, 100_003), await show(world, 100_004)
        assert void["lines"][1]["calls"] == again["lines"][1]["calls"]
        assert again["lines"][1]["calls"]["totalCount"] == 1


class TestWhatIsLeftToPay:
    async def test_a_credit_note_pays_for_its_invoice_after_the_issue(self, told):
        """Rules 27 and 35."""
        invoice = await show(told, 100_004)
        assert own(invoice, "creditApplied", "amountDue", "balance") == (
            {"amount": "0.00"},
            {"amount": "260.00"},
            {"amount": "210.00"},
        )
        assert invoice["credits"] == [
            {
                "amount": {"amount": "50.00"},
                "grantedOn": "2026-08-02",
                "origin": "An earlier invoice came out below zero, or a credit note was written",
            }
        ]

    async def test_payments_go_on_from_there_and_settle_it(self, told):
        earlier = sum([cents((await show(told, number))["balance"]) for number in (100_001, 100_002, 100_003)])
        recorded = await told.pay(earlier + 210_00)
        invoice = await show(told, 100_004)
        assert (invoice["status"], invoice["balance"]) == ("PAID", {"amount": "0.00"})
        assert invoice["payments"] == [{"amount": {"amount": "210.00"}}]
        assert recorded.credit_cents == 0

    async def test_a_void_invoice_owes_nothing_and_the_one_in_its_place_says_so(self, august):
        """Rule 27."""
        await august.pay(278_00)
        await grant_goodwill(august.services, by_ann(), amount_cents=30_00, reference="sorry", **WHY)
        await august.advance_to(pacific(2026, 9, 2, 12))
        await void_invoice(august.services, by_ann(), invoice_number=100_003, **WHY)
        void, again = await show(august, 100_003), await show(august, 100_004)
        assert void["status"] == InvoiceStatus.VOID
        assert own(void, "amountDue", "balance") == ({"amount": "109.00"}, {"amount": "0.00"})
        assert (again["corrects"], again["balance"]) == (void["id"], {"amount": "109.00"})
        assert [each["origin"] for each in void["credits"] + again["credits"]] == [
            "We gave it to you as goodwill",
            "An invoice that had used it was withdrawn",
        ]
        assert (await summary(august)) == ("109.00", "0.00")

    async def test_what_was_written_off_stays_in_sight_and_is_not_open_any_more(self, august):
        await august.pay(39_00)
        await write_off_invoice(august.services, by_ann(), invoice_number=100_001, **WHY)
        invoice = await show(august, 100_001)
        assert (invoice["status"], invoice["balance"]) == (InvoiceStatus.UNCOLLECTIBLE, {"amount": "100.00"})
        assert (await summary(august))[0] == "139.00"

    async def test_money_paid_in_advance_pays_for_the_next_invoice(self, august):
        await august.pay(278_00)
        await record_prepayment(
            august.services, by_ann(), amount_cents=100_00, reference="1042", received_on=date(2026, 8, 10), **WHY
        )
        await august.advance_to(pacific(2026, 9, 2, 12))
        invoice = await show(august, 100_003)
        assert invoice["credits"] == [
            {"amount": {"amount": "100.00"}, "grantedOn": "2026-08-10", "origin": "You paid in advance"}
        ]
        assert invoice["balance"] == {"amount": "39.00"}

    async def test_goodwill_pays_for_what_is_open_at_once_the_oldest_first(self, august):
        """Rule 35."""
        await grant_goodwill(august.services, by_ann(), amount_cents=150_00, reference="sorry", **WHY)
        first, second = await show(august, 100_001), await show(august, 100_002)
        assert (first["status"], first["balance"], second["balance"]) == (
            "PAID",
            {"amount": "0.00"},
            {"amount": "128.00"},
        )
        assert own(second, "creditApplied", "amountDue") == ({"amount": "0.00"}, {"amount": "139.00"})
        assert second["credits"] == [
            {"amount": {"amount": "11.00"}, "grantedOn": "2026-08-10", "origin": "We gave it to you as goodwill"}
        ]
        assert (await summary(august)) == ("128.00", "0.00")

    async def test_tax_that_is_given_back_is_credit_of_its_own(self, world):
        """Rules 11 and 27: a paid invoice with 6.5 % tax, given back whole."""
        await world.add_account()
        await set_tax(world, valid_from=date(2026, 7, 1))
        await world.advance_to(pacific(2026, 8, 10, 12))
        await world.pay(296_08)
        await give_back(world, 100_002, {}, "note")
        await world.advance_to(pacific(2026, 9, 2, 12))
        note, september = await show(world, 100_003), await show(world, 100_004)
        assert amounts(note) == [("ChargeLine", "CORRECTION", "-139.00"), ("TaxLine", "TAX", "-9.04")]
        assert own(note, "subtotal", "tax") == ({"amount": "-139.00"}, {"amount": "-9.04"})
        assert [(each["amount"]["amount"], each["origin"][:7]) for each in september["credits"]] == [
            ("139.00", "An earl"),
            ("9.04", "The tax"),
        ]
        assert (september["status"], september["balance"]) == ("PAID", {"amount": "0.00"})

    def test_every_way_to_credit_has_an_origin_in_words(self):
        granting = {kind for kind, (_, credited) in BOOKS_OF.items() if credited is Book.CUSTOMER_CREDIT}
        assert set(CREDIT_ORIGINS) == granting
