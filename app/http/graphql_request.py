"""The parameters of GraphQL over HTTP, read strictly. A document is sent as its text, or named by its hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from app.domain.card_numbers import holds_card_number
from app.error_codes import ErrorCode
from app.graphql.persisted_documents import MalformedDocumentId, read_document_id
from app.http.answers import BAD_REQUEST, Refused
from app.http.json_body import decode_object

if TYPE_CHECKING:
    from starlette.types import Scope

    from app.domain.json_values import JsonObject

MOST_PARAMETERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLRequest:
    """The parameters, each of the right kind; `query` is the text, `document_id` its SHA-256. One of them is there."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: JsonObject


def read_parameters(body: JsonObject) -> GraphQLRequest:
    """Return the parameters of a JSON object.

    :raises Refused: with status 400 when one is missing or of the wrong kind.
    """
    query, name = body.get("query"), body.get("operationName")
    variables, extensions = body.get("variables"), body.get("extensions")
    if query is not None and not isinstance(query, str):
        raise _bad("`query` is not a string. Send the GraphQL document there.")
    if name is not None and not isinstance(name, str):
        raise _bad("`operationName` is not a string. Send the name of an operation, or leave it out.")
    if variables is not None and not isinstance(variables, dict):
        raise _bad("`variables` is not an object. Send the values by their names, or leave it out.")
    if extensions is not None and not isinstance(extensions, dict):
        raise _bad("`extensions` is not an object. Leave it out.")
    document_id = _read_id(body.get("documentId"), (extensions or {}).get("persistedQuery"))
    if not query and document_id is None:
        raise _bad("The request has no `query`. Send the GraphQL document there, or its id as `documentId`.")
    return GraphQLRequest(
        query=query or None, document_id=document_id, operation_name=name or None, variables=variables or {}
    )


def read_query_string(scope: Scope) -> GraphQLRequest:
    """Return the parameters of a query string; variables and extensions are JSON there.

    :raises Refused: with status 400 when the string is malformed, or a parameter is of the wrong kind.
    """
    try:
        pairs = parse_qs(
            scope["query_string"].decode("ascii"),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
            keep_blank_values=True,
        )
    except ValueError:
        raise _bad("The query string is not well formed, or not UTF-8.") from None
    if any(len(values) > 1 for values in pairs.values()):
        raise _bad("A parameter of the query string is given twice.")
    texts = {name: values[0] for name, values in pairs.items()}
    decoded = {name: texts.pop(name, None) for name in ("variables", "extensions")}
    objects = {name: decode_object(text, what=f"`{name}`") for name, text in decoded.items() if text}
    return read_parameters({**texts, **objects})


def refuse_card_numbers(request: GraphQLRequest, *, is_document_known: bool) -> None:
    """Refuse a request in which a card number stands anywhere, before anything of it can be written down.

    A document that is known was looked through when it came first.

    :raises Refused: with status 400, and without the number.
    """
    document = None if is_document_known else request.query
    if holds_card_number([document, request.operation_name, request.variables]):
        message = "Card numbers are never sent here. Use the payment form, and send what it makes of the card."
        raise Refused(BAD_REQUEST, ErrorCode.CARD_NUMBER_REFUSED, message)


def _read_id(document_id: object, persisted_query: object) -> str | None:
    """Return the hash that the request names its document by, in the standard's place or in Apollo's."""
    named = None if document_id is None else _as_hash(document_id, "`documentId`")
    if persisted_query is None:
        return named
    if not isinstance(persisted_query, dict) or persisted_query.get("version") != 1:
        raise _bad('`extensions.persistedQuery` is not {"version": 1, "sha256Hash": …}. Send that, or leave it out.')
    by_apollo = _as_hash(persisted_query.get("sha256Hash"), "`extensions.persistedQuery.sha256Hash`")
    if named not in {None, by_apollo}:
        raise _bad("`documentId` and `extensions.persistedQuery` name two documents. Send one of them.")
    return by_apollo


def _as_hash(value: object, place: str) -> str:
    try:
        return read_document_id(value if isinstance(value, str) else "")
    except MalformedDocumentId:
        raise _bad(f"{place} is not the SHA-256 of a document: 64 hexadecimal digits in lower case.") from None


def _bad(message: str) -> Refused:
    return Refused(BAD_REQUEST, ErrorCode.BAD_REQUEST, message)
