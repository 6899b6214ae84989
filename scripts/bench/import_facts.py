"""What the import bench imports: call files, the accounts they name, and the moment of the import."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from app.domain.periods import Period
from app.gateways.ids import RandomIds
from app.sandbox.sample_calls import write_sample_calls
from app.services.common.services import Services
from app.services.usage.call_file import MalformedRow, read_call_file
from app.services.usage.put_account import AccountParticulars, put_account
from scripts.bench.databases import FixedClock, make_tables, open_new

if TYPE_CHECKING:
    from pathlib import Path

MONTH = Period.parse("1999-01")
NOW = datetime(1999, 2, 1, 8, 30, tzinfo=UTC)

TABLES = ("call", "usage_day", "quarantined_call", "account", "event")
"""What an import writes."""


def sample_file(path: Path, lines: int) -> Path:
    """Write a made month of calls and return its path."""
    write_sample_calls(path, month=MONTH, lines=lines, seed=1)
    return path


def repeated(file: Path, times: int, target: Path) -> Path:
    """Write the rows of a call file `times` over into one file, each time with call ids of their own."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as source:
        header, *rows = source.read().splitlines(keepends=True)
    with gzip.open(target, "wt", encoding="utf-8", newline="") as out:
        out.write(header)
        for copy_number in range(times):
            out.writelines(_renamed(row, copy_number) for row in rows)
    return target


def make_database(path: Path, file: Path) -> None:
    """Make a database with the accounts that the file names."""
    make_tables(path)
    asyncio.run(_add_accounts(path, file))


def count_calls(path: Path) -> int:
    """Return how many calls a database holds."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM call").fetchone()[0])


async def _add_accounts(path: Path, file: Path) -> None:
    database = await open_new(path)
    clock, ids = FixedClock(NOW), RandomIds()
    for name in sorted({row.account for row in read_call_file(file) if not isinstance(row, MalformedRow)}):
        particulars = AccountParticulars(name, name, "100", paid_since_on=date(1999, 1, 1))
        await put_account(Services(database, clock, ids), particulars=particulars, actor="bench")
    await database.close()


def _renamed(row: str, copy_number: int) -> str:
    account, call_id, *rest = row.split("\t")
    return "\t".join([account, f"{copy_number}{call_id}", *rest])
