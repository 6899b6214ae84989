"""What fields cost: weights and list sizes, declared beside the field and printed in the schema as `@cost` and
`@listSize`, after IBM's specification. A point stands for about ten microseconds of the processor.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import strawberry
from graphql import (
    FieldDefinitionNode,
    GraphQLField,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
)
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

LEAF = 1
OBJECT = 3
ROOT = 100
"""The weight of a root field: it reads, and is checked against the caller's role."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description=(
        "The cost of the field itself: its `weight` in points. Without it, a value weighs 1 point, an object 3 and a "
        "root field 100."
    ),
)
class Cost:
    """The weight of a field, in points; without one it is 1 for a value, 3 for an object and 100 for a root field."""

    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description=(
        "The number of items that the cost of a list is multiplied by: `assumedSize`, or the value of the "
        "argument named in `slicingArguments`. With `sizedFields`, it is the size of those lists below the field."
    ),
)
class ListSize:
    """How many items a list may have: `assumed_size`, or what the argument says.

    With `sized_fields` the size is that of the lists directly below the field.
    """

    assumed_size: int | None = None
    slicing_arguments: list[str] | None = None
    sized_fields: list[str] | None = None


Costs: TypeAlias = Sequence[Cost | ListSize]
"""What a field declares of its cost."""


def cost(points: int) -> Cost:
    """Declare the weight of a field, in points."""
    return Cost(weight=str(points))


def holds(items: int) -> ListSize:
    """Declare how many items a list usually has at most."""
    return ListSize(assumed_size=items)


def sliced(argument: str) -> ListSize:
    """Declare the argument that says how many items a list has."""
    return ListSize(slicing_arguments=[argument])


PAGED = ListSize(slicing_arguments=["first"], sized_fields=["nodes", "edges"])
"""A connection: `first` says how many `nodes` and `edges` it has."""


def declared_cost(field: GraphQLField) -> tuple[int | None, ListSize | None]:
    """Return the weight and the list size that a field declares."""
    definition = field.extensions.get("strawberry-definition")
    directives = definition.directives if isinstance(definition, StrawberryField) else ()
    weight = next((int(each.weight) for each in directives if isinstance(each, Cost)), None)
    return weight, next((each for each in directives if isinstance(each, ListSize)), None)


def print_costs(schema: GraphQLSchema, text: str) -> str:
    """Return the schema's text with the directives of every field that declares a cost."""
    places = []
    for definition in parse(text).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            places += [(field, definition.name.value) for field in definition.fields or ()]
    for field, type_name in reversed(places):
        printed = "".join(_printed(schema, type_name, field))
        if printed and field.loc is not None:
            text = text[: field.loc.end] + printed + text[field.loc.end :]
    return text


def _printed(schema: GraphQLSchema, type_name: str, node: FieldDefinitionNode) -> Iterator[str]:
    type_ = schema.type_map[type_name]
    fields: dict[str, GraphQLField] = getattr(type_, "fields", {})
    weight, size = declared_cost(fields[node.name.value])
    if weight is not None:
        yield f' @cost(weight: "{weight}")'
    if size is not None:
        yield f" @listSize({', '.join(_arguments(size))})"


def _arguments(size: ListSize) -> Iterator[str]:
    if size.assumed_size is not None:
        yield f"assumedSize: {size.assumed_size}"
    for name, values in (("slicingArguments", size.slicing_arguments), ("sizedFields", size.sized_fields)):
        if values:
            quoted = ", ".join(f'"{value}"' for value in values)
            yield f"{name}: [{quoted}]"
