"""The growth bench: a page costs the same however long an account has been there, and however many others there are."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure, Report
from scripts.bench.measure import interleave, ratio
from scripts.bench.reads_facts import make_reads_database
from scripts.bench.reads_operations import GROWING
from scripts.bench.reads_sides import PRODUCT, make_folder, readers_of, run_side

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from scripts.bench.reads_operations import Operation
    from scripts.bench.reads_sides import Side
    from scripts.bench.scope import Scope

GOAL, MUST = 1.0, 1.1
READERS = 4
FEW_INVOICES, FEW_CALLS, FEW_ACCOUNTS = 20, 20, 10

REQUESTS = {1: 20, 3: 200}
USUAL_REQUESTS = 400
"""How many of an operation are timed in a round, by the number of rounds; half as many come before."""


def bench_growth(scope: Scope) -> Report:
    """Compare the processor time of the product for a request between a small database and a large one.

    :raises SideFailed: when a server does not start or answer.
    """
    small = {"invoices": FEW_INVOICES, "calls": FEW_CALLS, "accounts": FEW_ACCOUNTS}
    large = {"invoices": scope.many * 6 // 10, "calls": scope.many * 5, "accounts": scope.many * 10}
    count = REQUESTS.get(scope.rounds, USUAL_REQUESTS)
    with ExitStack() as stack:
        sizes = {"small": small, "large": large}
        sides = {name: stack.enter_context(_open(scope, name, size)) for name, size in sizes.items()}
        for side in sides.values():
            side.settle()
            for operation in GROWING:
                side.read(operation, count // 2)
        figures = [_figure(sides, operation, scope.rounds, count) for operation in GROWING]
    grown = f"from {_words(small)} to {_words(large)}"
    return Report(figures, [f"An account grows {grown} in the database; {count} requests a round."])


def _open(scope: Scope, name: str, size: dict[str, int]) -> AbstractContextManager[Side]:
    seed = scope.folder / name / "growth.db"
    seed.parent.mkdir()
    make_reads_database(seed, **size, readers=READERS)
    return run_side(PRODUCT, make_folder(seed.parent / "server", seed), GROWING, readers_of(seed))


def _figure(sides: dict[str, Side], operation: Operation, rounds: int, count: int) -> Figure:
    found = interleave(rounds, {name: partial(side.read, operation, count) for name, side in sides.items()})
    small, large = ([each.cpu_seconds for each in found[name]] for name in ("small", "large"))
    detail = f"{median(large) * 1e6:,.0f} against {median(small) * 1e6:,.0f} µs"
    return Figure(f"{operation.title}: CPU a request", ratio(large, small), GOAL, MUST, detail)


def _words(size: dict[str, int]) -> str:
    return f"{size['invoices']:,} invoices, {size['calls']:,} calls and {size['accounts']:,} accounts"
