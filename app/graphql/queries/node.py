"""Whatever has an id, asked for again by it."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, may, root_field
from app.graphql.queries.node_sources import SOURCES
from app.graphql.types.node import Node

NodeIdArgument = Annotated[strawberry.ID, strawberry.argument(description="The id, as an answer gave it.")]


@strawberry.type
class NodeQueries:
    """The root field of everything with an id."""

    @root_field(
        permission=Permission.VIEW_ACCOUNT,
        description="Anything by its id. Null alike when there is no such thing, when it belongs to another account, "
        "and when your role may not see it.",
    )
    async def node(self, info: Info, id: NodeIdArgument) -> Node | None:
        """Resolve `node`."""
        source = SOURCES.get(id.partition("_")[0])
        if source is None:
            return None
        permission, find = source
        found = await find(info, id)
        return found if may(await info.context.viewer(), permission) else None
