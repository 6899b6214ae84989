"""The real command line in processes of its own, with a data folder of its own and no other setting.

A command that is run to its end is forked from a process that has the program loaded, for loading takes longer than
most commands; what is started, to be stopped or to serve, begins as people begin it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.cli import main

# A shell lets what it starts in the background ignore Ctrl-C, and so would everything that we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        __name__,
        "app.cli.application",
        "app.cli.expected",
        "app.jobs.ticker",
        "app.services.operations.explain",
        "app.services.operations.verify",
        "app.surroundings",
    ]
)  # what commands load once they run

PROGRAM = "from app.cli import main; main()"
ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN_SECONDS = 240
ENDS_WITHIN_SECONDS = 60.0
RUNS_WITHIN_SECONDS = 120.0


def environment(data: Path, **settings: str) -> dict[str, str]:
    """The surroundings of a command: ours without any FLEX_ setting but those given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FLEX_")}
    return {**ours, "FLEX_DATA": str(data), "PYTHONPATH": str(ROOT), "COLUMNS": "160", **settings}


@dataclass(frozen=True)
class CommandLine:
    """A person at a terminal, in one data folder."""

    data: Path
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM, *arguments],
            env=environment(self.data, **self.settings, **settings),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, expect: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
        surroundings = environment(self.data, **self.settings, **settings)
        with TemporaryDirectory() as folder:
            said = (Path(folder, "out.txt"), Path(folder, "err.txt"))
            process = PROCESSES.Process(target=_run, args=(arguments, surroundings, self.folder, said))
            process.start()
            process.join(RUNS_WITHIN_SECONDS)
            process.kill()
            process.join()
            out, err = (path.read_text() for path in said)
        assert process.exitcode == expect, f"{arguments}: {process.exitcode}\n{out}\n{err}"
        assert "Traceback" not in out + err
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)

    @contextmanager
    def server(self, command: str = "serve", *arguments: str) -> Iterator[RunningServer]:
        """Run a server on a free port until the block ends."""
        port = free_port()
        process = self.start(command, "--port", str(port), *arguments)
        try:
            running = RunningServer(process, f"http://127.0.0.1:{port}")
            running.wait_until_ready()
            yield running
        finally:
            end(process)


def _run(arguments: tuple[str, ...], surroundings: Mapping[str, str], folder: Path, said: tuple[Path, Path]) -> None:
    """Run one command to its end; what it says goes to files, and its exit code is the process's."""
    for descriptor, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), descriptor)
    os.environ.clear()
    os.environ.update(surroundings)
    os.chdir(folder)
    sys.argv = ["flex-billing", *arguments]
    warnings.simplefilter("error")
    main()


@dataclass(frozen=True)
class RunningServer:
    """A server that answers."""

    process: subprocess.Popen[str]
    url: str

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate())
            try:
                if self.get("/health/ready")["status"] == "ready":
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not become ready")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return json.load(response)

    def ask(self, query: str, token: str, **variables: Any) -> Any:
        """Run one GraphQL operation and return its data."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal and return the exit code and what was said on standard error."""
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=ENDS_WITHIN_SECONDS)
        return self.process.returncode, err


def end(process: subprocess.Popen[str]) -> None:
    """End a process the polite way, and the other way when it does not listen."""
    if process.poll() is None:
        process.terminate()
    try:
        process.communicate(timeout=ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
