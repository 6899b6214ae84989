"""The page behind a mail's link: a look changes nothing, for programs follow links; the button, or a mail program's
one-click POST, switches the alert off (RFC 8058).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from app.domain.alerts import CATALOGUE
from app.http import answers
from app.http.link_pages import page_of_a_link
from app.services.notifications.unsubscribe_links import UnsubscribeUnknown, unsubscribe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from app.messages.render import Renderer
    from app.services.common.services import Services
    from app.services.notifications.unsubscribe_links import UnsubscribeLinks

ADDRESS = "/unsubscribe/{token}"


def unsubscribe_routes(services: Services, *, links: UnsubscribeLinks, renderer: Renderer) -> Sequence[BaseRoute]:
    """Return the route of all links; the link itself is the right, so there is no token to check."""
    return [Route(ADDRESS, Unsubscribe(services, links, renderer).answer, methods=["GET", "POST"])]


class Unsubscribe:
    """Answers for one link. The body of a POST is not read: whatever a mail program sends means the same."""

    def __init__(self, services: Services, links: UnsubscribeLinks, renderer: Renderer) -> None:
        self._services = services
        self._links = links
        self._renderer = renderer

    async def answer(self, request: Request) -> Response:
        """Handle one request."""
        try:
            claim = self._links.read(request.path_params["token"])
        except UnsubscribeUnknown as error:
            return self._page(answers.NOT_FOUND, "Nothing to switch off here", str(error))
        title = CATALOGUE[claim.kind].title
        if request.method != "POST":
            return self._page(answers.OK, title, f"Shall we stop telling you about “{title}”?", asks=True)
        await unsubscribe(self._services, claim=claim)
        sentence = (
            f"We will not tell you about “{title}” any more. An administrator can switch it on again in the portal."
        )
        return self._page(answers.OK, "Done", sentence)

    def _page(self, status: int, title: str, sentence: str, *, asks: bool = False) -> Response:
        page = self._renderer.unsubscribe(title=title, sentence=sentence, asks=asks)
        return page_of_a_link(page, status, self._renderer.content_policy)
