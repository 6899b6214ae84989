"""How leaves become JSON values: the check of a value's class, and the text of what is not JSON already."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import GraphQLBoolean, GraphQLEnumType, GraphQLID, GraphQLInt, GraphQLScalarType, GraphQLString

from app.graphql.scalars import DATE, write_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from enum import Enum

CHECKS: Mapping[GraphQLScalarType, str] = {
    GraphQLString: "{0}.__class__ is not str",
    GraphQLID: "{0}.__class__ is not str",
    GraphQLBoolean: "{0}.__class__ is not bool",
    GraphQLInt: "{0}.__class__ is not int or not -2147483648 <= {0} <= 2147483647",
}
"""What is wrong with a value that should be JSON already, as a Python condition."""

DECIMAL_CHECK = "{0}.__class__ is not str"
"""When a decimal has yet to be written: mostly its text was made where the amount was."""

DATES_KEPT = 8_192


@lru_cache(maxsize=DATES_KEPT)
def _write_date(value: date) -> str:
    return write_date(value)


def names_of(leaf: GraphQLEnumType) -> tuple[type[Enum], dict[Any, str]]:
    """Return the class of an enum's members, and the name of each."""
    members: type[Enum] = leaf.extensions["strawberry-definition"].wrapped_cls
    return members, {member: leaf.coerce_output_value(member) for member in members}


def writer_of(leaf: GraphQLScalarType) -> Callable[[Any], Any]:
    """Return what turns a value of another scalar into JSON, and raises for what is no such value."""
    return _write_date if leaf.name == DATE.name else leaf.coerce_output_value
