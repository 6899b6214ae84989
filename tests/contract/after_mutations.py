"""`python -m tests.contract.after_mutations`: brings what `after-mutations.json` says of returned objects up to the
operations, and writes its table into the contract's page. What has to be loaded again is written by hand, and tested.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLNamedType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
)

from app.graphql.contract import FOLDER
from app.graphql.schema import graphql_schema
from tests.contract.examples import CONTRACT

FILE = FOLDER / "after-mutations.json"
PAGE = FOLDER / "README.md"
TABLE: dict[str, dict[str, dict[str, list[str]]]] = orjson.loads(FILE.read_bytes())
"""By operation and type of its result: what comes back by its id, and the operations to load again."""

_SECTION = re.compile(r"^\| Mutation \| Result \|.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


def returned_by(operation: str) -> dict[str, list[str]]:
    """The types of the objects that an operation asks for with their ids, by the result that they come with."""
    document = parse(CONTRACT.find(operation).document)
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    (root,) = (part for part in document.definitions if isinstance(part, OperationDefinitionNode))
    (field,) = root.selection_set.selections
    found = {}
    for member in field.selection_set.selections:
        if isinstance(member, InlineFragmentNode):
            name = member.type_condition.name.value
            found[name] = sorted(_with_ids(graphql_schema.type_map[name], member.selection_set, fragments))
    return found


def _with_ids(
    kind: GraphQLNamedType, below: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
) -> set[str]:
    found: set[str] = set()
    for selection in below.selections:
        if not isinstance(selection, FieldNode):
            part: Any = selection if isinstance(selection, InlineFragmentNode) else fragments[selection.name.value]
            found |= _with_ids(graphql_schema.type_map[part.type_condition.name.value], part.selection_set, fragments)
        elif selection.name.value == "id":
            found.add(kind.name)
        elif selection.selection_set:
            found |= _with_ids(
                get_named_type(kind.fields[selection.name.value].type), selection.selection_set, fragments
            )
    return found


def readme_section() -> str:
    """The table as the contract's page shows it."""
    rows = ["| Mutation | Result | Comes back by its id | Load again |", "| --- | --- | --- | --- |"]
    for operation, results in TABLE.items():
        for result, then in results.items():
            cells = (", ".join(f"`{name}`" for name in then[part]) or "–" for part in ("returns", "refetch"))
            rows.append(f"| `{operation}` | `{result}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def write() -> None:
    for operation, results in TABLE.items():
        for result, then in results.items():
            then["returns"] = returned_by(operation).get(result, [])
    FILE.write_text(json.dumps(TABLE, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(_SECTION.sub(lambda _: readme_section(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
