"""The guard bench: an account that presses with all that it may slows no other, and the guards cost next to nothing."""

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

SLOWEST_MILLISECONDS = 250.0
COST_GOAL, COST_MUST = 1.05, 1.10


def bench_guard(scope: Scope) -> Report:
    """Compare the slowest Summary beside a pressing account with the bound, and the cost of the guards with none."""
    rounds = [_measure(scope, number) for number in range(scope.rounds)]
    calm, pressed, on, off = (median(each[place] for each in rounds) for place in range(4))
    return Report(
        [
            Figure(
                "the slowest Summary beside a pressing account",
                median(each[1] / SLOWEST_MILLISECONDS for each in rounds),
                0.6,
                1.0,
                f"{pressed:.0f} of {SLOWEST_MILLISECONDS:.0f} ms; {calm:.0f} ms while nobody presses",
            ),
            Figure(
                "a Summary with rate limits: processor time",
                median(each[2] / each[3] for each in rounds),
                COST_GOAL,
                COST_MUST,
                f"{on:.2f} against {off:.2f} ms, the client's included",
            ),
        ],
        ["The slowest of 200 Summaries; 16 connections press."],
    )


def _measure(scope: Scope, number: int) -> list[float]:
    folder = scope.folder / f"guard-{number}"
    folder.mkdir()
    command = [sys.executable, "-m", "scripts.bench.guard_side", str(folder), str(scope.few)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SideFailed(f"guard broke off: {result.stderr.strip()[-2000:]}")
    found: list[float] = json.loads(result.stdout.splitlines()[-1])
    return found
