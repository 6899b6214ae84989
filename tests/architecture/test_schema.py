"""What the schema promises to every client, whoever adds to it: described, exact about money, and written down."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from app.error_codes import ErrorCode
from app.graphql import refusals
from app.graphql.refusals import DECLARED, UserError
from app.graphql.schema import schema as strawberry_schema
from app.graphql.schema import schema_text
from tests.architecture.source import ROOT

SCHEMA: GraphQLSchema = strawberry_schema._schema

# The only types that may carry an amount or a price as a number.
MONEY_TYPES = {"Money", "UnitPrice"}
AMOUNT_WORDS = re.compile(r"(^|[a-z])(cents|amount|price|fee|cost|total|balance|money)s?$", re.IGNORECASE)

VERB_FIRST = re.compile(
    r"^(accept|activate|add|cancel|change|close|create|discard|keep|mark|pay|release|remove|reorder|resend|retry|"
    r"revoke|schedule|send|set|update|verify)[A-Z]"
)


def own_types() -> list[GraphQLNamedType]:
    """Types that are ours to describe."""
    return [
        kind
        for kind in SCHEMA.type_map.values()
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
    ]


def output_fields() -> Iterator[tuple[str, str, GraphQLField]]:
    for kind in own_types():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            yield from ((kind.name, name, field) for name, field in kind.fields.items())


def typed_parts() -> Iterator[tuple[str, str]]:
    """Where a type is used, with the type's name: fields, arguments, input fields."""
    for owner, name, field in output_fields():
        yield f"{owner}.{name}", get_named_type(field.type).name
        yield from ((f"{owner}.{name}({key}:)", get_named_type(arg.type).name) for key, arg in field.args.items())
    for kind in own_types():
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{key}", get_named_type(part.type).name) for key, part in kind.fields.items())


def described_parts() -> Iterator[tuple[str, str | None]]:
    """Everything that a person reads in the documentation, with its description."""
    for kind in own_types():
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", part.description) for name, part in kind.fields.items())
    for owner, name, field in output_fields():
        yield f"{owner}.{name}", field.description
        yield from ((f"{owner}.{name}({key}:)", argument.description) for key, argument in field.args.items())
    for directive in SCHEMA.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            # Strawberry keeps no description of a schema directive's argument: the directive's has to name it.
            yield from ((f"@{directive.name}({key}:)", key in directive.description and key) for key in directive.args)


class TestDescriptions:
    def test_every_part_is_described(self):
        assert [name for name, description in described_parts() if not (description or "").strip()] == []

    def test_every_deprecation_names_its_end(self):
        vague = [
            f"{owner}.{name}"
            for owner, name, field in output_fields()
            if field.deprecation_reason and not re.search(r"Removal on \d{4}-\d\d-\d\d", field.deprecation_reason)
        ]
        assert vague == []


class TestMoney:
    def test_there_is_no_float(self):
        assert [place for place, kind in typed_parts() if kind == "Float"] == []

    def test_decimals_live_in_the_types_of_money_and_time(self):
        homes = MONEY_TYPES | {"Duration"}
        loose = [place for place, kind in typed_parts() if kind == "Decimal" and place.split(".")[0] not in homes]
        assert loose == []

    def test_what_is_called_an_amount_is_money(self):
        loose = [
            f"{owner}.{name}: {get_named_type(field.type).name}"
            for owner, name, field in output_fields()
            if owner not in MONEY_TYPES
            and AMOUNT_WORDS.search(name)
            and get_named_type(field.type).name in {"Int", "String", "ID"}
        ]
        assert loose == []


class TestMutations:
    def test_every_mutation_is_a_verb_with_one_input_and_a_union_of_typed_failures(self):
        fields = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}
        odd = [name for name, field in fields.items() if not self.is_as_agreed(name, field)]
        assert odd == []

    @staticmethod
    def is_as_agreed(name: str, field: GraphQLField) -> bool:
        kind = get_named_type(field.type)
        if not isinstance(kind, GraphQLUnionType) or set(field.args) != {"input"}:
            return False
        failures = [member for member in kind.types if "UserError" in {parent.name for parent in member.interfaces}]
        return bool(VERB_FIRST.match(name)) and len(kind.types) - len(failures) == 1 and bool(failures)


class TestSchemaFile:
    def test_schema_graphql_equals_the_code(self):
        written = (ROOT / "schema.graphql").read_text(encoding="utf-8")
        assert written == schema_text(), "run `flex-billing export-schema`"


class TestRefusals:
    def test_every_refusal_is_declared_and_a_member_of_some_result(self):
        interface = SCHEMA.type_map["UserError"]
        assert isinstance(interface, GraphQLInterfaceType)
        kinds = {kind.name for kind in SCHEMA.get_implementations(interface).objects}
        offered = {member.name for kind in own_types() if isinstance(kind, GraphQLUnionType) for member in kind.types}
        assert kinds <= offered
        assert kinds == {declared.member.__name__ for declarations in DECLARED.values() for declared in declarations}

    def test_an_exception_is_shown_by_one_type(self, monkeypatch):
        monkeypatch.setattr(refusals, "DECLARED", dict(DECLARED))
        declare = refusals.refusal(LookupError, code=ErrorCode.NOT_FOUND, description="It is not there.")
        declare(type("Missing", (UserError,), {}))
        with pytest.raises(ValueError, match="LookupError is shown by two types"):
            declare(type("Absent", (UserError,), {}))

    def test_two_types_that_share_an_exception_say_when_each_is_meant(self):
        shared = {exception: each for exception, each in DECLARED.items() if len(each) > 1}
        assert {exception.__name__ for exception in shared} == {"QuoteStale"}
