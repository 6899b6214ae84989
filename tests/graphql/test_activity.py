"""The trail over HTTP: who did what, what it changed, and who may read it."""

from __future__ import annotations

import pytest

from app.domain.accounts import Role
from app.ports import ORIGIN
from app.services.adjustments.grant_credit import grant_goodwill
from tests.graphql.test_add_ons import CANCEL, add_on_id, buy, switch
from tests.graphql.test_plan_changes import PLAN_100, PLAN_220, change
from tests.services.staff import WHY, by_ann
from tests.trips import counted_trips
from tests.world import pacific

ACTIVITY = """query ($first: Int!, $after: String) {
  activity(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id kind who what details { name value } occurredAt requestId }
  }
}"""
HISTORY = "{ planHistory { nodes { kind who what } } }"


@pytest.fixture
async def august(world):
    """Paid since 1 July on plan 100; noon of 14 August."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 14, 12))
    return world


async def read(world, first=20, after=None, **options):
    return (await world.data(ACTIVITY, variables={"first": first, "after": after}, **options))["activity"]


class TestActivity:
    async def test_says_who_did_what_newest_first(self, august):
        await change(august, PLAN_220)
        await august.pay(139_00, reference="1042")

        found = (await read(august))["nodes"]

        assert [(one["kind"], one["who"], one["what"]) for one in found[:3]] == [
            ("payment.recorded", "test", "Recorded a payment of $139.00."),
            ("plan.changed", "Admin", "Changed the plan from 100 Minutes to 220 Minutes."),
            ("invoice.issued", "Admin", "Issued invoice 100003; $100.00 was due."),
        ]
        assert found[-1]["what"] == "Opened the account."
        assert {"name": "From", "value": "100 Minutes"} in found[1]["details"]

    async def test_what_the_cycle_did_came_by_itself(self, august):
        issued = [one for one in (await read(august))["nodes"] if one["kind"] == "invoice.issued"]
        assert {one["who"] for one in issued} == {"Automatically"}

    async def test_the_request_is_the_one_that_the_app_saw(self, august):
        await change(august, PLAN_220)
        await buy(august, key="press-2")
        await switch(august, CANCEL, await add_on_id(august))
        found = (await read(august))["nodes"]
        by_app = [one for one in found if one["who"] == "Admin"]
        assert len(by_app) == 5
        assert len({one["requestId"] for one in by_app}) == 3
        assert all(one["requestId"].startswith("req_") for one in by_app)
        assert {one["requestId"] for one in found if one["who"] != "Admin"} == {None}

    async def test_goes_on_where_the_page_before_ended(self, august):
        await change(august, PLAN_220)
        whole = await read(august)
        seen, after = [], None
        while True:
            page = await read(august, 2, after)
            seen += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == whole["nodes"]
        assert whole["totalCount"] == len(seen) == 5

    async def test_a_cursor_of_the_history_is_none_of_the_activity(self, august):
        await change(august, PLAN_220)
        page = (await august.data("{ planHistory { pageInfo { endCursor } } }"))["planHistory"]["pageInfo"]
        body = await august.graphql(ACTIVITY, variables={"first": 2, "after": page["endCursor"]})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_INPUT"]

    async def test_is_the_own_account_s_alone(self, august):
        await change(august, PLAN_220)
        await august.add_account("BB0202", name="Quiet Law")
        assert [one["kind"] for one in (await read(august, account="BB0202"))["nodes"]] == ["account.created"]

    async def test_says_from_where_a_person_did_it_and_not_where_it_came_by_itself(self, august):
        """A staff command, a request of the portal, and what the clock brought."""
        running = ORIGIN.set("command line")
        await grant_goodwill(august.services, by_ann("AA0101"), amount_cents=1_00, reference="T", **WHY)
        ORIGIN.reset(running)
        await change(august, PLAN_220)
        found = (await august.data("{ activity(first: 20) { nodes { kind origin } } }"))["activity"]["nodes"]
        origins = {entry["kind"]: entry["origin"] for entry in found}
        assert origins["credit.granted"] == "command line"
        assert origins["plan.changed"] == "127.0.0.1"
        assert origins["account.created"] is None
        assert ("invoice.issued", None) in [(entry["kind"], entry["origin"]) for entry in found]

    async def test_is_for_those_who_decide(self, august):
        assert (await read(august, by=Role.BILLING))["totalCount"] == 3
        body = await august.graphql(ACTIVITY, by=Role.MEMBER, variables={"first": 2})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]

    async def test_takes_one_trip(self, august):
        async with counted_trips() as trips:
            await read(august)
        assert trips.count == 1, trips.statements


class TestPlanHistory:
    async def test_has_the_plan_s_events_alone(self, august):
        await change(august, PLAN_220)
        await change(august, PLAN_100, "NEXT_CYCLE", key="press-2")
        cancel = f'mutation {{ cancelScheduledPlanChange(input: {{planId: "{PLAN_100}"}}) {{ __typename }} }}'
        await august.data(cancel)
        found = (await august.data(HISTORY))["planHistory"]["nodes"]
        assert [(one["kind"], one["what"]) for one in found] == [
            (
                "plan.change_cancelled",
                "Cancelled the scheduled change to 100 Minutes; the plan stays 220 Minutes.",
            ),
            ("plan.change_scheduled", "Scheduled the change from 220 Minutes to 100 Minutes."),
            ("plan.changed", "Changed the plan from 100 Minutes to 220 Minutes."),
        ]
