"""Takes measurements: each in a fresh process of its own, the sides in turns, so that all meet the same weather."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]


class SideFailed(Exception):
    """The process of one side broke off; the message ends with its own last line."""


class Sample(NamedTuple):
    """One run: seconds of processor time over all threads, seconds on the clock, and peak memory of the process."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


def measure_here(work: Callable[[], object]) -> Sample:
    """Run `work` in this process and measure it; imports done before do not count, connecting and closing do."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Sample(time.process_time() - cpu, time.perf_counter() - wall, _peak_bytes())


def measure(side: str, **arguments: Any) -> Sample:  # noqa: ANN401 -- what the side's function takes, as JSON
    """Run a side of `scripts.bench.sides` in a fresh process.

    :raises SideFailed: when it breaks off.
    """
    command = [sys.executable, "-m", "scripts.bench.sides", side, json.dumps(arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SideFailed(f"{side} broke off: {result.stderr.strip()[-2000:]}")
    return Sample(*json.loads(result.stdout))


def interleave(rounds: int, sides: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Run every side once a round, the first side first in even rounds and last in odd ones."""
    samples: dict[str, list[T]] = {name: [] for name in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in order:
            samples[name].append(sides[name]())
    return samples


def ratio(above: Iterable[float], below: Iterable[float]) -> float:
    """Return the median of the ratios within each round."""
    return median(a / b for a, b in zip(above, below, strict=True))


def cpu(samples: Iterable[Sample]) -> list[float]:
    """Return the processor seconds of each run."""
    return [sample.cpu_seconds for sample in samples]


def wall(samples: Iterable[Sample]) -> list[float]:
    """Return the seconds on the clock of each run."""
    return [sample.wall_seconds for sample in samples]


def peak(samples: Iterable[Sample]) -> list[float]:
    """Return the peak memory of each run in bytes."""
    return [float(sample.peak_bytes) for sample in samples]


def _peak_bytes() -> int:
    """Return the most memory that this program had at once.

    Linux counts the parent's memory in `ru_maxrss` until the new program is loaded, so its own line is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource  # noqa: PLC0415 -- not on every system

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
