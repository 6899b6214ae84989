"""The processes behind the figures: `python -m scripts.bench.sides SIDE ARGUMENTS` runs one side, prints its sample."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.bench import alerts_bench, import_baseline, import_product, run_due_baseline, run_due_product
from scripts.bench.measure import measure_here

if TYPE_CHECKING:
    from collections.abc import Callable

SIDES: dict[str, Callable[..., object]] = {
    "import.product": import_product.import_file,
    "import.baseline": import_baseline.import_file,
    "alerts.on": alerts_bench.import_with,
    "alerts.off": alerts_bench.import_without,
    "run-due.product": run_due_product.run_due,
    "run-due.baseline": run_due_baseline.run_due,
}
"""Each takes paths by keyword."""


def main(side: str, arguments: str) -> None:
    """Run the side and print its sample as JSON."""
    paths = {name: Path(value) for name, value in json.loads(arguments).items()}
    print(json.dumps(measure_here(lambda: SIDES[side](**paths))))


if __name__ == "__main__":
    main(*sys.argv[1:])
