"""The product's server for the reads benches, with everything on: `python -m scripts.bench.reads_product FOLDER`.

The folder holds the database and the clock; the log goes to a file in it. Limits are counted and kept, but a thousand
times as much is allowed, for a few readers ask for what thousands would.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from app import main as product
from app.http.logs import configure_logging
from app.settings import read_settings
from app.surroundings import WRITES_BEGIN_WITHIN_SECONDS, open_surroundings

if TYPE_CHECKING:
    from app.ports import Allowance, Rate, RateLimiter
    from app.settings import Settings

LOG = "log.jsonl"
RAISED = 1_000


class RaisedLimits:
    """Counts as the product's own limiter does, by which everybody may spend more."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    async def spend(self, rate: Rate, key: str, amount: int = 1) -> Allowance:
        """Spend of a rate that is a thousand times as large."""
        return await self._limiter.spend(replace(rate, most=rate.most * RAISED), key, amount)

    async def close(self) -> None:
        """End as the limiter does."""
        await self._limiter.close()


def main(folder: str) -> None:
    """Serve until a signal comes, and print the address."""
    data = Path(folder)
    make_rate_limiter = product.make_rate_limiter

    def make_raised(settings: Settings) -> RateLimiter:
        return RaisedLimits(make_rate_limiter(settings))

    product.make_rate_limiter = make_raised
    settings = read_settings(data=data, allowed_hosts=("127.0.0.1",))
    with (data / LOG).open("w") as log, socket.create_server(("127.0.0.1", 0)) as listener:
        configure_logging(stream=log)
        around = open_surroundings(settings, begins_within_seconds=WRITES_BEGIN_WITHIN_SECONDS)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(product.build(around), log_config=None, access_log=False, lifespan="on")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
