"""Anything by its id: as where the id came from, and null alike for what is missing, foreign or not to be seen."""

from __future__ import annotations

import pytest

from app.domain.accounts import Role
from app.domain.payment_gateway import MethodKind
from tests.every_kind import tell_every_kind
from tests.factories.payment_methods import put_on_file
from tests.services.post import Post
from tests.story import tell
from tests.trips import counted_trips
from tests.world import World

IDS = """{ viewer { user { id } account { id } } billingSummary { id } nextInvoice { id } usage { id }
  plans { plan { id } } addOns { id } paymentMethods { id default { id } backups { id } } paymentContacts { id }
  invoices(first: 7) { nodes { id lines { id } } } calls(first: 3) { nodes { id } } }"""

NODE = """query Node($id: ID!) { node(id: $id) { __typename id
  ... on Invoice { number } ... on InvoiceLine { amount { amount } } ... on Call { startedAt } ... on Plan { code }
  ... on UsageMonth { period { startsOn } days { on } } ... on NextInvoice { total { amount } }
  ... on BillingSummary { usage { id } } ... on Account { externalId } ... on User { name }
  ... on PaymentMethod { displayName } ... on PaymentMethodList { backups { id } }
    ... on PaymentContact { email } } }"""

FOR_MEMBERS = {"User", "Account", "BillingSummary", "NextInvoice", "UsageMonth", "Plan", "Call"}


@pytest.fixture
async def told(world: World) -> World:
    await tell(world)
    await put_methods_on_file(world)
    return world


async def put_methods_on_file(world: World) -> None:
    """A method of every kind."""
    await put_on_file(world)
    await put_on_file(world, kind=MethodKind.PAYPAL, brand="PayPal", payer_email="ann@example.com")


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
        assert kinds == FOR_MEMBERS | lines | methods | {"Invoice", "AddOn"}

    async def test_every_type_with_an_id_of_its_own_can_be_found(self, world):
        """In a life that has an invoice of every kind."""
        await tell_every_kind(world)
        await put_methods_on_file(world)
        await Post(world).add_contact()
        kinds = {(await node(world, id_))["__typename"] for id_ in await known_ids(world)}
        query = '{ __type(name: "Node") { possibleTypes { name } } }'
        possible = (await world.data(query))["__type"]["possibleTypes"]
        assert {each["name"] for each in possible} == kinds

    async def test_what_a_role_may_not_see_is_null(self, told):
        for id_ in await known_ids(told):
            found = await node(told, id_)
            seen = await node(told, id_, by=Role.MEMBER)
            if found["__typename"] not in FOR_MEMBERS or found["__typename"] == "User":
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


async def tell_another(world: World) -> None:
    """An account beside the first, with nothing but its name."""
    await world.add_account("AA0202", name="Elm Plumbing")
