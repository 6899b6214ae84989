"""The manifests of persisted documents: made from the operations, each text under its own hash."""

from __future__ import annotations

import json

import pytest
from graphql import parse, validate

from app.graphql.contract import FOLDER, ContractUnreadable, read_contract
from app.graphql.persisted_documents import (
    APOLLO_FILE,
    DOCUMENTS_FILE,
    MalformedDocumentId,
    PersistedDocuments,
    apollo_manifest,
    hash_of,
    persisted_documents,
    read_document_id,
    read_manifest,
    read_persisted_documents,
)
from app.graphql.schema import graphql_schema

TEXT = "{ viewer { role } }"


@pytest.mark.parametrize(("name", "make"), [(DOCUMENTS_FILE, persisted_documents), (APOLLO_FILE, apollo_manifest)])
def test_a_manifest_is_what_the_operations_make(name, make):
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == make(read_contract()), f"{name} is out of date: run `flex-billing export-documents`"


@pytest.mark.parametrize("path", [FOLDER / DOCUMENTS_FILE, FOLDER / APOLLO_FILE], ids=lambda path: path.stem)
def test_every_document_fits_the_schema(path):
    texts = read_manifest(path)
    assert len(texts) == len(read_contract().operations)
    for text in texts:
        assert validate(graphql_schema, parse(text)) == []


def test_apollo_sends_a_typename_in_every_selection_but_the_roots():
    operations = json.loads(apollo_manifest(read_contract()))["operations"]
    body = next(found["body"] for found in operations if found["name"] == "ContactsList")
    assert body.count("__typename") == body.count("{") - 1
    assert [found["type"] for found in operations if found["name"] == "ContactAdd"] == ["mutation"]


def test_apollo_writes_an_object_on_one_line():
    operations = json.loads(apollo_manifest(read_contract()))["operations"]
    body = next(found["body"] for found in operations if found["name"] == "AddOnCancel")
    assert "cancelAddOn(input: {addOnId: $addOnId}) {" in body


def test_the_server_knows_every_form_of_an_operation():
    contract = read_contract()
    known = read_persisted_documents(contract)
    for text in (contract.operations[0].document, *read_manifest(FOLDER / APOLLO_FILE)):
        assert known.find(hash_of(text)) == text
    assert known.find(hash_of(TEXT)) is None


def test_a_manifest_of_a_released_app_counts_as_well(tmp_path):
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "ios@1.0.json").write_text(json.dumps({f"sha256:{hash_of(TEXT)}": TEXT}))
    known = read_persisted_documents(read_contract(tmp_path), tmp_path)
    assert (len(known), known.find(hash_of(TEXT))) == (1, TEXT)


@pytest.mark.parametrize(
    "content",
    ["nonsense", "[]", '{"abc": "{ viewer { role } }"}', '{"format": "other", "operations": []}'],
)
def test_what_is_no_manifest_is_refused_by_name(tmp_path, content):
    path = tmp_path / "ios@1.0.json"
    path.write_text(content)
    with pytest.raises(ContractUnreadable, match=r"ios@1\.0\.json .* not a manifest"):
        read_manifest(path)


def test_an_id_that_is_not_the_hash_of_its_text_is_refused(tmp_path):
    path = tmp_path / "ios@1.0.json"
    path.write_text(json.dumps({hash_of("other"): TEXT}))
    with pytest.raises(ContractUnreadable, match="not the SHA-256 of its document"):
        read_manifest(path)


def test_an_id_is_read_with_and_without_its_prefix():
    assert read_document_id(f"sha256:{hash_of(TEXT)}") == read_document_id(hash_of(TEXT)) == hash_of(TEXT)
    for wrong in ("", "sha256:", hash_of(TEXT).upper(), f"md5:{hash_of(TEXT)}", hash_of(TEXT)[:-1]):
        with pytest.raises(MalformedDocumentId):
            read_document_id(wrong)


def test_a_store_is_counted():
    assert len(PersistedDocuments.of([TEXT, TEXT])) == 1
