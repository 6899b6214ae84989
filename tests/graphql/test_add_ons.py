"""Add-ons over HTTP: bought by quote with their terms, cancelled, kept, and what they unlock (rules 22, 23, 36)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from app.domain.accounts import Role
from app.domain.add_ons import AddOnVersion
from app.domain.seed_catalogue import SEED_ADD_ONS
from app.repositories import unit_of_work
from tests.trips import counted_trips
from tests.world import World, pacific

ADD_ONS = (
    "{ addOns { id code displayName description price { amount } terms { version text } state since until unlocks } }"
)
ENTITLEMENTS = "{ entitlements { onCall transcription liveCall queueVoicemail } }"

PREVIEW = """query ($id: ID!) {
  addOnChangePreview(addOnId: $id) {
    __typename
    ... on AddOnQuote {
      id addOnId effectiveOn hash terms { version text } monthlyPrice { amount }
      lines { kind displayName amount { amount } explanation { rule } }
      total { amount } creditApplied { amount } amountDueNow { amount }
    }
    ... on AddOnAlreadyActive { until }
    ... on UserError { code message }
  }
}"""

ACTIVATE = """mutation ($quoteId: ID!, $terms: String!, $key: String!) {
  activateAddOn(input: {quoteId: $quoteId, termsVersion: $terms, idempotencyKey: $key}) {
    __typename
    ... on AddOnActivated {
      addOn { code state since until }
      invoice { id kind hash total { amount } }
      billingSummary { openBalance { amount } nextInvoice { lines { kind amount { amount } } } }
    }
    ... on AddOnQuoteStale { quote { id amountDueNow { amount } } }
    ... on TermsNotAccepted { termsVersion terms }
    ... on UserError { code message }
  }
}"""

CANCEL = """mutation ($id: ID!) {
  cancelAddOn(input: {addOnId: $id}) {
    __typename
    ... on AddOnCancelled { addOn { state since until } billingSummary { nextInvoice { total { amount } } } }
    ... on UserError { code message }
  }
}"""

KEEP = """mutation ($id: ID!) {
  keepAddOn(input: {addOnId: $id}) {
    __typename
    ... on AddOnKept { addOn { state since until } billingSummary { nextInvoice { total { amount } } } }
    ... on UserError { code message }
  }
}"""


async def add_on_id(world, code="on_call", **options):
    found = (await world.data(ADD_ONS, **options))["addOns"]
    return next(add_on["id"] for add_on in found if add_on["code"] == code)


async def preview(world, code="on_call", **options):
    variables = {"id": await add_on_id(world, code, **options)}
    return (await world.data(PREVIEW, variables=variables, **options))["addOnChangePreview"]


async def confirm(world, quote, key="press-1", *, terms="2026-01", **options):
    variables = {"quoteId": quote["id"], "terms": terms, "key": key}
    return (await world.data(ACTIVATE, variables=variables, **options))["activateAddOn"]


async def buy(world, code="on_call", key="press-1"):
    return await confirm(world, await preview(world, code), key)


async def switch(world, mutation, identifier):
    (result,) = (await world.data(mutation, variables={"id": identifier})).values()
    return result


async def shown(world, code="on_call"):
    return next(add_on for add_on in (await world.data(ADD_ONS))["addOns"] if add_on["code"] == code)


@pytest.fixture
async def august(world):
    """Paid since 1 July on plan 100; noon of 17 August, 15 of August's 31 days to go. The books agree at the end."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 17, 12))
    yield world
    assert await world.differences() == []


class TestTheList:
    async def test_all_four_are_there_with_price_terms_and_what_they_unlock(self, august):
        found = (await august.data(ADD_ONS))["addOns"]
        assert [(one["code"], one["price"]["amount"], one["state"], one["unlocks"]) for one in found] == [
            ("live_call", "20.00", "AVAILABLE", "liveCall"),
            ("on_call", "25.00", "AVAILABLE", "onCall"),
            ("queue_voicemail", "10.00", "AVAILABLE", "queueVoicemail"),
            ("transcription", "15.00", "AVAILABLE", "transcription"),
        ]
        descriptions = {one["description"] for one in found}
        assert len(descriptions) == 4
        assert all(text.endswith(".") for text in descriptions)
        assert {one["terms"]["version"] for one in found} == {"2026-01"}
        assert all("nothing is refunded" in one["terms"]["text"] for one in found)
        assert {(one["since"], one["until"]) for one in found} == {(None, None)}

    async def test_takes_one_trip(self, august):
        async with counted_trips() as trips:
            await august.data(ADD_ONS)
        assert trips.count == 1, trips.statements

    async def test_is_for_those_who_decide(self, august):
        body = await august.graphql(ADD_ONS, by=Role.MEMBER)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]

    async def test_one_is_found_again_by_its_id(self, august):
        query = "query ($id: ID!) { node(id: $id) { ... on AddOn { code state } } }"
        identifier = await add_on_id(august)
        assert await august.data(query, variables={"id": identifier}) == {
            "node": {"code": "on_call", "state": "AVAILABLE"}
        }
        body = await august.graphql(query, variables={"id": identifier}, by=Role.MEMBER)
        assert body["data"] == {"node": None}


class TestBuying:
    async def test_rule_22_the_rest_of_the_month_is_charged_by_day_at_once(self, august):
        """$25.00 of 31 days is $0.81 a day, and 15 days are left with today."""
        quote = await preview(august)

        assert (quote["effectiveOn"], quote["monthlyPrice"]["amount"]) == ("2026-08-17", "25.00")
        assert [(line["kind"], line["amount"]["amount"], line["explanation"]["rule"]) for line in quote["lines"]] == [
            ("ADD_ON", "12.15", 22)
        ]
        bought = await confirm(august, quote)
        assert bought["__typename"] == "AddOnActivated"
        assert bought["addOn"] == {"code": "on_call", "state": "ACTIVE", "since": "2026-08-17", "until": None}
        assert (bought["invoice"]["kind"], bought["invoice"]["hash"]) == ("ADD_ON", quote["hash"])
        assert bought["invoice"]["total"] == quote["amountDueNow"] == {"amount": "12.15"}

    async def test_the_next_months_are_charged_in_full(self, august):
        bought = await buy(august)
        lines = bought["billingSummary"]["nextInvoice"]["lines"]
        assert [line["amount"]["amount"] for line in lines if line["kind"] == "ADD_ON"] == ["25.00"]
        await august.advance_to(pacific(2026, 9, 1, 7))
        last = (await august.issued())[-1]
        assert [line.amount_cents for line in last.lines] == [139_00, 25_00]

    async def test_the_terms_accepted_and_by_whom_are_on_record(self, august):
        await buy(august)
        event = next(event for event in await august.trail() if event.kind == "add_on.activated")
        assert (event.data["terms"], event.actor[:9]) == ("2026-01", "user:usr_")

    async def test_other_terms_than_those_in_force_are_refused_with_those_in_force(self, august):
        quote = await preview(august)
        refused = await confirm(august, quote, terms="2025-01")
        assert (refused["__typename"], refused["code"]) == ("TermsNotAccepted", "TERMS_NOT_ACCEPTED")
        assert (refused["termsVersion"], refused["terms"]) == ("2026-01", quote["terms"]["text"])
        assert (await confirm(august, quote))["__typename"] == "AddOnActivated"

    async def test_what_one_has_cannot_be_bought_again(self, august):
        await buy(august)
        refused = await preview(august)
        assert (refused["__typename"], refused["code"], refused["until"]) == (
            *("AddOnAlreadyActive", "ADD_ON_ALREADY_ACTIVE", None),
        )

    async def test_a_cancelled_one_is_kept_rather_than_bought_again(self, august):
        await buy(august)
        await switch(august, CANCEL, await add_on_id(august))
        refused = await preview(august)
        assert (refused["__typename"], refused["until"]) == ("AddOnAlreadyActive", "2026-08-31")

    @pytest.mark.parametrize("code", ["line", "nothing"])
    async def test_what_is_no_add_on_cannot_be_bought(self, august, code):
        identifier = (await add_on_id(august)).removesuffix("on_call") + code
        refused = (await august.data(PREVIEW, variables={"id": identifier}))["addOnChangePreview"]
        assert (refused["__typename"], refused["code"]) == ("AddOnNotAvailable", "ADD_ON_NOT_AVAILABLE")

    async def test_the_id_of_another_account_leads_nowhere(self, august):
        await august.add_account("BB0202", name="Quiet Law", paid_since_on=date(2026, 8, 1))
        await august.close_now()
        foreign = await add_on_id(august, account="BB0202")
        refused = (await august.data(PREVIEW, variables={"id": foreign}))["addOnChangePreview"]
        assert refused["__typename"] == "AddOnNotAvailable"
        assert (await switch(august, CANCEL, foreign))["__typename"] == "AddOnNotActive"

    async def test_a_quote_of_another_account_is_not_found(self, august):
        await august.add_account("BB0202", name="Quiet Law", paid_since_on=date(2026, 8, 1))
        await august.close_now()
        refused = await confirm(august, await preview(august, account="BB0202"))
        assert (refused["__typename"], refused["code"]) == ("NotFound", "NOT_FOUND")

    async def test_a_new_day_makes_the_quote_stale(self, august):
        await august.advance_to(pacific(2026, 8, 17, 23, 55))
        quote = await preview(august)
        august.clock.instant += timedelta(minutes=6)
        refused = await confirm(august, quote)
        assert (refused["__typename"], refused["code"]) == ("AddOnQuoteStale", "QUOTE_STALE")
        assert refused["quote"]["amountDueNow"] == {"amount": "11.34"}

    async def test_a_member_buys_nothing(self, august):
        quote, before = await preview(august), await august.trail()
        variables = {"quoteId": quote["id"], "terms": "2026-01", "key": "press-1"}
        body = await august.graphql(ACTIVATE, by=Role.MEMBER, variables=variables)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert (len(await august.issued()), await august.trail()) == (2, before)


class TestIdempotency:
    async def test_the_same_key_again_is_answered_with_the_first_result(self, august):
        quote = await preview(august)
        first = await confirm(august, quote)
        august.clock.instant += timedelta(hours=1)
        assert await confirm(august, quote) == first
        assert len(await august.issued()) == 3

    async def test_another_quote_under_the_key_is_a_conflict(self, august):
        await buy(august)
        refused = await buy(august, "live_call")
        assert (refused["__typename"], refused["code"]) == ("IdempotencyConflict", "IDEMPOTENCY_CONFLICT")
        assert len(await august.issued()) == 3

    async def test_two_confirms_at_once_make_one_invoice(self, august):
        quote = await preview(august)
        answers = await asyncio.gather(confirm(august, quote, "press-1"), confirm(august, quote, "press-2"))
        assert sorted(answer["__typename"] for answer in answers) == ["AddOnActivated", "AddOnAlreadyActive"]
        assert len(await august.issued()) == 3


class TestCancelling:
    async def test_rule_23_it_ends_with_the_month_and_is_charged_no_more(self, august):
        await buy(august)
        cancelled = await switch(august, CANCEL, await add_on_id(august))

        assert cancelled["__typename"] == "AddOnCancelled"
        assert cancelled["addOn"] == {"state": "ENDING", "since": "2026-08-17", "until": "2026-08-31"}
        assert cancelled["billingSummary"]["nextInvoice"]["total"] == {"amount": "139.00"}
        await august.advance_to(pacific(2026, 9, 1, 7))
        assert [line.amount_cents for line in (await august.issued())[-1].lines] == [139_00]
        assert (await shown(august))["state"] == "AVAILABLE"

    async def test_rule_23_it_can_be_kept_until_then(self, august):
        await buy(august)
        identifier = await add_on_id(august)
        await switch(august, CANCEL, identifier)
        kept = await switch(august, KEEP, identifier)
        assert kept["__typename"] == "AddOnKept"
        assert kept["addOn"] == {"state": "ACTIVE", "since": "2026-08-17", "until": None}
        assert kept["billingSummary"]["nextInvoice"]["total"] == {"amount": "164.00"}
        assert len(await august.issued()) == 3

    async def test_what_is_not_there_can_be_neither_cancelled_nor_kept(self, august):
        identifier = await add_on_id(august)
        for mutation in (CANCEL, KEEP):
            refused = await switch(august, mutation, identifier)
            assert (refused["__typename"], refused["code"]) == ("AddOnNotActive", "ADD_ON_NOT_ACTIVE")
        await buy(august)
        assert (await switch(august, KEEP, identifier))["__typename"] == "AddOnNotActive"
        await switch(august, CANCEL, identifier)
        assert (await switch(august, CANCEL, identifier))["__typename"] == "AddOnNotActive"

    async def test_after_its_end_it_is_bought_anew(self, august):
        await buy(august)
        await switch(august, CANCEL, await add_on_id(august))
        await august.advance_to(pacific(2026, 9, 2, 12))
        assert (await switch(august, KEEP, await add_on_id(august)))["__typename"] == "AddOnNotActive"
        assert (await buy(august, key="press-2"))["addOn"]["since"] == "2026-09-02"


class TestANewPrice:
    async def test_who_has_it_keeps_the_price_and_sees_it(self, august):
        await buy(august)
        await sell_from(august, date(2026, 9, 1), monthly_cents=29_00)
        await august.advance_to(pacific(2026, 9, 2, 12))
        await august.add_account("BB0202", name="Quiet Law", paid_since_on=date(2026, 9, 1))
        await august.close_now()
        assert (await shown(august))["price"] == {"amount": "25.00"}
        others = (await august.data(ADD_ONS, account="BB0202"))["addOns"]
        assert [one["price"]["amount"] for one in others if one["code"] == "on_call"] == ["29.00"]


class TestEntitlements:
    async def test_say_what_is_unlocked_today(self, august):
        nothing = {"onCall": False, "transcription": False, "liveCall": False, "queueVoicemail": False}
        assert (await august.data(ENTITLEMENTS))["entitlements"] == nothing
        await buy(august)
        assert (await august.data(ENTITLEMENTS, by=Role.MEMBER))["entitlements"] == nothing | {"onCall": True}
        await switch(august, CANCEL, await add_on_id(august))
        assert (await august.data(ENTITLEMENTS))["entitlements"]["onCall"] is True
        await august.advance_to(pacific(2026, 9, 1))
        assert (await august.data(ENTITLEMENTS))["entitlements"] == nothing

    async def test_take_one_trip(self, august):
        async with counted_trips() as trips:
            await august.data(ENTITLEMENTS)
        assert trips.count == 1, trips.statements


async def sell_from(world: World, first_on: date, *, monthly_cents: int) -> None:
    """Let On-Call be sold at another price from a date on."""
    old = SEED_ADD_ONS[0]
    names = {name: getattr(old, name) for name in AddOnVersion.__slots__}
    new = AddOnVersion(**names | {"id": "addon_on_call_new", "monthly_cents": monthly_cents, "valid_from": first_on})

    async def load(uow: unit_of_work.UnitOfWork) -> None:
        await uow.add_ons.end_sale(old.id, first_on)
        await uow.add_ons.add_versions([new])

    await unit_of_work.write(world.database, load)
