"""Why did my bill change, over HTTP."""

from __future__ import annotations

import pytest

from app.domain.accounts import Role
from tests.story import invoice_ids, tell
from tests.trips import counted_trips
from tests.world import World

DIFFERENCE = """query Difference($from: ID!, $to: ID!) { invoiceDifference(from: $from, to: $to) {
  from { number } to { number } summary
  totalDifference { amount } creditAppliedDifference { amount } amountDueDifference { amount }
  items { kind displayName from { amount } to { amount } difference { amount } cause }
} }"""


@pytest.fixture
async def told(world: World) -> World:
    await tell(world)
    return world


async def difference(world: World, before: int, after: int, **options) -> dict | None:
    ids = await invoice_ids(world)
    variables = {"from": ids[before - 100_001], "to": ids[after - 100_001]}
    return (await world.data(DIFFERENCE, variables=variables, **options))["invoiceDifference"]


class TestInvoiceDifference:
    async def test_every_kind_has_its_difference_and_its_cause(self, told):
        found = await difference(told, 100_001, 100_002)
        assert (found["from"], found["to"]) == ({"number": "100001"}, {"number": "100002"})
        assert found["summary"] == "The total rose by $98.50."
        assert [(item["kind"], item["difference"]["amount"], item["cause"]) for item in found["items"]] == [
            ("BASE", "0.00", "Base price stayed at $139.00."),
            ("OVERAGE", "94.17", "Overage rose by $94.17: 73 more minutes above the allowance."),
            ("PATCH", "1.33", "Patched calls rose by $1.33: 13 min 20 s more of patched calls."),
            ("IVR", "3.00", "Automated (IVR) time rose by $3.00: 20 more minutes of IVR time."),
        ]

    async def test_credit_moves_the_amount_due_and_not_the_total(self, told):
        found = await difference(told, 100_002, 100_003)
        assert found["totalDifference"]["amount"] == "-90.69"
        assert found["creditAppliedDifference"]["amount"] == "100.00"
        assert found["amountDueDifference"]["amount"] == "-190.69"
        assert found["items"][-1]["cause"] == (
            "Corrections rose by $7.81: July 2026 was corrected by $7.81 on the later invoice."
        )

    async def test_the_other_way_round_every_sign_turns(self, told):
        there, back = await difference(told, 100_001, 100_003), await difference(told, 100_003, 100_001)
        assert there["totalDifference"]["amount"] == "7.81"
        assert back["totalDifference"]["amount"] == "-7.81"

    async def test_an_invoice_beside_itself_has_changed_in_nothing(self, told):
        found = await difference(told, 100_002, 100_002)
        assert found["summary"] == "The total stayed at $237.50."
        assert {item["difference"]["amount"] for item in found["items"]} == {"0.00"}

    async def test_it_takes_one_trip(self, told):
        ids = await invoice_ids(told)
        async with counted_trips() as trips:
            await told.data(DIFFERENCE, variables={"from": ids[0], "to": ids[1]})
        assert trips.count == 1

    async def test_unknown_and_foreign_invoices_are_null_alike(self, told):
        await told.add_account("AA0202")
        ids = await invoice_ids(told)
        unknown = {"from": ids[0], "to": "inv_00000000000000000000000000"}
        assert await told.data(DIFFERENCE, variables=unknown) == {"invoiceDifference": None}
        foreign = {"from": ids[0], "to": ids[1]}
        assert await told.data(DIFFERENCE, variables=foreign, account="AA0202") == {"invoiceDifference": None}

    async def test_a_member_is_refused(self, told):
        ids = await invoice_ids(told)
        body = await told.graphql(DIFFERENCE, variables={"from": ids[0], "to": ids[1]}, by=Role.MEMBER)
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
