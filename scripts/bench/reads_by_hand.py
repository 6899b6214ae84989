"""The same operations by hand: `python -m scripts.bench.reads_by_hand FOLDER` serves them from the folder's database.

An ASGI application without a framework and without GraphQL: it checks the token as the product does, looks at the
operation's name, runs one statement, and answers what a GraphQL server would. The statement is run in the event loop:
there is nothing faster in Python.
"""

from __future__ import annotations

import socket
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import uvicorn

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.periods import Period, billing_date
from app.gateways.identity import JwtVerifier
from app.gateways.ids import RandomIds
from app.gateways.signing_keys import FixedKeys
from app.sandbox.clock import OffsetClock
from app.sandbox.tokens import SANDBOX_RULES, SandboxTokens
from app.settings import DATABASE_FILE
from scripts.bench import reads_statements as statements
from scripts.bench.databases import connect, instant_text
from scripts.bench.reads_shapes import amount, formatted, instant, money, period, summary, title

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from app.ports import Claims

MMAP_BYTES = 256 * 1024 * 1024
HEADERS = (b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")


class Handler:
    """The application."""

    def __init__(self, folder: Path) -> None:
        self._clock = OffsetClock(folder)
        self._verifier = JwtVerifier(FixedKeys(SandboxTokens.open(folder).public_keys()), SANDBOX_RULES)
        self._ids = RandomIds()
        path = folder / DATABASE_FILE
        self._reads = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, cached_statements=64)
        self._reads.execute(f"PRAGMA mmap_size={MMAP_BYTES}")
        self._writes = connect(path)
        self._answers: Mapping[str, Callable[[Claims, Any], object]] = {
            "BenchSummary": self._summary,
            "BenchBreakdown": self._breakdown,
            "BenchList": self._list,
            "BenchSwitch": self._switch,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        token = next(value for name, value in scope["headers"] if name == b"authorization")
        claims = await self._verifier.verify(token.decode().removeprefix("Bearer "))
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        request = orjson.loads(body)
        data = self._answers[request["operationName"]](claims, request["variables"])
        answer = orjson.dumps({"data": data})
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": answer})

    def _read(self, statement: str, claims: Claims, **values: object) -> Any:
        found = self._reads.execute(statement, {"subject": claims.subject, "account": claims.account, **values})
        (text,) = found.fetchone()
        return orjson.loads(text)

    def _summary(self, claims: Claims, _variables: object) -> object:
        today = billing_date(self._clock.now())
        month = Period.containing(today)
        found = self._read(statements.SUMMARY, claims, today=today.isoformat(), month=month.starts_on.isoformat())
        return summary(found, today, month)

    def _breakdown(self, claims: Claims, variables: Any) -> object:
        role, found = self._read(statements.BREAKDOWN, claims, id=variables["id"])
        if role == "MEMBER" or found is None:
            return {"invoice": None}
        identifier, number, status, issued_at, due_on, _, _, total, balance, lines = found
        return {
            "invoice": {
                "id": identifier,
                "number": str(number),
                "status": status,
                "statusDisplayName": status.capitalize(),
                "issuedAt": instant(issued_at),
                "dueOn": due_on,
                "total": money(total),
                "balance": money(balance),
                "lines": [
                    {
                        "id": f"line_{identifier.partition('_')[2]}_{position}",
                        "kind": kind,
                        "displayName": title(kind, period_on, inputs),
                        "amount": {"amount": amount(cents), "currencyCode": "USD", "formatted": formatted(cents)},
                        "period": period(period_on),
                    }
                    for position, kind, period_on, cents, inputs in lines
                ],
            }
        }

    def _list(self, claims: Claims, variables: Any) -> object:
        first = variables["first"]
        _, found = self._read(statements.LIST, claims, first=first)
        nodes = [
            {
                "id": identifier,
                "number": str(number),
                "status": status,
                "statusDisplayName": status.capitalize(),
                "issuedAt": instant(issued_at),
                "dueOn": due_on,
                "paidAt": paid_at and instant(paid_at),
                "period": {"startsOn": period_on},
                "total": {"formatted": formatted(total)},
                "balance": {"formatted": formatted(balance)},
            }
            for identifier, number, status, issued_at, due_on, paid_at, period_on, total, balance in found[:first]
        ]
        return {"invoices": {"nodes": nodes, "pageInfo": {"hasNextPage": len(found) > first}}}

    def _switch(self, claims: Claims, variables: Any) -> object:
        writes = self._writes
        writes.execute("BEGIN IMMEDIATE")
        who = {"subject": claims.subject, "account": claims.account}
        user_id, account_id, _ = orjson.loads(writes.execute(statements.MEMBER, who).fetchone()[0])
        own = {"user_id": user_id, "account_id": account_id}
        chosen = orjson.loads(writes.execute(statements.ALERTS, own).fetchone()[0])
        asked = {change["kind"]: change["isOn"] for change in variables["changes"]}
        changed = {kind: is_on for kind, is_on in asked.items() if bool(chosen.get(kind, True)) is not is_on}
        for kind, is_on in changed.items():
            writes.execute(statements.SWITCH, {**own, "kind": kind, "is_on": is_on})
        if changed:
            titles = {
                word: [CATALOGUE[AlertKind(kind)].title for kind, is_on in changed.items() if is_on is wanted]
                for word, wanted in (("on", True), ("off", False))
            }
            entry = {
                "id": self._ids.new("evt"),
                "request_id": self._ids.new("req"),
                "data": orjson.dumps(titles).decode(),
                "at": instant_text(self._clock.now()),
                "origin": "127.0.0.1",
            }
            writes.execute(statements.RECORD, {**own, **entry})
        writes.execute("COMMIT")
        chosen |= changed
        subscriptions = [
            {"kind": kind, "isOn": bool(chosen.get(kind, True)) or not CATALOGUE[kind].is_switchable}
            for kind in CATALOGUE
        ]
        return {
            "updateAlertSubscriptions": {
                "__typename": "AlertSubscriptionsUpdated",
                "alertSubscriptions": subscriptions,
            }
        }


def main(folder: str) -> None:
    """Serve until a signal comes, and print the address."""
    application = Handler(Path(folder))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
