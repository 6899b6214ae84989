"""The run-due bench: a cycle run through the product, and through set-based SQL that writes the same."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from scripts.bench import run_due_facts
from scripts.bench.databases import check_equal, copy
from scripts.bench.figures import Figure, Report
from scripts.bench.measure import Sample, cpu, interleave, measure, ratio, wall

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.bench.scope import Scope

GOAL, MUST = 2.0, 4.0
GROWTH_GOAL, GROWTH_MUST = 1.1, 1.3


def bench_run_due(scope: Scope) -> Report:
    """Compare processor time for one account, at both sizes, and the larger size with the smaller.

    :raises TablesDiffer: when the sides have not done the same.
    """
    report = Report(notes=["Both sides left equal tables, hashes included (the baseline hashes the same text)."])
    costs = {}
    for accounts in (scope.few, scope.many):
        samples = _compare(scope, accounts)
        product, baseline = samples["product"], samples["baseline"]
        costs[accounts] = median(cpu(product)) / accounts
        report.figures.append(_figure(accounts, product, baseline))
    growth = costs[scope.many] / costs[scope.few]
    report.figures.append(
        Figure(
            f"run-due: CPU per account, {scope.many:,} to {scope.few:,}",
            growth,
            GROWTH_GOAL,
            GROWTH_MUST,
            " to ".join(f"{costs[accounts] * 1e6:.0f}" for accounts in (scope.many, scope.few)) + " µs",
        )
    )
    return report


def _compare(scope: Scope, accounts: int) -> dict[str, list[Sample]]:
    seed = scope.folder / f"due-{accounts}.db"
    run_due_facts.make_database(seed, accounts)

    def run(side: str) -> Sample:
        return measure(f"run-due.{side}", database=str(copy(seed, _target(scope.folder, side))))

    samples = interleave(scope.rounds, {"product": lambda: run("product"), "baseline": lambda: run("baseline")})
    product, baseline = (_target(scope.folder, side) for side in ("product", "baseline"))
    check_equal(product, baseline, run_due_facts.TABLES)
    return samples


def _target(folder: Path, side: str) -> Path:
    return folder / f"due-{side}.db"


def _figure(accounts: int, product: list[Sample], baseline: list[Sample]) -> Figure:
    ours, theirs = (min(cpu(samples)) / accounts * 1e6 for samples in (product, baseline))
    clock = ratio(wall(product), wall(baseline))
    detail = f"best run: {ours:.0f} against {theirs:.0f} µs an account; {clock:.2f}× on the clock"
    name = f"run-due, {accounts:,} accounts: CPU per account"
    return Figure(name, ratio(cpu(product), cpu(baseline)), GOAL, MUST, detail)
