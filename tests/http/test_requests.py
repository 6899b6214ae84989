"""What the edge answers to requests of every shape: the status, and an error with its code, never a fault."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.fakes.edge import VIEWER_QUERY, Edge

JSON = {"content-type": "application/json"}
RESPONSE = "application/graphql-response+json"
DEEP = b'{"query":"{a}","variables":{"a":' + b"[" * 40 + b"]" * 40 + b"}}"

# name: body, extra headers, status, code
MALFORMED: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "empty body": (b"", JSON, 400, "BAD_REQUEST"),
    "not JSON": (b"{query", JSON, 400, "BAD_REQUEST"),
    "null": (b"null", JSON, 400, "BAD_REQUEST"),
    "true": (b"true", JSON, 400, "BAD_REQUEST"),
    "a number": (b"7", JSON, 400, "BAD_REQUEST"),
    "a string": (b'"{ viewer }"', JSON, 400, "BAD_REQUEST"),
    "a batch": (b'[{"query":"{viewer{role}}"}]', JSON, 400, "BAD_REQUEST"),
    "latin-1 bytes": ('{"query":"{ viewer(a:"ü") }"}'.encode("latin-1"), JSON, 400, "BAD_REQUEST"),
    "utf-16": ('{"query":"{viewer{role}}"}'.encode("utf-16"), JSON, 400, "BAD_REQUEST"),
    "a key twice": (b'{"query":"{a}","query":"{viewer{role}}"}', JSON, 400, "BAD_REQUEST"),
    "lone surrogate": (b'{"query":"\\ud800"}', JSON, 400, "BAD_REQUEST"),
    "NaN": (b'{"query":"{a}","variables":{"a":NaN}}', JSON, 400, "BAD_REQUEST"),
    "Infinity": (b'{"query":"{a}","variables":{"a":-Infinity}}', JSON, 400, "BAD_REQUEST"),
    "number of 5,000 digits": (b'{"query":"{a}","variables":{"a":' + b"9" * 5_000 + b"}}", JSON, 400, "BAD_REQUEST"),
    "nested 40 levels": (DEEP, JSON, 400, "BAD_REQUEST"),
    "nested 40,000 levels": (b"[" * 40_000, JSON, 400, "BAD_REQUEST"),
    "no query": (b"{}", JSON, 400, "BAD_REQUEST"),
    "empty query": (b'{"query":""}', JSON, 400, "BAD_REQUEST"),
    "query is a number": (b'{"query":1}', JSON, 400, "BAD_REQUEST"),
    "operation name is a list": (b'{"query":"{a}","operationName":[]}', JSON, 400, "BAD_REQUEST"),
    "variables are a list": (b'{"query":"{a}","variables":[1]}', JSON, 400, "BAD_REQUEST"),
    "variables are text": (b'{"query":"{a}","variables":"{}"}', JSON, 400, "BAD_REQUEST"),
    "extensions are text": (b'{"query":"{a}","extensions":"x"}', JSON, 400, "BAD_REQUEST"),
    "document does not parse": (b'{"query":"{"}', JSON, 400, "GRAPHQL_PARSE_FAILED"),
    "document is a type definition": (b'{"query":"type A { a: Int }"}', JSON, 400, "GRAPHQL_VALIDATION_FAILED"),
    "document is a fragment only": (
        b'{"query":"fragment F on Query { viewer { role } }"}',
        JSON,
        400,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "unknown field": (b'{"query":"{ viewr }"}', JSON, 400, "GRAPHQL_VALIDATION_FAILED"),
    "unknown fragment": (b'{"query":"{ ...Missing }"}', JSON, 400, "GRAPHQL_VALIDATION_FAILED"),
    "fragment cycle": (
        b'{"query":"{...A} fragment A on Query {...B} fragment B on Query {...A}"}',
        JSON,
        400,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a mutation, though there are none": (
        b'{"query":"mutation { payInvoice }"}',
        JSON,
        400,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "unknown operation": (
        b'{"query":"query A {viewer{role}}","operationName":"B"}',
        JSON,
        400,
        "OPERATION_RESOLUTION_FAILURE",
    ),
    "ambiguous operation": (
        b'{"query":"query A {viewer{role}} query B {viewer{role}}"}',
        JSON,
        400,
        "OPERATION_RESOLUTION_FAILURE",
    ),
    "document of 30 kB": (b'{"query":"{a}' + b" " * 30_000 + b'"}', JSON, 400, "LIMIT_EXCEEDED"),
    "document of 3,000 tokens": (b'{"query":"{' + b"a " * 3_000 + b'}"}', JSON, 400, "LIMIT_EXCEEDED"),
    "document nested 950 levels": (b'{"query":"' + b"{a" * 950 + b'"}', JSON, 400, "LIMIT_EXCEEDED"),
    "body of 100,001 bytes": (b" " * 100_001, JSON, 413, "LIMIT_EXCEEDED"),
    "no content type": (b'{"query":"{viewer{role}}"}', {}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "text/plain": (b'{"query":"{viewer{role}}"}', {"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "a web form": (
        b"query=x",
        {"content-type": "application/x-www-form-urlencoded"},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "multipart": (b"--x--", {"content-type": "multipart/form-data; boundary=x"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "JSON in latin-1": (b"{}", {"content-type": "application/json; charset=latin-1"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "compressed": (b"{}", {**JSON, "content-encoding": "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "accepts text only": (b"{}", {**JSON, "accept": "text/plain"}, 406, "NOT_ACCEPTABLE"),
    "accepts JSON not at all": (b"{}", {**JSON, "accept": "application/json;q=0"}, 406, "NOT_ACCEPTABLE"),
    "no token": (b"{}", {**JSON, "authorization": ""}, 401, "UNAUTHENTICATED"),
    "another scheme": (b"{}", {**JSON, "authorization": "Basic YTpi"}, 401, "UNAUTHENTICATED"),
    "a token of rubbish": (b"{}", {**JSON, "authorization": "Bearer a.b.c"}, 401, "UNAUTHENTICATED"),
    "a token of 9,000 letters": (b"{}", {**JSON, "authorization": "Bearer " + "a" * 9_000}, 401, "UNAUTHENTICATED"),
    "another host": (b"{}", {**JSON, "host": "evil.test"}, 421, "BAD_REQUEST"),
    "a host that is none": (b"{}", {**JSON, "host": "flex.test@evil.test"}, 421, "BAD_REQUEST"),
}


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    return Edge(tmp_path_factory.mktemp("edge"))


class TestMalformedRequests:
    @pytest.mark.parametrize("name", MALFORMED)
    async def test_every_one_gets_its_status_and_its_code(self, edge, name):
        body, headers, status, code = MALFORMED[name]
        async with edge.client() as client:
            answer = await client.post("/graphql", content=body, headers={"accept": RESPONSE, **headers})
        assert answer.status_code == status
        assert answer.headers["content-type"].split(";")[0] in {"application/json", RESPONSE}
        document = orjson.loads(answer.content)
        assert set(document) == {"errors"}
        assert {error["extensions"]["code"] for error in document["errors"]} == {code}
        assert all(error["extensions"]["requestId"] == answer.headers["x-request-id"] for error in document["errors"])
        assert all(isinstance(error["extensions"]["retryable"], bool) for error in document["errors"])

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
    async def test_other_methods_are_refused(self, edge, method):
        async with edge.client() as client:
            answer = await client.request(method, "/graphql")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")

    @pytest.mark.parametrize(("path", "status"), [("/", 404), ("/graphql/", 404), ("/graphql/x", 404)])
    async def test_unknown_addresses_are_refused_in_json(self, edge, path, status):
        async with edge.client() as client:
            answer = await client.get(path)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, "NOT_FOUND")

    async def test_errors_of_validation_are_five_and_a_last_word(self, edge):
        async with edge.client() as client:
            answer = await client.post("/graphql", json={"query": "{ " + " ".join(f"x{n}" for n in range(15)) + " }"})
        assert len(answer.json()["errors"]) == 6


class TestMediaTypes:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            (None, "application/json"),
            ("", "application/json"),
            ("*/*", "application/json"),
            ("application/*", "application/json"),
            ("application/json", "application/json"),
            ("application/graphql-response+json", RESPONSE),
            ("application/graphql-response+json, application/json;q=0.9", RESPONSE),
            ("application/json, application/graphql-response+json", "application/json"),
            ("application/graphql-response+json;q=0.1, application/json;q=0.2", "application/json"),
            ("text/html, application/graphql-response+json;q=nonsense, */*;q=0.1", "application/json"),
        ],
    )
    async def test_the_answer_has_the_type_that_is_liked_best(self, edge, accept, expected):
        async with edge.client() as client:
            del client.headers["accept"]
            headers = {} if accept is None else {"accept": accept}
            answer = await client.post("/graphql", json={"query": VIEWER_QUERY}, headers=headers)
        assert answer.headers["content-type"] == f"{expected}; charset=utf-8"
        assert answer.json()["data"] == {"viewer": {"role": "ADMIN"}}

    @pytest.mark.parametrize("query", ["{", "{ viewr }", "query A {viewer{role}} query B {viewer{role}}"])
    async def test_a_client_of_the_older_type_gets_document_errors_with_status_200(self, edge, query):
        async with edge.client() as client:
            answer = await client.post("/graphql", json={"query": query}, headers={"accept": "application/json"})
        assert answer.status_code == 200
        assert "data" not in answer.json()


class TestHeaders:
    async def test_every_answer_is_kept_from_caches_frames_and_guesses(self, edge):
        async with edge.client() as client:
            for answer in (await client.post("/graphql", json={"query": VIEWER_QUERY}), await client.get("/nowhere")):
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
                assert "strict-transport-security" not in answer.headers

    async def test_production_insists_on_https(self, tmp_path):
        async with Edge(tmp_path, is_sandbox=False).client() as client:
            answer = await client.get("/health/live")
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"

    async def test_a_challenge_says_whether_the_token_was_the_fault(self, edge):
        async with edge.client(has_token=False) as client:
            without = await client.post("/graphql", json={"query": VIEWER_QUERY})
            broken = await client.post("/graphql", json={}, headers={"authorization": "Bearer a.b.c"})
        assert without.headers["www-authenticate"] == 'Bearer realm="flex-billing"'
        assert broken.headers["www-authenticate"] == 'Bearer realm="flex-billing", error="invalid_token"'

    async def test_a_request_id_is_minted_or_kept_when_well_formed(self, edge):
        async with edge.client() as client:
            minted = await client.get("/health/live")
            kept = await client.get("/health/live", headers={"x-request-id": "proxy-0001"})
            forged = await client.get("/health/live", headers={"x-request-id": 'a"b,c d e f'})
        assert minted.headers["x-request-id"].startswith("req_")
        assert kept.headers["x-request-id"] == "proxy-0001"
        assert forged.headers["x-request-id"].startswith("req_")


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


class TestCrossOrigin:
    async def test_the_portal_is_let_in_by_its_exact_origin(self, tmp_path):
        async with Edge(tmp_path, cors_origins=["https://portal.test"]).client() as client:
            asked = await client.options("/graphql", headers={**PREFLIGHT, "origin": "https://portal.test"})
            sent = await client.post(
                "/graphql", json={"query": VIEWER_QUERY}, headers={"origin": "https://portal.test"}
            )
        assert (asked.status_code, asked.headers["access-control-max-age"]) == (200, "600")
        assert sent.headers["access-control-allow-origin"] == "https://portal.test"
        assert "Origin" in sent.headers["vary"]
        assert "access-control-allow-credentials" not in sent.headers

    @pytest.mark.parametrize(
        "origin", ["https://portal.test.evil.test", "http://portal.test", "https://Portal.test:8443", "null"]
    )
    async def test_near_misses_are_not(self, tmp_path, origin):
        async with Edge(tmp_path, is_sandbox=False, cors_origins=["https://portal.test"]).client() as client:
            asked = await client.options("/graphql", headers={**PREFLIGHT, "origin": origin})
            sent = await client.post("/graphql", json={"query": VIEWER_QUERY}, headers={"origin": origin})
        assert asked.status_code == 400
        assert "access-control-allow-origin" not in asked.headers
        assert "access-control-allow-origin" not in sent.headers

    @pytest.mark.parametrize("origin", ["http://localhost:5173", "https://127.0.0.1:3000", "http://[::1]:8080"])
    @pytest.mark.parametrize(("is_sandbox", "status"), [(True, 200), (False, 400)])
    async def test_a_portal_on_this_machine_is_let_into_the_sandbox(self, tmp_path, origin, is_sandbox, status):
        async with Edge(tmp_path, is_sandbox=is_sandbox).client() as client:
            asked = await client.options("/graphql", headers={**PREFLIGHT, "origin": origin})
        assert asked.status_code == status
        assert ("access-control-allow-origin" in asked.headers) is is_sandbox

    @pytest.mark.parametrize("origin", ["http://localhost.evil.test", "http://127.0.0.1.evil.test", "http://10.0.0.1"])
    async def test_the_sandbox_lets_no_other_machine_in(self, tmp_path, origin):
        async with Edge(tmp_path).client() as client:
            asked = await client.options("/graphql", headers={**PREFLIGHT, "origin": origin})
        assert asked.status_code == 400

    async def test_what_tracing_agents_add_is_allowed(self, tmp_path):
        sent = "authorization, content-type, traceparent, tracestate, baggage, sentry-trace, x-datadog-trace-id"
        asking = {**PREFLIGHT, "access-control-request-headers": sent, "origin": "http://localhost:5173"}
        async with Edge(tmp_path).client() as client:
            assert (await client.options("/graphql", headers=asking)).status_code == 200


class TestCompression:
    LONG = "{ __schema { types { name description } } }"

    async def test_a_long_answer_is_compressed_for_who_takes_it(self, tmp_path):
        async with Edge(tmp_path).client() as client:
            taken = await client.post("/graphql", json={"query": self.LONG}, headers={"accept-encoding": "gzip"})
            plain = await client.post("/graphql", json={"query": self.LONG}, headers={"accept-encoding": "identity"})
        assert taken.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert taken.json()["data"] == plain.json()["data"]
        assert int(taken.headers["content-length"]) < len(plain.content) / 3
        assert "Accept-Encoding" in taken.headers["vary"]

    async def test_a_short_one_is_not(self, tmp_path):
        async with Edge(tmp_path).client() as client:
            answer = await client.post("/graphql", json={"query": VIEWER_QUERY}, headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in answer.headers


class TestBodies:
    async def test_a_body_in_chunks_counts_too(self, edge):
        async def chunks():
            for _ in range(11):
                yield b" " * 10_000

        async with edge.client() as client:
            answer = await client.post("/graphql", content=chunks(), headers=JSON)
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        assert answer.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"

    async def test_a_body_that_trickles_is_cut_off(self, tmp_path):
        async def trickle():
            yield b"{"
            await asyncio.Event().wait()

        async with Edge(tmp_path, body_seconds=0.01).client() as client:
            answer = await client.post("/graphql", content=trickle(), headers=JSON)
        assert (answer.status_code, answer.headers["connection"]) == (408, "close")
        assert answer.json()["errors"][0]["extensions"] == {
            "code": "TIMEOUT",
            "requestId": answer.headers["x-request-id"],
            "retryable": True,
        }

    async def test_a_length_that_is_no_number_is_refused(self, edge):
        async with edge.client() as client:
            answer = await client.post("/graphql", content=b"{}", headers={**JSON, "content-length": "+2"})
        assert answer.status_code == 413


class TestGet:
    async def test_the_sandbox_runs_queries_by_get(self, edge):
        parameters = {"query": "query A { viewer { role } }", "operationName": "A", "variables": "{}"}
        async with edge.client() as client:
            answer = await client.get("/graphql", params=parameters)
        assert answer.json()["data"] == {"viewer": {"role": "ADMIN"}}

    @pytest.mark.parametrize(
        "query_string",
        [
            "",
            "query=",
            "query=%ff",
            "query={a}&variables=[1]",
            "query={a}&variables={",
            "query={a}&query={b}",
            "&".join(f"p{number}=1" for number in range(20)),
        ],
    )
    async def test_malformed_query_strings_are_refused(self, edge, query_string):
        async with edge.client() as client:
            answer = await client.get(f"/graphql?{query_string}")
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")

    async def test_production_does_not(self, tmp_path):
        async with Edge(tmp_path, is_sandbox=False).client() as client:
            answer = await client.get("/graphql", params={"query": VIEWER_QUERY})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    async def test_a_browser_gets_the_page_without_a_token(self, tmp_path):
        async def page(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<p>page</p>"})

        async with Edge(tmp_path, developer_page=page).client(has_token=False) as client:
            shown = await client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
            run = await client.get("/graphql", params={"query": VIEWER_QUERY}, headers={"accept": "text/html,*/*"})
        assert (shown.status_code, shown.text) == (200, "<p>page</p>")
        assert run.status_code == 401
