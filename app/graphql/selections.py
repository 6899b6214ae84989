"""What a query asks for further down, so that its one trip brings that and no more."""

from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    SelectionNode,
    SelectionSetNode,
)

from app.graphql.context import Context, Info


def raw_info(info: Info) -> GraphQLResolveInfo[Context]:
    """Return what graphql-core knows of a field: Strawberry's own `selected_fields` converts the whole tree."""
    return info._raw_info  # noqa: SLF001


def mentions(info: Info, *names: str) -> bool:
    """Tell whether any of these fields is asked for anywhere below the current one, in each fragment once.

    A field left out by a directive counts as asked for, which costs a little and never lacks anything.
    """
    raw = raw_info(info)
    waiting: list[SelectionSetNode | None] = [node.selection_set for node in raw.field_nodes]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        for selection in current.selections if current else ():
            if isinstance(selection, FieldNode) and selection.name.value in names:
                return True
            waiting.append(_below(selection, raw.fragments, seen))
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
