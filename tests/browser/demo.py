"""The demo as people start it, in a process of its own on a free port."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import httpx2

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


def clock(demo: str, step: str | None = None) -> dict[str, str]:
    """Tell the sandbox's time, after a step forward if one is named."""
    with httpx2.Client(base_url=demo, timeout=60) as client:
        answer = client.get("/sandbox/clock") if step is None else client.post("/sandbox/clock", json={"step": step})
        return answer.json()


def make_key(folder: Path, purpose: str) -> str:
    """Make an access key by the command line, and return its secret."""
    command = [sys.executable, "-c", COMMAND, "key", "create", f"portal-{purpose}", "--purpose", purpose]
    environment = os.environ | {"FLEX_DATA": str(folder)}
    made = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return made.stdout.split()[-1]


def send(demo: str, method: str, path: str, key: str, body: object) -> dict[str, Any]:
    """Send something with a key or a token, and return what is answered."""
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx2.request(method, f"{demo}{path}", json=body, headers=headers, timeout=60)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()
