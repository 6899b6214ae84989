"""What the reference portal reads of the contract, in one file: documents by id, errors, stale lists, and the types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLType,
    GraphQLUnionType,
    is_introspection_type,
)

from app.graphql.persisted_documents import apollo_manifest
from app.graphql.schema import graphql_schema

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.json_values import JsonObject
    from app.graphql.contract import Contract

PORTAL_CONTRACT_FILE = "portal/contract.json"


def portal_contract(contract: Contract, folder: Path) -> str:
    """Return the text of `portal/contract.json`; errors and stale operations are those of the contract's folder."""
    found = {
        "operations": orjson.loads(apollo_manifest(contract))["operations"],
        "errors": orjson.loads((folder / "errors.json").read_bytes()),
        "afterMutations": orjson.loads((folder / "after-mutations.json").read_bytes()),
        "schema": _schema(),
    }
    return orjson.dumps(found).decode() + "\n"


def _schema() -> JsonObject:
    """Return the types in the form of an introspection, as normalising caches read them."""
    composite = (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)
    types = [each for each in graphql_schema.type_map.values() if isinstance(each, composite)]
    return {
        "__schema": {
            "queryType": {"name": "Query"},
            "mutationType": {"name": "Mutation"},
            "subscriptionType": {"name": "Subscription"},
            "types": [_composite(each) for each in types if not is_introspection_type(each)],
        }
    }


def _composite(found: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType) -> JsonObject:
    if isinstance(found, GraphQLUnionType):
        return {"kind": "UNION", "name": found.name, "possibleTypes": [_reference(each) for each in found.types]}
    shared: JsonObject = {
        "name": found.name,
        "fields": [
            {"name": name, "type": _reference(field.type), "args": []} for name, field in sorted(found.fields.items())
        ],
        "interfaces": [_reference(each) for each in found.interfaces],
    }
    if isinstance(found, GraphQLObjectType):
        return {"kind": "OBJECT", **shared}
    possible = [_reference(each) for each in graphql_schema.get_possible_types(found)]
    return {"kind": "INTERFACE", **shared, "possibleTypes": possible}


def _reference(found: GraphQLType) -> JsonObject:
    if isinstance(found, GraphQLNonNull):
        return {"kind": "NON_NULL", "ofType": _reference(found.of_type)}
    if isinstance(found, GraphQLList):
        return {"kind": "LIST", "ofType": _reference(found.of_type)}
    kinds = {GraphQLObjectType: "OBJECT", GraphQLInterfaceType: "INTERFACE", GraphQLUnionType: "UNION"}
    kind = "SCALAR" if isinstance(found, GraphQLScalarType) else kinds.get(type(found), "ENUM")
    return {"kind": kind, "name": str(found)}
