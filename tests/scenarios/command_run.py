"""The command line as a process of its own, forked from one that has the program loaded: loading takes a second."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.cli import main
from tests.command_line import environment

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "app.cli.application"])  # which a command loads once it runs
ENDS_WITHIN_SECONDS = 120.0


@dataclass(frozen=True)
class ForkedCommandLine:
    """A person at a terminal, in one data folder, with settings of their own."""

    data: Path
    settings: Mapping[str, str]

    def run(self, *arguments: str, expect: int = 0) -> str:
        """What the command says on standard output; where it is to fail, on standard error."""
        said = {1: self.data / "out.txt", 2: self.data / "err.txt"}
        surroundings = environment(self.data, **self.settings)
        process = PROCESSES.Process(target=run, args=(arguments, surroundings, said))
        process.start()
        process.join(ENDS_WITHIN_SECONDS)
        out, err = (path.read_text() for path in said.values())
        assert process.exitcode == expect, f"{arguments}: {process.exitcode}\n{out}\n{err}"
        return err if expect else out


def run(arguments: tuple[str, ...], surroundings: Mapping[str, str], said: Mapping[int, Path]) -> None:
    """Run one command to its end; what it says goes to files, and its exit code is the process's."""
    os.environ.clear()
    os.environ.update(surroundings)
    for descriptor, path in said.items():
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), descriptor)
    sys.argv = ["flex-billing", *arguments]
    main()
