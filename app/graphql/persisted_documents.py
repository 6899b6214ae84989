"""Documents by name: clients send the SHA-256 of a document, and the server knows its text.

Each tool writes the same operation down in its own way, so a text is known by its own hash, whichever tool made it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson
from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    NameNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.graphql.contract import FOLDER, ContractUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.graphql.contract import Contract, Operation

PREFIX = "sha256:"
DOCUMENTS_FILE = "persisted-documents.json"
APOLLO_FILE = "apollo-manifest.json"

_ID = re.compile(rf"(?:{PREFIX})?([0-9a-f]{{64}})")


class MalformedDocumentId(ValueError):
    """A document id is no SHA-256, with or without the prefix `sha256:`."""


def hash_of(text: str) -> str:
    """Return the SHA-256 of a document's UTF-8 bytes, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_document_id(document_id: str) -> str:
    """Return the hash that a document id is, without its prefix.

    :raises MalformedDocumentId: when it is of another form.
    """
    match = _ID.fullmatch(document_id)
    if match is None:
        raise MalformedDocumentId
    return match[1]


class _ApolloEntry(BaseModel):
    id: str
    name: str
    type: str
    body: str


class _ApolloManifest(BaseModel):
    format: Literal["apollo-persisted-query-manifest"] = "apollo-persisted-query-manifest"
    version: Literal[1] = 1
    operations: list[_ApolloEntry]

    def pairs(self) -> list[tuple[str, str]]:
        return [(entry.id, entry.body) for entry in self.operations]


_MANIFEST: TypeAdapter[_ApolloManifest | dict[str, str]] = TypeAdapter(_ApolloManifest | dict[str, str])


@dataclass(frozen=True)
class PersistedDocuments:
    """Texts by their hash."""

    _texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[str]) -> PersistedDocuments:
        """Return the store of some texts."""
        return cls({hash_of(text): text for text in texts})

    def __len__(self) -> int:
        return len(self._texts)

    def find(self, sha256: str) -> str | None:
        """Return the text of a hash, or None."""
        return self._texts.get(sha256)


def read_persisted_documents(contract: Contract, folder: Path = FOLDER) -> PersistedDocuments:
    """Return what clients may name: the contract's operations, and every document that a released app sends.

    :raises ContractUnreadable: when a manifest is of no form that we know, or an id in it is not its text's hash.
    """
    manifests = [folder / DOCUMENTS_FILE, folder / APOLLO_FILE, *sorted((folder / "clients").glob("*.json"))]
    texts = [text for path in manifests if path.is_file() for text in read_manifest(path)]
    return PersistedDocuments.of([*(operation.document for operation in contract.operations), *texts])


def read_manifest(path: Path) -> list[str]:
    """Return the documents of a manifest, in the form of the persisted-documents appendix or in Apollo's.

    :raises ContractUnreadable: when it is neither, or an id in it is not its text's hash.
    """
    try:
        manifest = _MANIFEST.validate_json(path.read_bytes())
        pairs = list(manifest.items()) if isinstance(manifest, dict) else manifest.pairs()
        is_sound = all(read_document_id(document_id) == hash_of(text) for document_id, text in pairs)
    except (ValidationError, MalformedDocumentId):
        raise ContractUnreadable(path, "it is not a manifest of persisted documents.") from None
    if not is_sound:
        raise ContractUnreadable(path, "an id in it is not the SHA-256 of its document.")
    return [text for _, text in pairs]


def persisted_documents(contract: Contract) -> str:
    """Return the text of `persisted-documents.json`: `{"sha256:…": document}`, by the names of the operations."""
    texts = [print_ast(parse(operation.document, no_location=True)) for operation in contract.operations]
    return _as_file({PREFIX + hash_of(text): text for text in texts})


def apollo_manifest(contract: Contract) -> str:
    """Return the text of `apollo-manifest.json`, with the bodies and ids that Apollo's own tool makes."""
    operations = [_apollo_entry(operation) for operation in contract.operations]
    return _as_file(_ApolloManifest(operations=operations).model_dump())


def _apollo_entry(operation: Operation) -> _ApolloEntry:
    body = print_ast(_as_apollo_sends(parse(operation.document, no_location=True)))
    return _ApolloEntry(id=hash_of(body), name=operation.name, type=operation.kind.value, body=body)


def _as_apollo_sends(node: DocumentNode) -> DocumentNode:
    """Return a document as Apollo's clients send it: `__typename` everywhere, fragments by name after the operation."""
    fragments = [found for found in node.definitions if isinstance(found, FragmentDefinitionNode)]
    others = [found for found in node.definitions if not isinstance(found, FragmentDefinitionNode)]
    ordered = (*others, *sorted(fragments, key=lambda fragment: fragment.name.value))
    sent: DocumentNode = visit(DocumentNode(definitions=ordered), _ApolloVisitor())
    return sent


class _ApolloVisitor(Visitor):
    def leave_selection_set(
        self, node: SelectionSetNode, _key: object, parent: object, *_: object
    ) -> SelectionSetNode | None:
        if isinstance(parent, OperationDefinitionNode) or any(_is_typename(found) for found in node.selections):
            return None
        typename = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())
        return SelectionSetNode(selections=(*node.selections, typename))

    def leave_object_value(self, node: ObjectValueNode, *_: object) -> EnumValueNode:
        """Write an object as graphql-js 16 does, which Apollo's tools print with: on one line, without blanks inside.

        What goes in its place is printed as it is, as the name of an enum's value would be.
        """
        fields = ", ".join(f"{field.name.value}: {print_ast(field.value)}" for field in node.fields)
        return EnumValueNode(value=f"{{{fields}}}")


def _is_typename(selection: object) -> bool:
    return isinstance(selection, FieldNode) and selection.name.value.startswith("__")


def _as_file(content: object) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"
