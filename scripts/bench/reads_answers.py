"""Makes sure that every side answers what the product answers, and leaves the same rows, before anything is timed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import orjson

from app.settings import DATABASE_FILE
from scripts.bench.databases import TablesDiffer
from scripts.bench.load import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from scripts.bench.reads_operations import Operation
    from scripts.bench.reads_sides import Side

SWITCHES_ONCE_EACH = 2
"""Off, and on again."""

_WRITTEN = {
    "alert_subscription": "SELECT * FROM alert_subscription",
    "event": "SELECT account_id, kind, subject_id, actor, data, origin, length(id), length(request_id), "
    "length(occurred_at) FROM event WHERE kind = 'alerts.switched'",
}


class AnswersDiffer(Exception):
    """A side does not answer what the product answers, so its times say nothing."""

    def __init__(self, side: str, operation: str, where: str) -> None:
        super().__init__(f"{side} answers the {operation} in another way than the product, at {where}: mend it first.")
        self.side = side
        self.operation = operation
        self.where = where


def check_answers(product: Side, others: Sequence[Side], operations: Sequence[Operation], readers: int) -> None:
    """Ask every side for every reader, and compare the data with the product's.

    :raises AnswersDiffer: naming the first place where they are not equal.
    :raises SideFailed: when a side answers with errors.
    """
    for operation in operations:
        count = readers * SWITCHES_ONCE_EACH if operation.is_write else readers
        wanted = _data(product, operation, count)
        for side in others:
            for one, other in zip(wanted, _data(side, operation, count), strict=True):
                where = find_difference(one, other)
                if where is not None:
                    raise AnswersDiffer(side.name, operation.title, where)


def check_rows(product: Path, others: Mapping[str, Path]) -> None:
    """Compare what the mutation has left in the databases of the sides' folders.

    :raises TablesDiffer: when a side has not done what the product did.
    """
    wanted = _rows(product)
    for folder in others.values():
        found = _rows(folder)
        differing = [table for table in wanted if wanted[table] != found[table]]
        if differing:
            raise TablesDiffer(differing)


def find_difference(one: object, other: object, place: str = "data") -> str | None:
    """Return the first place at which two JSON values differ; None when they are equal."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = ((one[key], other[key], f"{place}.{key}") for key in one)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = ((left, right, f"{place}[{at}]") for at, (left, right) in enumerate(zip(one, other, strict=True)))
    else:
        return None if type(one) is type(other) and one == other else place
    return next((where for part in parts if (where := find_difference(*part)) is not None), None)


def _data(side: Side, operation: Operation, count: int) -> list[object]:
    return [orjson.loads(body)["data"] for body in answers(side.address, side.requests[operation], count)]


def _rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection:
        return {table: sorted(connection.execute(query), key=repr) for table, query in _WRITTEN.items()}
