"""`python3 scripts/dev.py bench [NAME …] [--quick] [--rounds N]`: runs benches and prints their ratios."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from scripts.bench.databases import TablesDiffer
from scripts.bench.measure import SideFailed
from scripts.bench.reads_answers import AnswersDiffer
from scripts.bench.registry import BENCHES
from scripts.bench.scope import Scope, quick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.bench.figures import Figure, Report

_STYLES = {"goal met": "green", "within bounds": "yellow", "MISSED": "bold red"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches that were asked for; 1 when a bound is missed, 2 when a bench cannot be run."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - BENCHES.keys():
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; choose from {', '.join(BENCHES)}")
    console, problems = Console(), Console(stderr=True)
    missed = False
    for name in options.names or BENCHES:
        with TemporaryDirectory(prefix="flex-bench-") as folder, console.status(f"{name} …"):
            try:
                report = BENCHES[name](_scope(Path(folder), options))
            except (SideFailed, TablesDiffer, AnswersDiffer) as problem:
                problems.print(f"{name}: {problem}")
                return 2
        _show(console, name, report)
        missed |= any(figure.verdict == "MISSED" for figure in report.figures)
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Ratios to a baseline; lower is better.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer accounts")
    parser.add_argument("--rounds", type=int, help="how often each side runs")
    return parser


def _scope(folder: Path, options: argparse.Namespace) -> Scope:
    scope = quick(folder) if options.quick else Scope(folder)
    return replace(scope, rounds=options.rounds) if options.rounds else scope


def _show(console: Console, name: str, report: Report) -> None:
    table = Table("figure", "ratio", "goal", "must", "verdict", "behind it", title=name, title_justify="left")
    for figure in report.figures:
        table.add_row(*_cells(figure))
    console.print(table)
    for note in report.notes:
        console.print(note)


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = f"[{_STYLES[figure.verdict]}]{figure.verdict}[/]"
    return (figure.name, f"{figure.ratio:.2f}×", f"≤ {figure.goal}×", f"≤ {figure.must}×", verdict, figure.detail)


if __name__ == "__main__":
    sys.exit(main())
