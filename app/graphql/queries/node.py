"""Whatever has an id, asked for again by it."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.cost import cost
from app.graphql.permissions import Permission, may, root_field
from app.graphql.queries.node_sources import SOURCES
from app.graphql.types.node import Node

NodeIdArgument = Annotated[strawberry.ID, strawberry.argument(description="The id from an earlier response.")]


@strawberry.type
class NodeQueries:
    """The root field of everything with an id."""

    @root_field(
        costs=[cost(250)],
        permission=Permission.VIEW_ACCOUNT,
        description=(
            "Any object by its id. Null if it does not exist, belongs to another account, or your role cannot see it."
        ),
    )
    async def node(self, info: Info, id: NodeIdArgument) -> Node | None:
        """Resolve `node`."""
        source = SOURCES.get(id.partition("_")[0])
        if source is None:
            return None
        permission, find = source
        found = await find(info, id)
        return found if may(await info.context.viewer(), permission) else None
