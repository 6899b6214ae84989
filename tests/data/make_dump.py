"""Write the database of this release as SQL text, for the releases after it: `python -m tests.data.make_dump`.

The same code gives the same text, byte for byte. A dump is named by its revision; once that is released it never
changes again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from app.domain.accounts import KeyPurpose
from app.domain.usage import CallReport
from app.migrations.upgrade import head_revision, upgrade
from app.repositories import unit_of_work
from app.repositories.accounts import AccessKey
from app.repositories.database import Database
from app.services.operations.access_keys import hash_secret
from app.services.usage.import_calls import read_payload
from app.services.usage.quarantine import discard
from app.services.usage.record_calls import Item, record_calls
from tests.factories.calls import a_call
from tests.world import World, pacific

FOLDER = Path(__file__).parent
MINUTE = 60


def dump_path(revision: str | None) -> Path:
    """Where the dump of a revision is kept."""
    return FOLDER / f"database-{revision}.sql"


async def tell(world: World) -> None:
    """Seven months of a few accounts: trials, late calls, corrections, quarantine, checks, and credit of each kind."""
    await add_keys(world)
    await add_accounts(world)
    for month in range(7, 13):
        await world.advance_to(pacific(2026, month, 27, 18))
        await world.add_calls(*calls_of_month(month))
        await world.pay(139_00 + 10_00 * (month % 3), account="AA0101", reference=f"check {month}")
        await MONTHLY.get(month, quiet)(world)
    await world.advance_to(pacific(2027, 1, 5, 12))


async def add_keys(world: World) -> None:
    live = AccessKey(world.ids.new("key"), KeyPurpose.INGEST, "call-centre", "call-centre", world.clock.now(), None)
    old = AccessKey(world.ids.new("key"), KeyPurpose.SERVICE, "flex", None, world.clock.now(), world.clock.now())
    for key in (live, old):
        secret_hash = hash_secret(f"a made-up secret of {key.name}")
        await unit_of_work.write(
            world.database,
            lambda uow, key=key, secret_hash=secret_hash: uow.access_keys.add(key, secret_hash=secret_hash),
        )


async def add_accounts(world: World) -> None:
    await world.add_account("AA0101", paid_since_on=date(2026, 7, 1), name="Harbor Dental")
    await world.add_account("AA0102", plan="220", trial_ends_on=date(2026, 7, 10), name="Lindqvist & Søn, Attorneys")
    await world.add_account("AA0103", plan="economy", trial_ends_on=date(2026, 8, 31), name="Bright “24/7” Plumbing")
    await world.add_account("AA0104", plan="1000", paid_since_on=date(2027, 1, 1), name="Not begun yet, Inc.")


def calls_of_month(month: int) -> list[CallReport]:
    """A call every second day for each account, of every kind, some of them free."""
    return [
        a_call(
            event_id=f"{account}/{month:02d}{day:02d}",
            account=account,
            started_at=pacific(2026, month, day, 7 + at * 5, day * 2),
            script_seconds=(day * 31 + month * 17 + at * 101) % 1_500,
            recording_seconds=(day * 47 + at * 53) % 1_500,
            patch_seconds=60 * (day % 3 == 0),
            ivr_seconds=45 * (day % 5 == 0),
            disposition="WRONG NUMBER" if day % 9 == 0 else "MESSAGE",
            is_billable=day % 9 != 0,
        )
        for at, account in enumerate(("AA0101", "AA0102", "AA0103"))
        for day in range(1, 27, 2)
    ]


async def quiet(world: World) -> None:
    """Nothing else happened in this month."""


async def in_august(world: World) -> None:
    """A late call, a correction across months, a call of nobody that is discarded, and one that waits for a person."""
    july = calls_of_month(7)[-1]
    await world.add_calls(
        a_call(event_id="late", started_at=pacific(2026, 7, 30, 9), script_seconds=95 * MINUTE, ivr_seconds=300),
        july._replace(event_id="moved", started_at=pacific(2026, 8, 3, 9), corrects=july.event_id),
        july._replace(event_id=july.event_id, script_seconds=1),
    )
    lines = ['{"eventId":"x","account":"nobody","startedAt":"2026-08-01T09:00:00-07:00"}', "AA0101\tno call"]
    for position, line in enumerate(lines, start=1):
        item = Item(position, read_payload("file", line), line)
        await record_calls(world.services, source="file", items=[item], actor="staff:ann")
    waiting = await unit_of_work.read(world.database, lambda uow: uow.quarantine.list_open(10))
    await discard(world.services, quarantined_id=waiting[-1].id, actor="staff:ann", reason="A line of the header.")


async def in_september(world: World) -> None:
    """A month of 300 minutes too many, and two checks ahead of their invoices."""
    await world.add_calls(
        a_call(event_id="long", account="AA0102", started_at=pacific(2026, 9, 26, 9), script_seconds=800 * MINUTE)
    )
    await world.pay(60_00, account="AA0103", reference="ahead 1")
    await world.pay(75_00, account="AA0103", reference="ahead 2")


async def in_october(world: World) -> None:
    """The long call was a mistake: its correction leaves a total below zero, and is itself corrected."""
    short = a_call(
        event_id="short",
        account="AA0102",
        started_at=pacific(2026, 9, 26, 9),
        script_seconds=5 * MINUTE,
        corrects="long",
    )
    await world.add_calls(short, short._replace(event_id="shorter", script_seconds=4 * MINUTE, corrects="short"))


MONTHLY = {8: in_august, 9: in_september, 10: in_october}


async def build(path: Path) -> None:
    """Make the database in a new file."""
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    database = Database.open(f"sqlite:///{path}")
    try:
        await tell(await World.create(database))
    finally:
        await database.close()


async def make_dump() -> str:
    """Return the database as SQL text."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "flex-billing.db"
        await build(path)
        with closing(sqlite3.connect(path)) as connection:
            return "".join(f"{line}\n" for line in connection.iterdump())


if __name__ == "__main__":
    target = dump_path(head_revision())
    target.write_text(asyncio.run(make_dump()), encoding="utf-8")
    sys.stdout.write(f"{target}: {target.stat().st_size:,} bytes\n")
