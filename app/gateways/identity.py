"""Verifies bearer tokens by the identity provider's public keys. The token says who and for which account, nothing
else: membership and role are the database's to say.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from app.gateways.signing_keys import ALGORITHM
from app.ports import Claims, InvalidToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.gateways.signing_keys import KeySource

TOKEN_TYPE = "at+jwt"  # noqa: S105  the header's `typ` of an access token (RFC 9068)

LONGEST_CLAIM = 200
TOKENS_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token must say about itself. Tokens live by real time, whatever clock billing goes by."""

    issuer: str
    audience: str
    longest_lifetime: timedelta = timedelta(hours=1)
    leeway: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A token that was verified in full; only its hash is kept."""

    claims: Claims
    expires_at: float
    generation: int


class JwtVerifier:
    """Checks signature, type, issuer, audience, lifetime and shape, and remembers tokens that passed."""

    def __init__(self, keys: KeySource, rules: TokenRules, real_time: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._rules = rules
        self._real_time = real_time
        self._leeway = rules.leeway.total_seconds()
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._registry = jwt.JWTClaimsRegistry(
            now=lambda: int(real_time()),
            leeway=int(self._leeway),
            iss={"essential": True, "value": rules.issuer},
            aud={"essential": True, "value": rules.audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            account={"essential": True},
        )

    async def verify(self, token: str) -> Claims:
        """Return the claims of a token that can be trusted.

        :raises InvalidToken: when its signature, issuer, audience, lifetime or shape is wrong.
        """
        await self._keys.refresh_if_due()
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known is not None and known.generation == self._keys.generation:
            if self._real_time() >= known.expires_at + self._leeway:
                raise InvalidToken("expired")
            self._remembered.move_to_end(digest)
            return known.claims
        verified = await self._verify(token)
        self._remembered[digest] = verified
        if len(self._remembered) > TOKENS_REMEMBERED:
            self._remembered.popitem(last=False)
        return verified.claims

    async def _verify(self, token: str) -> _Remembered:
        try:
            header = jws.extract_compact(token.encode()).headers()
            kid = header.get("kid")
            if not isinstance(kid, str) or not kid:
                raise InvalidToken("no key id")
            if str(header.get("typ")).lower() != TOKEN_TYPE:
                raise InvalidToken("wrong type")
            key = await self._keys.find(kid)
            if key is None:
                raise InvalidToken("unknown key id")
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
            self._registry.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(type(error).__name__) from None
        return _Remembered(self._shaped(claims), float(claims["exp"]), self._keys.generation)

    def _shaped(self, claims: dict[str, Any]) -> Claims:
        subject, account = claims["sub"], claims["account"]
        if claims["aud"] not in (self._rules.audience, [self._rules.audience]):
            raise InvalidToken("meant for others too")
        if claims["exp"] - claims["iat"] > self._rules.longest_lifetime.total_seconds():
            raise InvalidToken("lives too long")
        if not _is_name(subject) or not _is_name(account):
            raise InvalidToken("no subject or account")
        return Claims(subject, account, trusted_until=float(claims["exp"]) + self._leeway)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_CLAIM and value.isprintable()
