"""The reads bench: pages of the portal and a small write, beside a handler written by hand and two servers for Node."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure, Report
from scripts.bench.load import CONNECTIONS
from scripts.bench.measure import interleave, ratio
from scripts.bench.reads_answers import check_answers, check_rows
from scripts.bench.reads_facts import make_reads_database
from scripts.bench.reads_operations import MUTATION, READS
from scripts.bench.reads_sides import (
    APOLLO,
    BY_HAND,
    NODE_SIDES,
    PRODUCT,
    is_node_there,
    make_folder,
    readers_of,
    run_side,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.bench.reads_operations import Operation
    from scripts.bench.reads_sides import Reading, Side
    from scripts.bench.scope import Scope

Readings = dict[str, list["Reading"]]

OPERATIONS = (*READS, MUTATION)
AGAINST_APOLLO = {"Summary": (0.8, 1.5), "breakdown": (0.35, 1.0), "list": (0.4, 0.8), "mutation": (2.0, 5.0)}
AGAINST_HAND = {"Summary": (1.4, 3.0), "breakdown": (1.4, 2.5), "list": (1.4, 2.2)}
"""Goal and bound of the processor time, by operation."""
P99_GOAL, P99_MUST = 0.5, 1.0

INVOICES, CALLS = 52, 200
MOST_READERS = 100

REQUESTS = {1: 40, 3: 500}
USUAL_REQUESTS = 1_500
"""How many of an operation are timed in a round, by the number of rounds."""
WARM_UP = {1: 20, 3: 1_500}
LONG_WARM_UP = 3_000
"""How many of an operation come before: V8 needs thousands until it has settled."""
SETTLED_AFTER = 500
"""Enough for Python, which has nothing to settle but its caches."""


def bench_reads(scope: Scope) -> Report:
    """Compare processor time for a request and the 99th percentile, on copies of one database.

    :raises AnswersDiffer: when a side does not answer what the product answers.
    :raises TablesDiffer: when a side's mutation leaves other rows.
    :raises SideFailed: when a side does not start or answer.
    """
    seed = scope.folder / "reads.db"
    readers = min(scope.few // 4, MOST_READERS)
    make_reads_database(seed, invoices=INVOICES, calls=CALLS, accounts=scope.few, readers=readers)
    names = [PRODUCT, BY_HAND, *(NODE_SIDES if is_node_there() else ())]
    folders = {name: make_folder(scope.folder / name.replace(" ", "-"), seed) for name in names}
    asking = readers_of(seed)
    with ExitStack() as stack:
        sides = {name: stack.enter_context(run_side(name, folders[name], OPERATIONS, asking)) for name in names}
        product, *others = sides.values()
        check_answers(product, others, OPERATIONS, len(asking))
        check_rows(folders[PRODUCT], {name: folders[name] for name in names[1:]})
        product.settle()
        _warm_up(sides, WARM_UP.get(scope.rounds, LONG_WARM_UP))
        count = REQUESTS.get(scope.rounds, USUAL_REQUESTS)
        found = {operation: _measure(sides, operation, scope.rounds, count) for operation in OPERATIONS}
    return Report(list(_figures(found)), _notes(names, readers, count))


def _warm_up(sides: Mapping[str, Side], most: int) -> None:
    for name, side in sides.items():
        for operation in OPERATIONS:
            side.read(operation, most if name in NODE_SIDES else min(most, SETTLED_AFTER))


def _measure(sides: Mapping[str, Side], operation: Operation, rounds: int, count: int) -> Readings:
    return interleave(rounds, {name: partial(side.read, operation, count) for name, side in sides.items()})


def _figures(found: Mapping[Operation, Readings]) -> list[Figure]:
    figures = []
    for other, bounds in ((APOLLO, AGAINST_APOLLO), (BY_HAND, AGAINST_HAND)):
        for operation, readings in found.items():
            if other in readings and operation.title in bounds:
                goal, must = bounds[operation.title]
                name = f"{operation.title}: CPU a request, to {other}"
                ours, theirs = (_cpu(readings[side]) for side in (PRODUCT, other))
                figures.append(Figure(name, ratio(ours, theirs), goal, must, _cpu_words(readings)))
    for operation, readings in found.items():
        if APOLLO in readings and not operation.is_write:
            ours, theirs = ([each.p99_seconds for each in readings[side]] for side in (PRODUCT, APOLLO))
            name = f"{operation.title}: p99, to {APOLLO}"
            figures.append(Figure(name, ratio(ours, theirs), P99_GOAL, P99_MUST, _p99_words(readings)))
    return figures


def _cpu(readings: Sequence[Reading]) -> list[float]:
    return [each.cpu_seconds for each in readings]


def _cpu_words(readings: Readings) -> str:
    said = (f"{name} {median(_cpu(found)) * 1e6:,.0f}" for name, found in readings.items())
    return f"µs: {', '.join(said)}"


def _p99_words(readings: Readings) -> str:
    said = (f"{name} {median(each.p99_seconds for each in found) * 1e3:,.0f}" for name, found in readings.items())
    return f"ms: {', '.join(said)}"


def _notes(names: Sequence[str], readers: int, count: int) -> list[str]:
    notes = [
        f"{count} requests a round over {CONNECTIONS} connections, {readers} accounts in turn; one process each.",
        "Processor time of the server's process as the system counts it. All sides answered the same before.",
    ]
    if APOLLO not in names:
        notes.append("Apollo and Mercurius are left out: they need Node, and `npm ci` in scripts/bench/peers.")
    return notes
