"""The streams bench: what 500 streams cost that nothing happens on, and how soon a call shows on one of them."""

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

STREAMS = 500
LONG = 30
SECONDS = {1: 1, 3: 10}
"""So long each side is watched, by the number of rounds."""
MOST_PERCENT = 5.0
LATEST_MILLISECONDS = 1_000.0


def bench_streams(scope: Scope) -> Report:
    """Compare the processor time of idle streams with the bound, and the delay of an event with a second."""
    rounds = [_measure(scope, number) for number in range(scope.rounds)]
    without, idle, usual, latest = (median(each[place] for each in rounds) for place in range(4))
    return Report(
        [
            Figure(
                "500 idle streams: processor time beyond that of none",
                max(median((each[1] - each[0]) / MOST_PERCENT for each in rounds), 0.0),
                0.5,
                1.0,
                f"{idle:.2f} % of a core, {without:.2f} % without a stream; at most {MOST_PERCENT:.0f} % more",
            ),
            Figure(
                "the event after a call was answered",
                median(each[2] / LATEST_MILLISECONDS for each in rounds),
                0.5,
                1.0,
                f"{usual:.0f} of {LATEST_MILLISECONDS:.0f} ms, the latest of 20 {latest:.0f} ms, beside idle streams",
            ),
        ],
        [
            "Processor time of the server's process as the system counts it; the client is another process.",
            "On a machine that is busy with other things, the latest event says how long the server waited for it.",
        ],
    )


def _measure(scope: Scope, number: int) -> list[float]:
    folder = scope.folder / f"streams-{number}"
    folder.mkdir()
    seconds = SECONDS.get(scope.rounds, LONG)
    streams = min(scope.few, STREAMS)
    command = [sys.executable, "-m", "scripts.bench.streams_side", str(folder), str(seconds), str(streams)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SideFailed(f"streams broke off: {result.stderr.strip()[-2000:]}")
    found: list[float] = json.loads(result.stdout.splitlines()[-1])
    return found
