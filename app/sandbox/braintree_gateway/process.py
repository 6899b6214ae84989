"""The gateway's own process: whoever needs it first starts it, everyone with the same data folder shares it, and it
ends by itself once nobody has held on to it for a while. A killed server leaves it running.
"""

from __future__ import annotations

import atexit
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.sandbox.braintree_gateway.admin import PREFIX
from app.sandbox.braintree_gateway.server import HOST, LEASE_PATH, GatewayServer
from app.sandbox.braintree_gateway.store import Store, StoreTaken
from app.sandbox.clock import OffsetClock

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS_FILE, DATA_FILE, LOG_FILE = "gateway.json", "gateway.db", "gateway.log"
STARTS_WITHIN_SECONDS = 20.0
LINGERS_SECONDS = 60.0
TAKEN_EXIT = 3

_LOOKS_EVERY_SECONDS = 0.02
_CHECKS_EVERY_SECONDS = 0.25
_ANSWERS_WITHIN_SECONDS = 2.0
_CHILD = "from app.sandbox.braintree_gateway.process import child; child()"

_leases: dict[str, socket.socket] = {}


@atexit.register
def _let_all_go() -> None:
    for lease in _leases.values():
        lease.close()


class GatewayNotStarted(RuntimeError):
    """The gateway's process did not come up; the message names the file that says why."""


class GatewayForbidden(RuntimeError):
    """Production has a real gateway, and this is not it."""

    def __init__(self) -> None:
        super().__init__("The local payment gateway is for the sandbox, and this is production.")


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """Where a gateway listens; `instance` tells it from another that got the same port."""

    port: int
    instance: str
    host: str = HOST


def refuse_production() -> None:
    """Make sure that this is not production.

    :raises GatewayForbidden: when it is.
    """
    if os.environ.get("FLEX_ENV", "").strip().lower() == "production":
        raise GatewayForbidden


def ensure_gateway(data: Path, *, lingers_seconds: float = LINGERS_SECONDS) -> GatewayAddress:
    """Return the gateway of a data folder, started if need be, and hold on to it until this process ends.

    Several processes may ask at once: whose child gets the data file serves them all.

    :raises GatewayForbidden: in production.
    :raises GatewayNotStarted: when it does not come up.
    """
    refuse_production()
    folder = data.resolve()
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    child: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        address = find_gateway(folder)
        if address is not None and _hold(address):
            return address
        if child is None or child.poll() == TAKEN_EXIT:
            child = _start(folder, lingers_seconds)
        elif child.poll() is not None:
            break
        time.sleep(_LOOKS_EVERY_SECONDS)
    raise GatewayNotStarted(f"The local payment gateway did not start. See {str(folder / LOG_FILE)!r} for the reason.")


def find_gateway(data: Path) -> GatewayAddress | None:
    """Return the gateway that runs on a data folder, or None when there is none."""
    address = _written_address(data)
    if address is None:
        return None
    try:
        answer = _ask(address, "health", "GET")
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return address if answer.get("instance") == address.instance else None


def stop_gateway(data: Path) -> bool:
    """End the gateway of a data folder, wait until it is gone, and tell whether there was one."""
    address = find_gateway(data)
    if address is None:
        return False
    _let_go(address)
    _ask(address, "stop", "POST")
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while not _is_free(data / DATA_FILE) and time.monotonic() < deadline:
        time.sleep(_LOOKS_EVERY_SECONDS)
    return True


def _is_free(file: Path) -> bool:
    """Tell whether nobody writes into the file any more."""
    if not file.exists():
        return True
    try:
        Store(file).close()
    except StoreTaken:
        return False
    return True


def ask_gateway(data: Path, name: str, **body: Any) -> dict[str, Any]:
    """Do what only staff of the sandbox can (an admin route and its fields), starting the gateway if need be.

    :raises GatewayForbidden: in production.
    :raises GatewayNotStarted: when it does not come up.
    :raises ValueError: when the gateway does not do that; the message is its own.
    """
    content = _ask(ensure_gateway(data), name, "POST", body)
    if "error" in content:
        raise ValueError(content["error"])
    return content


def run_gateway(
    data: Path,
    *,
    port: int = 0,
    lingers_seconds: float | None = None,
    on_ready: Callable[[GatewayAddress], None] = lambda _address: None,
) -> None:
    """Serve in this process until somebody stops it; with `lingers_seconds`, until nobody wants it any more.

    :raises GatewayForbidden: in production.
    :raises StoreTaken: when one runs on the folder already.
    :raises OSError: when the port is taken.
    """
    refuse_production()
    folder = data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    server = GatewayServer(port, OffsetClock(folder).now, folder / DATA_FILE)
    try:
        address = GatewayAddress(server.server_port, server.gateway.instance)
        _write_address(folder, address)
        server.start()
        on_ready(address)
        _wait_until_unwanted(server, folder / DATA_FILE, lingers_seconds)
    finally:
        server.close()


def child() -> None:
    """Serve as a child that `ensure_gateway` has started; arguments: the folder, and how long to linger."""
    folder, lingers_seconds = Path(sys.argv[1]), float(sys.argv[2])
    former = _written_address(folder)
    for port in (former.port if former else 0, 0):
        try:
            run_gateway(folder, port=port, lingers_seconds=lingers_seconds)
        except StoreTaken:
            sys.exit(TAKEN_EXIT)
        except OSError:
            if port == 0:
                raise
        else:
            return


def _wait_until_unwanted(server: GatewayServer, file: Path, lingers_seconds: float | None) -> None:
    gateway, held = server.gateway, file.stat().st_ino
    while not gateway.stopping.wait(_CHECKS_EVERY_SECONDS):
        idle_seconds = time.monotonic() - gateway.used_at
        if lingers_seconds is not None and gateway.users == 0 and idle_seconds > lingers_seconds:
            return
        try:
            if file.stat().st_ino != held:
                return
        except FileNotFoundError:
            return


def _start(folder: Path, lingers_seconds: float) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    root = str(Path(__file__).resolve().parents[3])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    with (folder / LOG_FILE).open("ab") as log:
        started = subprocess.Popen(  # noqa: S603  (our own code, by our own interpreter)
            [sys.executable, "-c", _CHILD, str(folder), str(lingers_seconds)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            cwd=folder,
            start_new_session=True,
        )
    # Whoever starts it hears of its end, but never waits for it.
    threading.Thread(target=started.wait, name="gateway-child", daemon=True).start()
    return started


def _written_address(folder: Path) -> GatewayAddress | None:
    try:
        content = json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8"))
        return GatewayAddress(int(content["port"]), str(content["instance"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_address(folder: Path, address: GatewayAddress) -> None:
    draft = folder / f".{ADDRESS_FILE}.{os.getpid()}"
    draft.write_text(json.dumps({"port": address.port, "instance": address.instance}) + "\n", encoding="utf-8")
    draft.replace(folder / ADDRESS_FILE)


def _ask(address: GatewayAddress, name: str, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_ANSWERS_WITHIN_SECONDS)
    try:
        text = "" if body is None else json.dumps(body)
        connection.request(verb, PREFIX + name, text, {"Content-Type": "application/json"})
        content = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return content if isinstance(content, dict) else {}


def _hold(address: GatewayAddress) -> bool:
    """Keep a connection to the gateway open for as long as this process lives; tells whether the gateway took it."""
    if address.instance in _leases:
        return True
    lease = socket.create_connection((address.host, address.port), timeout=_ANSWERS_WITHIN_SECONDS)
    lease.sendall(f"GET {LEASE_PATH} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n\r\n".encode())
    try:
        is_held = lease.recv(12).endswith(b"200")
    except OSError:
        is_held = False
    if is_held:
        _leases[address.instance] = lease
    else:
        lease.close()
    return is_held


def _let_go(address: GatewayAddress) -> None:
    lease = _leases.pop(address.instance, None)
    if lease is not None:
        lease.close()
