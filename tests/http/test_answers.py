"""The viewer through every layer, slow operations, faults of our own, and what is warm at start."""

from __future__ import annotations

import asyncio

from starlette.routing import Route

from app.domain.accounts import AccountStatus, Role
from app.error_codes import MASKED_MESSAGE
from tests.fakes.edge import VIEWER_QUERY, Edge, a_viewer

EVERYTHING = """query Viewer {
  viewer {
    user { id email name } account { id externalId name status } role permissions banner
  }
}"""


class TestViewer:
    async def test_an_admin_sees_who_they_are_in_one_trip(self, tmp_path):
        edge = Edge(tmp_path)
        async with edge.client() as client:
            answer = await client.post("/graphql", json={"query": EVERYTHING})
        assert answer.json() == {
            "extensions": {"cost": {"requested": 136, "limit": 7_000, "remaining": 60_000}},
            "data": {
                "viewer": {
                    "user": {"id": "usr_01", "email": "ann@example.com", "name": "Ann Ames"},
                    "account": {"id": "acc_01", "externalId": "AA0101", "name": "Harbor Dental", "status": "ACTIVE"},
                    "role": "ADMIN",
                    "permissions": [
                        "VIEW_ACCOUNT",
                        "VIEW_SUMMARY",
                        "VIEW_USAGE",
                        "VIEW_PLANS",
                        "VIEW_INVOICES",
                        "VIEW_PAYMENT_DETAILS",
                        "CHANGE_PLAN",
                        "MANAGE_PAYMENT_METHODS",
                        "PAY_INVOICES",
                        "VIEW_ACTIVITY",
                        "SEND_INVOICES",
                        "MANAGE_ALERTS",
                        "MANAGE_CONTACTS",
                        "VIEW_NOTIFICATIONS",
                    ],
                    "banner": None,
                }
            },
        }
        assert edge.reader.trips == [["viewer"]]
        assert edge.reader.parameters == {"viewer": {"subject": "user-1", "account": "AA0101"}}

    async def test_a_member_of_a_suspended_account_is_told(self, tmp_path):
        viewer = a_viewer(role=Role.MEMBER, account_status=AccountStatus.SUSPENDED)
        async with Edge(tmp_path, viewer=viewer).client() as client:
            answer = await client.post("/graphql", json={"query": "{ viewer { role permissions banner } }"})
        assert answer.json()["data"]["viewer"] == {
            "role": "MEMBER",
            "permissions": ["VIEW_ACCOUNT", "VIEW_SUMMARY", "VIEW_USAGE"],
            "banner": "Your service is suspended. Pay the open balance to have it restored.",
        }

    async def test_a_user_who_is_no_member_gets_data_null_and_status_200(self, tmp_path):
        async with Edge(tmp_path, viewer=None).client() as client:
            answer = await client.post(
                "/graphql", json={"query": VIEWER_QUERY}, headers={"accept": "application/graphql-response+json"}
            )
        assert (answer.status_code, answer.json()["data"]) == (200, {"viewer": None})
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


class TestFaults:
    async def test_an_operation_that_takes_too_long_is_ended(self, tmp_path):
        edge = Edge(tmp_path, operation_seconds=0.01)

        async def never(_requests):
            await asyncio.Event().wait()

        edge.reader.load_each = never
        async with edge.client() as client:
            answer = await client.post("/graphql", json={"query": VIEWER_QUERY})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["retryable"]) == (503, True)
        assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"

    async def test_a_fault_outside_graphql_is_masked(self, tmp_path):
        async def broken(_request):
            raise RuntimeError("SELECT secret")

        async with Edge(tmp_path, routes=[Route("/broken", broken)]).client() as client:
            answer = await client.get("/broken")
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (500, MASKED_MESSAGE)
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_a_lifespan_passes_through_every_layer(self, tmp_path):
        sent = []

        async def receive():
            return {"type": "lifespan.startup"} if not sent else {"type": "lifespan.shutdown"}

        async def send(message):
            sent.append(message["type"])

        await Edge(tmp_path).application({"type": "lifespan", "app": None}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class TestModes:
    async def test_production_hides_schema_and_suggestions(self, tmp_path):
        async with Edge(tmp_path, is_sandbox=False).client() as client:
            schema = await client.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
            typo = await client.post("/graphql", json={"query": "{ viewr { role } }"})
        assert schema.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert typo.json()["errors"][0]["message"] == "Cannot query field 'viewr' on type 'Query'."

    async def test_production_shows_the_schema_when_told_to(self, tmp_path):
        async with Edge(tmp_path, is_sandbox=False, allows_introspection=True).client() as client:
            answer = await client.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
        assert answer.json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}
