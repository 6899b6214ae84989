"""SQLite files as a whole: copied while others write, checked before use, and put in each other's place."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.models.connection import SQLITE, DatabaseProblem, parse_url, sqlite_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = frozenset({"account", "alembic_version", "event", "invoice", "ledger_posting", "payment", "sequence"})
"""Tables that every revision of our database has."""

_WAITS_SECONDS = 0.5
_PRIMARY_CODE = 0xFF  # SQLite's extended codes say more in the bits above


class NotAFile(DatabaseProblem):
    """The database is on a server, which has tools of its own."""

    def __init__(self) -> None:
        super().__init__(
            "This database is PostgreSQL's: back it up by pg_dump and bring it back by pg_restore, then run "
            "`flex-billing restore --next-number N` without a file, so that nothing is charged or sent twice."
        )


class BackupExists(DatabaseProblem):
    """There is a file already where the backup was to be."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{str(path)!r} is there already, and no backup is written over. Choose another name.")


class NotABackup(DatabaseProblem):
    """The file is no whole database of ours."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{str(path)!r} is no backup of this program: {why}.")
        self.why = why


class DatabaseInUse(DatabaseProblem):
    """Somebody else has the database open."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{str(path)!r} is in use: stop the server and every other command, then try again.")


def database_path(url: str) -> Path:
    """Return the file that a URL means.

    :raises NotAFile: when it means a server.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != SQLITE:
        raise NotAFile
    return Path(str(parsed.database))


def copy_database(source: Path, target: Path) -> int:
    """Copy a database as it is at one moment, while others go on writing; returns the bytes of the copy.

    The copy is whole and checked before it has its name.
    :raises BackupExists: when the target is there.
    :raises NotABackup: when the copy is not sound.
    """
    if target.exists():
        raise BackupExists(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_open(source, "ro")) as read, closing(_open(partial, "rw")) as written:
            read.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")
        check_file(partial)
        _sync(partial)
        os.link(partial, target)
    except FileExistsError:
        raise BackupExists(target) from None
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def check_file(path: Path) -> str:
    """Make sure that a file is a sound database of ours, and return its revision.

    :raises NotABackup: when it is not.
    """
    try:
        with closing(_open(path, "ro")) as opened:
            (state,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            if state != "ok" or not tables >= OURS:
                raise NotABackup(path, "it is damaged" if state != "ok" else "its tables are others")
            revisions = [str(revision) for (revision,) in opened.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.Error as error:
        raise NotABackup(path, str(error)) from error
    if len(revisions) != 1:
        raise NotABackup(path, "it has no revision")
    return revisions[0]


def read_next_number(path: Path) -> int | None:
    """Return the number that the next invoice of a database would have; None when that cannot be read."""
    try:
        with closing(_open(path, "ro")) as opened:
            return _next_number(opened)
    except sqlite3.Error:
        return None


@contextmanager
def held_alone(path: Path) -> Iterator[int | None]:
    """Hold a database so that nobody else reads or writes it, and give the number of its next invoice, where that can
    be read. A file that is missing or damaged is nobody's.

    :raises DatabaseInUse: when somebody has it open.
    """
    if not path.exists():
        yield None
        return
    with closing(_open(path, "rw")) as opened:
        try:
            # Leaving the write-ahead log is refused while any other connection is open, even one that does nothing.
            opened.execute("PRAGMA journal_mode = DELETE")
            opened.execute("BEGIN EXCLUSIVE")
            number = _next_number(opened)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise DatabaseInUse(path) from error
            number = None
        except sqlite3.DatabaseError:
            number = None
        yield number


def put_in_place(staged: Path, path: Path, kept: Path) -> None:
    """Let a database take the place of another, which is kept under a name of its own."""
    if path.exists():
        path.replace(kept)
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    _sync(staged)
    staged.replace(path)
    _sync(path.parent)


def remove_database(path: Path) -> None:
    """Delete a database with everything beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _next_number(opened: sqlite3.Connection) -> int | None:
    row = opened.execute("SELECT next_value FROM sequence WHERE name = 'invoice_number'").fetchone()
    return None if row is None else int(row[0])


def _open(path: Path, mode: str) -> sqlite3.Connection:
    uri = sqlite_uri(path, create=False).replace("mode=rw", f"mode={mode}")
    return sqlite3.connect(uri, uri=True, timeout=_WAITS_SECONDS, isolation_level=None)


def _sync(path: Path) -> None:
    """Make sure that a file, or the names in a folder, outlive a power cut."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
