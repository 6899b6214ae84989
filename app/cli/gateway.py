"""The command that runs the local payment gateway alone."""

from __future__ import annotations

import errno
from typing import Annotated

import typer

from app.cli.failures import Refused
from app.cli.running import sandbox_settings
from app.cli.terminal import say, tell

PORT = 8010


def gateway(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = PORT,
    stop: Annotated[bool, typer.Option("--stop", help="End the one that runs on the data folder instead.")] = False,
) -> None:
    """Run the local payment gateway alone, for the Braintree SDK of any program on this machine. Ctrl-C ends it."""
    from app.sandbox.braintree_gateway.process import GatewayAddress, find_gateway, run_gateway, stop_gateway
    from app.sandbox.braintree_gateway.state import MERCHANT_ID, PRIVATE_KEY, PUBLIC_KEY
    from app.sandbox.braintree_gateway.store import StoreTaken

    folder = sandbox_settings("The local payment gateway").data
    if stop:
        tell("The gateway is stopped." if stop_gateway(folder) else "No gateway was running.")
        return

    def welcome(address: GatewayAddress) -> None:
        tell(f"Payment gateway on http://{address.host}:{address.port}, with what is in {str(folder)!r}.")
        tell(f"Merchant {MERCHANT_ID}, public key {PUBLIC_KEY}, private key {PRIVATE_KEY}. Ctrl-C ends it.")

    try:
        run_gateway(folder, port=port, on_ready=welcome)
    except StoreTaken:
        found = find_gateway(folder)
        where = f" on port {found.port}" if found else ""
        raise Refused(
            f"A gateway runs on {str(folder)!r} already{where}. End it by --stop, or choose another FLEX_DATA."
        ) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise Refused(f"Port {port} is taken by another program: choose another by --port.") from None
    except KeyboardInterrupt:
        pass
    say("Stopped.")
