"""The demo as people start it, in a process of its own on a free port."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.request import urlopen

from app.settings import RATE_LIMITS_OFF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STARTS_WITHIN_SECONDS = 600
STOPS_WITHIN_SECONDS = 20
COMMAND = "from app.cli import main; main()"


@contextmanager
def running_demo(folder: Path, **settings: str) -> Iterator[str]:
    """Start a fresh demo in a folder, with settings beside its own, and return its address once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-c", COMMAND, "demo", "--port", str(port), "--data", str(folder / "demo")]
    with (folder / "demo.log").open("w") as log:
        # Tests press faster than people do.
        environment = os.environ | {"FLEX_RATE_LIMITS_URL": RATE_LIMITS_OFF} | settings
        demo = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            _wait_until_ready(demo, port, folder / "demo.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            demo.terminate()
            try:
                demo.wait(STOPS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                demo.kill()
                demo.wait()


def _wait_until_ready(demo: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while demo.poll() is None and time.monotonic() < until:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the demo did not start: {re.sub(r'eyJ[^ ]+', '…', log.read_text())[-2000:]}")
