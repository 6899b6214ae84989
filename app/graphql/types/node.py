"""What can be asked for again by its id."""

import re

import strawberry

_DERIVED = re.compile(r"[a-z]+_([0-9a-z]{1,40})_([1-9][0-9]{0,17})", re.ASCII)


@strawberry.interface(description="An object with a globally unique id. Fetch it again with `node`.")
class Node:
    """The Relay interface, with our own ids."""

    id: strawberry.ID = strawberry.field(
        description="An opaque id that never changes. Its prefix, such as `inv_`, tells people what it identifies."
    )


def read_derived_id(id: str, parent: str) -> tuple[str, int] | None:
    """Return the id of the parent and the place that a derived id is made of, or None when it is no such id.

    `call_01j9…_17` of parent `acc` is `("acc_01j9…", 17)`.
    """
    match = _DERIVED.fullmatch(id)
    return None if match is None else (f"{parent}_{match[1]}", int(match[2]))
