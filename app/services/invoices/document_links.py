"""Links to the documents of one invoice, for a browser tab or a phone that sends no bearer header: signed, and good for
five minutes of real time, whatever clock billing goes by.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as InvalidBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.ports import Clock

LIFETIME = timedelta(minutes=5)
SHORTEST_SECRET = 32
LONGEST_TOKEN = 1_024

_PURPOSE = b"flex-billing document link 1\n"
"""Signed along, so that no signature of another kind made with the same secret opens a document."""


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
    """The link was ours, and its five minutes are over."""

    def __init__(self) -> None:
        super().__init__("This link was good for five minutes, which are over. Go back to the invoice for a new one.")


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
    """Return the token for a claim: base64url of its JSON, a dot, and base64url of the HMAC-SHA256 over it."""
    expires = int(claim.expires_at.timestamp())
    content = json.dumps([claim.account, claim.invoice_id, claim.kind, expires], separators=(",", ":")).encode()
    return f"{_encode(content)}.{_encode(_signature(content, secret))}"


def verify(token: str, secret: bytes, now: datetime) -> DocumentClaim:
    """Return the claim of a token.

    :raises LinkUnknown: when the signature is not ours.
    :raises LinkExpired: when it is, but `now` is too late.
    """
    content_text, _, signature_text = token[: LONGEST_TOKEN + 1].partition(".")
    content, signature = _decode(content_text), _decode(signature_text)
    if len(token) > LONGEST_TOKEN or not hmac.compare_digest(signature, _signature(content, secret)):
        raise LinkUnknown
    account, invoice_id, kind, expires = json.loads(content)
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


def _signature(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + content, "sha256")


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of base64url in its one canonical spelling, or none at all."""
    try:
        content = b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, InvalidBase64):
        return b""
    return content if _encode(content) == text else b""
