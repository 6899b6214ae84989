"""How the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.progress import Progress, ProgressColumn

WIDTH_OF_A_FILE = 160
"""Columns when nobody looks: wide enough that no figure is broken over two lines."""


def output() -> Console:
    """Return the console of results."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)


def errors() -> Console:
    """Return the console of everything else."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDTH_OF_A_FILE)


def say(sentence: str, style: str = "") -> None:
    """Say something that is not a result."""
    errors().print(Text(sentence, style=style), soft_wrap=True)


def tell(sentence: str, style: str = "") -> None:
    """Say what came out."""
    output().print(Text(sentence, style=style), soft_wrap=True)


def write_csv(text: str) -> None:
    """Write a piece of a table for spreadsheets as it is: UTF-8 and its own line ends, whatever the machine's are."""
    typer.echo(text.encode(), nl=False)


def show_table(
    title: str | None, headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()
) -> None:
    """Print rows under headings; the columns in `numbers` are aligned to the right. No cell is read as markup."""
    from rich.table import Table

    if title is not None:  # above the table, for a narrow one would break its own title into lines
        output().print(Text(title, style="bold"), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(Text(heading, style="bold"), justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    output().print(table)


@contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show how far work has come; the function takes by how much it has come further."""
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with _progress(*columns) as progress:
        task = progress.add_task(what, total=total)
        yield lambda step: progress.advance(task, step)


@contextmanager
def reading(what: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    """Show how much of a file is read; the function takes the bytes read so far."""
    from rich.progress import BarColumn, DownloadColumn, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with _progress(*columns) as progress:
        task = progress.add_task(what, total=total_bytes)
        yield lambda done: progress.update(task, completed=done)


def _progress(*columns: ProgressColumn) -> Progress:
    from rich.progress import Progress

    console = errors()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
