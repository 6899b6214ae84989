"""What the gateway answers: a status and a document, and validation errors with their codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.sandbox.braintree_gateway.codec import Items, encode

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to the SDK."""

    status: int
    root: str | None = None
    content: Any = None

    def body(self) -> bytes:
        """Return the document."""
        return b"" if self.root is None else encode(self.root, self.content)


NOT_FOUND = Answer(404)
DELETED = Answer(200)


@dataclass(frozen=True, slots=True)
class Problem:
    """One validation error of a field."""

    code: str
    attribute: str
    message: str


class Invalid(Exception):
    """A request that fails validation; `where` is the object that it is about, outermost first."""

    def __init__(self, where: tuple[str, ...], *problems: Problem) -> None:
        super().__init__("; ".join(f"{each.code} {each.message}" for each in problems))
        self.where = where
        self.problems = problems


def invalid(where: str, code: str, attribute: str, message: str) -> Invalid:
    """Return one error of one object; deeper ones are written with dots."""
    return Invalid(tuple(where.split(".")), Problem(code, attribute, message))


def refused(error: Invalid, params: Content) -> Answer:
    """Return the answer to a request that failed validation."""
    tree: Content = {
        "errors": Items(
            "error",
            [{"code": each.code, "attribute": each.attribute, "message": each.message} for each in error.problems],
        )
    }
    for name in reversed(error.where):
        # Each level has errors of its own, an empty list included: the SDK fails without it.
        tree = {"errors": Items("error"), name: tree}
    return _error(tree, "\n".join(each.message for each in error.problems), params)


def unsuccessful(name: str, subject: Content, message: str, params: Content) -> Answer:
    """Return the answer to a valid request that the bank or the gateway turned down: no errors, but its outcome."""
    return _error({"errors": Items("error")}, message, params, {name: subject})


def _error(errors: Content, message: str, params: Content, more: Content | None = None) -> Answer:
    content = {"errors": errors, "params": _echo(params), "message": message, **(more or {})}
    return Answer(422, "api_error_response", content)


def _echo(params: Content) -> Content:
    """Return the parameters as they are sent back, without anything secret."""
    secret = {"payment_method_nonce", "device_data", "number", "cvv", "credit_card"}
    return {
        name: _echo(value) if isinstance(value, dict) else "" if value is None else str(value)
        for name, value in params.items()
        if name not in secret and not isinstance(value, list)
    }
