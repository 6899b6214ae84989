"""Keys of other systems: shown once, kept as a hash, good for one purpose until revoked."""

from __future__ import annotations

import pytest

from app.domain.accounts import KeyPurpose
from app.services.operations.access_keys import (
    KeyNameTaken,
    KeyNotFound,
    KeyRefused,
    NewKey,
    check_key,
    create_key,
    hash_secret,
    revoke_key,
)
from tests.services.books import dump, rows
from tests.world import World


async def make(world: World, **changes) -> NewKey:
    given = {"purpose": KeyPurpose.INGEST, "name": "east", "source": None, "actor": "staff:ann"}
    return await create_key(world.services, **{**given, **changes})


async def check(world: World, secret: str, purpose: KeyPurpose = KeyPurpose.INGEST):
    return await check_key(database=world.database, secret=secret, purpose=purpose)


class TestCreating:
    async def test_the_secret_is_nowhere_in_the_database(self, world):
        new = await make(world)

        assert new.secret.startswith("flex_ingest_")
        assert len(new.secret) == len("flex_ingest_") + 43
        assert new.secret not in repr(dump(world.database))
        assert rows(world.database, "SELECT secret_hash FROM access_key") == [(hash_secret(new.secret),)]
        assert await check(world, new.secret) == new.key

    async def test_an_ingest_key_speaks_for_its_name_or_the_source_it_is_given(self, world):
        assert (await make(world)).key.source == "east"
        assert (await make(world, name="east 2", source="east")).key.source == "east"

    async def test_a_service_key_speaks_for_no_source(self, world):
        new = await make(world, purpose=KeyPurpose.SERVICE, name="flex", source="east")

        assert new.key.source is None
        assert await check(world, new.secret, KeyPurpose.SERVICE) == new.key

    async def test_one_event_tells_of_it_without_the_secret(self, world):
        await make(world)

        assert rows(world.database, "SELECT kind, actor, data FROM event") == [
            ("key.created", "staff:ann", '{"name":"east","purpose":"INGEST","source":"east"}')
        ]

    async def test_a_name_in_use_is_refused_and_nothing_is_written(self, world):
        await make(world)
        before = dump(world.database)

        with pytest.raises(
            KeyNameTaken, match=r"A key named 'east' is in use\. Revoke it first, or choose another name\."
        ):
            await make(world, purpose=KeyPurpose.SERVICE)

        assert dump(world.database) == before


class TestRevoking:
    async def test_a_revoked_key_is_worthless_and_its_name_is_free(self, world):
        old = await make(world)

        assert (await revoke_key(world.services, name="east", actor="staff:ann")).id == old.key.id

        with pytest.raises(KeyRefused):
            await check(world, old.secret)
        new = await make(world)
        assert (await check(world, new.secret)).id == new.key.id
        kinds = rows(world.database, "SELECT kind FROM event ORDER BY id")
        assert kinds == [("key.created",), ("key.revoked",), ("key.created",)]

    async def test_a_key_is_revoked_once(self, world):
        await make(world)
        await revoke_key(world.services, name="east", actor="staff:ann")
        before = dump(world.database)

        with pytest.raises(KeyNotFound, match=r"There is no live key named 'east'\."):
            await revoke_key(world.services, name="east", actor="staff:ann")

        assert dump(world.database) == before


class TestChecking:
    @pytest.mark.parametrize("secret", ["", "flex_ingest_", "é", "x" * 10_000])
    async def test_an_unknown_secret_is_refused(self, world, secret):
        await make(world)

        with pytest.raises(KeyRefused, match=r"unknown, revoked, or not meant for this"):
            await check(world, secret)

    async def test_a_key_of_another_purpose_is_refused_in_the_same_words(self, world):
        new = await make(world)

        with pytest.raises(KeyRefused, match=r"unknown, revoked, or not meant for this"):
            await check(world, new.secret, KeyPurpose.SERVICE)
