"""Calls come in from other systems, each by its key: what becomes of every item, and why a batch is refused."""

from __future__ import annotations

import orjson
import pytest

from app.domain.accounts import KeyPurpose
from app.http.ingest_routes import LARGEST_BATCH, LARGEST_INGEST_BODY
from app.services.operations.access_keys import revoke_key
from tests.fakes.edge import client
from tests.http.service import (
    ACCOUNTS,
    CALL,
    INGEST,
    JSON,
    NDJSON,
    PARTICULARS,
    Service,
    a_service_at_noon,
    outcomes,
    refusal,
)
from tests.services.books import days, differences, dump, events, rows
from tests.world import World

KEY_REFUSED = "The key is unknown, revoked, or not meant for this. Ask for a key of the right purpose."


@pytest.fixture
async def service(world: World) -> Service:
    return await a_service_at_noon(world)


class TestCalls:
    async def test_an_array_is_recorded_and_answered_item_by_item(self, service):
        answer = await service.send([CALL, {**CALL, "eventId": "e-2", "ivrSeconds": 7}])

        assert answer.status_code == 200
        assert answer.json() == {
            "counts": {"ACCEPTED": 2},
            "results": [
                {"position": 0, "outcome": "ACCEPTED", "eventId": "e-1"},
                {"position": 1, "outcome": "ACCEPTED", "eventId": "e-2"},
            ],
        }
        assert list(days(service.world.database).values()) == [(240, 0, 7, 2, 0)]
        event = (await events(service.world.database))[-1]
        assert (event.actor, event.data) == ("key:east", {"calls": 2, "last_call": 2})
        assert await differences(service.world.database) == []

    async def test_lines_of_json_are_recorded_and_answered_by_their_line(self, service):
        body = orjson.dumps(CALL) + b"\r\n\n" + orjson.dumps({**CALL, "eventId": "e-2"}) + b"\n{\n"

        answer = await service.send(body, headers={"content-type": "application/x-ndjson; charset=utf-8"})

        results = [(result["position"], result["outcome"]) for result in answer.json()["results"]]
        assert results == [(1, "ACCEPTED"), (3, "ACCEPTED"), (4, "QUARANTINED")]

    async def test_each_item_has_a_result_of_its_own(self, service):
        """Rules 24 and 25: accepted, duplicate, conflict, and each way into quarantine, in one batch."""
        answer = await service.send(
            [
                CALL,
                CALL,
                {**CALL, "scriptSeconds": 999},
                {**CALL, "eventId": "e-2", "account": "nobody"},
                {**CALL, "eventId": "e-3", "startedAt": "2026-07-14T12:05:01-07:00"},
                {**CALL, "eventId": "e-4", "startedAt": "2026-05-01T12:00:00-07:00"},
                {**CALL, "eventId": "e-5", "corrects": "never"},
                {**CALL, "eventId": "e-6", "scriptSeconds": -1},
                {**CALL, "eventId": "e-7", "scriptSeconds": 100, "corrects": "e-1"},
                {**CALL, "eventId": "e-8", "corrects": "e-1"},
                "a call",
            ]
        )

        results = [
            (result["position"], result["outcome"], result.get("eventId"), result.get("reason"))
            for result in answer.json()["results"]
        ]
        assert results == [
            (0, "ACCEPTED", "e-1", None),
            (1, "DUPLICATE", "e-1", None),
            (2, "CONFLICT", "e-1", "CONFLICT"),
            (3, "QUARANTINED", "e-2", "UNKNOWN_ACCOUNT"),
            (4, "QUARANTINED", "e-3", "IN_THE_FUTURE"),
            (5, "QUARANTINED", "e-4", "TOO_OLD"),
            (6, "QUARANTINED", "e-5", "UNKNOWN_ORIGINAL"),
            (7, "QUARANTINED", None, "MALFORMED"),
            (8, "ACCEPTED", "e-7", None),
            (9, "QUARANTINED", "e-8", "ALREADY_CORRECTED"),
            (10, "QUARANTINED", None, "MALFORMED"),
        ]
        assert answer.json()["counts"] == {"ACCEPTED": 2, "DUPLICATE": 1, "CONFLICT": 1, "QUARANTINED": 7}
        messages = [result.get("message") for result in answer.json()["results"]]
        assert messages[3] == "No account has this id. Create the account, then release the call."
        assert messages[7] == "scriptSeconds: Input should be greater than or equal to 0."
        kept = rows(service.world.database, "SELECT position, payload FROM quarantined_call WHERE reason = 'MALFORMED'")
        assert kept == [(7, orjson.dumps({**CALL, "eventId": "e-6", "scriptSeconds": -1}).decode()), (10, '"a call"')]
        assert await differences(service.world.database) == []

    async def test_rule_24_a_batch_sent_again_changes_nothing(self, service):
        batch = [CALL, {**CALL, "scriptSeconds": 999}, {**CALL, "eventId": "e-2", "account": "nobody"}, 7]
        await service.send(batch)
        before = dump(service.world.database)

        assert outcomes(await service.send(batch)) == ["DUPLICATE", "CONFLICT", "QUARANTINED", "QUARANTINED"]

        assert dump(service.world.database) == before

    async def test_rule_24_a_key_speaks_for_its_own_source_alone(self, service):
        await service.add_key("east 2", KeyPurpose.INGEST, source="east")

        assert outcomes(await service.send([CALL], key="east")) == ["ACCEPTED"]
        assert outcomes(await service.send([CALL], key="west")) == ["ACCEPTED"]
        assert outcomes(await service.send([CALL], key="east 2")) == ["DUPLICATE"]
        assert outcomes(await service.send([{**CALL, "source": "west"}], key="east")) == ["QUARANTINED"]
        other = {**CALL, "eventId": "e-2", "corrects": "e-1"}
        assert outcomes(await service.send([other], key="west")) == ["ACCEPTED"]
        assert rows(service.world.database, "SELECT source, event_id, corrects_seq FROM call ORDER BY seq") == [
            ("east", "e-1", None),
            ("west", "e-1", None),
            ("west", "e-2", 2),
        ]

    async def test_nothing_sent_is_nothing_recorded(self, service):
        before = dump(service.world.database)

        for body, headers in ((b"[]", JSON), (b"", NDJSON), (b"\n\r\n", NDJSON)):
            answer = await service.send(body, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"counts": {}, "results": []})

        assert dump(service.world.database) == before

    async def test_a_large_batch_goes_through_in_several_transactions(self, service):
        batch = [{**CALL, "eventId": str(at)} for at in range(2_201)]

        assert outcomes(await service.send(batch)) == ["ACCEPTED"] * 2_201

        assert list(days(service.world.database).values()) == [(2_201 * 120, 0, 0, 2_201, 0)]
        recorded = [event.data for event in await events(service.world.database) if event.kind == "usage.recorded"]
        assert [data["calls"] for data in recorded] == [1_000, 1_000, 201]

    async def test_what_nobody_would_send_waits_in_quarantine(self, service):
        answer = await service.send(b"[" + orjson.dumps(CALL) + b',{"a\\u0000":1},18446744073709551616]')

        assert outcomes(answer) == ["ACCEPTED", "QUARANTINED", "QUARANTINED"]
        deep = b"[" * 900 + b"]" * 900
        lines = b'\xff\xfe\0{}\n{"eventId":"\0"}\n' + deep + b'\n{"eventId":"e-2","eventId":"e-3"}'
        answer = await service.send(lines, headers=NDJSON)
        assert outcomes(answer) == ["QUARANTINED"] * 4
        payloads = "".join(
            text for (text,) in rows(service.world.database, "SELECT payload || message FROM quarantined_call")
        )
        assert "\0" not in payloads


# what is wrong: body, headers, status, code, message
REFUSED_BATCHES: dict[str, tuple[bytes, dict[str, str], int, str, str]] = {
    "not JSON": (b"{", JSON, 400, "BAD_REQUEST", "The request body is not JSON in UTF-8: "),
    "empty": (b"", JSON, 400, "BAD_REQUEST", "The request body is not JSON in UTF-8: "),
    "not UTF-8": (b'["\xff"]', JSON, 400, "BAD_REQUEST", "The request body is not JSON in UTF-8: "),
    "NaN": (b"[NaN]", JSON, 400, "BAD_REQUEST", "The request body is not JSON in UTF-8: "),
    "nested without end": (b"[" * 100_000, JSON, 400, "BAD_REQUEST", "The request body is not JSON in UTF-8: "),
    "one object": (
        orjson.dumps(CALL),
        JSON,
        400,
        "BAD_REQUEST",
        "The request body is JSON, but not an array of calls.",
    ),
    "null": (b"null", JSON, 400, "BAD_REQUEST", "The request body is JSON, but not an array of calls."),
    "a web form": (
        b"a=1",
        {"content-type": "application/x-www-form-urlencoded"},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "Send calls as a JSON array with content type application/json, or one a line with application/x-ndjson.",
    ),
    "no content type": (b"[]", {}, 415, "UNSUPPORTED_MEDIA_TYPE", "Send calls as a JSON array with content type "),
    "too many": (
        b"[" + b"0," * LARGEST_BATCH + b"0]",
        JSON,
        413,
        "LIMIT_EXCEEDED",
        "A batch holds at most 5,000 calls; this one has 5,001. Send it in parts.",
    ),
    "too many lines": (
        b"0\n" * (LARGEST_BATCH + 1),
        NDJSON,
        413,
        "LIMIT_EXCEEDED",
        "A batch holds at most 5,000 calls; ",
    ),
    "too long": (
        b" " * (LARGEST_INGEST_BODY + 1),
        JSON,
        413,
        "LIMIT_EXCEEDED",
        "The request body is too large; at most",
    ),
}


class TestRefusedBatches:
    @pytest.mark.parametrize("what", REFUSED_BATCHES)
    async def test_the_answer_says_what_to_do_and_nothing_is_written(self, service, what):
        body, headers, status, code, message = REFUSED_BATCHES[what]
        before = dump(service.world.database)

        answer = await service.send(body, headers=headers)

        assert refusal(answer)[:2] == (status, code)
        assert refusal(answer)[2].startswith(message)
        assert dump(service.world.database) == before

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
    async def test_calls_are_posted_and_nothing_else(self, service, method):
        answer = await service.send(b"", method=method)

        assert refusal(answer) == (405, "METHOD_NOT_ALLOWED", "This address answers POST only.")
        assert answer.headers["allow"] == "POST"


class TestKeys:
    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearer flex_ingest_made-up",
            "Basic {east}",
            "{east}",
            "Bearer é",
            "Bearer {flex}",
        ],
    )
    async def test_calls_need_an_ingest_key(self, service, authorization):
        before = dump(service.world.database)
        given = (
            {}
            if authorization is None
            else {"authorization": authorization.format(**service.secrets).encode("latin-1")}
        )

        async with client(service.world.application) as http:
            answer = await http.post(INGEST, json=[CALL], headers=given)

        assert refusal(answer) == (401, "UNAUTHENTICATED", KEY_REFUSED)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert dump(service.world.database) == before

    async def test_a_revoked_key_is_refused_from_then_on(self, service):
        assert outcomes(await service.send([CALL])) == ["ACCEPTED"]
        await revoke_key(service.world.services, name="east", actor="test")

        assert refusal(await service.send([CALL]))[0] == 401

    async def test_an_account_needs_a_service_key(self, service):
        assert refusal(await service.put(key="east")) == (401, "UNAUTHENTICATED", KEY_REFUSED)

    async def test_a_person_s_token_is_no_key(self, service):
        async with service.world.client() as http:
            for answer in (await http.post(INGEST, json=[CALL]), await http.put(f"{ACCOUNTS}/A", json=PARTICULARS)):
                assert refusal(answer)[0] == 401

    async def test_the_scheme_is_read_in_any_case(self, service):
        async with client(service.world.application) as http:
            answer = await http.post(
                INGEST, json=[CALL], headers={"authorization": f"bearer  {service.secrets['east']}"}
            )

        assert outcomes(answer) == ["ACCEPTED"]
