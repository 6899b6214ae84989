"""While the database is away every door says so: 503, when to come again, and a code; and it works again by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from app.http import request_scope
from app.http.answers import Refused
from app.migrations.upgrade import upgrade
from app.repositories.database import Database
from tests.doors import Doors, Request
from tests.postgres import OwnServer, fresh_database
from tests.till import Till
from tests.world import World

KINDS = ("ingest", "mutation", "query", "entitlements", "metrics", "document html")
CLIENTS = 2
SEEN_BY_EACH = 3


def code_of(answer: httpx2.Response) -> str:
    (error,) = answer.json()["errors"]
    assert error["extensions"]["retryAfterSeconds"] == int(answer.headers["retry-after"])
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    return error["extensions"]["code"]


def calls_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT count(*) FROM call").fetchone()[0]


async def statuses(doors: Doors) -> dict[str, int]:
    return {name: (await doors.send(request)).status_code for name, request in doors.requests.items()}


@pytest.fixture
async def doors(till: Till, tmp_path: Path) -> Doors:
    return await Doors.open(till, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "flex-billing.db"


class TestEveryDoor:
    async def test_has_a_request_that_it_answers(self, doors):
        assert {doors.route_of(request) for request in doors.requests.values()} == doors.routes()
        assert await statuses(doors) == {name: request.status for name, request in doors.requests.items()}

    async def test_answers_503_while_the_file_is_gone_and_works_again_when_it_is_back(self, doors, file):
        await doors.send(doors.ingest("before"))
        away = file.rename(file.with_suffix(".away"))
        for name, request in doors.requests.items():
            answer = await doors.send(request)
            if not request.needs_database:
                assert answer.status_code == request.status, name
                continue
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), name
            if name != "ready":
                assert code_of(answer) == "SERVICE_UNAVAILABLE", name
        assert not file.exists()

        away.rename(file)
        assert await statuses(doors) == {name: request.status for name, request in doors.requests.items()}
        assert calls_in(file) == 3  # the first one, and those of the two doors for calls

    async def test_writes_nothing_into_a_file_that_was_replaced(self, doors, file, migrated_file):
        await doors.send(doors.ingest("before"))
        former = file.rename(file.with_suffix(".former"))
        for leftover in file.parent.glob(f"{file.name}-*"):
            leftover.rename(leftover.with_name(leftover.name.replace(file.name, former.name)))
        file.write_bytes(migrated_file.read_bytes())
        refused = await doors.send(doors.ingest("after"))
        asked = await doors.send(doors.graphql("{ viewer { role } }"))
        assert (refused.status_code, asked.json()["errors"][0]["extensions"]["code"]) == (401, "FORBIDDEN")
        assert calls_in(former) == 1

    async def test_tells_a_client_of_the_newer_media_type_in_that_type(self, doors, file):
        file.rename(file.with_suffix(".away"))
        asked = doors.graphql("{ viewer { role } }").with_headers(accept="application/graphql-response+json")
        answer = await doors.send(asked)
        assert answer.headers["content-type"].startswith("application/graphql-response+json")
        assert set(answer.json()) == {"errors"}


class TestLocked:
    async def test_every_writer_is_told_while_another_process_holds_the_file(self, doors, file):
        world = doors.world
        world.database._begins_within_seconds = 0.2
        writing = [doors.ingest("one"), doors.ingest("two"), doors.requests["mutation"], doors.requests["bounce"]]
        with closing(sqlite3.connect(file, isolation_level=None)) as holder:
            holder.execute("PRAGMA busy_timeout=5000")
            holder.execute("BEGIN IMMEDIATE")
            answers = await asyncio.gather(*(doors.send(request) for request in writing))
            read = await doors.send(doors.requests["query"])
            holder.execute("ROLLBACK")
        assert [(answer.status_code, code_of(answer)) for answer in answers] == [(503, "SERVICE_UNAVAILABLE")] * 4
        assert read.status_code == 200
        assert calls_in(file) == 0
        assert (await doors.send(writing[0])).status_code == 200


class TestHanging:
    async def test_what_never_answers_is_given_up_in_the_end(self, doors, monkeypatch):
        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(request_scope, "ANSWERS_WITHIN_SECONDS", 0.05)
        monkeypatch.setattr(doors.world.database, "run_tx", never)
        answer = await doors.send(doors.ingest("one"))
        assert (answer.status_code, code_of(answer)) == (503, "TIMEOUT")

    async def test_a_long_answer_that_has_begun_goes_on(self, monkeypatch):
        sent = []

        async def send(message):
            sent.append(message["type"])

        monkeypatch.setattr(request_scope, "ANSWERS_WITHIN_SECONDS", 0.0)
        async with request_scope._begun_in_time(send) as send_begun:
            await send_begun({"type": "http.response.start"})
            for _ in range(3):
                await asyncio.sleep(0)
            await send_begun({"type": "http.response.body"})
        assert sent == ["http.response.start", "http.response.body"]

    async def test_one_that_has_not_begun_does_not(self, monkeypatch):
        async def send(_message):
            """Nobody hears of it."""

        monkeypatch.setattr(request_scope, "ANSWERS_WITHIN_SECONDS", 0.0)
        with pytest.raises(Refused, match="Try again"):
            async with request_scope._begun_in_time(send):
                await asyncio.Event().wait()


class Load:
    """Clients that go on asking whatever they are answered, and remember what they were told."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.recorded: list[str] = []
        self.answers: dict[str, list[int]] = {}
        self.others: set[tuple[int, str]] = set()
        self._count = 0
        self._is_over = False
        self._seen: asyncio.Condition = asyncio.Condition()

    def start(self, clients: asyncio.TaskGroup) -> None:
        """Start the clients; what fails one of them ends the group."""
        for kind in KINDS * CLIENTS:
            self.answers[kind] = []
            clients.create_task(self._ask(kind))

    async def until_each_has_seen(self, status: int) -> None:
        """Wait until every kind of request was answered so several times from now on."""
        for answers in self.answers.values():
            answers.clear()
        async with self._seen:
            await self._seen.wait_for(lambda: all(seen.count(status) >= SEEN_BY_EACH for seen in self.answers.values()))

    def end(self) -> None:
        self._is_over = True

    async def _ask(self, kind: str) -> None:
        answers = self.answers[kind]
        while not self._is_over:
            self._count += 1
            event_id = f"load-{self._count}"
            answer = await self.doors.send(self._request(kind, event_id))
            if answer.status_code == 200 and kind == "ingest":
                assert answer.json()["counts"] == {"ACCEPTED": 1}
                self.recorded.append(event_id)
            if answer.status_code != 200:
                self.others.add((answer.status_code, code_of(answer)))
            await asyncio.sleep(0)  # a refused connection waits for nothing, and the others want their turn
            async with self._seen:
                answers.append(answer.status_code)
                self._seen.notify_all()

    def _request(self, kind: str, event_id: str) -> Request:
        return self.doors.ingest(event_id) if kind == "ingest" else self.doors.requests[kind]


@pytest.mark.postgres
class TestPostgresUnderLoad:
    @pytest.fixture
    async def doors(self, stoppable_postgres: OwnServer, gateway, tmp_path: Path) -> AsyncIterator[Doors]:
        with fresh_database(stoppable_postgres.url) as url:
            await asyncio.to_thread(upgrade, url)
            database = Database.open(url)
            world = await World.create(database, payments=gateway.payments())
            yield await Doors.open(Till(world, gateway), tmp_path)
            await database.close()

    async def test_stopped_and_started_it_loses_nothing_that_was_answered(self, doors, stoppable_postgres):
        load = Load(doors)
        async with asyncio.TaskGroup() as clients:
            load.start(clients)
            await load.until_each_has_seen(200)
            await asyncio.to_thread(stoppable_postgres.stop)
            await load.until_each_has_seen(503)
            await asyncio.to_thread(stoppable_postgres.start)
            await load.until_each_has_seen(200)
            load.end()

        assert load.others == {(503, "SERVICE_UNAVAILABLE")}
        again = await doors.send(doors.ingest(*load.recorded))
        assert again.json()["counts"] == {"DUPLICATE": len(load.recorded)}
