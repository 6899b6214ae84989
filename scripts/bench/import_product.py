"""The product's side of the import bench: the use case behind `flex-billing import-calls`."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.usage.import_calls import ImportCounts, import_calls
from scripts.bench.databases import FixedClock, url_of
from scripts.bench.import_facts import NOW

if TYPE_CHECKING:
    from pathlib import Path


def import_file(*, database: Path, file: Path) -> ImportCounts:
    """Import the whole file into a database that has its accounts, and count its rows."""
    gc.freeze()  # as the command line does before it runs a job
    return asyncio.run(_import(database, file))


async def _import(path: Path, file: Path) -> ImportCounts:
    database = Database.open(url_of(path))
    counts = await import_calls(Services(database, FixedClock(NOW), RandomIds()), path=file, actor="import")
    await database.close()
    return counts
