"""What the endpoint does with an operation that changes something."""

from __future__ import annotations

import pytest
import strawberry

from app.graphql.context import Asked, Context, GraphQLOptions
from app.graphql.documents import DocumentStore, RuleSet
from app.graphql.execution import Executor
from app.graphql.persisted_documents import PersistedDocuments
from app.graphql.schema import BillingSchema
from app.http.event_streams import EventStreams, StreamOptions
from app.http.graphql_endpoint import EndpointOptions, GraphQLEndpoint
from app.http.guard import Guard, GuardOptions
from app.http.named_documents import DocumentsMode, NamedDocuments
from app.http.request_scope import RequestScope
from app.ports import UNCHANGING, UNLIMITED, Claims
from tests.fakes.edge import A_VIEWER, CountingIds, FakeReader, FixedClock, client

CHANGED: list[str] = []


@strawberry.type
class Query:
    @strawberry.field
    def still(self) -> int:
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> int:
        CHANGED.append("change")
        return len(CHANGED)


class AnyToken:
    async def verify(self, token: str) -> Claims:
        return Claims("user-1", "AA0101")


@pytest.fixture
def application():
    CHANGED.clear()
    schema = BillingSchema(query=Query, mutation=Mutation)._schema
    rules = RuleSet(allows_introspection=True, shows_suggestions=True)

    def make_context(request_id, claims, origin):
        return Context.open(
            Asked(request_id, claims, origin),
            clock=FixedClock(),
            reader=FakeReader(viewer=A_VIEWER),
            options=GraphQLOptions(),
        )

    endpoint = GraphQLEndpoint(
        store=DocumentStore(schema, rules),
        executor=Executor(schema, rules),
        verifier=AnyToken(),
        make_context=make_context,
        options=EndpointOptions(
            is_sandbox=True,
            documents=NamedDocuments(PersistedDocuments(), DocumentsMode.PREFER),
            operation_seconds=10.0,
            streams=EventStreams(UNCHANGING, FixedClock(), StreamOptions()),
        ),
        guard=Guard(UNLIMITED, GuardOptions()),
    )
    return RequestScope(endpoint, CountingIds())


class TestMutations:
    TOKEN = "Bearer any"

    async def test_a_mutation_by_get_is_refused_and_changes_nothing(self, application):
        async with client(application, {"authorization": self.TOKEN}) as opened:
            answer = await opened.get("/graphql", params={"query": "mutation { change }"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
        assert CHANGED == []

    async def test_the_operation_that_is_named_decides(self, application):
        document = {"query": "query A { still } mutation B { change }", "operationName": "A"}
        async with client(application, {"authorization": self.TOKEN}) as opened:
            by_get = await opened.get("/graphql", params=document)
            by_post = await opened.post("/graphql", json={**document, "operationName": "B"})
        assert by_get.json()["data"] == {"still": 1}
        assert by_post.json()["data"] == {"change": 1}

    async def test_resolvers_that_are_not_asynchronous_answer_again_and_again(self, application):
        async with client(application, {"authorization": self.TOKEN}) as opened:
            answers = [(await opened.post("/graphql", json={"query": "{ still }"})).json() for _ in range(3)]
        assert [answer["data"] for answer in answers] == [{"still": 1}] * 3
