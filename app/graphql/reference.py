"""The schema, the operations and the error codes as JSON values, for the page that people look things up on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)
from graphql.utilities import ast_from_value

from app.graphql.contract import FOLDER, read_contract
from app.graphql.cost import declared_cost
from app.graphql.schema import graphql_schema

if TYPE_CHECKING:
    from pathlib import Path

    from graphql import GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLNamedType

    from app.domain.json_values import Json, JsonObject

KINDS = {
    GraphQLObjectType: "type",
    GraphQLInterfaceType: "interface",
    GraphQLUnionType: "union",
    GraphQLEnumType: "enum",
    GraphQLInputObjectType: "input",
}


def reference(folder: Path = FOLDER) -> JsonObject:
    """Return what the page shows, as JSON values: operations, types by name, and errors with an example of each."""
    types = [
        _type(found)
        for name, found in sorted(graphql_schema.type_map.items())
        if not is_introspection_type(found) and not is_specified_scalar_type(found)
    ]
    operations = [
        {"name": found.name, "kind": found.kind.value, "about": found.comment, "document": found.document}
        for found in read_contract(folder).operations
    ]
    return {"operations": operations, "types": types, "errors": _errors(folder)}


def _type(found: GraphQLNamedType) -> JsonObject:
    described: dict[str, Json] = {
        "name": found.name,
        "kind": next((word for kind, word in KINDS.items() if isinstance(found, kind)), "scalar"),
        "about": found.description,
    }
    if isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
        described["fields"] = [_field(name, field) for name, field in sorted(found.fields.items())]
        described["implements"] = sorted(interface.name for interface in found.interfaces)
    if isinstance(found, GraphQLInputObjectType):
        described["fields"] = [_value(name, field) for name, field in sorted(found.fields.items())]
    if isinstance(found, GraphQLEnumType):
        described["values"] = [
            {"name": name, "about": value.description, "deprecated": value.deprecation_reason}
            for name, value in sorted(found.values.items())
        ]
    if isinstance(found, GraphQLUnionType):
        described["members"] = sorted(member.name for member in found.types)
    if isinstance(found, GraphQLInterfaceType):
        described["members"] = sorted(member.name for member in graphql_schema.get_possible_types(found))
    return described


def _field(name: str, field: GraphQLField) -> JsonObject:
    weight, size = declared_cost(field)
    return {
        "name": name,
        "type": str(field.type),
        "about": field.description,
        "deprecated": field.deprecation_reason,
        "cost": weight,
        "counted": size is not None,
        "arguments": [_value(argument, found) for argument, found in sorted(field.args.items())],
    }


def _value(name: str, found: GraphQLArgument | GraphQLInputField) -> JsonObject:
    has_default = found.default_value is not Undefined
    default = ast_from_value(found.default_value, found.type) if has_default else None
    return {
        "name": name,
        "type": str(found.type),
        "about": found.description,
        "deprecated": found.deprecation_reason,
        "default": None if default is None else print_ast(default),
    }


def _errors(folder: Path) -> list[JsonObject]:
    """Return every code with its entry of `errors.json` and the first recorded answer that has it."""
    path = folder / "errors.json"
    entries = orjson.loads(path.read_bytes()) if path.is_file() else {}
    waiting, examples = set(entries), {}
    for example in sorted((folder / "examples").glob("*/*.json")):
        text = example.read_text(encoding="utf-8")
        for code in [code for code in waiting if f'"code": "{code}"' in text]:
            waiting.remove(code)
            examples[code] = {"name": f"{example.parent.name}/{example.stem}", "recorded": orjson.loads(text)}
    return [{"code": code, **entry, "example": examples.get(code)} for code, entry in sorted(entries.items())]
