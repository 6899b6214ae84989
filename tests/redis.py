"""A real Redis server for tests: the machine's own `redis-server` on a free port, with nothing kept."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS_WITHIN_SECONDS = 30


@contextmanager
def running_redis(port: int | None = None) -> Iterator[int]:
    """Run a server until the block ends, and give its port; skip the test where there is no `redis-server`."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("needs redis-server (on Debian and Ubuntu: apt install redis-server)")
    chosen = port or _free_port()
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([binary, "--port", str(chosen), *options], stdout=subprocess.DEVNULL)
    try:
        _wait_until_ready(server, chosen)
        yield chosen
    finally:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        return number


def _wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while server.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            if connection.recv(16).startswith(b"+PONG"):
                return
        time.sleep(0.02)
    raise RuntimeError(f"redis-server did not start on port {port}: exit code {server.poll()}")
