"""What it means when the SDK raises: never sent, refused for certain, or anybody's guess."""

from __future__ import annotations

import ssl
from typing import Any

import requests
from braintree import exceptions
from urllib3.exceptions import NewConnectionError

from app.domain.payment_gateway import AnswerKind

_REFUSALS = (
    exceptions.authentication_error.AuthenticationError,
    exceptions.authorization_error.AuthorizationError,
    exceptions.not_found_error.NotFoundError,
    exceptions.upgrade_required_error.UpgradeRequiredError,
)


def is_absence(error: Exception) -> bool:
    """Tell whether the gateway says that there is no such thing."""
    return isinstance(error, exceptions.not_found_error.NotFoundError)


def sort_failure(error: Exception) -> tuple[AnswerKind, str]:
    """Return what is known after an exception, and a reason for the log that holds nothing of the request.

    A refused visit for too many requests is not definite: whoever stands before the gateway may say so afterwards.
    """
    cause = _innermost(error)
    reason = type(error).__name__ if cause is error else f"{type(error).__name__}: {type(cause).__name__}"
    if isinstance(error, exceptions.unexpected_error.UnexpectedError) and cause is error:
        reason = f"{reason}: {error}"
    if _was_never_sent(cause):
        return AnswerKind.NEVER_SENT, reason
    if isinstance(error, _REFUSALS):
        return AnswerKind.REFUSED, reason
    return AnswerKind.UNKNOWN, reason


def _innermost(error: Exception) -> Exception:
    """Return the error of the connection that the SDK has wrapped, or the error itself."""
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, requests.exceptions.RequestException) else error


def _was_never_sent(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason: Any = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        return isinstance(reason, Exception) and any(
            isinstance(each, ssl.SSLCertVerificationError) for each in reason.args
        )
    return isinstance(error, requests.exceptions.ConnectionError) and isinstance(reason, NewConnectionError)
