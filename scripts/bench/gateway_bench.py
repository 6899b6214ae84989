"""The gateway bench: pages stay quick while the payment gateway hangs, for it has threads of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure, Report
from scripts.bench.measure import ROOT, SideFailed

if TYPE_CHECKING:
    from scripts.bench.scope import Scope

GOAL, MUST = 1.5, 2.0


def bench_gateway(scope: Scope) -> Report:
    """Compare the 99th percentile of a page while the gateway hangs with that while it has nothing to do."""
    rounds = [_measure(scope, number) for number in range(scope.rounds)]
    idle, hung = (median(each[place] for each in rounds) for place in (0, 1))
    figure = Figure(
        "a page while the gateway hangs: p99",
        median(hung / idle for idle, hung in rounds),
        GOAL,
        MUST,
        f"{hung:.1f} against {idle:.1f} ms",
    )
    return Report([figure], [f"24 charges hang for 60 s; {scope.few} pages in each phase, one after the other."])


def _measure(scope: Scope, number: int) -> tuple[float, float]:
    folder = scope.folder / f"gateway-{number}"
    folder.mkdir()
    command = [sys.executable, "-m", "scripts.bench.gateway_side", str(folder), str(scope.few)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SideFailed(f"gateway broke off: {result.stderr.strip()[-2000:]}")
    idle, hung = json.loads(result.stdout.splitlines()[-1])
    return idle, hung
