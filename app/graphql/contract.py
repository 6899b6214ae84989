"""The operations that portal and mobile share, as the developers' page and the document store want them: each with its
fragments, ready to run. An installed package starts without the folder.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from graphql import (
    DocumentNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    visit,
)

from app.domain.json_values import JsonObject

FOLDER = Path(__file__).resolve().parents[2] / "frontend-contract"

VARIABLES = "variables:"

_Parsed = tuple[str, DocumentNode]
"""The text of a file, and what it says."""


class ContractUnreadable(Exception):
    """A file of the contract is not what its place says; the message names the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.parent.name}/{path.name} of the frontend contract cannot be used: {reason}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a screen; `document` is its text with every fragment that it uses.

    `variables` are the values to try it with, `comment` says which screen it is for and which states that screen has.
    """

    name: str
    comment: str
    document: str
    variables: JsonObject
    kind: OperationType = OperationType.QUERY


@dataclass(frozen=True, slots=True)
class Contract:
    """All operations, by name; `fingerprint` changes whenever one of them does."""

    operations: tuple[Operation, ...] = ()
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        for operation in self.operations:
            digest.update(orjson.dumps([operation.document, dict(operation.variables)]))
        object.__setattr__(self, "fingerprint", digest.hexdigest()[:12])

    def find(self, name: str) -> Operation | None:
        """Return the operation of that name, or None."""
        return next((operation for operation in self.operations if operation.name == name), None)


def read_contract(folder: Path = FOLDER) -> Contract:
    """Return the operations of a contract's folder; none when the folder is not there.

    :raises ContractUnreadable: when a file is not GraphQL, or uses a fragment that no file has.
    """
    fragments = {path.stem: _read(path) for path in sorted((folder / "fragments").glob("*.graphql"))}
    paths = sorted((folder / "operations").glob("*.graphql"))
    return Contract(tuple(_operation(path, fragments) for path in paths))


def _operation(path: Path, fragments: Mapping[str, _Parsed]) -> Operation:
    text, node = _read(path)
    definition = node.definitions[0]
    if len(node.definitions) > 1 or not isinstance(definition, OperationDefinitionNode):
        raise ContractUnreadable(path, "it has to hold one operation and nothing else.")
    parts = [text, *(fragments[name][0] for name in _used_fragments(path, node, fragments))]
    comment, variables = _header(path, text)
    return Operation(path.stem, comment, "\n".join(parts), variables, definition.operation)


def _read(path: Path) -> _Parsed:
    text = path.read_text(encoding="utf-8")
    try:
        return text, parse(text, no_location=True)
    except GraphQLSyntaxError as error:
        raise ContractUnreadable(path, error.message) from None


def _used_fragments(path: Path, node: DocumentNode, fragments: Mapping[str, _Parsed]) -> list[str]:
    """Name the fragments below a document, those that fragments use included, each once and by name."""
    used: set[str] = set()
    waiting = list(_spreads(node))
    while waiting:
        name = waiting.pop()
        if name in used:
            continue
        if name not in fragments:
            raise ContractUnreadable(path, f"there is no fragments/{name}.graphql.")
        used.add(name)
        waiting += _spreads(fragments[name][1])
    return sorted(used)


class _SpreadVisitor(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.append(node.name.value)


def _spreads(node: DocumentNode) -> Iterator[str]:
    visitor = _SpreadVisitor()
    visit(node, visitor)
    yield from visitor.names


def _header(path: Path, text: str) -> tuple[str, JsonObject]:
    """Return the leading comment, and the values of its `variables:` line."""
    words: list[str] = []
    variables: JsonObject = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        said = line.removeprefix("#").strip()
        if said.startswith(VARIABLES):
            variables = _read_variables(path, said.removeprefix(VARIABLES))
        else:
            words.append(said)
    return " ".join(words).strip(), variables


def _read_variables(path: Path, text: str) -> JsonObject:
    try:
        variables = orjson.loads(text)
    except orjson.JSONDecodeError:
        variables = None
    if not isinstance(variables, dict):
        raise ContractUnreadable(path, "its `variables:` line is not a JSON object.")
    return variables
