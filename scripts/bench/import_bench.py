"""The import bench: a month of calls through the product, and through plain `sqlite3` doing the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.bench import import_facts
from scripts.bench.databases import check_equal, copy
from scripts.bench.figures import Figure, Report
from scripts.bench.measure import Sample, cpu, interleave, measure, ratio, wall

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.bench.scope import Scope

GOAL, MUST = 1.3, 2.0


def bench_import(scope: Scope) -> Report:
    """Compare processor time for one call of the file.

    :raises TablesDiffer: when the sides have not done the same.
    """
    file, origin = scope.calls()
    seed = scope.folder / "import.db"
    import_facts.make_database(seed, file)

    def run(side: str) -> Sample:
        target = copy(seed, _target(scope.folder, side))
        return measure(f"import.{side}", database=str(target), file=str(file))

    samples = interleave(scope.rounds, {"product": lambda: run("product"), "baseline": lambda: run("baseline")})
    product, baseline = (_target(scope.folder, side) for side in ("product", "baseline"))
    check_equal(product, baseline, import_facts.TABLES)
    return _report(samples["product"], samples["baseline"], import_facts.count_calls(product), origin)


def _target(folder: Path, side: str) -> Path:
    return folder / f"import-{side}.db"


def _report(product: list[Sample], baseline: list[Sample], calls: int, origin: str) -> Report:
    ours, theirs = (min(cpu(samples)) / calls * 1e6 for samples in (product, baseline))
    clock = ratio(wall(product), wall(baseline))
    detail = f"best run: {ours:.1f} against {theirs:.1f} µs a call; {clock:.2f}× on the clock"
    figure = Figure("import: CPU per call", ratio(cpu(product), cpu(baseline)), GOAL, MUST, detail)
    return Report([figure], [origin, "Both sides left equal tables."])
