"""Tells who watches an account that something of its Summary has changed, whoever changed it and in which process.

However many watch, a process has one connection that hears of commits, and after some of them one look at the versions
of all accounts that are watched.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from app.repositories.pages.account_versions import ACCOUNT_VERSIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from app.repositories.change_signals import ChangeSignal
    from app.repositories.reader import Reader

log = structlog.get_logger("account_changes")

ACCOUNTS_A_LOOK = 500
PAUSE_SECONDS = 0.3
REST = 4
"""A look is rested from so many times as long as it took: at most a fifth of the time goes into looking."""

RETRY_SECONDS = 2.0

_NEVER_SEEN = object()


class AccountChanges:
    """The watchers of a process, by the external ids of their accounts."""

    def __init__(self, reader: Reader, signal: ChangeSignal) -> None:
        self._reader = reader
        self._signal = signal
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._seen: dict[str, object] = {}
        self._is_watched = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, account: str, tell: Callable[[], None]) -> AsyncIterator[None]:
        """Have `tell` called whenever the account may have changed; what is read within misses no change.

        :raises DatabaseUnreachable: when the database does not answer.
        :raises ReadTimedOut: when it takes too long.
        """
        watchers = self._watchers.setdefault(account, [])
        watchers.append(tell)
        try:
            if account not in self._seen:
                await self._look_at([account])
            self._is_watched.set()
            if self._looking is None:
                self._looking = asyncio.get_running_loop().create_task(self._look_always())
            yield
        finally:
            watchers.remove(tell)
            if not watchers:
                del self._watchers[account]
                self._seen.pop(account, None)
            if not self._watchers:
                self._is_watched.clear()

    def announce(self) -> None:
        """Let all processes know that this one has committed something."""
        self._signal.announce()

    async def close(self) -> None:
        """Stop looking, and give the connections back."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        await self._signal.close()

    async def _look_always(self) -> None:
        loop, is_due, is_well = asyncio.get_running_loop(), False, True
        while True:
            await self._is_watched.wait()
            try:
                if not is_due:
                    await self._signal.wait()
                is_due, began = True, loop.time()
                await self._look()
            except Exception as error:  # noqa: BLE001 -- it outlives whatever a look dies of, and looks again
                if is_well:
                    log.warning("account changes not seen", error_type=type(error).__qualname__)
                is_well, pause = False, RETRY_SECONDS
            else:
                is_due, is_well, pause = False, True, max(PAUSE_SECONDS, REST * (loop.time() - began))
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        accounts = list(self._watchers)
        for start in range(0, len(accounts), ACCOUNTS_A_LOOK):
            await self._look_at(accounts[start : start + ACCOUNTS_A_LOOK])

    async def _look_at(self, accounts: Sequence[str]) -> None:
        (versions,) = await self._reader.load(ACCOUNT_VERSIONS.request(accounts=accounts))
        for account in accounts:
            watchers, version = self._watchers.get(account, ()), versions.get(account)
            if not watchers:
                continue
            before = self._seen.get(account, _NEVER_SEEN)
            self._seen[account] = version
            if before is not _NEVER_SEEN and before != version:
                for tell in watchers:
                    tell()
