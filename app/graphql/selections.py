"""What a query asks for further down, so that its one trip brings that and no more."""

from functools import lru_cache
from typing import Any, Generic, TypeVar

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    SelectionNode,
    SelectionSetNode,
)

from app.graphql.context import Context, Info

V = TypeVar("V")

ANSWERS_KEPT = 1_024


def raw_info(info: Info) -> GraphQLResolveInfo[Context]:
    """Return what graphql-core knows of a field: Strawberry's own `selected_fields` converts the whole tree."""
    return info._raw_info  # noqa: SLF001


def mentions(info: Info, *names: str) -> bool:
    """Tell whether any of these fields is asked for anywhere below the current one, in each fragment once.

    A field left out by a directive counts as asked for, which costs a little and never lacks anything.
    """
    raw = raw_info(info)
    return _mention(_Same(raw.field_nodes), _Same(raw.fragments), names)


class _Same(Generic[V]):
    """A key by identity: documents are prepared once and never change, and to hash one goes through all of it."""

    __slots__ = ("value",)

    def __init__(self, value: V) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value


@lru_cache(maxsize=ANSWERS_KEPT)
def _mention(
    field_nodes: _Same[list[FieldNode]], fragments: _Same[dict[str, FragmentDefinitionNode]], names: tuple[str, ...]
) -> bool:
    waiting: list[SelectionSetNode | None] = [node.selection_set for node in field_nodes.value]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        for selection in current.selections if current else ():
            if isinstance(selection, FieldNode) and selection.name.value in names:
                return True
            waiting.append(_below(selection, fragments.value, seen))
    return False


def _below(
    selection: SelectionNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> SelectionSetNode | None:
    if not isinstance(selection, FragmentSpreadNode):
        below: Any = selection
        found: SelectionSetNode | None = below.selection_set
        return found
    name = selection.name.value
    if name in seen:
        return None
    seen.add(name)
    return fragments[name].selection_set
