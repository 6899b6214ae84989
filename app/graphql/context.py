"""What a resolver may reach: the caller, the clock, the ids, and reads that all travel in the operation's one trip."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import strawberry

from app.graphql.errors import Forbidden
from app.ports import Claims, Clock, Ids
from app.repositories.pages.viewer import VIEWER
from app.repositories.reader import Page
from app.views.viewer import Viewer

V = TypeVar("V")

MEMBERSHIP_GONE = (
    "You are signed in, but you are not a member of this account any more. "
    "Ask an administrator of the account to invite you again, or choose another account."
)


class Reads(Protocol):
    """The reads of one operation: calls made in the same turn of the event loop share one trip."""

    async def load(self, page: Page[V], **parameters: Any) -> V:
        """Return the view of a page."""
        ...


@dataclass(frozen=True, slots=True)
class GraphQLOptions:
    """What the settings decide about answers; plain values, for the settings are not seen from here."""

    largest_page: int = 100


@dataclass(slots=True)
class Context:
    """One operation's surroundings; nothing is replaced once it is made, only the session is filled in."""

    request_id: str
    claims: Claims
    clock: Clock
    ids: Ids
    reads: Reads
    options: GraphQLOptions = field(default_factory=GraphQLOptions)
    _session: asyncio.Task[Viewer] | None = None

    async def load(self, page: Page[V], **parameters: Any) -> V:
        """Return the view of a page about the caller's own account, in the same trip as the session look-up.

        Every page gets `account`, the external id from the verified token; no resolver can name another one.
        """
        self.begin_session()
        return await self.reads.load(page, account=self.claims.account, **parameters)

    def begin_session(self) -> None:
        """Ask for the membership now, so that it joins the trip that this turn of the loop makes."""
        if self._session is None:
            self._session = asyncio.ensure_future(self._find_viewer())

    async def viewer(self) -> Viewer:
        """Return the caller as the database has them now.

        :raises Forbidden: when the membership that the token speaks of is gone.
        """
        self.begin_session()
        return await self._session  # type: ignore[misc]

    @property
    def seen_viewer(self) -> Viewer:
        """The caller, for fields below a root field: that one has waited for the session already.

        :raises RuntimeError: when no root field did.
        """
        if self._session is None or not self._session.done():
            raise RuntimeError("A field below the root was resolved before the session was known.")
        return self._session.result()

    async def _find_viewer(self) -> Viewer:
        found = await self.reads.load(VIEWER, subject=self.claims.subject, account=self.claims.account)
        if found is None:
            raise Forbidden(MEMBERSHIP_GONE)
        return found


Info = strawberry.Info[Context, None]
