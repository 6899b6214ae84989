"""Keys of other systems: made once, shown once, kept as a hash, revoked at once."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from app.domain.accounts import KeyPurpose
from app.domain.events.operations import AccessKeyCreated, AccessKeyRevoked
from app.repositories import unit_of_work
from app.repositories.accounts import AccessKey

if TYPE_CHECKING:
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

SECRET_BYTES = 32


class KeyNameTaken(ValueError):
    """A live key of that name exists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A key named {name!r} is in use. Revoke it first, or choose another name.")
        self.name = name


class KeyNotFound(LookupError):
    """No live key has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no live key named {name!r}.")
        self.name = name


class KeyRefused(PermissionError):
    """The key is unknown, revoked, or for something else."""

    def __init__(self) -> None:
        super().__init__("The key is unknown, revoked, or not meant for this. Ask for a key of the right purpose.")


class NewKey(NamedTuple):
    """A key and its secret, which is never shown again."""

    key: AccessKey
    secret: str


async def create_key(services: Services, *, purpose: KeyPurpose, name: str, source: str | None, actor: str) -> NewKey:
    """Make a key; an ingest key speaks for one source, by default its own name.

    :raises KeyNameTaken: when a live key has the name.
    """
    secret = f"flex_{purpose.lower()}_{secrets.token_urlsafe(SECRET_BYTES)}"
    bound_source = (source or name) if purpose is KeyPurpose.INGEST else None
    key = AccessKey(services.ids.new("key"), purpose, name, bound_source, services.clock.now(), None)

    async def work(uow: UnitOfWork) -> None:
        if await uow.access_keys.find_live_by_name(name) is not None:
            raise KeyNameTaken(name)
        await uow.access_keys.add(key, secret_hash=hash_secret(secret))
        event = AccessKeyCreated(name=name, purpose=purpose, source=bound_source)
        await uow.events.record(event, ids=services.ids, actor=actor, at=key.created_at, subject_id=key.id)

    await unit_of_work.write(services.database, work)
    return NewKey(key, secret)


async def revoke_key(services: Services, *, name: str, actor: str) -> AccessKey:
    """Make the live key of that name worthless from now on.

    :raises KeyNotFound: when there is none.
    """

    async def work(uow: UnitOfWork) -> AccessKey:
        key = await uow.access_keys.find_live_by_name(name)
        if key is None:
            raise KeyNotFound(name)
        now = services.clock.now()
        await uow.access_keys.revoke(key.id, revoked_at=now)
        await uow.events.record(AccessKeyRevoked(name=name), ids=services.ids, actor=actor, at=now, subject_id=key.id)
        return key

    return await unit_of_work.write(services.database, work)


async def check_key(*, database: Database, secret: str, purpose: KeyPurpose) -> AccessKey:
    """Return the live key behind a secret.

    :raises KeyRefused: when it is unknown, revoked or for another purpose; the answer does not tell which.
    """
    key = await unit_of_work.read(database, lambda uow: uow.access_keys.find_by_hash(hash_secret(secret)))
    if key is None or key.revoked_at is not None or key.purpose is not purpose:
        raise KeyRefused
    return key


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret. Secrets are long and random, so one round of SHA-256 is enough."""
    return sha256(secret.encode()).hexdigest()
