"""What is written down about requests: enough to find one, and nothing that a customer has sent."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.http.logs import REMOVED, configure_logging, redact
from tests.fakes.edge import Edge

SECRET = "4111111111111111"
LINK = "WyJjZWRhci12ZXRlcmluYXJ5IiwiaHRtbCIsMTc5NjA2MDI3NV0.KcbTMJ7cVRa7sffQ3v3ZbnBaOp6QXhmD67QLg1doauw"


@pytest.fixture
def lines():
    stream = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


class TestRequestLog:
    async def test_a_request_is_one_line_that_names_its_operation(self, lines, tmp_path):
        async with Edge(tmp_path).client() as client:
            answer = await client.post("/graphql", json={"query": "query Me { viewer { role } }"})
        (line,) = lines()
        assert {name: line[name] for name in line if name not in {"at", "milliseconds"}} == {
            "event": "request",
            "level": "info",
            "method": "POST",
            "path": "/graphql",
            "status": 200,
            "operation": "Me",
            "account": "AA0101",
            "request_id": answer.headers["x-request-id"],
        }

    @pytest.mark.parametrize("path", ["/documents/{}", "/{}", "/health/{}/live", "/graphql/x/{}"])
    async def test_no_signed_link_is_written_whatever_address_it_is_sent_to(self, lines, tmp_path, path):
        async with Edge(tmp_path).client() as client:
            await client.get(path.format(LINK))
        (line,) = lines()
        assert line["path"] == path.format("{token}")

    @pytest.mark.parametrize(
        "body",
        [
            {"query": f'{{ viewer(card: "{SECRET}") {{ role }} }}'},
            {"query": f"query ($c: Int!) {{ viewer {{ role }} }} # {SECRET}", "variables": {"c": SECRET}},
            {"query": "query A { viewer { role } }", "operationName": SECRET},
            {"query": SECRET},
        ],
    )
    async def test_no_document_no_variable_and_no_token_is_written(self, lines, tmp_path, body):
        edge = Edge(tmp_path)
        async with edge.client() as client:
            await client.post("/graphql", json=body)
        written = json.dumps(lines())
        assert SECRET not in written
        assert edge.bearer["authorization"].split()[1] not in written

    async def test_a_fault_is_logged_with_the_request_id_of_its_answer(self, lines, tmp_path):
        edge = Edge(tmp_path)
        edge.reader.views["viewer"] = RuntimeError(SECRET)
        async with edge.client() as client:
            answer = await client.post("/graphql", json={"query": "query Me { viewer { role } }"})
        assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
        fault, _request = lines()
        assert fault["request_id"] == answer.headers["x-request-id"]
        assert (fault["error_type"], fault["operation"], fault["field"]) == ("builtins.RuntimeError", "Me", "viewer")
        assert any("app/graphql/permissions.py" in frame for frame in fault["frames"])
        assert SECRET not in json.dumps(lines())

    async def test_a_refused_token_is_explained_in_the_log_alone(self, lines, tmp_path):
        async with Edge(tmp_path).client(has_token=False) as client:
            answer = await client.post("/graphql", json={}, headers={"authorization": "Bearer a.b.c"})
        refused, request = lines()
        assert (refused["event"], request["status"]) == ("token refused", 401)
        assert refused["reason"] not in answer.text

    async def test_the_values_in_a_path_are_not_written(self, lines, tmp_path):
        async def show(request):
            return PlainTextResponse("ok")

        async with Edge(tmp_path, routes=[Route("/documents/{link}", show)]).client() as client:
            await client.get("/documents/signed-secret?x=1")
        assert lines()[0]["path"] == "/documents/{link}"


class TestLibraries:
    def test_their_lines_are_json_too_without_the_text_of_exceptions(self, lines):
        try:
            int(SECRET + "x")
        except ValueError:
            logging.getLogger("some.library").exception("it broke")
        (line,) = lines()
        assert (line["event"], line["logger"], line["level"]) == ("it broke", "some.library", "error")
        assert line["error_type"] == "builtins.ValueError"
        assert SECRET not in json.dumps(line)


class TestRedaction:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("card 4111 1111 1111 1111 declined", f"card {REMOVED} declined"),
            ("card 4111-1111-1111-1111", f"card {REMOVED}"),
            ("card 4111111111111112", "card 4111111111111112"),
            ("token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.abc-_", f"token {REMOVED}"),
            ("sent to ann.ames+x@example.co.uk today", f"sent to {REMOVED} today"),
            (f"GET /anything/{LINK}?x=1", f"GET /anything/{REMOVED}?x=1"),
            (f"{LINK}x", f"{LINK}x"),
            ("inv_01m863fqyfeyzsc5wqp5615dc8", "inv_01m863fqyfeyzsc5wqp5615dc8"),
            ("2026-08-31T07:00:00.000000Z", "2026-08-31T07:00:00.000000Z"),
        ],
    )
    def test_secrets_are_taken_out_and_the_rest_is_kept(self, text, kept):
        assert redact(None, "info", {"a": text, "b": [{"c": text}], "n": 1}) == {"a": kept, "b": [{"c": kept}], "n": 1}
