"""The servers of the reads benches: each in a process of its own, on a copy of the same database."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from app.gateways.signing_keys import ALGORITHM
from app.sandbox.clock import OffsetClock
from app.sandbox.tokens import KEY_FILE, SANDBOX_RULES, SandboxTokens
from app.settings import DATABASE_FILE
from scripts.bench.databases import copy
from scripts.bench.guard_side import TICKS_A_SECOND, processor_seconds, read_address
from scripts.bench.load import ask
from scripts.bench.measure import ROOT, SideFailed
from scripts.bench.reads_facts import NOW
from scripts.bench.reads_operations import Reader, requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scripts.bench.reads_operations import Operation

PEERS = ROOT / "scripts" / "bench" / "peers"
PRODUCT, BY_HAND, APOLLO, MERCURIUS = "the product", "a handler by hand", "Apollo", "Mercurius"
NODE_SIDES = {APOLLO: "apollo.mjs", MERCURIUS: "mercurius.mjs"}
_READERS = """
SELECT u.subject, a.external_id,
       (SELECT i.id FROM invoice AS i WHERE i.account_id = a.id ORDER BY i.number DESC LIMIT 1)
  FROM account AS a JOIN membership AS m ON m.account_id = a.id JOIN app_user AS u ON u.id = m.user_id
 WHERE a.external_id LIKE 'READS%' ORDER BY a.external_id"""

SETTLED_PERCENT, SETTLES_WITHIN_SECONDS = 8.0, 120


class Reading(NamedTuple):
    """What one run of an operation took: processor seconds of the server a request, and the 99th percentile on the
    clock.
    """

    cpu_seconds: float
    p99_seconds: float


@dataclass(slots=True)
class Side:
    """A server that runs; every operation's requests go on where they stopped."""

    name: str
    process: subprocess.Popen[str]
    address: str
    requests: dict[Operation, Iterator[bytes]]

    def read(self, operation: Operation, count: int) -> Reading:
        """Ask so many times and return what it took."""
        began = processor_seconds(self.process.pid)
        taken = ask(self.address, self.requests[operation], count)
        spent = max(processor_seconds(self.process.pid) - began, 1 / TICKS_A_SECOND)
        return Reading(spent / count, sorted(taken)[int(count * 0.99)])

    def settle(self) -> None:
        """Wait until what is done once, at the start of the server, is over."""
        until = time.monotonic() + SETTLES_WITHIN_SECONDS
        while time.monotonic() < until:
            began = processor_seconds(self.process.pid)
            time.sleep(1)
            if (processor_seconds(self.process.pid) - began) * 100 < SETTLED_PERCENT:
                return
        raise SideFailed(f"{self.name} does not come to rest.")


def is_node_there() -> bool:
    """Tell whether Node and the packages of the peers are here."""
    return shutil.which("node") is not None and (PEERS / "node_modules" / ".package-lock.json").is_file()


def make_folder(folder: Path, database: Path) -> Path:
    """Make a folder with a copy of the database, its clock and the signing key beside it, and return it."""
    folder.mkdir(parents=True)
    copy(database, folder / DATABASE_FILE)
    SandboxTokens.open(database.parent)
    shutil.copyfile(database.parent / KEY_FILE, folder / KEY_FILE)
    OffsetClock(folder).start(NOW)
    return folder


def readers_of(database: Path) -> list[Reader]:
    """Return everybody who reads an account with a history."""
    tokens = SandboxTokens.open(database.parent)
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(_READERS).fetchall()
    return [Reader(tokens.sign(subject=subject, account=account), invoice) for subject, account, invoice in found]


@contextmanager
def run_side(name: str, folder: Path, operations: Sequence[Operation], readers: Sequence[Reader]) -> Iterator[Side]:
    """Run a server on a folder.

    :raises SideFailed: when it does not start.
    """
    environment = {**os.environ, "NODE_ENV": "production"}
    process = subprocess.Popen(_command(name, folder), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        address = read_address(process)
        if not address.startswith("http://"):
            raise SideFailed(f"{name} does not start.")
        yield Side(name, process, address, {each: requests(address, each, readers) for each in operations})
    finally:
        process.kill()
        process.communicate()


def _command(name: str, folder: Path) -> list[str]:
    if name == PRODUCT:
        return [sys.executable, "-m", "scripts.bench.reads_product", str(folder)]
    if name == BY_HAND:
        return [sys.executable, "-m", "scripts.bench.reads_by_hand", str(folder)]
    given = {
        "database": str(folder / DATABASE_FILE),
        "keys": json.loads(SandboxTokens.open(folder).public_keys()),
        "issuer": SANDBOX_RULES.issuer,
        "audience": SANDBOX_RULES.audience,
        "algorithm": ALGORITHM,
        "clockOffset": OffsetClock(folder).offset.total_seconds(),
    }
    return ["node", str(PEERS / NODE_SIDES[name]), json.dumps(given)]
