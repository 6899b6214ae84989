"""The contract's recorded examples: how one is read, played on the live application, and written down again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import orjson
from graphql import OperationType
from starlette.routing import BaseRoute

from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.clock import SystemClock
from app.gateways.identity import JwtVerifier
from app.gateways.signing_keys import FixedKeys
from app.graphql.context import Asked, Context, GraphQLOptions, Writes
from app.graphql.contract import FOLDER, read_contract
from app.graphql.execution import ExecutionMode
from app.graphql.persisted_documents import hash_of, read_persisted_documents
from app.http.application import EdgeOptions, EdgeServices, build_application
from app.http.event_streams import StreamOptions
from app.http.health import Readiness
from app.http.named_documents import DocumentsMode
from app.migrations.upgrade import upgrade
from app.ports import Claims, TokenVerifier
from app.repositories import unit_of_work
from app.repositories.database import Database, DatabaseUnreachable
from app.repositories.reader import PageRequest
from app.repositories.webhook_events import COLLECTION, Hold
from app.sandbox.braintree_gateway.admin import force
from app.sandbox.braintree_gateway.server import GatewayServer
from app.sandbox.braintree_gateway.state import MERCHANT_ID, PRIVATE_KEY, PUBLIC_KEY
from app.sandbox.tokens import SANDBOX_RULES, SandboxTokens
from app.services.adjustments.refund_payment import refund_payment
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.invoices.document_links import DocumentKind, DocumentLinks
from app.services.payment_methods.vault_service import VaultService
from app.services.payments.payment_runner import PaymentRunner
from app.services.plans.quotes import QuoteSigner
from tests.contract.seeds import DENTIST, PERSONAS, SEEDS, Builder, LaterIds, SeedClock
from tests.fakes.event_stream import COMPLETE, following

EXAMPLES = FOLDER / "examples"
CONTRACT = read_contract()
PERSISTED = read_persisted_documents(CONTRACT)

AT_THE_GATEWAY = {"ANSWER_LOST": "vault", "PAYMENT_ANSWER_LOST": "sale", "CARDS_DECLINED": ""}
"""Faults at the payment gateway, with the operation whose answer is lost."""

HOST = "flex.test"
STREAMS = StreamOptions(pause_seconds=0.01)
HTTP_OK = 200
LINK_SECRET = b"signs the links of examples alone"


class Recorded(NamedTuple):
    """An answer: of a stream the first event, those that follow, and whether it is complete then."""

    status: int
    response: Any
    events: list[Any] | None = None
    is_complete: bool | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """As it is written into a file; only a stream has the parts of one."""
        stream = {} if self.events is None else {"events": self.events, "isComplete": self.is_complete}
        return {"httpStatus": self.status, "response": self.response} | stream


@dataclass(frozen=True)
class Example:
    """One file: who asks what, at which moment of which world, and what the answer is."""

    path: Path
    content: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def operation(self) -> str:
        return self.path.parent.name

    @property
    def answer(self) -> Recorded:
        content = self.content
        return Recorded(content["httpStatus"], content["response"], content.get("events"), content.get("isComplete"))

    @property
    def codes(self) -> set[str]:
        """Of errors, and of refusals in the data."""
        answers = [self.content["response"] or {}, *self.content.get("events", ())]
        errors = {error["extensions"]["code"] for answer in answers for error in answer.get("errors", ())}
        return errors | {refusal["code"] for answer in answers for refusal in _refusals(answer.get("data"))}

    @property
    def is_done(self) -> bool:
        """Whether everything that it asks for was answered or done: no error, and no refusal in place of a result."""
        response = self.content["response"] or {}
        refused = [value for value in (response.get("data") or {}).values() if _is_refusal(value)]
        return self.content["httpStatus"] == HTTP_OK and "errors" not in response and not refused

    @property
    def steps(self) -> list[Example]:
        """What is done before, in the same world and, unless it says otherwise, by the same person at the same time."""
        return self._others("after")

    @property
    def meanwhile(self) -> list[Example]:
        """What is done while the stream is open."""
        return self._others("meanwhile")

    def _others(self, part: str) -> list[Example]:
        shared = {key: self.content[key] for key in ("as", "at", "seed")}
        return [
            Example(EXAMPLES / step["operation"] / "step.json", shared | {"variables": {}} | step)
            for step in self.content.get(part, ())
        ]


def _refusals(value: Any) -> Iterator[dict[str, Any]]:
    """Every `UserError` in the data of an answer: whatever has a code and a message, as no other type has both."""
    if isinstance(value, dict):
        if _is_refusal(value):
            yield value
        for below in value.values():
            yield from _refusals(below)
    elif isinstance(value, list):
        for below in value:
            yield from _refusals(below)


def examples() -> list[Example]:
    return [Example(path, orjson.loads(path.read_bytes())) for path in sorted(EXAMPLES.glob("*/*.json"))]


def _is_refusal(value: Any) -> bool:
    return isinstance(value, dict) and {"code", "message"} <= value.keys()


class BrokenReader:
    """A database that fails, as a reader."""

    async def load_each(self, requests: Sequence[PageRequest[Any]]) -> list[Any]:
        raise ConnectionError(f"{len(requests)} requests went nowhere")


class AwayReader:
    """A database that is not there, as a reader."""

    async def load_each(self, requests: Sequence[PageRequest[Any]]) -> list[Any]:
        raise DatabaseUnreachable("flex", f"{len(requests)} requests went nowhere")


class HangingReader:
    """A database that never answers, as a reader."""

    async def load_each(self, requests: Sequence[PageRequest[Any]]) -> list[Any]:
        return await asyncio.get_running_loop().create_future()


class EndingTokens:
    """Tokens that end as soon as they were looked at."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def verify(self, token: str) -> Claims:
        return replace(await self._verifier.verify(token), trusted_until=0.0)


class PlainTokens(BraintreePayments):
    """The gateway with tokens that can be written down: a real one holds an address and a secret of its own."""

    async def form_token(self) -> str:
        await super().form_token()
        return "the token of a payment form"


class Stage:
    """Builds each world once, and plays every example on a copy of its own, with an empty payment gateway beside it."""

    def __init__(self, folder: Path, execution: ExecutionMode) -> None:
        self.folder = folder
        self.execution = execution
        self.tokens = SandboxTokens.open(folder)
        self.clock = SeedClock(datetime.min.replace(tzinfo=UTC))
        self.payments = PlainTokens(self._gateway)
        self.nowhere = PlainTokens(_config(port=1))
        self._server: GatewayServer | None = None

    def _gateway(self) -> BraintreeConfig:
        """Start the gateway when an example needs it for the first time."""
        if self._server is None:
            self._server = GatewayServer(0, self.clock.now)
            self._server.start()
        return _config(port=self._server.server_port)

    def reset_gateway(self) -> None:
        if self._server is not None:
            self._server.gateway.reset()

    async def bring_about(self, fault: str | None, database: Database, clock: SeedClock) -> None:
        """What goes wrong at the payment gateway, or on the way to it: an answer is lost, or every bank declines."""
        if fault == "PAYMENTS_HELD":
            held = Hold(COLLECTION, clock.now(), "maintenance")
            await unit_of_work.write(database, lambda uow: uow.holds.put(held))
        if fault not in AT_THE_GATEWAY:
            return
        self._gateway()
        if fault == "CARDS_DECLINED":
            force(self._server.gateway, {"on": "*", "code": "2001"})
        else:
            self._server.gateway.faults.add(match=AT_THE_GATEWAY[fault], when="after", action="reset")

    async def close(self) -> None:
        await self.payments.aclose()
        await self.nowhere.aclose()
        if self._server is not None:
            self._server.close()

    async def play(self, example: Example) -> Recorded:
        """Play what comes before an example, then the example itself, and return its answer."""
        async with self.prepared(example) as played:
            return await played.send(example)

    @asynccontextmanager
    async def prepared(self, example: Example) -> AsyncIterator[Play]:
        """A copy of the example's world in which everything before the example itself has happened."""
        copy = self.folder / "played.db"
        shutil.copyfile(await self.world_of(example.content["seed"]), copy)
        database = Database.open(_url(copy))
        self.reset_gateway()
        played = Play(self, database)
        try:
            for step in example.steps:
                status, answer, *_ = await played.send(step)
                if status != HTTP_OK or "errors" in answer:
                    raise ValueError(f"{example.name}: a step before it failed: {answer}")
            if example.content.get("fault") == "PAYMENT_REFUNDED":
                await played.give_back(example.content["variables"]["id"])
            yield played
        finally:
            await database.close()

    async def world_of(self, name: str) -> Path:
        """The file of a world, built when it is asked for the first time."""
        path = self.folder / f"{name}.db"
        if not path.exists():
            await asyncio.to_thread(upgrade, _url(path))
            database = Database.open(_url(path))
            await SEEDS[name](Builder(database))
            await database.close()
        return path


@dataclass
class Play:
    """One copy of a world in which one request follows the other; `answers` are the data of those so far."""

    stage: Stage
    database: Database
    ids: LaterIds = field(default_factory=LaterIds)
    answers: list[Any] = field(default_factory=list)

    async def send(self, example: Example) -> Recorded:
        self.stage.clock.instant = datetime.fromisoformat(example.content["at"])
        await self.stage.bring_about(example.content.get("fault"), self.database, self.stage.clock)
        if _is_stream(example):
            return await self._follow(example)
        transport = httpx2.ASGITransport(app=self.application(example))
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            response = await client.send(self._request(client, example))
        answer = orjson.loads(response.content) if response.content else None
        self.answers.append((answer or {}).get("data"))
        return Recorded(response.status_code, answer)

    async def _follow(self, example: Example) -> Recorded:
        """Open a stream, do what is done meanwhile, and read its events until it is complete or has told of that."""
        async with httpx2.AsyncClient(base_url=f"http://{HOST}") as client:
            request = self._request(client, example)
        headers = {name: value for name, value in request.headers.items() if name in {"host", "authorization"}}
        body = orjson.loads(request.content)
        application = self.application(example)
        async with AsyncExitStack() as stack:
            for _ in range(STREAMS.most_of_a_user if example.content.get("fault") == "STREAMS_OPEN" else 0):
                await (await stack.enter_async_context(following(application, body, bearer=headers))).event()
            stream = await stack.enter_async_context(following(application, body, bearer=headers))
            events = [await stream.event()]
            self.answers.append(events[0].data.get("data"))
            for step in example.meanwhile:
                await self.send(step)
            if example.meanwhile:
                events.append(await stream.event())
            if any("errors" in event.data for event in events) or example.content.get("fault") == "TOKEN_ENDS":
                while events[-1] != COMPLETE:
                    events.append(await stream.event())
            return Recorded(
                stream.status,
                events[0].data,
                [event.data for event in events[1:] if event != COMPLETE],
                events[-1] == COMPLETE,
            )

    async def give_back(self, invoice_id: str) -> None:
        """Staff give back all that was charged for an invoice."""
        (charge,) = await unit_of_work.read(self.database, lambda uow: uow.attempts.of_invoice(invoice_id))
        found = await unit_of_work.read(self.database, lambda uow: uow.invoices.find(invoice_id, charge.account_id))
        clock = self.stage.clock
        await refund_payment(
            Services(self.database, clock, self.ids, self.stage.payments, SystemClock()),
            Caller(DENTIST, "staff:office"),
            invoice_number=found.number,
            amount_cents=charge.amount_cents,
            reference="Ticket 4711",
            reason="Charged for a month of another account",
        )

    def open_context(self, example: Example) -> Context:
        """What an operation runs in that is executed without HTTP, for the person of an example at its moment."""
        services = self.services(example)
        subject, account = PERSONAS[example.content["as"]]
        return Context.open(
            Asked("req_without_http", Claims(subject, account)),
            clock=services.clock,
            reader=services.reader,
            options=GraphQLOptions(),
            links=services.links,
            writes=services.writes,
        )

    def services(self, example: Example) -> EdgeServices:
        fault = example.content.get("fault")
        readers = {
            "DATABASE_AWAY": AwayReader(),
            "DATABASE_FAILS": BrokenReader(),
            "DATABASE_HANGS": HangingReader(),
        }
        clock = SeedClock(datetime.fromisoformat(example.content["at"]))
        payments = self.stage.nowhere if fault == "GATEWAY_UNREACHABLE" else self.stage.payments
        around = Services(self.database, clock, self.ids, payments, SystemClock())
        verifier = JwtVerifier(FixedKeys(self.stage.tokens.public_keys()), SANDBOX_RULES)
        return EdgeServices(
            verifier=EndingTokens(verifier) if fault == "TOKEN_ENDS" else verifier,
            changes=self.database.changes,
            clock=clock,
            ids=self.ids,
            reader=readers.get(fault, self.database.reader),
            probe=_ready,
            links=DocumentLinks(secret=LINK_SECRET, base_url=f"https://{HOST}", clock=clock, kinds=DocumentKind),
            writes=Writes(
                around,
                QuoteSigner(LINK_SECRET.decode(), clock, self.ids),
                PaymentRunner(around),
                vault=VaultService(around),
            ),
        )

    def application(self, example: Example, routes: Sequence[BaseRoute] = ()) -> Any:
        fault = example.content.get("fault")
        services = self.services(example)
        seconds = 0.0 if fault == "DATABASE_HANGS" else 10.0
        options = EdgeOptions(
            is_sandbox=False,
            allowed_hosts=[HOST, "127.0.0.1"],
            operation_seconds=seconds,
            documents=DocumentsMode(example.content.get("documents", DocumentsMode.PREFER)),
            streams=STREAMS,
            execution=self.stage.execution,
        )
        return build_application(services=services, options=options, persisted_documents=PERSISTED, routes=routes)

    def _request(self, client: httpx2.AsyncClient, example: Example) -> httpx2.Request:
        """The operation by POST, unless the example's `request` says otherwise."""
        said = example.content.get("request", {})
        headers = {"accept": "application/graphql-response+json", "content-type": "application/json"}
        who = example.content["as"]
        if who is not None:
            subject, account = PERSONAS[who]
            headers["authorization"] = f"Bearer {self.stage.tokens.sign(subject=subject, account=account)}"
        operation = CONTRACT.find(example.operation)
        if operation is None:
            raise LookupError(f"{example.name}: there is no such operation.")
        variables = {name: self._value(value) for name, value in example.content["variables"].items()}
        body = {"query": said.get("query", operation.document), "variables": variables}
        if said.get("byId"):
            body["documentId"] = hash_of(body.pop("query"))
        if "operationName" in said:
            body["operationName"] = said["operationName"]
        content = said["body"] if "body" in said else orjson.dumps(body)
        return client.build_request(
            said.get("method", "POST"),
            said.get("path", "/graphql"),
            headers=headers | said.get("headers", {}),
            content=content,
        )

    def _value(self, value: Any) -> Any:
        """The value of a variable: `@1.planChangePreview.id` is a part of the answer to the first step."""
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if not (isinstance(value, str) and value.startswith("@")):
            return value
        place, *path = value.removeprefix("@").split(".")
        found = self.answers[int(place) - 1]
        for name in path:
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found


def _is_stream(example: Example) -> bool:
    """A subscription is followed, unless the example asks for it in another way."""
    operation = CONTRACT.find(example.operation)
    return operation is not None and operation.kind is OperationType.SUBSCRIPTION and "request" not in example.content


def _config(port: int) -> BraintreeConfig:
    return BraintreeConfig(
        environment="local", port=port, merchant_id=MERCHANT_ID, public_key=PUBLIC_KEY, private_key=PRIVATE_KEY
    )


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def _ready() -> Readiness:
    return Readiness(problem=None)
