"""The benches by name. A new one is a function from a `Scope` to a `Report` and a line in `BENCHES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.bench.alerts_bench import bench_alerts
from scripts.bench.gateway_bench import bench_gateway
from scripts.bench.growth_bench import bench_growth
from scripts.bench.guard_bench import bench_guard
from scripts.bench.import_bench import bench_import
from scripts.bench.memory_bench import bench_memory
from scripts.bench.reads_bench import bench_reads
from scripts.bench.run_due_bench import bench_run_due
from scripts.bench.streams_bench import bench_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scripts.bench.figures import Report
    from scripts.bench.scope import Scope

BENCHES: Mapping[str, Callable[[Scope], Report]] = {
    "import": bench_import,
    "alerts": bench_alerts,
    "run-due": bench_run_due,
    "memory": bench_memory,
    "gateway": bench_gateway,
    "guard": bench_guard,
    "streams": bench_streams,
    "reads": bench_reads,
    "growth": bench_growth,
}
