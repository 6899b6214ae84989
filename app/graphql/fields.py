"""Fields that are worked out from the value at hand: synchronous, plain, and described."""

# What a resolver takes and returns is Strawberry's business, so `Any` is its honest type here.
# ruff: noqa: ANN401

from collections.abc import Callable
from typing import Any

import strawberry


def computed(*, description: str, name: str | None = None) -> Callable[[Callable[..., Any]], Any]:
    """Declare a method as a field of its type; it waits for nothing and reads nothing from the database."""

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver=resolver, name=name, description=description)

    return declare


def looked_up(*, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare an asynchronous method as a field of its type: it reads, with its neighbours in one more trip."""

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver=resolver, description=description)

    return declare
