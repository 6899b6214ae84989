"""Shows an enum of the core to clients without the core knowing: the descriptions live here, beside the schema."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

EnumClass = TypeVar("EnumClass", bound=type[Enum])


def described_enum(
    cls: EnumClass, *, description: str, values: Mapping[Any, str], name: str | None = None
) -> EnumClass:
    """Register an enum with the schema, with a description for each of its members.

    :raises ValueError: when a member has no description, or a description has no member.
    """
    missing = {member.name for member in cls} ^ {member.name for member in values}
    if missing:
        raise ValueError(f"{cls.__name__} and its descriptions differ in {', '.join(sorted(missing))}.")
    strawberry.enum(cls, name=name or cls.__name__, description=description)
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    texts = {member.name: text for member, text in values.items()}
    for value in definition.values:
        value.description = texts[value.name]
    return cls
