"""The sandbox's own keys, kept in the data folder for its owner alone: they sign tokens of personas, and links."""

from __future__ import annotations

import json
import os
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import ECKey

from app.gateways.identity import TOKEN_TYPE, TokenRules
from app.gateways.signing_keys import ALGORITHM, CURVE

if TYPE_CHECKING:
    from pathlib import Path

KEY_FILE = "sandbox-signing-key.json"
LINKS_FILE = "sandbox-signing-secret"
SECRET_BYTES = 32

LIFETIME = timedelta(days=30)

SANDBOX_RULES = TokenRules(
    issuer="https://sandbox.flex-billing.invalid", audience="flex-billing", longest_lifetime=LIFETIME
)


class SandboxTokens:
    """Mints tokens that a verifier with `SANDBOX_RULES` and this object's public keys accepts."""

    def __init__(self, key: ECKey) -> None:
        self._key = key

    @classmethod
    def open(cls, folder: Path) -> SandboxTokens:
        """Return the signer of a data folder, with the key that it made there the first time."""
        path = folder / KEY_FILE
        if not path.exists():
            _write_for_owner(path, json.dumps(ECKey.generate_key(CURVE, auto_kid=True).as_dict(private=True)))
        return cls(ECKey.import_key(json.loads(path.read_text(encoding="utf-8"))))

    def public_keys(self) -> str:
        """Return the JWKS document for the verifier."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]})

    def sign(self, *, subject: str, account: str, lifetime: timedelta = LIFETIME) -> str:
        """Return a token for a user (by subject) on an account (by external id), good for 30 days of real time."""
        now = int(time.time())
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._key.kid}
        claims = {
            "iss": SANDBOX_RULES.issuer,
            "aud": SANDBOX_RULES.audience,
            "sub": subject,
            "account": account,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def open_secret(folder: Path) -> str:
    """Return the secret of a data folder that links are signed with, made there the first time."""
    path = folder / LINKS_FILE
    if not path.exists():
        _write_for_owner(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text(encoding="utf-8")


def _write_for_owner(path: Path, text: str) -> None:
    """Write whole or not at all, unreadable to others; whoever comes second keeps the key of the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
