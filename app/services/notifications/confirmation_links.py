"""The link in the mail that asks an address to confirm: signed, good for a week, and acted on by POST alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeSerializer

from app.domain.confirmations import CONFIRMATION, LINK_LIVES

if TYPE_CHECKING:
    from app.repositories.notifications import Message

LONGEST_TOKEN = 1_024
PATH = "/contacts/confirm/"

_PURPOSE = "flex-billing confirmation link 1"
"""Part of the key, so that no signature of another kind made with the same secret confirms anything."""


class ConfirmationUnknown(ValueError):
    """The link is not one that we gave out, or it was changed on the way."""

    def __init__(self) -> None:
        super().__init__("This link does not confirm anything. Use the one in the mail, whole.")


class ConfirmationExpired(ValueError):
    """The link was ours, and its week is over."""

    def __init__(self) -> None:
        super().__init__(
            f"This link was good for {LINK_LIVES.days} days and has expired. Whoever added you can have a new one sent."
        )


@dataclass(frozen=True, slots=True)
class ConfirmationClaim:
    """Which address of which account answers."""

    account_id: str
    address: str


class ConfirmationLinks:
    """Writes links and reads them back. `base_url` is where customers reach us."""

    def __init__(self, *, secret: bytes, base_url: str) -> None:
        self._serializer = URLSafeSerializer(
            secret, salt=_PURPOSE, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
        )
        self._base_url = base_url.rstrip("/")

    def link(self, message: Message) -> str | None:
        """Return the link for the mail that asks; None for any other message. It lives from when it was asked on."""
        if message.kind != CONFIRMATION:
            return None
        expires = int((message.created_at + LINK_LIVES).timestamp())
        return f"{self._base_url}{PATH}{self._serializer.dumps([message.account_id, message.address, expires])}"

    def read(self, token: str, now: datetime) -> ConfirmationClaim:
        """Return the claim of a link's token.

        :raises ConfirmationUnknown: when we did not sign it.
        :raises ConfirmationExpired: when it is ours, but `now` is too late.
        """
        if len(token) > LONGEST_TOKEN:
            raise ConfirmationUnknown
        try:
            account_id, address, expires = self._serializer.loads(token)
        except (BadData, ValueError):
            raise ConfirmationUnknown from None
        if now >= datetime.fromtimestamp(expires, UTC):
            raise ConfirmationExpired
        return ConfirmationClaim(account_id, address)
