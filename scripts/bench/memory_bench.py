"""The memory bench: neither a longer file nor more accounts make the product larger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.bench import import_facts, run_due_facts
from scripts.bench.databases import copy
from scripts.bench.figures import Figure, Report
from scripts.bench.measure import Sample, interleave, measure, peak, ratio

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.bench.scope import Scope

GOAL, MUST = 1.05, 1.15


def bench_memory(scope: Scope) -> Report:
    """Compare the peak memory of the product's process between a small and a large piece of the same work."""
    file, origin = scope.calls()
    return Report([_importing(scope, file), _billing(scope)], [origin])


def _importing(scope: Scope, file: Path) -> Figure:
    seed = scope.folder / "memory-import.db"
    import_facts.make_database(seed, file)
    files = {
        copies: import_facts.repeated(file, copies, scope.folder / f"calls-{copies}.tsv.gz")
        for copies in (1, scope.copies)
    }

    def run(copies: int) -> Sample:
        target = copy(seed, scope.folder / "memory-target.db")
        return measure("import.product", database=str(target), file=str(files[copies]))

    samples = interleave(scope.rounds, {"small": lambda: run(1), "large": lambda: run(scope.copies)})
    return _figure(f"import, the file {scope.copies} times over: peak memory", samples)


def _billing(scope: Scope) -> Figure:
    seeds = {}
    for accounts in (scope.few, scope.many):
        seeds[accounts] = scope.folder / f"memory-due-{accounts}.db"
        run_due_facts.make_database(seeds[accounts], accounts)

    def run(accounts: int) -> Sample:
        target = copy(seeds[accounts], scope.folder / "memory-target.db")
        return measure("run-due.product", database=str(target))

    samples = interleave(scope.rounds, {"small": lambda: run(scope.few), "large": lambda: run(scope.many)})
    return _figure(f"run-due, {scope.many:,} to {scope.few:,} accounts: peak memory", samples)


def _figure(name: str, samples: dict[str, list[Sample]]) -> Figure:
    large, small = peak(samples["large"]), peak(samples["small"])
    detail = f"at most {max(large) / 2**20:.0f} and {max(small) / 2**20:.0f} MiB"
    return Figure(name, ratio(large, small), GOAL, MUST, detail)
