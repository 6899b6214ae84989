"""The product's side of the import bench: its reader, its metering, its repositories."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.call_file import DEFAULT_SOURCE, MalformedRow, read_call_file
from app.services.record_calls import BATCH_SIZE, Item, Unreadable, record_calls
from scripts.bench.databases import FixedClock, url_of
from scripts.bench.import_facts import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.usage import CallReport


def import_file(*, database: Path, file: Path) -> None:
    """Import the whole file into a database that has its accounts."""
    asyncio.run(_import(database, file))


async def _import(path: Path, file: Path) -> None:
    database = Database.open(url_of(path))
    clock, ids = FixedClock(NOW), RandomIds()
    rows = read_call_file(file)
    while batch := [_item(row) for row in islice(rows, BATCH_SIZE)]:
        await record_calls(
            database=database, clock=clock, ids=ids, source=DEFAULT_SOURCE, items=batch, actor="import"
        )
    await database.close()


def _item(row: CallReport | MalformedRow) -> Item:
    if isinstance(row, MalformedRow):
        return Item(row.line_number, lambda: row.text, Unreadable(row.reason))
    return Item(0, row.event_id.__str__, row)
