"""`python -m tests.contract.serve`: the contract's world `summer` behind a real port, for clients to be tried with.

Its clock stands still. Prints where it is, a token and an ingest key as a line of JSON, and ends with its input. Which
documents it runs, FLEX_DOCUMENTS says.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from app.domain.accounts import KeyPurpose
from app.graphql.execution import ExecutionMode
from app.http.ingest_routes import ingest_routes
from app.services.operations.access_keys import create_key
from tests.contract.examples import EXAMPLES, Example, Stage
from tests.contract.seeds import PERSONAS

ASKED = {
    "as": "admin",
    "at": "2026-08-20T17:00:00Z",
    "seed": "summer",
    "variables": {},
    "documents": os.environ.get("FLEX_DOCUMENTS", "prefer"),
}


async def serve() -> None:
    """Serve until the input ends, which is when the program that started this is gone."""
    with TemporaryDirectory() as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        stage = Stage(Path(folder), ExecutionMode.COMPILED)
        example = Example(EXAMPLES / "SummaryShow" / "served.json", ASKED)
        async with stage.prepared(example) as play:
            services = play.services(example).writes.services
            key = await create_key(services, purpose=KeyPurpose.INGEST, name="check", source="check", actor="check")
            application = play.application(example, ingest_routes(services))
            config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
            server = uvicorn.Server(config)
            running = asyncio.create_task(server.serve(sockets=[listener]))
            subject, account = PERSONAS["admin"]
            place = {
                "url": f"http://127.0.0.1:{listener.getsockname()[1]}/graphql",
                "token": stage.tokens.sign(subject=subject, account=account),
                "account": account,
                "ingestKey": key.secret,
            }
            sys.stdout.write(json.dumps(place) + "\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            server.should_exit = True
            await running
        await stage.close()


if __name__ == "__main__":
    asyncio.run(serve())
