"""Event streams, by the protocol `graphql-sse` in its mode of distinct connections: each request is a stream of its
own, with a `next` for each answer and `complete` at the end.

A subscription is answered at once, and again after each change of its account: by running its operation anew, so that
every event is held to the role, the cost and the limits of its moment. It ends with its token, or with the server.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import orjson
import structlog

from app.domain.periods import billing_date
from app.error_codes import ErrorCode, entry
from app.http.answers import OK, Refused, request_id_of
from app.http.body import Disconnected
from app.http.negotiation import EVENT_STREAM
from app.repositories.database import DatabaseProblem, ReadTimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from datetime import date

    from starlette.types import Receive, Scope, Send

    from app.domain.json_values import JsonObject
    from app.ports import AccountChanges, Claims, Clock

log = structlog.get_logger("http")

HEADERS = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"x-accel-buffering", b"no"),  # a proxy would hold events back until it has enough of them
)
COMPLETE = b"event: complete\ndata: \n\n"
KEEP_ALIVE = b":\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How event streams behave. Times in seconds.

    A person has at most `most_of_a_user` of them open in this process. Between two events lie at least `pause_seconds`,
    or `long_pause_seconds` while half of the minute's points are spent, so that the rest stays for what people click.
    """

    most_of_a_user: int = 3
    pause_seconds: float = 0.5
    long_pause_seconds: float = 5.0
    keep_alive_seconds: float = 12.0
    taken_within_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. `goes_on` where more of them follow; `is_scarce` where half of the minute's points are spent."""

    status: int
    body: JsonObject
    goes_on: bool = False
    is_scarce: bool = False


class TooManyStreams(Refused):
    """The person has as many streams open as they may."""

    def __init__(self, most: int) -> None:
        message = f"You have {most} event streams open, and more are not allowed. Close one, or share one between tabs."
        super().__init__(OK, ErrorCode.TOO_MANY_STREAMS, message)


class EventStreams:
    """The open streams of a process."""

    def __init__(
        self,
        changes: AccountChanges,
        clock: Clock,
        options: StreamOptions,
        real_time: Callable[[], float] = time.time,
    ) -> None:
        self._changes = changes
        self._clock = clock
        self._options = options
        self._real_time = real_time
        self._open: dict[str, set[_Stream]] = {}
        self._is_stopping = False

    def stop(self) -> None:
        """End all streams: the server is about to stop, and waits for them."""
        self._is_stopping = True
        for stream in (stream for streams in self._open.values() for stream in streams):
            stream.stop()

    async def run(
        self, scope: Scope, receive: Receive, send: Send, claims: Claims, answer: Callable[[], Awaitable[Outcome]]
    ) -> None:
        """Answer a request by a stream, which goes on as long as its answers do."""
        line = _Line(send, self._options.taken_within_seconds)
        stream = _Stream(line, self._options, self._clock, claims.trusted_until - self._real_time())
        try:
            with self._place(claims.subject, stream), suppress(Disconnected):
                async with self._changes.watch(claims.account, stream.change), _left(receive, stream):
                    if await stream.follow(answer) is _End.TOKEN:
                        await line.send_next(_refusal(_access_expired(), scope))
                    await line.complete()
        except Refused as refused:
            await self.refuse(scope, send, refused)

    async def refuse(self, scope: Scope, send: Send, refused: Refused) -> None:
        """Answer a request by a stream that holds nothing but a refusal."""
        line = _Line(send, self._options.taken_within_seconds)
        await line.send_next(_refusal(refused, scope))
        await line.complete()

    @contextmanager
    def _place(self, subject: str, stream: _Stream) -> Iterator[None]:
        streams = self._open.setdefault(subject, set())
        if len(streams) >= self._options.most_of_a_user:
            raise TooManyStreams(self._options.most_of_a_user)
        streams.add(stream)
        if self._is_stopping:
            stream.stop()
        try:
            yield
        finally:
            streams.remove(stream)
            if not streams:
                del self._open[subject]


class _Line:
    """Writes the events of one stream."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._is_open = False

    async def send_next(self, body: JsonObject) -> None:
        """Send an answer.

        :raises Disconnected: when the client does not take it.
        """
        await self._write(b"event: next\ndata: " + orjson.dumps(body) + b"\n\n")

    async def keep_alive(self) -> None:
        """Send a comment, so that nobody between takes the connection for dead."""
        await self._write(KEEP_ALIVE)

    async def complete(self) -> None:
        """Send the last event."""
        await self._write(COMPLETE, more_body=False)

    async def _write(self, content: bytes, *, more_body: bool = True) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                if not self._is_open:
                    await self._send({"type": "http.response.start", "status": OK, "headers": list(HEADERS)})
                    self._is_open = True
                await self._send({"type": "http.response.body", "body": content, "more_body": more_body})
        except TimeoutError:
            log.info("client does not read its event stream")
            raise Disconnected from None


class _End(Enum):
    """Why a stream ends."""

    ANSWER = auto()
    TOKEN = auto()
    SERVER = auto()


class _Stream:
    """What one stream waits for; it ends after `seconds`."""

    def __init__(self, line: _Line, options: StreamOptions, clock: Clock, seconds: float) -> None:
        self._line = line
        self._options = options
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + seconds
        self._woken = asyncio.Event()
        self._has_changed = self._is_stopping = self._is_left = False
        self._rests_until = 0.0
        self._shown_on = self._today()
        self._keep_alive_later()

    def change(self) -> None:
        """Something may have changed."""
        self._has_changed = True
        self._woken.set()

    def stop(self) -> None:
        """The server stops."""
        self._is_stopping = True
        self._woken.set()

    def leave(self) -> None:
        """The client has left."""
        self._is_left = True
        self._woken.set()

    async def follow(self, answer: Callable[[], Awaitable[Outcome]]) -> _End:
        """Show the first answer, and after changes those that differ from what was shown last; tell why it ends.

        :raises Disconnected: when the client has left.
        :raises Refused: when there is no first answer.
        :raises DatabaseProblem: when the database is away before there is one.
        :raises ReadTimedOut: when it takes too long.
        """
        outcome, shown = await answer(), None
        while True:
            if not outcome.goes_on or outcome.body.get("data") != shown:
                await self._line.send_next(outcome.body)
                shown = outcome.body.get("data")
                self._keep_alive_later()
            if not outcome.goes_on:
                return _End.ANSWER
            self._rest(self._options.long_pause_seconds if outcome.is_scarce else self._options.pause_seconds)
            fresh = None
            while fresh is None:
                end = await self._wait()
                if end is not None:
                    return end
                fresh = await self._answer_again(answer)
            outcome = fresh

    async def _answer_again(self, answer: Callable[[], Awaitable[Outcome]]) -> Outcome | None:
        """Return a fresh answer; None when there is none just now, and what was shown is still the best there is."""
        self._has_changed, self._shown_on = False, self._today()
        try:
            outcome = await answer()
        except Refused as refused:
            self._try_later(refused.retry_after_seconds)
            return None
        except (DatabaseProblem, ReadTimedOut):
            self._try_later()
            return None
        if not outcome.goes_on and _is_retryable(outcome.body):
            self._try_later()
            return None
        return outcome

    def _try_later(self, seconds: float | None = None) -> None:
        self._rest(seconds or self._options.long_pause_seconds)
        self._has_changed = True

    def _rest(self, seconds: float) -> None:
        self._rests_until = self._loop.time() + seconds

    def _keep_alive_later(self) -> None:
        self._keep_alive_at = self._loop.time() + self._options.keep_alive_seconds

    def _today(self) -> date:
        return billing_date(self._clock.now())

    async def _wait(self) -> _End | None:
        """Wait until there is something to tell, which is None, or the stream ends."""
        while True:
            self._woken.clear()
            now = self._loop.time()
            if self._is_left:
                raise Disconnected
            if self._is_stopping:
                return _End.SERVER
            if now >= self._ends_at:
                return _End.TOKEN
            # A day that begins changes the Summary, and nobody has written anything.
            self._has_changed = self._has_changed or self._today() != self._shown_on
            if self._has_changed and now >= self._rests_until:
                return None
            if now >= self._keep_alive_at:
                await self._line.keep_alive()
                self._keep_alive_later()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(self._ends_at, self._keep_alive_at, self._wakes_at)):
                    await self._woken.wait()

    @property
    def _wakes_at(self) -> float:
        return self._rests_until if self._has_changed else math.inf


@asynccontextmanager
async def _left(receive: Receive, stream: _Stream) -> AsyncIterator[None]:
    """Tell the stream when its client has left."""

    async def listen() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        stream.leave()

    task = asyncio.get_running_loop().create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _access_expired() -> Refused:
    message = "The access token of this event stream has expired. Open the stream again with a new one."
    return Refused(OK, ErrorCode.ACCESS_EXPIRED, message)


def _refusal(refused: Refused, scope: Scope) -> JsonObject:
    seconds = refused.retry_after_seconds
    return {"errors": [entry(refused.code, refused.message, request_id_of(scope), retry_after_seconds=seconds)]}


def _is_retryable(body: JsonObject) -> bool:
    errors = body.get("errors")
    return isinstance(errors, list) and any(
        isinstance(error, dict)
        and isinstance(error.get("extensions"), dict)
        and error["extensions"].get("retryable") is True
        for error in errors
    )
