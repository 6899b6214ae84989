"""What is held back, such as collecting after a restore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import col

from app.models.notices import HoldRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

COLLECTION = "collection"
MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that is not done for the time being, since when, and why."""

    name: str
    since: datetime
    reason: str


class HoldRepository:
    """Holds by name."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, name: str) -> Hold | None:
        """Return the hold of that name, where there is one."""
        row = await self._session.get(HoldRow, name, populate_existing=True)
        return None if row is None else Hold(row.name, row.since, row.reason)

    async def put(self, hold: Hold) -> None:
        """Hold something back from now on; one that is held already keeps its first reason."""
        if await self.find(hold.name) is None:
            self._session.add(HoldRow(name=hold.name, since=hold.since, reason=hold.reason))
            await self._session.flush()

    async def lift(self, name: str) -> None:
        """Let it go on."""
        await self._session.exec(delete(HoldRow).where(col(HoldRow.name) == name))
