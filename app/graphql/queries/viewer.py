"""The portal's first question: who am I here, and what may I do?"""

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, root_field
from app.graphql.types.viewer import Viewer
from app.repositories.pages.viewer import VIEWER


async def load_viewer_again(info: Info) -> Viewer | None:
    """Return the caller as a mutation has left them, with the banner and the account's status of now."""
    found = await info.context.load(VIEWER, subject=info.context.claims.subject)
    return Viewer.of(found) if found else None


@strawberry.type
class ViewerQueries:
    """Root fields about the caller."""

    @root_field(
        permission=Permission.VIEW_ACCOUNT,
        description="The signed-in user, the account, and what the user's role allows. Request it with every page.",
    )
    async def viewer(self, info: Info) -> Viewer | None:
        """Resolve `viewer`."""
        return Viewer.of(await info.context.viewer())
