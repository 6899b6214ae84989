"""What leaves the machine or cannot be replayed, as protocols; the composition root decides who answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Tells the time that billing goes by."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...


class Ids(Protocol):
    """Mints opaque, sortable identifiers."""

    def new(self, prefix: str) -> str:
        """Return `prefix_` followed by 26 characters that sort by time of minting."""
        ...


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified bearer token says: who asks, and for which account (by its external id)."""

    subject: str
    account: str


class InvalidToken(Exception):
    """The bearer token cannot be trusted; `reason` is for the log, never for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__("The access token is missing, expired or not ours. Sign in again.")
        self.reason = reason


class TokenVerifier(Protocol):
    """Checks bearer tokens."""

    async def verify(self, token: str) -> Claims:
        """Return the claims of a token that can be trusted.

        :raises InvalidToken: when its signature, issuer, audience, lifetime or shape is wrong.
        """
        ...
