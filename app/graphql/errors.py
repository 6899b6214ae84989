"""The exceptions that carry an error code, and the one place that turns an error of any kind into an entry of `errors`:
ours as they are, all others masked and logged once.
"""

import re
from collections.abc import Iterable

from graphql import FieldNode, GraphQLError, Node

from app.domain.json_values import Json
from app.error_codes import MASKED_MESSAGE, RETRYABLE, ErrorCode, entry
from app.graphql import failures

# How messages of graphql-core end that quote a whole object or list of the caller's.
_QUOTED = re.compile(r"(, found: |: (?=[\[{])).*", re.DOTALL)


class ApiError(Exception):
    """An expected failure of a query; its message is written for the customer and says what to do."""

    def __init__(self, code: ErrorCode, message: str, *, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = code in RETRYABLE if retryable is None else retryable


class BadInput(ApiError):
    """An argument has a value that cannot be used; the path of the error says where."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.BAD_INPUT, message)


class Forbidden(ApiError):
    """The caller's role or membership does not allow this."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.FORBIDDEN, message)


def document_entries(errors: Iterable[GraphQLError], fallback: ErrorCode, request_id: str) -> list[dict[str, Json]]:
    """Return the entries for errors found before execution; their messages speak of the caller's own document.

    An error may bring its own code in its extensions (a limit does); the others get `fallback`.
    """
    return [
        _located(entry(_code_of(error, fallback), _without_objects(error.message), request_id), error)
        for error in errors
    ]


def field_entries(errors: Iterable[GraphQLError], request_id: str, operation_name: str | None) -> list[dict[str, Json]]:
    """Return the entries for errors of execution, masking and logging what nobody meant to say."""
    return [_located(_field_entry(error, request_id, operation_name), error) for error in errors]


def _field_entry(error: GraphQLError, request_id: str, operation_name: str | None) -> dict[str, Json]:
    cause = root_cause(error)
    if isinstance(cause, ApiError):
        return entry(cause.code, cause.message, request_id, retryable=cause.retryable)
    if error.path is None or _is_about_an_argument(error, cause):
        return entry(ErrorCode.BAD_INPUT, _without_objects(error.message), request_id)
    failures.log_unexpected("field failed", cause, operation=operation_name, field=_field_name(error))
    return entry(ErrorCode.INTERNAL, MASKED_MESSAGE, request_id)


def _without_objects(message: str) -> str:
    """Cut a message off before the value that it quotes, where that may hold more than the part that is wrong."""
    return _QUOTED.sub(".", message)


def root_cause(error: GraphQLError) -> BaseException:
    """Return the exception that an error of a field goes back to; the error itself where there is no other."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_about_an_argument(error: GraphQLError, cause: BaseException) -> bool:
    """A value of the caller's that only execution could refuse points to its own node; a fault of ours to the field."""
    return isinstance(cause, GraphQLError) and not isinstance(_first_node(error), FieldNode | None)


def _field_name(error: GraphQLError) -> str | None:
    node = _first_node(error)
    return node.name.value if isinstance(node, FieldNode) else None


def _first_node(error: GraphQLError) -> Node | None:
    return error.nodes[0] if error.nodes else None


def _code_of(error: GraphQLError, fallback: ErrorCode) -> ErrorCode:
    name = (error.extensions or {}).get("code")
    return ErrorCode[name] if isinstance(name, str) else fallback


def _located(shaped: dict[str, Json], error: GraphQLError) -> dict[str, Json]:
    if error.locations:
        shaped["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shaped["path"] = error.path
    return shaped
