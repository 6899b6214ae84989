"""Backing up while the server writes; and bringing an older database back, with everything that moves money on hold.

What happened since the backup is not in it: charges that the gateway made, and numbers of invoices that customers have.
So no number is used again, and nothing is charged or sent before `reconcile` has found that all agrees.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread

from app.domain.events.operations import DatabaseRestored, InvoiceNumbersSkipped
from app.migrations.upgrade import head_revision, known_revisions, upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.database_files import (
    NotABackup,
    check_file,
    copy_database,
    database_path,
    held_alone,
    put_in_place,
    read_next_number,
    remove_database,
)
from app.repositories.webhook_events import COLLECTION, MESSAGES, Hold
from app.services.common.services import Services

if TYPE_CHECKING:
    from pathlib import Path

    from app.ports import Clock, Ids
    from app.repositories.unit_of_work import UnitOfWork

DOUBTED_CALL = "It waited when the backup was made, and may have been made since. Ask the operators before calling."


class NextNumberNeeded(ValueError):
    """Nobody knows which invoice numbers were used since the backup."""

    def __init__(self, at_least: int) -> None:
        super().__init__(
            f"Which invoice numbers were used since the backup cannot be read here. Give the number after the last one "
            f"that any customer has by --next-number; the backup itself would go on with {at_least}."
        )
        self.at_least = at_least


class NextNumberTooLow(ValueError):
    """The number was used already."""

    def __init__(self, at_least: int) -> None:
        super().__init__(f"Invoice numbers below {at_least} are used. Give {at_least} or more by --next-number.")
        self.at_least = at_least


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: the next invoice's number, and where the database from before is kept, if any."""

    next_number: int
    kept: Path | None


async def back_up(url: str, target: Path) -> int:
    """Copy the database of a URL to a file, as it is at one moment; returns the bytes. The server may go on writing.

    :raises NotAFile: for a database on a server.
    :raises BackupExists: when the target is there.
    """
    return await anyio.to_thread.run_sync(copy_database, database_path(url), target)


async def restore_database(
    url: str, backup: Path, *, next_number: int | None, clock: Clock, ids: Ids, actor: str
) -> Restored:
    """Put a backup in the place of the database of a URL, which nobody may use meanwhile, and hold all money back.

    The database from before is kept beside it. Numbers go on after the last that it has used, or from `next_number`.
    :raises NotAFile: for a database on a server.
    :raises NotABackup: when the file is no whole database of a revision that we know.
    :raises DatabaseInUse: when somebody has the database open.
    :raises NextNumberNeeded: when there is no database to read the last number from, and none is given.
    :raises NextNumberTooLow: when the number given was used.
    """
    path = database_path(url)
    revision = check_file(backup)
    if revision not in known_revisions():
        raise NotABackup(backup, f"its revision {revision} is of a newer program")
    staged = path.with_name(f".{path.name}.{os.getpid()}.restoring")
    kept = path.with_name(f"{path.name}.before-{clock.now():%Y%m%dT%H%M%SZ}")
    with held_alone(path) as current:
        following = _following(current, read_next_number(backup), next_number)
        try:
            await anyio.to_thread.run_sync(copy_database, backup, staged)
            await _prepare(staged, following, clock, ids, actor)
            had_one = path.exists()
            put_in_place(staged, path, kept)
        finally:
            remove_database(staged)
    return Restored(following, kept if had_one else None)


def _following(current: int | None, of_backup: int | None, given: int | None) -> int:
    """Return the number that the next invoice has: after all that were used, as far as anybody knows."""
    at_least = max(current or 0, of_backup or 0)
    if given is not None and given < at_least:
        raise NextNumberTooLow(at_least)
    if given is None and current is None:
        raise NextNumberNeeded(at_least)
    return given or at_least


async def _prepare(staged: Path, following: int, clock: Clock, ids: Ids, actor: str) -> None:
    url = f"sqlite:///{staged}"
    await anyio.to_thread.run_sync(upgrade, url)
    database = Database.open(url, revision=head_revision())
    try:
        await mark_restored(Services(database, clock, ids), next_number=following, actor=actor)
    finally:
        await database.close()


async def mark_restored(services: Services, *, next_number: int, actor: str) -> None:
    """Hold back everything that moves money or is sent, and let invoice numbers go on from the number given.

    :raises NextNumberTooLow: when the number was used.
    """

    async def work(uow: UnitOfWork) -> None:
        now, known = services.clock.now(), await uow.invoice_numbers.next()
        if next_number < known:
            raise NextNumberTooLow(known)
        until = await uow.events.last_at()
        for name in (COLLECTION, MESSAGES):
            await uow.holds.put(Hold(name, now, "restored from a backup, and not reconciled with the gateway yet"))
        await uow.collections.end_leases()
        await uow.notifications.doubt_calls(at=now, outcome=DOUBTED_CALL)
        restored = DatabaseRestored(data_until=until, next_number=next_number)
        await uow.events.record(restored, ids=services.ids, actor=actor, at=now)
        if next_number > known:
            await uow.invoice_numbers.skip_to(next_number)
            skipped = InvoiceNumbersSkipped(from_=known, before=next_number)
            await uow.events.record(skipped, ids=services.ids, actor=actor, at=now)

    await unit_of_work.write(services.database, work)
