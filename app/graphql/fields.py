"""Fields that are worked out from the value at hand: plain, and described."""

import strawberry
from strawberry.types.field import StrawberryField

from app.graphql.cost import Costs


def computed(*, description: str, name: str | None = None, costs: Costs = ()) -> StrawberryField:
    """Declare a method as a field of its type; it waits for nothing and reads nothing from the database."""
    field: StrawberryField = strawberry.field(name=name, description=description, directives=costs)
    return field


def looked_up(*, description: str, costs: Costs = ()) -> StrawberryField:
    """Declare an asynchronous method as a field of its type: it reads, with its neighbours in one more trip."""
    field: StrawberryField = strawberry.field(description=description, directives=costs)
    return field
