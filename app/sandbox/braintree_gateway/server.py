"""The gateway over HTTP on this machine. Its default speed matters: unbuffered writes would cost ten times a call."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import socket
import socketserver
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from app.sandbox.braintree_gateway import card_fields, tokens
from app.sandbox.braintree_gateway.admin import PREFIX, NoSuchThing, administer
from app.sandbox.braintree_gateway.answers import Invalid
from app.sandbox.braintree_gateway.faults import CLOSE, RESET, TRUNCATE, FaultRefused, Reply
from app.sandbox.braintree_gateway.gateway import Gateway
from app.sandbox.braintree_gateway.state import MERCHANT_ID, PRIVATE_KEY, PUBLIC_KEY, State
from app.sandbox.braintree_gateway.store import Store
from app.sandbox.braintree_gateway.webhooks import DeliveryRefused

if TYPE_CHECKING:
    from pathlib import Path

    from app.sandbox.braintree_gateway.state import Now

HOST = "127.0.0.1"
LARGEST_BODY = 1_000_000
LEASE_PATH, HEALTH_PATH = f"{PREFIX}lease", f"{PREFIX}health"

_MERCHANT = f"/merchants/{MERCHANT_ID}"
_BROWSER = f"{_MERCHANT}/client_api/v1/"
_AUTHORIZATION = "Basic " + base64.b64encode(f"{PUBLIC_KEY}:{PRIVATE_KEY}".encode()).decode()
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_log = logging.getLogger(__name__)


class GatewayServer(ThreadingHTTPServer):
    """Listens for one gateway; each connection has a thread, and none keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, now: Now, file: Path | None = None) -> None:
        """Take the port, then the file.

        :raises OSError: when the port is taken.
        :raises StoreTaken: when another gateway has the file.
        """
        super().__init__((HOST, port), _Handler)
        self._thread: threading.Thread | None = None
        try:
            self.gateway = Gateway(State(Store(file), now, self.url))
        except BaseException:
            self.server_close()
            raise

    def server_bind(self) -> None:
        """Bind without asking anyone for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""

    @property
    def url(self) -> str:
        """Where the gateway is reached."""
        return f"http://{HOST}:{self.server_address[1]}"

    def close(self) -> None:
        """Stop listening and write what is left."""
        self.gateway.stopping.set()
        if self._thread is not None:
            self.shutdown()  # which would wait for ever for a server that never served
        self.server_close()
        self.gateway.close()

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: GatewayServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (as inherited)
        """Log nothing: a path or a body may hold what nobody should read."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  (as inherited)

    def _serve(self) -> None:
        gateway = self.server.gateway
        path = self.path.partition("?")[0]
        if path != HEALTH_PATH:  # looking whether it is there is not using it
            gateway.used_at = time.monotonic()
        try:
            raw = self._body()
            if self.headers.get("Host", "").rpartition(":")[0] not in _LOCAL_NAMES:
                self._json(403, {"error": "this gateway answers on this machine alone"})
            elif path == LEASE_PATH:
                self._hold_lease()
            elif path.startswith(PREFIX):
                self._administer(path.removeprefix(PREFIX), raw)
            elif path.startswith(_BROWSER):
                self._serve_browser(path.removeprefix(_BROWSER), raw)
            elif path.startswith(card_fields.PREFIX):
                self._show_card_fields(path)
            elif self.headers.get("Authorization") != _AUTHORIZATION or not path.startswith(_MERCHANT):
                self._reply(Reply(401))
            else:
                self._reply(gateway.exchange(self.command, self.path.removeprefix(_MERCHANT), raw))
        except Exception:  # noqa: BLE001  (a fault of ours looks like one of theirs)
            _log.exception("%s %s", self.command, path)
            self._reply(Reply(500))

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= LARGEST_BODY:
            raise ValueError("the body is too large")
        return self.rfile.read(length)

    def _reply(self, reply: Reply) -> None:
        if reply.ending == RESET:
            # Closing with unsent data thrown away is what a peer sees as a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        if reply.ending in {RESET, CLOSE}:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.ending == TRUNCATE:
            self.close_connection = True
            self.wfile.write(reply.body[: len(reply.body) // 2])
        else:
            self.wfile.write(reply.body)
        self.wfile.flush()

    def _json(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.path.startswith(_BROWSER):
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.send_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _administer(self, name: str, raw: bytes) -> None:
        # A page in a browser cannot send JSON to a stranger without asking first.
        if self.command == "POST" and self.headers.get_content_type() != "application/json":
            self._json(415, {"error": "send JSON"})
            return
        try:
            self._json(200, administer(self.server.gateway, name, json.loads(raw or b"{}")))
        except (NoSuchThing, FaultRefused, DeliveryRefused, Invalid, KeyError, ValueError) as error:
            self._json(422, {"error": str(error)})

    def _serve_browser(self, name: str, raw: bytes) -> None:
        if self.command == "OPTIONS":
            self._json(200, {})
        elif self.command == "POST" and name.removesuffix(".json") in tokens.TOKENIZERS:
            state = self.server.gateway.state
            try:
                body = json.loads(raw)
                with state.lock:
                    content = tokens.TOKENIZERS[name.removesuffix(".json")](state, body)
                    state.store.commit()
                self._json(201 if tokens.is_checked(body) else 202, content)
            except (Invalid, ValueError, AttributeError) as error:
                self._json(422, tokens.refusal_of(error))
        elif name == "configuration":
            self._json(200, {"environment": "development", "merchantId": MERCHANT_ID})
        else:
            self._json(404, {"error": {"message": "not found"}})

    def _show_card_fields(self, path: str) -> None:
        found = card_fields.find_file(path) if self.command == "GET" else None
        if found is None:
            self._json(404, {"error": "not found"})
            return
        media_type, body = found
        self.send_response(200)
        for name, value in {
            **card_fields.HEADERS,
            "Content-Type": media_type,
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hold_lease(self) -> None:
        """Count a user for as long as its connection is open; the system closes it however the user ends."""
        gateway = self.server.gateway
        gateway.count_user(1)
        self.close_connection = True
        try:
            self._json(200, {"instance": gateway.instance})
            while self.connection.recv(1):
                pass
        except (OSError, http.client.HTTPException):
            pass
        finally:
            gateway.count_user(-1)
            gateway.used_at = time.monotonic()
