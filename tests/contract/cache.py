"""A client's normalising cache, in small: whatever has an id is kept once, by it, as Apollo, urql and Relay do.

What has no id lives inside what holds it, and is merged there field by field, list items by their place. That is what
Relay does, and it forgives least: a mutation that returns half of an object without an id leaves the other half old.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    is_abstract_type,
    value_from_ast_untyped,
)

ROOT = "Query"
TYPE = "__typename"


@dataclass(frozen=True)
class Ref:
    """Points at the record of an object with an id."""

    id: str


@dataclass(frozen=True)
class Conflict:
    """A field of which an answer says something else than the cache had."""

    owner: str
    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.owner}.{self.field}: {self.before!r} became {self.after!r}"


class Missing:
    """Stands in a read for a field that the cache does not have."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


@dataclass(frozen=True)
class Asked:
    """An operation with its variables, ready to be walked along with data."""

    document: DocumentNode
    variables: dict[str, Any]

    @property
    def operation(self) -> OperationDefinitionNode:
        return next(node for node in self.document.definitions if isinstance(node, OperationDefinitionNode))

    @property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        return {node.name.value: node for node in self.document.definitions if isinstance(node, FragmentDefinitionNode)}

    def key(self, node: FieldNode) -> str:
        """Where a field is kept: its name, with its arguments if it has any that are not null."""
        given = {one.name.value: value_from_ast_untyped(one.value, self.variables) for one in node.arguments or ()}
        said = {name: value for name, value in given.items() if value not in (None, Undefined)}
        return node.name.value + (orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode() if said else "")


def response_key(node: FieldNode) -> str:
    return (node.alias or node.name).value


@dataclass
class Cache:
    """Records by id. `write` keeps an answer and says what it contradicts; `read` answers from what is kept."""

    schema: GraphQLSchema
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, asked: Asked, data: dict[str, Any]) -> list[Conflict]:
        """Keep an answer; returns each field that the cache had with another value."""
        operation = asked.operation
        owner = ROOT if operation.operation.value == "query" else operation.operation.value
        found: list[Conflict] = []
        kept = self.records.setdefault(owner, {})
        self._merge(asked, [operation.selection_set], data, kept, owner, found)
        if owner != ROOT:
            del self.records[owner]
        return found

    def read(self, asked: Asked) -> dict[str, Any]:
        """Answer an operation from the cache alone, with `MISSING` where it has nothing."""
        return self._show(asked, [asked.operation.selection_set], self.records.get(ROOT, {TYPE: ROOT}))

    def _merge(
        self,
        asked: Asked,
        below: list[SelectionSetNode],
        data: dict[str, Any],
        kept: dict[str, Any],
        owner: str,
        found: list[Conflict],
    ) -> None:
        for node, deeper in self._fields(asked, below, data.get(TYPE)):
            if response_key(node) in data:
                name = asked.key(node)
                value = data[response_key(node)]
                kept[name] = self._kept(asked, deeper, value, kept.get(name, MISSING), (owner, name), found)

    def _kept(
        self,
        asked: Asked,
        below: list[SelectionSetNode],
        value: Any,
        before: Any,
        place: tuple[str, str],
        found: list[Conflict],
    ) -> Any:
        """Return what to keep of a value, beside what is kept of it so far."""
        owner, name = place
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            ref = Ref(value["id"])
            self._compare(before, ref, place, found)
            self._merge(asked, below, value, self.records.setdefault(ref.id, {}), ref.id, found)
            return ref
        if isinstance(value, dict):
            inside = before if isinstance(before, dict) else {}
            if inside is not before:
                self._compare(before, value, place, found)
            self._merge(asked, below, value, inside, f"{owner}.{name}", found)
            return inside
        if isinstance(value, list):
            old = before if isinstance(before, list) else []
            if isinstance(before, list) and len(old) != len(value):
                found.append(Conflict(owner, f"{name} (its length)", len(old), len(value)))
            elif not isinstance(before, list):
                self._compare(before, value, place, found)
            padded = [*old, *[MISSING] * len(value)]
            return [
                self._kept(asked, below, each, padded[at], (owner, f"{name}[{at}]"), found)
                for at, each in enumerate(value)
            ]
        self._compare(before, value, place, found)
        return value

    @staticmethod
    def _compare(before: Any, after: Any, place: tuple[str, str], found: list[Conflict]) -> None:
        if before is not MISSING and before != after:
            found.append(Conflict(*place, before, after))

    def _show(self, asked: Asked, below: list[SelectionSetNode], kept: dict[str, Any]) -> dict[str, Any]:
        return {
            response_key(node): self._shown(asked, deeper, kept.get(asked.key(node), MISSING))
            for node, deeper in self._fields(asked, below, kept.get(TYPE))
        }

    def _shown(self, asked: Asked, below: list[SelectionSetNode], value: Any) -> Any:
        if isinstance(value, Ref):
            return self._show(asked, below, self.records[value.id])
        if isinstance(value, dict):
            return self._show(asked, below, value)
        if isinstance(value, list):
            return [self._shown(asked, below, each) for each in value]
        return value

    def _fields(
        self, asked: Asked, below: list[SelectionSetNode], type_name: str | None
    ) -> Iterator[tuple[FieldNode, list[SelectionSetNode]]]:
        """Yield each field selected of an object once, with all that is selected below it."""
        merged: dict[str, tuple[FieldNode, list[SelectionSetNode]]] = {}
        for node in self._flat(asked, below, type_name):
            _, deeper = merged.setdefault(response_key(node), (node, []))
            if node.selection_set:
                deeper.append(node.selection_set)
        yield from merged.values()

    def _flat(self, asked: Asked, below: list[SelectionSetNode], type_name: str | None) -> Iterator[FieldNode]:
        for selection in (one for group in below for one in group.selections):
            if isinstance(selection, FieldNode):
                yield selection
                continue
            part = selection if isinstance(selection, InlineFragmentNode) else asked.fragments[selection.name.value]
            if self._applies(part, type_name):
                yield from self._flat(asked, [part.selection_set], type_name)

    def _applies(self, part: InlineFragmentNode | FragmentDefinitionNode, type_name: str | None) -> bool:
        """Tell whether a fragment is about objects of a type; where the answer names none, it may be."""
        if type_name is None or part.type_condition is None or part.type_condition.name.value == type_name:
            return True
        condition = self.schema.type_map[part.type_condition.name.value]
        concrete = self.schema.type_map.get(type_name)
        return (
            is_abstract_type(condition)
            and isinstance(concrete, GraphQLObjectType)
            and self.schema.is_sub_type(condition, concrete)
        )
