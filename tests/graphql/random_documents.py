"""Random queries that fit the schema: any fields, fragments, aliases and arguments, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from app.graphql.schema import graphql_schema

PAGES = (1, 2, 5, 20, 50)
DEEPEST = 8


@dataclass(frozen=True)
class Pool:
    """What arguments may be set to: by field and argument, such as `invoice.id`, or by argument alone."""

    values: Mapping[str, Sequence[str]]

    def literal(self, dice: random.Random, field: str, argument: str, type_: GraphQLNamedType) -> str | None:
        known = self.values.get(f"{field}.{argument}", self.values.get(argument))
        if known:
            return dice.choice(list(known))
        return dice.choice(list(type_.values)) if isinstance(type_, GraphQLEnumType) else None


class Writer:
    """Writes one document at a time; the same seed writes the same documents."""

    def __init__(self, seed: int, pool: Pool) -> None:
        self.dice = random.Random(seed)
        self.pool = pool
        self.aliases = 0

    def document(self, roots: int = 3) -> str:
        self.aliases = 0
        query = graphql_schema.query_type
        names = [name for name in query.fields if self._arguments(name, query.fields[name]) is not None]
        chosen = self.dice.sample(names, self.dice.randint(1, min(roots, len(names))))
        return "{ " + " ".join(self._field(name, query.fields[name], 1) for name in chosen) + " }"

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        alias = ""
        if self.dice.randrange(8) == 0 and self.aliases < 20:
            self.aliases += 1
            alias = f"a{self.aliases}: "
        below = get_named_type(field.type)
        selected = "" if is_leaf_type(below) else self._selections(below, depth + 1)
        return f"{alias}{name}{self._arguments(name, field) or ''}{selected}"

    def _selections(self, type_: GraphQLNamedType, depth: int) -> str:
        if is_abstract_type(type_):
            possible = graphql_schema.get_possible_types(type_)
            chosen = self.dice.sample(list(possible), min(len(possible), self.dice.randint(1, 3)))
            parts = [f"... on {each.name}{self._selections(each, depth)}" for each in chosen] + ["__typename"]
        else:
            fields = {
                name: field
                for name, field in type_.fields.items()
                if (depth < DEEPEST or is_leaf_type(get_named_type(field.type)))
                and self._arguments(name, field) is not None
            }
            leaves = [name for name in fields if is_leaf_type(get_named_type(fields[name].type))]
            others = [name for name in fields if name not in leaves]
            chosen = self.dice.sample(leaves, self.dice.randint(0, len(leaves)))
            chosen += self.dice.sample(others, self.dice.randint(0, min(3, len(others))))
            parts = [self._field(name, fields[name], depth) for name in chosen] or ["__typename"]
        return " { " + " ".join(parts) + " }"

    def _arguments(self, name: str, field: GraphQLField) -> str | None:
        """Return the arguments of a field; None where one is needed that the pool has no value for."""
        given = []
        for argument, definition in field.args.items():
            if argument == "first":
                given.append(f"first: {self.dice.choice(PAGES)}")
                continue
            if not is_required_argument(definition) and self.dice.randrange(2):
                continue
            named = get_named_type(definition.type)
            literal = self.pool.literal(self.dice, name, argument, named)
            if literal is None:
                if is_required_argument(definition):
                    return None
                continue
            is_list = is_list_type(get_nullable_type(definition.type))
            given.append(f"{argument}: [{literal}]" if is_list else f"{argument}: {literal}")
        return f"({', '.join(given)})" if given else ""
