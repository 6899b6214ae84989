"""Card numbers, security codes, nonces and device data: refused where they do not belong, and written down nowhere."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from pathlib import Path

import pytest
import structlog

from app.domain.agreements import PAYMENT_AGREEMENT
from app.domain.payment_methods import MethodStatus
from app.http.logs import configure_logging
from tests.fakes.edge import Edge
from tests.graphql.test_payment_methods import ADD, wanted

NUMBER = "4111111111111111"
GROUPED = "4111 1111 1111 1111"
DASHED = "3782-822463-10005"
QUERY = "query { viewer { role } }"


PLACES = {
    "a variable": lambda number: {"query": QUERY, "variables": {"a": number}},
    "a sentence": lambda number: {"query": QUERY, "variables": {"a": f"my card is {number}."}},
    "deep below": lambda number: {"query": QUERY, "variables": {"a": {"b": [{"c": number}]}}},
    "a name": lambda number: {"query": QUERY, "variables": {number: "a"}},
    "a literal": lambda number: {"query": f'{{ invoice(id: "{number}") {{ id }} }}'},
    "a block literal": lambda number: {"query": f'{{ invoice(id: """{number}""") {{ id }} }}'},
    "a comment": lambda number: {"query": f"{{ viewer {{ role }} }} # {number}"},
    "the document": lambda number: {"query": number},
    "the operation's name": lambda number: {"query": QUERY, "operationName": number},
}


@pytest.fixture
def logged():
    """What is logged, as one text."""
    stream = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging(stream=stream)
    yield stream.getvalue
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


class TestRefused:
    @pytest.mark.parametrize("number", [NUMBER, GROUPED, DASHED, "4111\u20111111\u20111111\u20111111"])
    @pytest.mark.parametrize("place", PLACES)
    async def test_wherever_it_stands(self, tmp_path, logged, place, number):
        edge = Edge(tmp_path)
        async with edge.client() as client:
            answer = await client.post("/graphql", json=PLACES[place](number))
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "CARD_NUMBER_REFUSED"
        assert number not in answer.text
        assert number not in logged()
        assert edge.reader.trips == []

    @pytest.mark.parametrize("variables", [{"a": int(NUMBER)}, {"a": float(NUMBER)}])
    async def test_as_a_number(self, tmp_path, variables):
        async with Edge(tmp_path).client() as client:
            answer = await client.post("/graphql", json={"query": QUERY, "variables": variables})
        assert answer.json()["errors"][0]["extensions"]["code"] == "CARD_NUMBER_REFUSED"

    async def test_in_a_query_string(self, tmp_path):
        async with Edge(tmp_path).client() as client:
            answer = await client.get("/graphql", params={"query": QUERY, "variables": json.dumps({"a": GROUPED})})
        assert (answer.status_code, GROUPED in answer.text) == (400, False)

    async def test_as_the_id_of_the_request(self, tmp_path, logged):
        async with Edge(tmp_path).client() as client:
            answer = await client.post("/graphql", json={"query": QUERY}, headers={"x-request-id": NUMBER})
        assert answer.headers["x-request-id"].startswith("req_")
        assert NUMBER not in logged()

    @pytest.mark.parametrize(
        "value",
        [
            "inv_00000000000000000000000001",
            "usage_00000000000000000000000001_2026-08",
            "press-1790000000004",
            "550e8400-e29b-41d4-a716-446655440000",
            "4111111111111112",
            "2026-08-31",
        ],
    )
    async def test_ids_keys_and_dates_pass(self, tmp_path, value):
        async with Edge(tmp_path).client() as client:
            answer = await client.post("/graphql", json={"query": QUERY, "variables": {"a": value}})
        assert answer.json()["data"] == {"viewer": {"role": "ADMIN"}}

    async def test_our_own_quotes_and_cursors_pass(self, till):
        await till.world.add_account()
        await till.add_card()
        await till.advance_to(till.world.clock.now())
        preview = '{ planChangePreview(planId: "plan_220_2020", when: NOW) { ... on PlanChangeQuote { id } } }'
        quote = (await till.world.data(preview))["planChangePreview"]["id"]
        answer = await till.world.graphql(
            "mutation ($q: ID!) { changePlan(input: {quoteId: $q, idempotencyKey: $q}) { __typename } }",
            variables={"q": quote},
        )
        assert "CARD_NUMBER_REFUSED" not in str(answer)


class TestNothingIsKept:
    DEVICE = '{"device_session_id": "d3v1ce-s3ss10n", "fraud_merchant_id": null}'

    async def test_a_hostile_run_leaves_no_secret_anywhere(self, till, logged, tmp_path):
        """Every way to add a card that works or fails, with a secret in every place that takes one."""
        world, answers = till.world, []
        await world.add_account()
        good = [till.gateway.nonce(number, cvv="123") for number in (NUMBER, "5555555555554444", "4000111111111115")]
        secret = [*good, "unknown-s3cret-nonce", NUMBER, GROUPED, "d3v1ce-s3ss10n", "s3cret"]

        async def send(nonce, key, query=ADD, **given):
            answers.append(await world.graphql(query, variables=wanted(nonce, key, deviceData=self.DEVICE, **given)))

        await send(good[0], "1")
        await send(good[0], "1")
        await send(good[0], "2")
        await send(good[1], "3", makeDefault=True)
        await send(good[2], "4")
        await send("unknown-s3cret-nonce", "5", billingAddress={"streetAddress": "s3cret Street 1"})
        await send("unknown-s3cret-nonce", "6", replaces="pm_x")
        await send("s3cret\u0000", "7")
        await send(GROUPED, "8")
        await send("unknown-s3cret-nonce", "9", authorize=False)
        await send("unknown-s3cret-nonce", "10", authorize="yes")
        await send("unknown-s3cret-nonce", "11", query=ADD.replace("__typename", "nothing", 1))
        till.gateway.faults({"match": "vault", "when": "after", "action": "garbage"})
        world.clock.instant = world.clock.instant.replace(hour=23)
        await send(till.gateway.nonce("378282246310005"), "12")
        till.gateway.faults({"match": "find_customer", "action": "status", "status": 500})
        await send("unknown-s3cret-nonce", "13")
        literal = f'mutation {{ addPaymentMethod(input: {{nonce: "{good[0]}", deviceData: 7}}) {{ __typename }} }}'
        answers.append(await world.graphql(literal))
        await world.vault.close()

        assert [method.status for method in await till.methods()] == [MethodStatus.ACTIVE] * 2
        written = dump(tmp_path / "flex-billing.db")
        assert PAYMENT_AGREEMENT.version in written
        for text in secret:
            assert text not in written, text
            assert text not in logged(), text
            assert text not in str(answers), text


def dump(path: Path) -> str:
    """Everything that a database holds, as text."""
    connection = sqlite3.connect(path)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()
