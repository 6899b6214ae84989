"""Refusals: why something was not done. Each is declared once, on the type that clients see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import strawberry

from app.error_codes import ErrorCode
from app.graphql.enums import described_enum

described_enum(
    ErrorCode,
    description="Why a request or one of its fields failed: `extensions.code` of every error.",
    values={code: code.value for code in ErrorCode},
)


@strawberry.interface(
    description=(
        "A refusal: why a mutation was not carried out. Select `... on UserError { code message }` "
        "so that the app also handles refusals added later."
    )
)
class UserError:
    """The interface of all refusals. A type with more fields reads them from the exception, `refused`."""

    refused: strawberry.Private[Exception]
    code: ErrorCode = strawberry.field(description="Identifies the refusal for programs.")
    message: str = strawberry.field(description="Explains to the customer what is wrong and what to do.")


Refused = TypeVar("Refused", bound=Exception)
Member = TypeVar("Member", bound=UserError)


@dataclass(frozen=True, slots=True)
class Declared:
    """A type with its code, and which exceptions of its class it shows."""

    member: type[UserError]
    code: ErrorCode
    shows: Callable[[Exception], bool]


DECLARED: dict[type[Exception], list[Declared]] = {}


def refusal(
    *exceptions: type[Refused], code: ErrorCode, description: str, when: Callable[[Refused], bool] | None = None
) -> Callable[[type[Member]], type[Member]]:
    """Declare a type as what clients see of these exceptions; `when` chooses, where two types share an exception.

    :raises ValueError: when two types would show the same exception.
    """

    def shows(refused: Exception) -> bool:
        return when is None or (isinstance(refused, exceptions) and when(refused))

    def declare(member: type[Member]) -> type[Member]:
        for exception in exceptions:
            if when is None and exception in DECLARED:
                raise ValueError(f"{exception.__name__} is shown by two types")
            DECLARED.setdefault(exception, []).append(Declared(member, code, shows))
        return strawberry.type(member, description=description)

    return declare


def as_member(refused: Exception) -> UserError | None:
    """Return what clients see of an expected refusal, or None when it is not one."""
    for declared in DECLARED.get(type(refused), ()):
        if declared.shows(refused):
            return declared.member(refused=refused, code=declared.code, message=str(refused))
    return None
