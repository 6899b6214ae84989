"""Fields that are worked out from the value at hand: plain, and described."""

import strawberry
from strawberry.types.field import StrawberryField


def computed(*, description: str, name: str | None = None) -> StrawberryField:
    """Declare a method as a field of its type; it waits for nothing and reads nothing from the database."""
    field: StrawberryField = strawberry.field(name=name, description=description)
    return field


def looked_up(*, description: str) -> StrawberryField:
    """Declare an asynchronous method as a field of its type: it reads, with its neighbours in one more trip."""
    field: StrawberryField = strawberry.field(description=description)
    return field
