"""Page reads: statements written once, compiled once for each dialect, and answered in one trip to the database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from sqlalchemy.sql.selectable import SelectBase

from app.repositories.sql_json import JsonStatement, Rows, compile_json, named_binds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from app.repositories.drivers import Driver

V = TypeVar("V")
S = TypeVar("S")
A = TypeVar("A")

Part: TypeAlias = SelectBase

MOST_STATEMENTS = 512

# Fields below the root are started some ticks apart, for each level of a query may add one; a query has few levels.
QUIET_TICKS = 16


@dataclass(frozen=True, eq=False)
class Page(Generic[V]):
    """What one page query reads: parts by name, each one select with named binds, and how they become a view.

    `assemble` is called with the rows of each part (a list of tuples) under the part's name. Make a page once, as a
    constant of its module: it is the key of all that is compiled for it.
    """

    name: str
    parts: Mapping[str, Part]
    assemble: Callable[..., V]
    parameters: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = frozenset[str]().union(*(named_binds(part) for part in self.parts.values()))
        object.__setattr__(self, "parameters", names)

    def request(self, **parameters: object) -> PageRequest[V]:
        """Ask for this page with the values of its binds.

        :raises TypeError: when a value is missing or has no place.
        """
        if parameters.keys() != self.parameters:
            wrong = sorted(parameters.keys() ^ self.parameters)
            raise TypeError(f"page {self.name!r} takes {sorted(self.parameters)}; missing or unknown: {wrong}")
        return PageRequest(self, parameters)


@dataclass(frozen=True, eq=False, slots=True)
class PageRequest(Generic[V]):
    """A page and the values of its binds."""

    page: Page[V]
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _CompiledPage:
    """A page in one dialect: the scalar subqueries of its parts, ready to stand beside those of other pages."""

    page: Page[Any]
    columns_sql: str
    parts: tuple[tuple[str, JsonStatement], ...]

    def bind(self, parameters: Mapping[str, object]) -> list[object]:
        return [value for _, part in self.parts for value in part.statement.bind(parameters)]

    def view(self, documents: Sequence[str]) -> Any:  # noqa: ANN401 -- what the page assembles
        rows: dict[str, Rows] = {
            name: part.decode(document) for (name, part), document in zip(self.parts, documents, strict=True)
        }
        return self.page.assemble(**rows)


@lru_cache(maxsize=MOST_STATEMENTS)
def _compile_page(page: Page[Any], dialect_name: str) -> _CompiledPage:
    parts = tuple((name, compile_json(part, dialect_name)) for name, part in page.parts.items())
    return _CompiledPage(page, ", ".join(f"({part.statement.sql})" for _, part in parts), parts)


@lru_cache(maxsize=MOST_STATEMENTS)
def _combine(pages: tuple[_CompiledPage, ...]) -> str:
    return "SELECT " + ", ".join(page.columns_sql for page in pages)


class Reader:
    """Loads pages outside any transaction; all parts of all requests of a call see one snapshot."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def load(self, *requests: PageRequest[Any]) -> list[Any]:
        """Return the views of the requests, in order, with one statement.

        :raises ReadTimedOut: when the database took too long.
        :raises DatabaseUnreachable: when there is no connection.
        """
        results = await self.load_each(requests)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    async def load_each(self, requests: Sequence[PageRequest[Any]]) -> list[Any]:
        """As `load`, but a request that cannot be bound or assembled has its exception in the place of its view."""
        return await _load_each(requests, self._driver.dialect_name, self._driver.fetch_row)

    async def close(self) -> None:
        """Give the connections back."""
        await self._driver.close()


async def load_within(session: AsyncSession, request: PageRequest[V]) -> V:
    """Read a page inside a session's transaction, with the same compiled statement, so that a decision and the write
    that follows from it see the same rows.
    """
    connection = await session.connection()

    async def fetch_row(sql: str, parameters: Sequence[object]) -> Sequence[str]:
        result = await connection.exec_driver_sql(sql, tuple(parameters))
        return result.one()

    (view,) = await _load_each([request], session.get_bind().dialect.name, fetch_row)
    if isinstance(view, Exception):
        raise view
    return cast("V", view)


async def _load_each(
    requests: Sequence[PageRequest[Any]],
    dialect_name: str,
    fetch_row: Callable[[str, Sequence[object]], Any],
) -> list[Any]:
    # One SELECT of scalar subqueries, each a JSON document: one trip, one snapshot, and one row whatever the pages are.
    compiled = [_compile_page(request.page, dialect_name) for request in requests]
    bound = [_attempt(page.bind, request.parameters) for page, request in zip(compiled, requests, strict=True)]
    sent = [page for page, values in zip(compiled, bound, strict=True) if not isinstance(values, Exception)]
    if not sent:
        return bound
    parameters = [value for values in bound if not isinstance(values, Exception) for value in values]
    # The documents come in the order of the pages, so each page takes as many as it has parts.
    documents = iter(await fetch_row(_combine(tuple(sent)), parameters))
    return [
        values if isinstance(values, Exception) else _attempt(page.view, [next(documents) for _ in page.parts])
        for page, values in zip(compiled, bound, strict=True)
    ]


def _attempt(function: Callable[[A], V], argument: A) -> V | Exception:
    try:
        return function(argument)
    except Exception as error:  # noqa: BLE001 -- kept for the one who asked; the others in the batch go on
        return error


class OperationReader(Generic[S]):
    """Reads of one GraphQL operation: loads asked for in the same tick of the loop go to the database together.

    Those below the first ones go in one more trip, which waits until nobody has asked for more for a few ticks.

    `first` is a request that the first batch always holds, such as the look-up of who is asking.
    """

    def __init__(self, reader: Reader, first: PageRequest[S] | None = None) -> None:
        self._reader = reader
        self._first = first
        self._session: asyncio.Future[S] | None = None
        self._waiting: list[tuple[PageRequest[Any], asyncio.Future[Any]]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._has_read = False

    async def load(self, page: Page[V], **parameters: object) -> V:
        """Return the view of a page.

        :raises TypeError: when a bind is missing, unknown or of the wrong type.
        """
        request = page.request(**parameters)
        if self._session is None and self._first is not None:
            self._session = self._enqueue(self._first)
        return await self._enqueue(request)

    async def load_together(self, *requests: PageRequest[Any]) -> list[Any]:
        """Return the views of several pages, in order: asked for at once, they travel with their neighbours."""
        if self._session is None and self._first is not None:
            self._session = self._enqueue(self._first)
        waiting = [self._enqueue(request) for request in requests]
        return [await future for future in waiting]

    async def session(self) -> S:
        """Return the view of the first request, however often it is asked for.

        :raises RuntimeError: when the reader was made without one.
        """
        if self._first is None:
            raise RuntimeError("this operation's reader has no first request")
        if self._session is None:
            self._session = self._enqueue(self._first)
        # Shielded: one resolver that is cancelled must not take the answer from the others.
        return await asyncio.shield(self._session)

    def _enqueue(self, request: PageRequest[V]) -> asyncio.Future[V]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._dispatch_when_quiet, QUIET_TICKS if self._has_read else 0, 1)
        self._waiting.append((request, future))
        return future

    def _dispatch_when_quiet(self, ticks: int, seen: int) -> None:
        if ticks == 0:
            self._dispatch()
            return
        waiting = len(self._waiting)
        left = QUIET_TICKS if waiting > seen else ticks - 1
        asyncio.get_running_loop().call_soon(self._dispatch_when_quiet, left, waiting)

    def _dispatch(self) -> None:
        self._has_read = True
        # Who asked may have been cancelled since, when a neighbouring field failed: nothing is read for nobody.
        batch = [(request, future) for request, future in self._waiting if not future.done()]
        self._waiting = []
        if not batch:
            return
        task = asyncio.get_running_loop().create_task(self._answer(batch))
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)

    async def _answer(self, batch: list[tuple[PageRequest[Any], asyncio.Future[Any]]]) -> None:
        try:
            results = await self._reader.load_each([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001 -- handed to everyone who waits
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
                # Marked as seen: who asked may have been cancelled, and nobody may ask for the session at all.
                future.exception()
            else:
                future.set_result(result)
