"""The codes that a client can act on, and the one shape of an entry of `errors`, for GraphQL and plain HTTP alike."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.json_values import Json


class ErrorCode(Enum):
    """Each code names one kind of failure, described by its value; its text for people is the error's message."""

    ACCESS_EXPIRED = "The event stream ended with its access token. Open it again with a new one."
    ACCOUNT_SUSPENDED = "The account is suspended or closed and cannot buy anything until its open balance is paid."
    ADD_ON_ALREADY_ACTIVE = (
        "The account already has the add-on. If it is cancelled, keep it instead of buying it again."
    )
    ADD_ON_NOT_ACTIVE = "The account does not have the add-on, or the add-on is not in the required state."
    ADD_ON_NOT_AVAILABLE = "The add-on is not on sale today."
    ALERT_ALWAYS_ON = "The alert protects the account and cannot be switched off."
    ALREADY_ON_PLAN = "The account is already on this plan."
    AUTHORIZATION_REQUIRED = "The current payment agreement was not accepted."
    BAD_INPUT = "An argument or variable has an invalid value, such as a cursor, a month or a page size."
    BAD_REQUEST = "The HTTP request is not a GraphQL request: no JSON object, no query, or a part of the wrong kind."
    CARD_NUMBER_REFUSED = "The request contains a card number. Card numbers must never be sent to this API."
    CARD_VERIFICATION_FAILED = "The bank or the payment gateway rejected the card."
    CHANGE_IN_PROGRESS = "Another change to the account is waiting for its payment."
    CONFIRMATIONS_USED_UP = "The payment contact was asked to confirm as often as possible and has not answered."
    DOWNGRADE_NOT_COST_EFFECTIVE = "This month's usage exceeds the lower plan's cost-effective threshold."
    DUPLICATE_PAYMENT_METHOD = "The payment method is already on file."
    EVENT_STREAM_REQUIRED = "A subscription was sent without `accept: text/event-stream`."
    FORBIDDEN = "You are signed in, but your role does not allow this, or your membership has ended."
    GRAPHQL_PARSE_FAILED = "The document is not GraphQL."
    GRAPHQL_VALIDATION_FAILED = "The document asks for something that the schema does not have, or asks wrongly."
    IDEMPOTENCY_CONFLICT = "The idempotency key was used before, for another request."
    INTERNAL = "A fault on our side. It has been recorded under the request id; trying again may help."
    INVALID_CONTACT = "The payment contact cannot be as described; `field` says what to correct."
    LAST_PAYMENT_METHOD = "The last payment method has to stay on file for now."
    LIMIT_EXCEEDED = "The request or its document is larger than allowed. The message says which limit, and its size."
    METHOD_NOT_ALLOWED = "This address does not answer this HTTP method, or a mutation was sent by GET."
    NONCE_REJECTED = "The payment gateway did not take what the payment form made."
    NOT_ACCEPTABLE = "The Accept header names no media type that we can answer with."
    NOT_FOUND = "There is nothing at this address, or of this id."
    NOTHING_TO_CONFIRM = "The payment contact has answered already, or is not reached through this channel."
    NOTHING_TO_PAY = "Nothing is left to pay."
    NO_SCHEDULED_CHANGE = "No change of plan is scheduled."
    OPERATION_RESOLUTION_FAILURE = (
        "`operationName` names no operation of the document, or is missing where it has several."
    )
    PAYMENTS_PAUSED = "Payments are paused for maintenance."
    PAYMENT_DECLINED = "None of the payment methods could be charged."
    PAYMENT_GATEWAY_UNAVAILABLE = "The payment gateway cannot be reached."
    PAYMENT_METHOD_REQUIRED = "No payment method on file can be charged."
    PERSISTED_DOCUMENT_MISMATCH = "The document id is not the SHA-256 of the document sent with it."
    PERSISTED_DOCUMENT_NOT_FOUND = "No document of that id is known here."
    PERSISTED_DOCUMENT_REQUIRED = "This server runs documents of released apps alone, named by their id."
    PERSISTED_QUERY_NOT_SUPPORTED = "Documents are not registered by sending them with their id."
    PLAN_NOT_AVAILABLE = "The plan is not on sale today."
    QUOTE_STALE = "The quote has expired, was already used, or the account has changed since."
    RATE_LIMITED = "Too many attempts or requests. Wait for `retryAfterSeconds`, then try again."
    SERVICE_UNAVAILABLE = (
        "The service cannot work just now. Wait for `retryAfterSeconds`, then send the same request again."
    )
    TERMS_NOT_ACCEPTED = "The accepted terms are not the current ones."
    TIMEOUT = "The request arrived too slowly, or took too long to answer. Try again, or ask for less."
    TOO_MANY_CONTACTS = "The account has the maximum number of payment contacts."
    TOO_MANY_STREAMS = "You have the maximum number of event streams open."
    UNAUTHENTICATED = "The access token is missing, expired or invalid. Sign in again."
    UNSUPPORTED_MEDIA_TYPE = "The request body is not `application/json` in UTF-8."
    VERIFICATION_EXPIRED = "The verification was used already, is too old, or belongs to somebody else."


RETRYABLE = frozenset({ErrorCode.INTERNAL, ErrorCode.RATE_LIMITED, ErrorCode.SERVICE_UNAVAILABLE, ErrorCode.TIMEOUT})

MASKED_MESSAGE = "Something went wrong on our side. Try again; if it keeps happening, tell us the request id."


def entry(
    code: ErrorCode,
    message: str,
    request_id: str,
    *,
    retryable: bool | None = None,
    retry_after_seconds: int | None = None,
) -> dict[str, Json]:
    """Return one entry of `errors` as JSON values."""
    can_retry = code in RETRYABLE if retryable is None else retryable
    extensions: dict[str, Json] = {"code": code.name, "requestId": request_id, "retryable": can_retry}
    if retry_after_seconds is not None:
        extensions["retryAfterSeconds"] = retry_after_seconds
    return {"message": message, "extensions": extensions}
