"""The address for calls: an array or lines of them come in with an ingest key, and each has its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.routing import Route

from app.domain.accounts import KeyPurpose
from app.domain.metering import REFUSALS
from app.error_codes import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.http.application import guarded
from app.http.body import read_body
from app.http.guard import too_many
from app.http.json_body import decode_array
from app.http.service_key import BODY_SECONDS, Only, authenticated
from app.ports import Rate
from app.services.usage.call_groups import CallGroups
from app.services.usage.call_items import Unreadable, read_call_item, read_call_text
from app.services.usage.record_calls import BATCH_SIZE, Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from app.domain.json_values import Json, JsonObject
    from app.domain.metering import MeteringResult
    from app.services.common.services import Services

LARGEST_BATCH = 5_000
LARGEST_INGEST_BODY = 4_000_000
CALLS = Rate("calls", 300_000)
NDJSON = "application/x-ndjson"


def ingest_routes(services: Services) -> Sequence[BaseRoute]:
    """Return the route of the telephone system, behind its body limit and its key."""
    ingest = guarded(Ingest(services), largest_body=LARGEST_INGEST_BODY, seconds=BODY_SECONDS, unpacks=True)
    return [Route("/ingest/calls", Only(ingest, "POST"))]


class Ingest:
    """`POST /ingest/calls`: a JSON array or NDJSON; one result for each item, in order."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._groups = CallGroups(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._services.database, scope, KeyPurpose.INGEST)
        source = key.source or key.name
        items = list(_items(await read_body(receive), answers.header(scope, b"content-type") or "", source))
        if len(items) > LARGEST_BATCH:
            raise Refused(
                answers.BODY_TOO_LARGE,
                ErrorCode.LIMIT_EXCEEDED,
                f"A batch holds at most {LARGEST_BATCH:,} calls; this one has {len(items):,}. Send it in parts.",
            )
        await self._spend(key.name, len(items))
        results: list[MeteringResult] = []
        for start in range(0, len(items), BATCH_SIZE):
            results += await self._groups.record(
                source=source, items=items[start : start + BATCH_SIZE], actor=f"key:{key.name}"
            )
        await answers.send_json(send, answers.OK, _report(items, results))

    async def _spend(self, key: str, calls: int) -> None:
        """Count the calls of a key.

        :raises Refused: with status 429 when it has sent too many within a minute.
        """
        allowance = await self._services.rate_limiter.spend(CALLS, key, calls)
        if not allowance.is_spent:
            raise too_many(CALLS, allowance, f"This key may send {CALLS.most:,} calls a minute.")


def _items(body: bytes, content_type: str, source: str) -> Iterator[Item]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == NDJSON:
        for position, line in enumerate(body.splitlines(), start=1):
            if line.strip():
                text = line.decode("utf-8", "replace")
                yield Item(position, read_call_text(text, source), text)
        return
    if media_type != answers.JSON:
        raise Refused(
            answers.UNSUPPORTED_MEDIA_TYPE,
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            f"Send calls as a JSON array with content type {answers.JSON}, or one a line with {NDJSON}.",
        )
    for position, value in enumerate(decode_array(body, of="calls")):
        call = read_call_item(value, source)
        yield Item(position, call, orjson.dumps(value).decode() if isinstance(call, Unreadable) else None)


def _report(items: Sequence[Item], results: Sequence[MeteringResult]) -> JsonObject:
    counts: dict[str, int] = {}
    reports = []
    for item, metered in zip(items, results, strict=True):
        outcome = metered.outcome.value  # a plain text: orjson takes no enum as a key
        counts[outcome] = counts.get(outcome, 0) + 1
        report: dict[str, Json] = {"position": item.position, "outcome": outcome}
        if not isinstance(item.call, Unreadable):
            report["eventId"] = item.call.event_id
        if metered.reason is not None:
            message = item.call.message if isinstance(item.call, Unreadable) else REFUSALS[metered.reason]
            report |= {"reason": metered.reason, "message": message}
        reports.append(report)
    return {"counts": counts, "results": reports}
