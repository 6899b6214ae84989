"""The codes that a client can act on, the exceptions that carry them, and the one place that turns an error of any
kind into an entry of `errors`: ours as they are, all others masked and logged once.
"""

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLError, Node

from app.graphql import failures


@strawberry.enum(description="Why a request, or one field of it, was not answered: `extensions.code` of every error.")
class ErrorCode(Enum):
    """Each code names one situation; its text for people is the error's message."""

    ACCOUNT_SUSPENDED = strawberry.enum_value(
        "ACCOUNT_SUSPENDED",
        description="The account is suspended or closed, and buys nothing until its open balance is paid.",
    )
    ADD_ON_ALREADY_ACTIVE = strawberry.enum_value(
        "ADD_ON_ALREADY_ACTIVE",
        description="The account has the add-on; where it is cancelled, keep it instead of buying it again.",
    )
    ADD_ON_NOT_ACTIVE = strawberry.enum_value(
        "ADD_ON_NOT_ACTIVE",
        description="The account does not have the add-on, or it is not in the state that the switch needs.",
    )
    ADD_ON_NOT_AVAILABLE = strawberry.enum_value(
        "ADD_ON_NOT_AVAILABLE",
        description="The add-on is not on sale today.",
    )
    ALERT_ALWAYS_ON = strawberry.enum_value(
        "ALERT_ALWAYS_ON",
        description="The alert protects the account and cannot be switched off.",
    )
    ALREADY_ON_PLAN = strawberry.enum_value(
        "ALREADY_ON_PLAN",
        description="The change of plan would change nothing.",
    )
    AUTHORIZATION_REQUIRED = strawberry.enum_value(
        "AUTHORIZATION_REQUIRED",
        description="The payment agreement in force was not accepted.",
    )
    BAD_INPUT = strawberry.enum_value(
        "BAD_INPUT",
        description="An argument or variable has a value that cannot be used: a cursor, a month, a page size.",
    )
    BAD_REQUEST = strawberry.enum_value(
        "BAD_REQUEST",
        description="The HTTP request is not a GraphQL request: no JSON object, no query, or a part of the wrong kind.",
    )
    CARD_NUMBER_REFUSED = strawberry.enum_value(
        "CARD_NUMBER_REFUSED",
        description="The request holds a card number, which is never to be sent here.",
    )
    CARD_VERIFICATION_FAILED = strawberry.enum_value(
        "CARD_VERIFICATION_FAILED",
        description="The bank or the payment service did not accept the card.",
    )
    CHANGE_IN_PROGRESS = strawberry.enum_value(
        "CHANGE_IN_PROGRESS",
        description="Another change of the account waits for its payment.",
    )
    DOWNGRADE_NOT_COST_EFFECTIVE = strawberry.enum_value(
        "DOWNGRADE_NOT_COST_EFFECTIVE",
        description="This month's usage is past what the lower plan is cost-effective to.",
    )
    DUPLICATE_PAYMENT_METHOD = strawberry.enum_value(
        "DUPLICATE_PAYMENT_METHOD",
        description="The payment method is on file already.",
    )
    FORBIDDEN = strawberry.enum_value(
        "FORBIDDEN",
        description="You are known, but your role (or a membership that has ended) does not allow this.",
    )
    GRAPHQL_PARSE_FAILED = strawberry.enum_value(
        "GRAPHQL_PARSE_FAILED",
        description="The document is not GraphQL.",
    )
    GRAPHQL_VALIDATION_FAILED = strawberry.enum_value(
        "GRAPHQL_VALIDATION_FAILED",
        description="The document asks for something that this schema does not have, or asks for it in a wrong way.",
    )
    IDEMPOTENCY_CONFLICT = strawberry.enum_value(
        "IDEMPOTENCY_CONFLICT",
        description="The idempotency key was used before, for another request.",
    )
    INTERNAL = strawberry.enum_value(
        "INTERNAL",
        description="A fault on our side. It has been recorded under the request id; trying again may help.",
    )
    INVALID_CONTACT = strawberry.enum_value(
        "INVALID_CONTACT",
        description="The payment contact cannot be as described; `field` says what to correct.",
    )
    LAST_PAYMENT_METHOD = strawberry.enum_value(
        "LAST_PAYMENT_METHOD",
        description="The last payment method has to stay on file for now.",
    )
    LIMIT_EXCEEDED = strawberry.enum_value(
        "LIMIT_EXCEEDED",
        description="The request or its document is larger than allowed. The message says which limit, and its size.",
    )
    METHOD_NOT_ALLOWED = strawberry.enum_value(
        "METHOD_NOT_ALLOWED",
        description="This address does not answer this HTTP method, or a mutation was sent by GET.",
    )
    NONCE_REJECTED = strawberry.enum_value(
        "NONCE_REJECTED",
        description="The payment service did not take what the payment form made.",
    )
    NOT_ACCEPTABLE = strawberry.enum_value(
        "NOT_ACCEPTABLE",
        description="The Accept header names no media type that we can answer with.",
    )
    NOT_FOUND = strawberry.enum_value(
        "NOT_FOUND",
        description="There is nothing at this address, or of this id.",
    )
    NOTHING_TO_PAY = strawberry.enum_value(
        "NOTHING_TO_PAY",
        description="Nothing is left to pay.",
    )
    NO_SCHEDULED_CHANGE = strawberry.enum_value(
        "NO_SCHEDULED_CHANGE",
        description="No change of plan is scheduled.",
    )
    OPERATION_RESOLUTION_FAILURE = strawberry.enum_value(
        "OPERATION_RESOLUTION_FAILURE",
        description="`operationName` names no operation of the document, or is missing although there are several.",
    )
    PAYMENTS_PAUSED = strawberry.enum_value(
        "PAYMENTS_PAUSED",
        description="Payments are paused for maintenance.",
    )
    PAYMENT_DECLINED = strawberry.enum_value(
        "PAYMENT_DECLINED",
        description="None of the payment methods could be charged.",
    )
    PAYMENT_GATEWAY_UNAVAILABLE = strawberry.enum_value(
        "PAYMENT_GATEWAY_UNAVAILABLE",
        description="The payment service cannot be reached.",
    )
    PAYMENT_METHOD_REQUIRED = strawberry.enum_value(
        "PAYMENT_METHOD_REQUIRED",
        description="No payment method on file can be charged.",
    )
    PLAN_NOT_AVAILABLE = strawberry.enum_value(
        "PLAN_NOT_AVAILABLE",
        description="The plan is not on sale today.",
    )
    QUOTE_STALE = strawberry.enum_value(
        "QUOTE_STALE",
        description="What the quote covers has moved, its time is over, or it was used.",
    )
    RATE_LIMITED = strawberry.enum_value(
        "RATE_LIMITED",
        description="This was tried too often. Wait, then try again.",
    )
    TERMS_NOT_ACCEPTED = strawberry.enum_value(
        "TERMS_NOT_ACCEPTED",
        description="The terms that were accepted are not the ones in force.",
    )
    TIMEOUT = strawberry.enum_value(
        "TIMEOUT",
        description="The request arrived too slowly, or took too long to answer. Try again, or ask for less.",
    )
    TOO_MANY_CONTACTS = strawberry.enum_value(
        "TOO_MANY_CONTACTS",
        description="The account has as many payment contacts as it can.",
    )
    UNAUTHENTICATED = strawberry.enum_value(
        "UNAUTHENTICATED",
        description="The access token is missing, expired or not ours. Sign in again.",
    )
    UNSUPPORTED_MEDIA_TYPE = strawberry.enum_value(
        "UNSUPPORTED_MEDIA_TYPE",
        description="The request body is not declared as `application/json` in UTF-8.",
    )


# How messages of graphql-core end that quote a whole object or list of the caller's.
_QUOTED = re.compile(r"(, found: |: (?=[\[{])).*", re.DOTALL)

RETRYABLE = frozenset({ErrorCode.INTERNAL, ErrorCode.TIMEOUT})

MASKED_MESSAGE = "Something went wrong on our side. Try again; if it keeps happening, tell us the request id."


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


def entry(code: ErrorCode, message: str, request_id: str, *, retryable: bool | None = None) -> dict[str, Any]:
    """Return one entry of `errors` as JSON values."""
    can_retry = code in RETRYABLE if retryable is None else retryable
    return {"message": message, "extensions": {"code": code.name, "requestId": request_id, "retryable": can_retry}}


def document_entries(errors: Iterable[GraphQLError], fallback: ErrorCode, request_id: str) -> list[dict[str, Any]]:
    """Return the entries for errors found before execution; their messages speak of the caller's own document.

    An error may bring its own code in its extensions (a limit does); the others get `fallback`.
    """
    return [
        _located(entry(_code_of(error, fallback), _without_objects(error.message), request_id), error)
        for error in errors
    ]


def field_entries(errors: Iterable[GraphQLError], request_id: str, operation_name: str | None) -> list[dict[str, Any]]:
    """Return the entries for errors of execution, masking and logging what nobody meant to say."""
    return [_located(_field_entry(error, request_id, operation_name), error) for error in errors]


def _field_entry(error: GraphQLError, request_id: str, operation_name: str | None) -> dict[str, Any]:
    cause = _root_cause(error)
    if isinstance(cause, ApiError):
        return entry(cause.code, cause.message, request_id, retryable=cause.retryable)
    if error.path is None or _is_about_an_argument(error, cause):
        return entry(ErrorCode.BAD_INPUT, _without_objects(error.message), request_id)
    failures.log_unexpected("field failed", cause, operation=operation_name, field=_field_name(error))
    return entry(ErrorCode.INTERNAL, MASKED_MESSAGE, request_id)


def _without_objects(message: str) -> str:
    """Cut a message off before the value that it quotes, where that may hold more than the part that is wrong."""
    return _QUOTED.sub(".", message)


def _root_cause(error: GraphQLError) -> BaseException:
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


def _located(shaped: dict[str, Any], error: GraphQLError) -> dict[str, Any]:
    if error.locations:
        shaped["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shaped["path"] = error.path
    return shaped
