"""An app of an earlier release survives: its documents run on today's schema, and on one that has grown since.

The grown schema has what no build of today knows: a value more in every enum, a member more in every union, and a type
more behind every interface; and that is what it answers with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    extend_schema,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)

from app.graphql.contract import FOLDER
from app.graphql.persisted_documents import read_manifest
from app.graphql.schema import graphql_schema

NEW_VALUE, NEW_REFUSAL, NEW_TYPE = "NOT_KNOWN_YET", "NotKnownYet", "{}NotKnownYet"
LEAVES = {"ID": "id", "String": "text", "Int": 1, "Boolean": True, "Decimal": "1.00", "Date": "2026-08-20"} | {
    "DateTime": "2026-08-20T17:00:00.000Z"
}


def documents() -> Iterator[tuple[str, str]]:
    for path in sorted((FOLDER / "clients").glob("*.json")):
        for text in read_manifest(path):
            yield f"{path.stem} {_operation(parse(text)).name.value}", text


def _operation(node: DocumentNode) -> OperationDefinitionNode:
    return next(part for part in node.definitions if isinstance(part, OperationDefinitionNode))


RELEASED = dict(documents())


def grown(schema: GraphQLSchema) -> GraphQLSchema:
    """The schema with a new value, member or type wherever one may come."""
    parts = [f"type {NEW_REFUSAL} implements UserError {{ code: ErrorCode! message: String! }}"]
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(kind, GraphQLEnumType):
            parts.append(f"extend enum {name} {{ {NEW_VALUE} }}")
        elif isinstance(kind, GraphQLUnionType):
            parts.append(f"extend union {name} = {NEW_REFUSAL}")
        elif isinstance(kind, GraphQLInterfaceType) and name != "UserError":
            above = " & ".join([name, *(each.name for each in kind.interfaces)])
            fields = " ".join(_printed(field_name, field) for field_name, field in kind.fields.items())
            parts.append(f"type {NEW_TYPE.format(name)} implements {above} {{ {fields} }}")
    return extend_schema(schema, parse("\n".join(parts)))


def _printed(name: str, field: Any) -> str:
    given = ", ".join(f"{argument}: {each.type}" for argument, each in field.args.items())
    return f"{name}{f'({given})' if given else ''}: {field.type}"


def made_up(_: Any, info: GraphQLResolveInfo, **__: Any) -> Any:
    """A value of the field's type: the new one where there is a choice."""
    return _value(info.return_type)


def _value(kind: Any) -> Any:
    if is_non_null_type(kind):
        return _value(kind.of_type)
    if is_list_type(kind):
        return [_value(kind.of_type)]
    if isinstance(get_named_type(kind), GraphQLEnumType):
        return NEW_VALUE
    return LEAVES.get(get_named_type(kind).name, {})


def newest_type(_: Any, __: GraphQLResolveInfo, kind: GraphQLAbstractType) -> str:
    is_refusal = isinstance(kind, GraphQLUnionType) or kind.name == "UserError"
    return NEW_REFUSAL if is_refusal else NEW_TYPE.format(kind.name)


# Values are made up as clients see them, so that scalars and enums need no values of Python.
TOMORROW = grown(build_schema((FOLDER / "schema.graphql").read_text(encoding="utf-8")))


class TestReleasedApps:
    def test_there_are_some_of_the_portal_and_of_the_phones(self):
        assert {name.partition("@")[0] for name in RELEASED} == {"portal", "mobile"}

    @pytest.mark.parametrize("name", RELEASED)
    def test_every_document_still_fits(self, name):
        assert validate(graphql_schema, parse(RELEASED[name])) == []
        assert validate(TOMORROW, parse(RELEASED[name])) == []

    @pytest.mark.parametrize("name", RELEASED)
    def test_it_gets_an_answer_that_it_can_show_of_what_it_does_not_know(self, name):
        node = parse(RELEASED[name])
        names = [each.variable.name.value for each in _operation(node).variable_definitions or ()]
        result = execute_sync(
            TOMORROW, node, variable_values=_variables(node, names), field_resolver=made_up, type_resolver=newest_type
        )
        assert result.errors is None
        assert list(_unnamed(result.data)) == []

    def test_what_has_only_members_that_are_known_would_be_seen(self):
        """The test above can fail: a document that selects nothing of an unknown refusal gets nothing."""
        node = parse("{ planChangePreview(planId: 1, when: NOW) { ... on PlanChangeQuote { hash } } }")
        result = execute_sync(TOMORROW, node, field_resolver=made_up, type_resolver=newest_type)
        assert list(_unnamed(result.data)) == ["planChangePreview"]


def _unnamed(value: Any, path: str = "") -> Iterator[str]:
    """Name every object of an answer that has nothing to be shown by."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    elif isinstance(value, dict) and not value.keys() - {"__typename"}:
        yield path
    for name, below in value.items() if isinstance(value, dict) else ():
        yield from _unnamed(below, f"{path}.{name}".lstrip("."))


def _variables(node: DocumentNode, names: list[str]) -> dict[str, Any]:
    """Something for every variable that has to have a value."""
    kinds = {each.variable.name.value: each.type for each in _operation(node).variable_definitions or ()}
    return {name: _input(kinds[name]) for name in names if type(kinds[name]).__name__ == "NonNullTypeNode"}


def _input(kind: Any) -> Any:
    if type(kind).__name__ == "NonNullTypeNode":
        return _input(kind.type)
    if type(kind).__name__ == "ListTypeNode":
        return []
    found = TOMORROW.type_map[kind.name.value]
    if isinstance(found, GraphQLEnumType):
        return NEW_VALUE
    if hasattr(found, "fields"):
        fields = {name: each for name, each in found.fields.items() if is_non_null_type(each.type)}
        return {name: _value(each.type) if not is_list_type(each.type.of_type) else [] for name, each in fields.items()}
    return LEAVES[found.name]
