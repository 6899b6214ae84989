"""The codes that a client can act on, and the one shape of an entry of `errors`, for GraphQL and plain HTTP alike."""

from __future__ import annotations

from enum import Enum
from typing import Any


class ErrorCode(Enum):
    """Each code names one situation, described by its value; its text for people is the error's message."""

    ACCOUNT_SUSPENDED = "The account is suspended or closed, and buys nothing until its open balance is paid."
    ADD_ON_ALREADY_ACTIVE = "The account has the add-on; where it is cancelled, keep it instead of buying it again."
    ADD_ON_NOT_ACTIVE = "The account does not have the add-on, or it is not in the state that the switch needs."
    ADD_ON_NOT_AVAILABLE = "The add-on is not on sale today."
    ALERT_ALWAYS_ON = "The alert protects the account and cannot be switched off."
    ALREADY_ON_PLAN = "The change of plan would change nothing."
    AUTHORIZATION_REQUIRED = "The payment agreement in force was not accepted."
    BAD_INPUT = "An argument or variable has a value that cannot be used: a cursor, a month, a page size."
    BAD_REQUEST = "The HTTP request is not a GraphQL request: no JSON object, no query, or a part of the wrong kind."
    CARD_NUMBER_REFUSED = "The request holds a card number, which is never to be sent here."
    CARD_VERIFICATION_FAILED = "The bank or the payment service did not accept the card."
    CHANGE_IN_PROGRESS = "Another change of the account waits for its payment."
    DOWNGRADE_NOT_COST_EFFECTIVE = "This month's usage is past what the lower plan is cost-effective to."
    DUPLICATE_PAYMENT_METHOD = "The payment method is on file already."
    FORBIDDEN = "You are known, but your role (or a membership that has ended) does not allow this."
    GRAPHQL_PARSE_FAILED = "The document is not GraphQL."
    GRAPHQL_VALIDATION_FAILED = "The document asks for something that the schema does not have, or asks wrongly."
    IDEMPOTENCY_CONFLICT = "The idempotency key was used before, for another request."
    INTERNAL = "A fault on our side. It has been recorded under the request id; trying again may help."
    INVALID_CONTACT = "The payment contact cannot be as described; `field` says what to correct."
    LAST_PAYMENT_METHOD = "The last payment method has to stay on file for now."
    LIMIT_EXCEEDED = "The request or its document is larger than allowed. The message says which limit, and its size."
    METHOD_NOT_ALLOWED = "This address does not answer this HTTP method, or a mutation was sent by GET."
    NONCE_REJECTED = "The payment service did not take what the payment form made."
    NOT_ACCEPTABLE = "The Accept header names no media type that we can answer with."
    NOT_FOUND = "There is nothing at this address, or of this id."
    NOTHING_TO_PAY = "Nothing is left to pay."
    NO_SCHEDULED_CHANGE = "No change of plan is scheduled."
    OPERATION_RESOLUTION_FAILURE = (
        "`operationName` names no operation of the document, or is missing where it has several."
    )
    PAYMENTS_PAUSED = "Payments are paused for maintenance."
    PAYMENT_DECLINED = "None of the payment methods could be charged."
    PAYMENT_GATEWAY_UNAVAILABLE = "The payment service cannot be reached."
    PAYMENT_METHOD_REQUIRED = "No payment method on file can be charged."
    PLAN_NOT_AVAILABLE = "The plan is not on sale today."
    QUOTE_STALE = "What the quote covers has moved, its time is over, or it was used."
    RATE_LIMITED = "This was tried too often. Wait, then try again."
    TERMS_NOT_ACCEPTED = "The terms that were accepted are not the ones in force."
    TIMEOUT = "The request arrived too slowly, or took too long to answer. Try again, or ask for less."
    TOO_MANY_CONTACTS = "The account has as many payment contacts as it can."
    UNAUTHENTICATED = "The access token is missing, expired or not ours. Sign in again."
    UNSUPPORTED_MEDIA_TYPE = "The request body is not declared as `application/json` in UTF-8."


RETRYABLE = frozenset({ErrorCode.INTERNAL, ErrorCode.TIMEOUT})

MASKED_MESSAGE = "Something went wrong on our side. Try again; if it keeps happening, tell us the request id."


def entry(code: ErrorCode, message: str, request_id: str, *, retryable: bool | None = None) -> dict[str, Any]:
    """Return one entry of `errors` as JSON values."""
    can_retry = code in RETRYABLE if retryable is None else retryable
    return {"message": message, "extensions": {"code": code.name, "requestId": request_id, "retryable": can_retry}}
