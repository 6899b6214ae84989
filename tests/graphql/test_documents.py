"""The document store: each text is examined once, what it keeps is bounded, and refusals are remembered too."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query

from app.graphql import documents
from app.graphql.documents import DocumentRefused, DocumentStore, RuleSet
from app.graphql.schema import graphql_schema

SANDBOX = RuleSet(allows_introspection=True, shows_suggestions=True)
PRODUCTION = RuleSet(allows_introspection=False, shows_suggestions=False)


def a_store(rules: RuleSet = SANDBOX) -> DocumentStore:
    return DocumentStore(graphql_schema, rules)


def refusal_of(store: DocumentStore, text: str) -> DocumentRefused:
    with pytest.raises(DocumentRefused) as caught:
        store.prepare(text)
    return caught.value


class TestDocumentStore:
    def test_a_text_is_examined_once(self):
        store = a_store()
        assert store.prepare("{ viewer { role } }") is store.prepare("{ viewer { role } }")
        assert store.examined == 1

    def test_a_refusal_is_remembered(self):
        store = a_store()
        assert refusal_of(store, "{ nothing }").errors == refusal_of(store, "{ nothing }").errors
        assert store.examined == 1

    def test_the_oldest_is_dropped_when_there_are_too_many(self, monkeypatch):
        monkeypatch.setattr(documents, "DOCUMENTS_KEPT", 2)
        store = a_store()
        for name in ("a", "b", "a", "c", "a", "b"):
            store.prepare(f"query {name} {{ viewer {{ role }} }}")
        assert store.examined == 4

    def test_what_is_kept_is_bounded_in_characters_too(self, monkeypatch):
        monkeypatch.setattr(documents, "CHARACTERS_KEPT", 100)
        store = a_store()
        for name in ("a", "b", "a"):
            store.prepare(f"query {name} {{ viewer {{ role }} }} # {'x' * 60}")
        assert store.examined == 3

    def test_refusals_are_bounded_by_themselves(self, monkeypatch):
        monkeypatch.setattr(documents, "REFUSALS_KEPT", 1)
        store = a_store()
        store.prepare("{ viewer { role } }")
        for text in ("{ a }", "{ b }", "{ a }"):
            refusal_of(store, text)
        store.prepare("{ viewer { role } }")
        assert store.examined == 4

    def test_our_own_documents_are_examined_once_and_stay_for_good(self, monkeypatch):
        monkeypatch.setattr(documents, "DOCUMENTS_KEPT", 1)
        store = a_store()
        store.pin(["{ viewer { role } }"])
        assert (store.knows("{ viewer { role } }"), store.examined) == (True, 0)
        for name in ("a", "b"):
            store.prepare("{ viewer { role } }")
            store.prepare(f"query {name} {{ viewer {{ role }} }}")
        assert store.examined == 3

    def test_the_operation_is_chosen_by_name_or_because_it_is_alone(self):
        document = a_store().prepare("query A { viewer { role } } query B { viewer { banner } }")
        assert document.find_operation("B").name.value == "B"
        assert document.find_operation(None) is None
        assert document.find_operation("C") is None
        assert a_store().prepare("query A { viewer { role } }").find_operation(None).name.value == "A"


class TestRuleSets:
    def test_the_sandbox_shows_the_schema_and_suggests(self):
        store = a_store(SANDBOX)
        store.prepare(get_introspection_query(input_value_deprecation=True, specified_by_url=True))
        assert "Did you mean 'viewer'?" in refusal_of(store, "{ viewr { role } }").errors[0].message

    @pytest.mark.parametrize("text", ["{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }'])
    def test_production_does_not_show_the_schema(self, text):
        assert "introspection" in refusal_of(a_store(PRODUCTION), text).errors[0].message.lower()

    @pytest.mark.parametrize(
        "text",
        [
            "{ viewr { role } }",
            "{ viewer { rol } }",
            "{ viewer(acount: 1) { role } }",
            "query ($a: Itn) { viewer { role } }",
        ],
    )
    def test_production_suggests_nothing(self, text):
        assert all("Did you mean" not in error.message for error in refusal_of(a_store(PRODUCTION), text).errors)

    def test_production_still_tells_the_type_of_a_value(self):
        a_store(PRODUCTION).prepare("{ viewer { __typename role } }")
