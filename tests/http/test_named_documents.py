"""Documents by name: by GET and POST, in the standard's form and in Apollo's, in each mode."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
import structlog

from app.graphql.persisted_documents import PersistedDocuments, hash_of
from app.http.named_documents import DocumentsMode
from tests.fakes.edge import VIEWER_QUERY, Edge

KNOWN = "query ViewerRole { viewer { role } }"
MUTATION = 'mutation Remove { removePaymentContact(input: {contactId: "x"}) { __typename } }'
RESPONSE = {"accept": "application/graphql-response+json"}


def persisted(sha256, **more):
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256}}, **more}


def an_edge(folder, mode=DocumentsMode.PREFER, **options):
    return Edge(folder, persisted_documents=PersistedDocuments.of([KNOWN, MUTATION]), documents=mode, **options)


async def post(edge, body, headers=None):
    async with edge.client() as client:
        return await client.post("/graphql", json=body, headers=headers or {})


async def get(edge, headers=None, **parameters):
    async with edge.client() as client:
        return await client.get(f"/graphql?{urlencode(parameters)}", headers=headers or {})


def code_of(answer):
    (error,) = answer.json()["errors"]
    return error["extensions"]["code"]


ROLE = {"viewer": {"role": "ADMIN"}}


class TestByName:
    @pytest.mark.parametrize(
        "body",
        [
            {"documentId": f"sha256:{hash_of(KNOWN)}"},
            {"documentId": hash_of(KNOWN)},
            persisted(hash_of(KNOWN)),
            persisted(hash_of(KNOWN), query=KNOWN),
            {"documentId": hash_of(KNOWN), **persisted(hash_of(KNOWN))},
        ],
        ids=["prefixed", "bare", "apollo", "apollo with its text", "both"],
    )
    async def test_a_known_document_runs(self, tmp_path, body):
        assert (await post(an_edge(tmp_path), body)).json()["data"] == ROLE

    @pytest.mark.parametrize("is_sandbox", [True, False])
    async def test_it_runs_by_get_as_well(self, tmp_path, is_sandbox):
        edge = an_edge(tmp_path, is_sandbox=is_sandbox)
        assert (await get(edge, documentId=f"sha256:{hash_of(KNOWN)}")).json()["data"] == ROLE
        extensions = json.dumps(persisted(hash_of(KNOWN))["extensions"])
        assert (await get(edge, extensions=extensions)).json()["data"] == ROLE

    async def test_a_browser_that_names_a_document_gets_data_and_no_page(self, tmp_path):
        edge = an_edge(tmp_path, developer_page=None)
        answer = await get(edge, {"accept": "text/html, */*"}, documentId=hash_of(KNOWN))
        assert answer.headers["content-type"].startswith("application/json")

    async def test_a_mutation_is_not_run_by_get(self, tmp_path):
        answer = await get(an_edge(tmp_path), documentId=hash_of(MUTATION))
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    async def test_in_production_a_text_does_not_come_by_get(self, tmp_path):
        answer = await get(an_edge(tmp_path, is_sandbox=False), query=KNOWN)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


class TestRefusals:
    @pytest.mark.parametrize("headers", [{}, RESPONSE], ids=["json", "graphql-response"])
    async def test_an_unknown_id_is_told_in_apollos_words(self, tmp_path, headers):
        answer = await post(an_edge(tmp_path), {"documentId": hash_of("{ other }")}, headers)
        assert answer.status_code == (400 if headers else 200)
        assert code_of(answer) == "PERSISTED_DOCUMENT_NOT_FOUND"
        assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"
        assert "data" not in answer.json()

    async def test_documents_are_not_registered_by_sending_them(self, tmp_path):
        edge = an_edge(tmp_path)
        answer = await post(edge, persisted(hash_of(VIEWER_QUERY), query=VIEWER_QUERY))
        assert code_of(answer) == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert answer.json()["errors"][0]["message"] == "PersistedQueryNotSupported"
        assert code_of(await post(edge, persisted(hash_of(VIEWER_QUERY)))) == "PERSISTED_DOCUMENT_NOT_FOUND"

    async def test_a_text_that_is_not_the_ids_is_refused(self, tmp_path):
        answer = await post(an_edge(tmp_path), {"documentId": hash_of(KNOWN), "query": VIEWER_QUERY})
        assert code_of(answer) == "PERSISTED_DOCUMENT_MISMATCH"

    @pytest.mark.parametrize(
        "body",
        [
            {"documentId": "md5:abc"},
            {"documentId": 7},
            {"documentId": hash_of(KNOWN).upper()},
            {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of(KNOWN)}}},
            {"extensions": {"persistedQuery": {"version": 1}}},
            {"extensions": {"persistedQuery": hash_of(KNOWN)}},
            {"documentId": hash_of("{ other }"), **persisted(hash_of(KNOWN))},
            {"extensions": {}},
        ],
    )
    async def test_an_id_of_another_form_is_a_bad_request(self, tmp_path, body):
        answer = await post(an_edge(tmp_path), body)
        assert (answer.status_code, code_of(answer)) == (400, "BAD_REQUEST")


class TestModes:
    async def test_off_knows_no_ids(self, tmp_path):
        edge = an_edge(tmp_path, DocumentsMode.OFF)
        assert code_of(await post(edge, {"documentId": hash_of(KNOWN)})) == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert (await post(edge, {"query": KNOWN})).json()["data"] == ROLE

    async def test_unknown_texts_are_logged_by_their_hash(self, tmp_path):
        edge = an_edge(tmp_path, DocumentsMode.LOG_UNKNOWN)
        with structlog.testing.capture_logs() as written:
            assert (await post(edge, {"query": KNOWN})).json()["data"] == ROLE
            assert (await post(edge, {"query": VIEWER_QUERY})).json()["data"] == ROLE
        unknown = [found for found in written if found["event"] == "unknown document"]
        assert [found["sha256"] for found in unknown] == [hash_of(VIEWER_QUERY)]

    async def test_enforce_runs_known_documents_alone(self, tmp_path):
        edge = an_edge(tmp_path, DocumentsMode.ENFORCE)
        assert (await post(edge, {"documentId": hash_of(KNOWN)})).json()["data"] == ROLE
        assert (await post(edge, {"query": KNOWN})).json()["data"] == ROLE
        refused = await post(edge, {"query": VIEWER_QUERY}, RESPONSE)
        assert (refused.status_code, code_of(refused)) == (400, "PERSISTED_DOCUMENT_REQUIRED")

    @pytest.mark.parametrize(("is_sandbox", "runs"), [(True, True), (False, False)])
    async def test_enforce_lets_the_sandboxs_developers_page_send_any_text(self, tmp_path, is_sandbox, runs):
        async def page(_scope, _receive, _send):
            raise AssertionError

        edge = an_edge(tmp_path, DocumentsMode.ENFORCE, is_sandbox=is_sandbox, developer_page=page)
        answer = await post(edge, {"query": VIEWER_QUERY}, {"x-developer-page": "1"})
        assert ("data" in answer.json()) is runs
