"""Where the public keys of token signatures come from: a document in the settings, or the identity provider's address,
fetched without following it elsewhere, kept for minutes, and still used for a day when the provider is down.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from typing import IO

log = structlog.get_logger("identity")

ALGORITHM = "ES256"
CURVE = "P-256"

KEPT_SECONDS = 300.0
RETRY_SECONDS = 60.0
STALE_SECONDS = 86_400.0
FETCH_SECONDS = 3.0
LARGEST_DOCUMENT = 256_000


class KeysUnusable(ValueError):
    """A key document holds no key that can be used."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"The token keys cannot be used: {detail}. Give a JWKS document with an {ALGORITHM} key.")


class KeySource(Protocol):
    """Public keys by their ids. `generation` changes whenever the keys do."""

    @property
    def generation(self) -> int:
        """How many times the keys have changed."""
        ...

    async def refresh_if_due(self) -> None:
        """Look for newer keys if it is time to; never raises."""
        ...

    async def find(self, kid: str) -> ECKey | None:
        """Return the key with this id, or None."""
        ...


def read_keys(document: str | bytes) -> dict[str, ECKey]:
    """Return the usable keys of a JWKS document by their ids; keys of other kinds are passed over.

    :raises KeysUnusable: when the document is not a JWKS, or has no key for us.
    """
    try:
        listed = json.loads(document)["keys"]
        found = {jwk["kid"]: ECKey.import_key(_public_part(jwk)) for jwk in listed if _is_ours(jwk)}
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeysUnusable(f"not a JWKS document ({type(error).__name__})") from None
    if not found:
        raise KeysUnusable(f"no {ALGORITHM} key with a `kid`")
    return found


def _is_ours(jwk: object) -> bool:
    return (
        isinstance(jwk, dict)
        and jwk.get("kty") == "EC"
        and jwk.get("crv") == CURVE
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(jwk.get("kid"), str)
    )


def _public_part(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "kid")}


class FixedKeys:
    """Keys that were given once."""

    generation = 0

    def __init__(self, document: str | bytes) -> None:
        self._keys = read_keys(document)

    async def refresh_if_due(self) -> None:
        """Do nothing; these never change."""

    async def find(self, kid: str) -> ECKey | None:
        """Return the key with this id, or None."""
        return self._keys.get(kid)


class FetchedKeys:
    """Keys from an address: kept five minutes, asked for again at most once a minute when a key id is unknown."""

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], bytes] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        require_safe(url)
        self._url = url
        self._fetch = fetch or fetch_document
        self._now = now
        self._keys: dict[str, ECKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._refreshing = asyncio.Lock()
        self.generation = 0

    async def refresh_if_due(self) -> None:
        """Fetch the keys when they are old; while somebody does, the others go on with those at hand."""
        is_old = self._fetched_at is None or self._now() - self._fetched_at >= KEPT_SECONDS
        if is_old and not (self._keys and self._refreshing.locked()):
            await self._refresh()

    async def find(self, kid: str) -> ECKey | None:
        """Return the key with this id, after one more look at the address if it is unknown."""
        if kid not in self._keys:
            await self._refresh()
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        async with self._refreshing:
            now = self._now()
            if self._tried_at is not None and now - self._tried_at < RETRY_SECONDS:
                return
            self._tried_at = now
            try:
                keys = read_keys(await asyncio.to_thread(self._fetch, self._url))
            except (OSError, KeysUnusable) as error:
                log.warning("token keys not refreshed", error_type=type(error).__name__, has_keys=bool(self._keys))
                self._drop_when_too_old(now)
                return
            self._fetched_at = now
            if keys.keys() != self._keys.keys() or any(
                key.thumbprint() != self._keys[kid].thumbprint() for kid, key in keys.items()
            ):
                self._keys = keys
                self.generation += 1

    def _drop_when_too_old(self, now: float) -> None:
        if self._fetched_at is not None and now - self._fetched_at >= STALE_SECONDS and self._keys:
            self._keys = {}
            self.generation += 1


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        """Refuse: keys that another address hands out are not the provider's."""
        del req, fp, code, msg, headers, newurl
        return None


def require_safe(url: str) -> None:
    """Let an address pass that nobody on the way can answer for.

    :raises KeysUnusable: for anything but https; plain http is for this very machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}):
        raise KeysUnusable("the address of the keys must begin with https://")


def fetch_document(url: str) -> bytes:
    """Return the document at an address, blocking for three seconds at most on each step.

    :raises OSError: when it does not answer with a document of reasonable size.
    """
    require_safe(url)
    request = Request(url, headers={"accept": "application/json"})  # noqa: S310  the scheme was checked
    with build_opener(_NoRedirects).open(request, timeout=FETCH_SECONDS) as response:
        document: bytes = response.read(LARGEST_DOCUMENT + 1)
    if len(document) > LARGEST_DOCUMENT:
        raise URLError("the key document is too large")
    return document
