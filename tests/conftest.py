"""What every test lives by: property tests without a stopwatch, and a network that ends at this machine."""

from __future__ import annotations

import gc
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.database import (
    database,
    migrated_file,
    migrated_postgres,
    postgres_database,
    postgres_url,
    till,
    wallet,
    world,
)
from tests.gateway import gateway, gateway_server
from tests.postgres import postgres_server, stoppable_postgres
from tests.trips import note_connections

__all__ = [
    "database",
    "gateway",
    "gateway_server",
    "migrated_file",
    "migrated_postgres",
    "postgres_database",
    "postgres_server",
    "postgres_url",
    "stoppable_postgres",
    "till",
    "wallet",
    "world",
]  # fixtures for every test below

note_connections()

# A busy machine is not a failing test. The parent is Hypothesis's own choice: fixed examples when CI is set.
settings.register_profile("flex", settings.default, deadline=None)
settings.load_profile("flex")


MADE_ONCE = {
    "test_bill_a_real_month",
    "test_demo",
    "test_killed_cycle_run",
    "test_sample_calls",
    "test_verify",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what the tests of a module share, and is long in the making, be made by one worker (`--dist loadgroup`)."""
    for item in items:
        if item.path.stem in MADE_ONCE:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.xdist_group("browser"))


def pytest_collection_finish() -> None:
    """Spare the collector what is loaded by now: looking at it again and again took a fifth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what tests have counted, such as the checks of a program that they ran."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties if report.when == "call" else ():
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value} {name}")


class NetworkForbidden(RuntimeError):
    """A test tried to leave this machine."""

    def __init__(self, address: object) -> None:
        super().__init__(f"tests reach loopback and unix sockets only, not {address!r}: start a local server instead")


def _is_local(address: object) -> bool:
    """Tell whether a socket address stays on this machine: a unix path, `localhost` or a loopback number."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def _guarded(original: Callable[..., Any], address_at: int) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        address = args[address_at] if address_at >= 0 else args[-1]
        if not _is_local(address):
            raise NetworkForbidden(address)
        return original(*args, **kwargs)

    return call


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Refuse every connection and every name look-up that would leave this machine."""
    look_up = socket.getaddrinfo

    def local_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local((host,)):
            raise NetworkForbidden(host)
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect, 1))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex, 1))
        patch.setattr(socket.socket, "sendto", _guarded(socket.socket.sendto, -1))
        patch.setattr(socket, "getaddrinfo", local_look_up)
        yield
