"""Commands that run the server: on the settings as they are, or on a demo that needs nothing."""

from __future__ import annotations

import errno
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Refused
from app.cli.running import run, sandbox_settings
from app.cli.terminal import counting, output, say, tell

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from app.settings import Settings
    from app.surroundings import Surroundings

HOST, PORT = "127.0.0.1", 8000
STOPS_WITHIN_SECONDS = 1
PORTS_TRIED = 20

Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Port = PORT,
    expose: Annotated[bool, typer.Option("--expose", help="Let other machines reach the sandbox.")] = False,
) -> None:
    """Start the server. Ctrl-C or SIGTERM ends it."""
    from app.settings import LOOPBACK_HOSTS, read_settings

    settings = _reached_at(read_settings(), host, port)
    if settings.is_sandbox and not expose and not {host, f"[{host}]"} & set(LOOPBACK_HOSTS):
        raise Refused(f"The sandbox guards nothing: add --expose to let other machines reach it at {host}.")
    settings.require_complete()
    listener = listen(host, port)
    with listener:
        run(_nothing, settings)
        serve_until_stopped(settings, listener, logging.INFO)


def demo(
    port: Port = PORT,
    reset: Annotated[bool, typer.Option("--reset", help="Delete the demo's data and make it anew.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="The demo's folder; FLEX_DATA or .demo if left out.", show_default=False)
    ] = None,
) -> None:
    """Start the server with a believable company in it: eighteen months of history, and tokens to try it with."""
    settings = _demo_settings(data, port)
    listen(HOST, port).close()
    prepare_demo(settings, address=_demo_address(port), reset=reset)
    with listen(HOST, port) as listener:
        _welcome(settings, port)
        serve_until_stopped(settings, listener, logging.WARNING)


def _reached_at(settings: Settings, host: str, port: int) -> Settings:
    """Return the settings with the address that the sandbox is reached at, unless one was given."""
    if settings.public_url is not None or not settings.is_sandbox:
        return settings
    name = f"[{host}]" if ":" in host else host
    return settings.model_copy(update={"public_url": f"http://{name}:{port}"})


def _demo_address(port: int) -> str:
    return f"http://{HOST}:{port}"


def _demo_settings(data: Path | None, port: int) -> Settings:
    """Return the settings of the demo: its folder's own database, whatever else is set."""
    from app.settings import LOOPBACK_HOSTS, read_settings

    chosen = sandbox_settings("The demo")
    folder = chosen.data if data is None else data
    return read_settings(
        data=folder,
        database_url=None,
        jwks=None,
        jwks_url=None,
        allowed_hosts=LOOPBACK_HOSTS,
        public_url=_demo_address(port),
        graphiql=True,
    )


def prepare_demo(settings: Settings, *, address: str, reset: bool) -> None:
    """Make the demo's data if it is not there, and bring it up to date if it is; mails lead to its `address`.

    :raises NotADemoFolder: when the folder holds something else.
    """
    import asyncio

    from app.gateways.ids import RandomIds
    from app.migrations.upgrade import upgrade
    from app.sandbox.braintree_gateway.process import ask_gateway
    from app.sandbox.demo import DemoGateway, months_to_seed, seed
    from app.sandbox.demo_folder import open_folder
    from app.settings import DATABASE_FILE
    from app.surroundings import make_clock, make_payments

    def decline(digits: str, code: str, times: int | None) -> None:
        ask_gateway(settings.data, "force", on=digits, code=code, times=times)

    open_folder(settings.data, reset=reset)
    payments = make_payments(settings)
    ask_gateway(settings.data, "settings", amount_rules=False)
    with counting("Living through eighteen months", months_to_seed()) as on_progress:
        made = seed(
            database_file=settings.data / DATABASE_FILE,
            address=address,
            clock=make_clock(settings),
            ids=RandomIds(),
            gateway=DemoGateway(payments, decline),
            on_progress=on_progress,
        )
    asyncio.run(payments.aclose())
    if made:
        ask_gateway(settings.data, "settle")  # charges of months ago are settled by now, and can be refunded in part
    else:
        upgrade(settings.database)
    run(_nothing, settings)


def _welcome(settings: Settings, port: int) -> None:
    from rich.panel import Panel
    from rich.text import Text

    from app.sandbox.demo_company import SEATS
    from app.sandbox.personas import LABELS, PERSONAS_FILE, write_personas
    from app.sandbox.tokens import SandboxTokens

    base = _demo_address(port)
    tokens = write_personas(settings.data, SandboxTokens.open(settings.data), SEATS, f"{base}/graphql")
    addresses = Text()
    for name, address in (
        ("Portal", f"{base}/"),
        ("GraphiQL", f"{base}/graphql"),
        ("Reference", f"{base}/docs"),
        ("Messages", f"{base}/sandbox/messages"),
        ("Health", f"{base}/health/ready"),
        ("Tokens", str(settings.data / PERSONAS_FILE)),
        ("Data", f"{settings.data} (kept; --reset starts over)"),
    ):
        addresses.append(f"{name:<10}", style="bold").append(f"{address}\n")
    addresses.append("Ctrl-C ends it.", style="dim")
    output().print(Panel(addresses, title="SAS Flex Billing", title_align="left", padding=(1, 2)))
    for seat in SEATS:
        tell(f"{seat.key}: {LABELS[seat.key]}, {seat.account}", style="bold")
        typer.echo(f"{tokens[seat.key]}\n")


def serve_until_stopped(settings: Settings, listener: socket.socket, level: int) -> None:
    """Run the server on a bound socket until a signal ends it, within a second or two."""
    import asyncio

    import uvicorn

    from app.http.logs import configure_logging
    from app.main import build
    from app.surroundings import WRITES_BEGIN_WITHIN_SECONDS, open_surroundings

    configure_logging(level)
    application = build(open_surroundings(settings, begins_within_seconds=WRITES_BEGIN_WITHIN_SECONDS))
    config = server_config(settings, application)
    # What ended it is raised again afterwards, unless this process was told to ignore it.
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        uvicorn.Server(config).run(sockets=[listener])
    say("Stopped.")
    raise typer.Exit


def server_config(settings: Settings, application: ASGIApp) -> uvicorn.Config:
    """Return how the server runs an application; only the proxies of the settings are believed."""
    import uvicorn

    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        lifespan="on",
        timeout_graceful_shutdown=STOPS_WITHIN_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address.

    :raises Refused: when that cannot be had; the message suggests a port that can.
    """
    try:
        return _listening(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = _free_port(host, port + 1)
            hint = f"try --port {free}" if free else "choose another by --port"
            raise Refused(f"Port {port} is taken by another program: {hint}, or stop that program.") from None
        reason = error.strerror or str(error)
        raise Refused(
            f"We cannot listen on {host}, port {port} ({reason}). Choose others by --host and --port."
        ) from None


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _free_port(host: str, first: int) -> int | None:
    for port in range(first, min(first + PORTS_TRIED, 65_536)):
        try:
            _listening(host, port).close()
        except OSError:
            continue
        return port
    return None


async def _nothing(_around: Surroundings) -> None:
    """Do nothing: the check that comes before every job is all that is wanted."""
