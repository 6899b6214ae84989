"""Bodies of every door that reads one: one reader of JSON, and one rule for what is packed."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from itertools import product
from pathlib import Path

import orjson
import pytest

from app.http.ingest_routes import LARGEST_INGEST_BODY
from tests.doors import FORM, Doors, Request
from tests.http.service import refusal
from tests.services.books import dump, rows
from tests.till import Till

JSON_DOORS = ("query", "mutation", "ingest", "account", "tax", "taxes", "report of a call", "bounce", "clock forward")
PACKED = ("deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "rubbish")


NO_GZIP = (
    b"[]",
    b"",
    gzip.compress(b"[]")[:-3],
    gzip.compress(b"[]") + b"x",
    gzip.compress(b"[") + gzip.compress(b"]"),
    zlib.compress(b"[]"),
    gzip.compress(b"[]")[:-8] + bytes(8),
)


@pytest.fixture
async def doors(till: Till, tmp_path: Path) -> Doors:
    return await Doors.open(till, tmp_path)


def of(request: Request, content: bytes) -> Request:
    return replace(request, content=content)


def twice(content: bytes) -> bytes:
    """The same JSON, whose first key is there twice."""
    start = content.index(b"{") + 1
    key = content[start : content.index(b":", start)]
    return content[:start] + key + b":null," + content[start:]


def deep(content: bytes) -> bytes:
    """The same JSON with one key more, whose value is nested without end."""
    start = content.index(b"{") + 1
    return content[:start] + b'"deep":' + b"[" * 40 + b"]" * 40 + b"," + content[start:]


SPOILT = {
    "a key twice": twice,
    "nested": deep,
    "NaN": lambda _: b'{"a":NaN}',
    "beyond a double": lambda _: b"[1e999]",
    "half of it": lambda content: content[:-1],
}


class TestJson:
    async def test_every_door_that_reads_json_is_here(self, doors):
        reading = {
            name for name, request in doors.requests.items() if "json" in request.headers.get("content-type", "")
        }
        without_body = {name for name in reading if not doors.requests[name].content}
        assert reading - without_body == {*JSON_DOORS, "ingest of lines"}

    async def test_a_byte_order_mark_is_ignored(self, doors):
        for name in JSON_DOORS:
            request = doors.requests[name]
            answer = await doors.send(of(request, b"\xef\xbb\xbf" + request.content))
            assert answer.status_code == request.status, name

    @pytest.mark.parametrize("how", SPOILT)
    async def test_what_is_no_json_is_refused_alike_and_changes_nothing(self, doors, how):
        before = dump(doors.world.database)
        for name in JSON_DOORS:
            request = doors.requests[name]
            status, code, message = refusal(await doors.send(of(request, SPOILT[how](request.content))))
            assert (status, code) == (400, "BAD_REQUEST"), name
            assert message.startswith("The request body is not JSON in UTF-8: ")
        assert dump(doors.world.database) == before

    async def test_a_line_that_is_no_json_waits_in_quarantine_beside_the_others(self, doors):
        request = doors.requests["ingest of lines"]
        lines = b"\xef\xbb\xbf" + request.content + b"\n" + twice(request.content)
        answer = await doors.send(of(request, lines))
        assert [result["outcome"] for result in answer.json()["results"]] == ["ACCEPTED", "QUARANTINED"]
        assert answer.json()["results"][1]["message"] == "The item is not JSON: the key 'eventId' is there twice."


class TestPackedBodies:
    async def test_a_packed_body_is_refused_at_every_door_with_a_body(self, doors):
        before = dump(doors.world.database)
        with_body = {name: request for name, request in doors.requests.items() if request.content}
        for (name, request), encoding in product(with_body.items(), [*PACKED, "gzip"]):
            if encoding == "gzip" and name.startswith("ingest"):
                continue
            answer = await doors.send(request.with_headers(content_encoding=encoding))
            assert refusal(answer)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE"), name
            assert answer.headers["accept-encoding"] == ("gzip, identity" if name.startswith("ingest") else "identity")
        assert dump(doors.world.database) == before

    async def test_a_plain_body_may_say_so(self, doors):
        for encoding in ("identity", "Identity", ""):
            answer = await doors.send(doors.requests["query"].with_headers(content_encoding=encoding))
            assert answer.status_code == 200

    async def test_calls_may_be_packed(self, doors):
        for name, encoding in (("ingest", "gzip"), ("ingest of lines", "GZIP"), ("ingest", "x-gzip")):
            request = doors.requests[name].with_headers(content_encoding=encoding)
            answer = await doors.send(of(request, gzip.compress(request.content)))
            assert answer.json()["results"][0]["outcome"] in {"ACCEPTED", "DUPLICATE"}
        assert rows(doors.world.database, "SELECT count(*) FROM call") == [(2,)]

    async def test_what_comes_in_pieces_is_unpacked_as_one(self, doors):
        batch = doors.ingest(*(f"piece-{at}" for at in range(200)))
        packed = gzip.compress(batch.content)

        async def pieces():
            for at in range(0, len(packed), 100):
                yield packed[at : at + 100]

        answer = await doors.send(replace(batch.with_headers(content_encoding="gzip"), content=pieces()))
        assert answer.json()["counts"] == {"ACCEPTED": 200}

    async def test_what_is_not_one_whole_gzip_stream_is_refused(self, doors):
        request = doors.requests["ingest"].with_headers(content_encoding="gzip")
        for content in NO_GZIP:
            status, code, message = refusal(await doors.send(of(request, content)))
            assert (status, code) == (400, "BAD_REQUEST"), content
            assert "gzip" in message
        assert rows(doors.world.database, "SELECT count(*) FROM call") == [(0,)]

    async def test_a_small_body_that_becomes_a_large_one_is_refused_before_it_is_there(self, doors, monkeypatch):
        request = doors.requests["ingest"].with_headers(content_encoding="gzip")
        bomb = gzip.compress(b" " * (5 * LARGEST_INGEST_BODY))
        held = []
        unpack = zlib.decompressobj
        monkeypatch.setattr("app.http.body.zlib.decompressobj", lambda window: Watched(unpack(window), held))
        answer = await doors.send(of(request, bomb))
        assert refusal(answer)[:2] == (413, "LIMIT_EXCEEDED")
        assert sum(held) == LARGEST_INGEST_BODY + 1

    async def test_exactly_as_much_as_allowed_is_read(self, doors):
        request = doors.requests["ingest"].with_headers(content_encoding="gzip")
        whole = request.content.ljust(LARGEST_INGEST_BODY)
        assert (await doors.send(of(request, gzip.compress(whole)))).status_code == 200
        assert refusal(await doors.send(of(request, gzip.compress(whole + b" "))))[0] == 413
        assert rows(doors.world.database, "SELECT count(*) FROM call") == [(1,)]

    async def test_a_form_is_no_json(self, doors):
        webhook = doors.requests["webhook"]
        assert webhook.headers["content-type"] == FORM
        assert refusal(await doors.send(of(webhook, orjson.dumps({"bt_signature": 1}))))[:2] == (400, "BAD_REQUEST")


class Watched:
    """Unpacks as zlib does, and tells how many bytes it has given."""

    def __init__(self, unpacking, held: list[int]) -> None:
        self._unpacking = unpacking
        self._held = held

    def decompress(self, packed: bytes, most: int) -> bytes:
        given = self._unpacking.decompress(packed, most)
        self._held.append(len(given))
        return given
