"""Links to the documents of one invoice, for a browser tab or a phone that sends no bearer header: signed, and good for
half an hour of real time, whatever clock billing goes by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeSerializer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.ports import Clock

LIFETIME = timedelta(minutes=30)
SHORTEST_SECRET = 32
LONGEST_TOKEN = 1_024

_PURPOSE = "flex-billing document link 2"
"""Part of the key, so that no signature of another kind made with the same secret opens a document."""


class DocumentKind(StrEnum):
    """The forms in which an invoice is handed out."""

    HTML = "html"
    CSV = "csv"
    CALLS_CSV = "calls.csv"
    PDF = "pdf"


class LinkUnknown(ValueError):
    """The link is not one that we gave out, or it was changed on the way."""

    def __init__(self) -> None:
        super().__init__("This link does not open a document. Go back to the invoice and open it from there.")


class LinkExpired(ValueError):
    """The link was ours, and its half hour is over."""

    def __init__(self) -> None:
        super().__init__("This link was good for 30 minutes and has expired. Go back to the invoice for a new one.")


class WeakSecret(ValueError):
    """The secret that links are signed with could be guessed."""

    def __init__(self) -> None:
        super().__init__(f"The secret of document links needs at least {SHORTEST_SECRET} bytes.")


@dataclass(frozen=True, slots=True)
class DocumentClaim:
    """What a link opens, and until when; `account` is the external id."""

    account: str
    invoice_id: str
    kind: DocumentKind
    expires_at: datetime


def sign(claim: DocumentClaim, secret: bytes) -> str:
    """Return the token for a claim."""
    return _written([claim.account, claim.invoice_id, claim.kind, int(claim.expires_at.timestamp())], secret)


def verify(token: str, secret: bytes, now: datetime) -> DocumentClaim:
    """Return the claim of a token.

    :raises LinkUnknown: when the signature is not ours.
    :raises LinkExpired: when it is, but `now` is too late.
    """
    try:
        content = _serializer(secret).loads(token[: LONGEST_TOKEN + 1])
    except (BadData, ValueError) as error:
        raise LinkUnknown from error
    if token != _written(content, secret):  # base64 has several spellings of the same bytes
        raise LinkUnknown
    account, invoice_id, kind, expires = content
    claim = DocumentClaim(account, invoice_id, DocumentKind(kind), datetime.fromtimestamp(expires, UTC))
    if now >= claim.expires_at:
        raise LinkExpired
    return claim


class DocumentLinks:
    """Gives out links and opens them. `base_url` comes from the settings, never from a request."""

    def __init__(self, *, secret: bytes, base_url: str, clock: Clock, kinds: Iterable[DocumentKind]) -> None:
        """Take a real-time clock, and the kinds that this installation can make.

        :raises WeakSecret: when the secret is too short.
        """
        if len(secret) < SHORTEST_SECRET:
            raise WeakSecret
        self._secret = secret
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._kinds = frozenset(kinds)

    def expires_at(self) -> datetime:
        """Return until when links given out now are good; a whole second."""
        return self._clock.now().replace(microsecond=0) + LIFETIME

    def make(self, account: str, invoice_id: str, kind: DocumentKind, expires_at: datetime) -> str | None:
        """Return the address of a document, or None when this installation cannot make that kind."""
        if kind not in self._kinds:
            return None
        token = sign(DocumentClaim(account, invoice_id, kind, expires_at), self._secret)
        return f"{self._base_url}/documents/{token}"

    def open(self, token: str) -> DocumentClaim:
        """Return what a token opens now.

        :raises LinkUnknown: when it is not ours.
        :raises LinkExpired: when its time is over.
        """
        return verify(token, self._secret, self._clock.now())


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=_PURPOSE, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})


def _written(content: list[str | int], secret: bytes) -> str:
    return str(_serializer(secret).dumps(content))
