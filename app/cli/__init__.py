"""The command line: thin commands over services and jobs, pleasant to people and to scripts."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run one command and end the process with its exit code; signals count from the first moment."""
    # A shell's script starts what runs beside it deaf to Ctrl-C; whoever sends one to us by name means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        from app.cli.application import run_command
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run_command()


def _as_ctrl_c(_signal: int, _frame: FrameType | None) -> None:
    """Let whoever stops us politely, an init system or a person, meet the same end."""
    signal.raise_signal(signal.SIGINT)
