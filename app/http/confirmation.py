"""The page behind the link by which an address confirms: a look changes nothing, for programs follow links; a button
answers, and its page takes the answer back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from app.domain.contacts import Channel, ConfirmationState
from app.http import answers
from app.http.link_pages import page_of_a_link
from app.services.notifications.confirmation_links import (
    PATH,
    ConfirmationExpired,
    ConfirmationUnknown,
)
from app.services.notifications.confirmations import Answer, find_state, record_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from app.messages.render import Renderer
    from app.services.common.services import Services
    from app.services.notifications.confirmation_links import ConfirmationClaim, ConfirmationLinks

CONFIRM, DECLINE = ("confirm", "Send me billing messages"), ("decline", "Send me nothing")

SENTENCES = {
    ConfirmationState.UNCONFIRMED: "{account} would like its billing messages to go to {address}. Do you agree?",
    ConfirmationState.CONFIRMED: "Billing messages of {account} go to {address}. You can change that here.",
    ConfirmationState.DECLINED: "No billing message of {account} goes to {address}. You can change that here.",
}
BUTTONS = {
    ConfirmationState.UNCONFIRMED: (CONFIRM, DECLINE),
    ConfirmationState.CONFIRMED: (DECLINE,),
    ConfirmationState.DECLINED: (CONFIRM,),
}


def confirmation_routes(services: Services, *, links: ConfirmationLinks, renderer: Renderer) -> Sequence[BaseRoute]:
    """Return the route of all links; the link itself is the right, so there is no token to check."""
    return [Route(f"{PATH}{{token}}", Confirmation(services, links, renderer).answer, methods=["GET", "POST"])]


class Confirmation:
    """Answers for one link; `?answer=` of a POST is `confirm` or `decline`, and its body is not read."""

    def __init__(self, services: Services, links: ConfirmationLinks, renderer: Renderer) -> None:
        self._services = services
        self._links = links
        self._renderer = renderer

    async def answer(self, request: Request) -> Response:
        """Handle one request."""
        try:
            claim = self._links.read(request.path_params["token"], self._services.clock.now())
        except ConfirmationUnknown as error:
            return self._page(answers.NOT_FOUND, "Nothing to confirm here", str(error))
        except ConfirmationExpired as error:
            return self._page(answers.GONE, "This link has expired", str(error))
        chosen = request.query_params.get("answer")
        if request.method == "POST" and chosen in {CONFIRM[0], DECLINE[0]}:
            agrees = chosen == CONFIRM[0]
            await record_answer(
                self._services, Answer(claim.account_id, Channel.EMAIL, claim.address, agrees, actor="contact")
            )
        return await self._state(claim)

    async def _state(self, claim: ConfirmationClaim) -> Response:
        account, state = await find_state(self._services, account_id=claim.account_id, address=claim.address)
        sentence = SENTENCES[state].format(account=account, address=claim.address)
        return self._page(answers.OK, f"Billing messages of {account}", sentence, BUTTONS[state])

    def _page(self, status: int, title: str, sentence: str, buttons: Sequence[tuple[str, str]] = ()) -> Response:
        page = self._renderer.confirmation(title=title, sentence=sentence, buttons=buttons)
        return page_of_a_link(page, status, self._renderer.content_policy)
