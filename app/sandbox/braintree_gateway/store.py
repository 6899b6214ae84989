"""What the gateway remembers: JSON records by kind and id, in memory and, unless told otherwise, in one file.

The file is held exclusively as long as it is open: whoever finds it taken knows that a gateway runs on it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Record = dict[str, Any]

INDEXED = {
    "transaction": ("order_id", "customer_id", "refunded_transaction_id"),
    "method": ("customer_id", "fingerprint"),
    "verification": ("token",),
}
"""Fields that records are looked up by."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS record (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id))"
_PUT = "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"


class StoreTaken(RuntimeError):
    """Another gateway runs on the same data folder."""


class Store:
    """Records in the order in which they were made. Its user makes sure that one thread is in it at a time."""

    def __init__(self, file: Path | None = None) -> None:
        self._records: dict[str, dict[str, Record]] = defaultdict(dict)
        self._index: dict[tuple[str, str, Any], dict[str, None]] = defaultdict(dict)
        self._indexed: dict[tuple[str, str], list[tuple[str, str, Any]]] = {}
        self._changed: dict[tuple[str, str], None] = {}
        self._connection = None if file is None else _open(file)
        for kind, record_id, body in self._stored():
            self._remember(kind, record_id, json.loads(body))

    def get(self, kind: str, record_id: object) -> Record | None:
        """Return a record; whoever changes it puts it back."""
        return self._records[kind].get(str(record_id))

    def all(self, kind: str) -> list[Record]:
        """Return every record of a kind, oldest first."""
        return list(self._records[kind].values())

    def items(self, kind: str) -> list[tuple[str, Record]]:
        """Return every id and record of a kind, oldest first."""
        return list(self._records[kind].items())

    def where(self, kind: str, field: str, value: object) -> list[Record]:
        """Return the records with a value in an indexed field, oldest first."""
        return [self._records[kind][each] for each in self._index[kind, field, value]]

    def put(self, kind: str, record_id: str, record: Record) -> Record:
        """Keep a record, new or changed, and return it."""
        self._remember(kind, record_id, record)
        self._changed[kind, record_id] = None
        return record

    def remove(self, kind: str, record_id: str) -> None:
        """Forget a record, if it is there."""
        self._records[kind].pop(record_id, None)
        for key in self._indexed.pop((kind, record_id), ()):
            self._index[key].pop(record_id, None)
        self._changed[kind, record_id] = None

    def commit(self) -> None:
        """Write what has changed since the last time, all of it or nothing."""
        if self._connection is not None and self._changed:
            with self._connection:
                for kind, record_id in self._changed:
                    record = self._records[kind].get(record_id)
                    if record is None:
                        self._connection.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, record_id))
                    else:
                        self._connection.execute(_PUT, (kind, record_id, json.dumps(record)))
        self._changed.clear()

    def clear(self) -> None:
        """Forget everything."""
        for kind, records in list(self._records.items()):
            for record_id in list(records):
                self.remove(kind, record_id)
        self.commit()

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self.commit()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _stored(self) -> Iterable[tuple[str, str, str]]:
        if self._connection is None:
            return ()
        return self._connection.execute("SELECT kind, id, body FROM record ORDER BY rowid").fetchall()

    def _remember(self, kind: str, record_id: str, record: Record) -> None:
        self._records[kind][record_id] = record
        keys = [(kind, field, record.get(field)) for field in INDEXED.get(kind, ())]
        known = self._indexed.get((kind, record_id), [])
        if keys != known:
            for key in known:
                self._index[key].pop(record_id, None)
            for key in keys:
                self._index[key][record_id] = None
            self._indexed[kind, record_id] = keys


def _open(file: Path) -> sqlite3.Connection:
    """Open the file for ourselves alone.

    :raises StoreTaken: when another has it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, timeout=0, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing, and more is not promised
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute(_SCHEMA)
        connection.commit()
    except sqlite3.OperationalError as error:
        connection.close()
        raise StoreTaken(str(error)) from None
    return connection
