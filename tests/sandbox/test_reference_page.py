"""The API reference: every type, field, argument, value and error code is on it, with the example that answers it."""

from __future__ import annotations

import json
import re

import pytest
from graphql import GraphQLEnumType, is_introspection_type, is_specified_scalar_type
from starlette.applications import Starlette

from app.graphql.contract import read_contract
from app.graphql.reference import reference
from app.graphql.schema import graphql_schema
from app.sandbox.reference_page import reference_routes
from tests.fakes.edge import client


@pytest.fixture(scope="module")
def shown():
    return reference()


def names_in_schema():
    for name, found in graphql_schema.type_map.items():
        if is_introspection_type(found) or is_specified_scalar_type(found):
            continue
        yield name
        if isinstance(found, GraphQLEnumType):
            yield from (f"{name}.{value}" for value in found.values)
        for field_name, field in getattr(found, "fields", {}).items():
            yield f"{name}.{field_name}"
            yield from (f"{name}.{field_name}.{argument}" for argument in getattr(field, "args", {}))


def names_shown(shown):
    for found in shown["types"]:
        yield found["name"]
        yield from (f"{found['name']}.{value['name']}" for value in found.get("values", ()))
        for field in found.get("fields", ()):
            yield f"{found['name']}.{field['name']}"
            yield from (f"{found['name']}.{field['name']}.{each['name']}" for each in field.get("arguments", ()))


def test_everything_of_the_schema_is_there_once(shown):
    assert sorted(names_shown(shown)) == sorted(names_in_schema())


def test_everything_is_described(shown):
    members = [member for found in shown["types"] for member in (*found.get("fields", ()), *found.get("values", ()))]
    arguments = [each for member in members for each in member.get("arguments", ())]
    assert all(found["about"] for found in (*shown["types"], *members, *arguments))


def test_every_error_code_has_its_example(shown):
    assert [error["code"] for error in shown["errors"] if error["example"] is None] == []
    declined = next(error for error in shown["errors"] if error["code"] == "PAYMENT_DECLINED")
    assert '"code": "PAYMENT_DECLINED"' in json.dumps(declined["example"]["recorded"])


def test_every_operation_of_the_portal_is_there(shown):
    assert [found["name"] for found in shown["operations"]] == [found.name for found in read_contract().operations]


def test_defaults_and_costs_are_told(shown):
    query = next(found for found in shown["types"] if found["name"] == "Query")
    invoices = next(field for field in query["fields"] if field["name"] == "invoices")
    assert invoices["counted"]
    assert {each["name"]: each["default"] for each in invoices["arguments"]}["first"] == "20"


async def test_the_page_runs_no_script_but_its_own():
    async with client(Starlette(routes=reference_routes())) as opened:
        page = await opened.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    (block,) = re.findall(r'<script type="application/json" id="reference">(.*?)</script>', page.text, re.DOTALL)
    assert json.loads(block).keys() == {"operations", "types", "errors"}
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)
