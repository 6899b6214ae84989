"""Anything by its id: as where the id came from, and null alike for what is missing, foreign or not to be seen."""

from __future__ import annotations

import pytest

from app.domain.accounts import Role
from app.domain.payment_gateway import MethodKind
from app.repositories import unit_of_work
from tests.every_kind import tell_every_kind
from tests.factories.collections import an_attempt
from tests.factories.payment_methods import put_on_file
from tests.services.post import Post
from tests.story import tell
from tests.trips import counted_trips
from tests.world import World

IDS = """{ viewer { id user { id } account { id } } entitlements { id }
  billingSummary { id } nextInvoice { id } usage { id }
  plans { id plan { id } } addOns { id } paymentMethods { id default { id } backups { id } } paymentContacts { id }
  alertSubscriptions { id } alertForecast { id } notifications(first: 2) { nodes { id } }
  activity(first: 2) { nodes { id } }
  invoices(first: 7) { nodes { id lines { id } collection { attempts { id } } } } calls(first: 3) { nodes { id } } }"""

NODE = """query Node($id: ID!) { node(id: $id) { __typename id
  ... on Invoice { number } ... on InvoiceLine { amount { amount } } ... on Call { startedAt } ... on Plan { code }
  ... on UsageMonth { period { startsOn } days { on } } ... on NextInvoice { total { amount } }
  ... on BillingSummary { usage { id } } ... on Account { externalId } ... on User { name }
  ... on PaymentMethod { displayName } ... on PaymentMethodList { backups { id } }
  ... on PaymentContact { email } ... on Viewer { role } ... on Entitlements { onCall }
  ... on PlanOffer { isCurrent } ... on AlertSubscription { isOn } ... on AlertForecast { basis }
  ... on Notification { state } ... on Activity { what } ... on PaymentAttempt { message } } }"""

QUOTED = """query Quoted($planId: ID!, $when: ChangeWhen!) {
  nextInvoice { id } planChangePreview(planId: $planId, when: $when) {
    ... on PlanChangeQuote { nextInvoice { id total { amount } } } } }"""

FOR_MEMBERS = {
    *("User", "Account", "Viewer", "Entitlements", "BillingSummary", "NextInvoice", "UsageMonth", "Plan", "Call"),
}


@pytest.fixture
async def told(world: World) -> World:
    await tell(world)
    await put_methods_on_file(world)
    await put_attempt_on_file(world)
    return world


async def put_methods_on_file(world: World) -> None:
    """A method of every kind."""
    await put_on_file(world)
    await put_on_file(world, kind=MethodKind.PAYPAL, brand="PayPal", payer_email="ann@example.com")


async def put_attempt_on_file(world: World) -> None:
    """A charge of the first invoice that was declined."""
    invoice = (await world.issued())[0]
    methods = await unit_of_work.read(world.database, lambda uow: uow.payment_methods.list_on_file(invoice.account_id))
    attempt = an_attempt(account_id=invoice.account_id, invoice_id=invoice.id, method_id=methods[0].id)
    await unit_of_work.write(world.database, lambda uow: uow.attempts.add(attempt, created_at=world.clock.now()))


async def known_ids(world: World) -> list[str]:
    """One or more ids of every kind of thing."""
    found: list[str] = []

    def collect(value):
        if isinstance(value, dict):
            found.extend([value["id"]] if "id" in value else [])
            value = list(value.values())
        for each in value if isinstance(value, list) else ():
            collect(each)

    collect(await world.data(IDS))
    return found


async def node(world: World, id_: str, **options) -> dict | None:
    return (await world.data(NODE, variables={"id": id_}, **options))["node"]


class TestNode:
    async def test_every_id_of_an_answer_finds_its_thing_again_in_one_trip(self, told):
        kinds = set()
        for id_ in await known_ids(told):
            async with counted_trips() as trips:
                found = await node(told, id_)
            assert (found["id"], trips.count) == (id_, 1)
            kinds.add(found["__typename"])
        lines = {"PlanLine", "UsageLine", "AdjustmentLine"}
        methods = {"CardPaymentMethod", "PayPalPaymentMethod", "PaymentMethodList"}
        kept = {"Invoice", "AddOn", "PlanOffer", "PaymentAttempt", "Activity", "Notification"}
        assert kinds == FOR_MEMBERS | lines | methods | kept | {"AlertSubscription", "AlertForecast"}

    async def test_every_type_with_an_id_of_its_own_can_be_found(self, world):
        """In a life that has an invoice of every kind."""
        await tell_every_kind(world)
        await put_methods_on_file(world)
        await put_attempt_on_file(world)
        await Post(world).add_contact()
        kinds = {(await node(world, id_))["__typename"] for id_ in await known_ids(world)}
        query = '{ __type(name: "Node") { possibleTypes { name } } }'
        possible = (await world.data(query))["__type"]["possibleTypes"]
        assert {each["name"] for each in possible} == kinds

    async def test_what_a_role_may_not_see_is_null(self, told):
        for id_ in await known_ids(told):
            found = await node(told, id_)
            seen = await node(told, id_, by=Role.MEMBER)
            if found["__typename"] not in FOR_MEMBERS or found["__typename"] in {"User", "Viewer"}:
                assert seen is None
            else:
                assert seen["__typename"] == found["__typename"]

    async def test_what_belongs_to_another_account_is_null(self, told):
        await tell_another(told)
        for id_ in await known_ids(told):
            found = await node(told, id_, account="AA0202")
            # The catalogue is everybody's, and a person may belong to both accounts.
            assert found is None or found["__typename"] in {"Plan", "User"}

    @pytest.mark.parametrize(
        "id_",
        [
            "",
            "_",
            "inv_",
            "inv_1",
            "line_1_1",
            "line_x",
            "line_00000000000000000000000015_99",
            "call_00000000000000000000000001_44",
            "call_00000000000000000000000001_0",
            "call_00000000000000000000000001_" + "9" * 40,
            "call_x",
            "usage_00000000000000000000000001_2026-13",
            "usage_00000000000000000000000001_1999-01",
            "usage_00000000000000000000000009_2026-08",
            "summary_x",
            "next_x_accrued",
            "next_00000000000000000000000001_accrued_now_999_2020",
            "next_00000000000000000000000001_accrued_now_100_2020",
            "next_00000000000000000000000001_accrued_soon_220_2020",
            "next_00000000000000000000000009_accrued_now_220_2020",
            "viewer_x",
            "entitlements_x",
            "offer_x",
            "alert_x",
            "forecast_x",
            "evt_x",
            "ntf_x",
            "att_x",
            "plan_x",
            "acc_x",
            "usr_x",
            "pm_x",
            "methods_x",
            "cow_00000000000000000000000001",
            "é" * 300,
        ],
    )
    async def test_what_does_not_exist_is_null(self, told, id_):
        assert await node(told, id_) is None

    @pytest.mark.parametrize("when", ["NOW", "NEXT_CYCLE"])
    async def test_the_next_invoice_after_a_previewed_change_is_another_than_the_next_invoice(self, told, when):
        quoted = await told.data(QUOTED, variables={"planId": "plan_220_2020", "when": when})
        after = quoted["planChangePreview"]["nextInvoice"]
        assert after["id"] != quoted["nextInvoice"]["id"]
        assert await node(told, after["id"]) == {"__typename": "NextInvoice", **after}
        assert await node(told, after["id"], by=Role.MEMBER) is None

    async def test_each_previewed_change_has_a_next_invoice_of_its_own(self, told):
        changes = [("plan_220_2020", "NOW"), ("plan_220_2020", "NEXT_CYCLE"), ("plan_500_1990", "NOW")]
        quotes = [await told.data(QUOTED, variables={"planId": plan, "when": when}) for plan, when in changes]
        assert len({quote["planChangePreview"]["nextInvoice"]["id"] for quote in quotes}) == len(changes)


async def tell_another(world: World) -> None:
    """An account beside the first, with nothing but its name."""
    await world.add_account("AA0202", name="Elm Plumbing")
