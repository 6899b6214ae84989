"""A call file comes in: every row is recorded once or waits in quarantine, in batches, and the rows are counted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from app.domain.metering import Outcome
from app.domain.usage import CallReport
from app.repositories import unit_of_work
from app.services.usage.call_file import DEFAULT_SOURCE, MalformedRow, read_call_file, read_call_line
from app.services.usage.call_items import Unreadable, read_call_text
from app.services.usage.put_account import AccountParticulars, put_account
from app.services.usage.record_calls import BATCH_SIZE, Item, record_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from app.domain.metering import MeteringResult
    from app.services.common.services import Services

MOST_KNOWN_ACCOUNTS = 10_000


@dataclass(frozen=True, slots=True)
class NewAccounts:
    """What accounts that a file names and nobody knows are created with, for a demonstration."""

    plan_code: str
    paid_since_on: date


@dataclass(slots=True)
class ImportCounts:
    """The outcome of the rows; `live_seconds` and `ivr_seconds` are those of accepted billable rows."""

    accounts_created: int = 0
    accepted: int = 0
    not_billable: int = 0
    duplicate: int = 0
    conflict: int = 0
    quarantined: int = 0
    live_seconds: int = 0
    ivr_seconds: int = 0

    def add(self, item: Item, metered: MeteringResult) -> None:
        """Count one row."""
        match metered.outcome:
            case Outcome.ACCEPTED:
                self._accept(item.call, is_billable=metered.is_billable)
            case Outcome.DUPLICATE:
                self.duplicate += 1
            case Outcome.CONFLICT:
                self.conflict += 1
            case Outcome.QUARANTINED:
                self.quarantined += 1

    def _accept(self, call: CallReport | Unreadable, *, is_billable: bool) -> None:
        self.accepted += 1
        if not is_billable:
            self.not_billable += 1
        elif isinstance(call, CallReport):
            self.live_seconds += call.live_seconds
            self.ivr_seconds += call.ivr_seconds


async def import_calls(
    services: Services,
    *,
    path: Path,
    actor: str,
    source: str = DEFAULT_SOURCE,
    new_accounts: NewAccounts | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ImportCounts:
    """Record every call of a call file; the same file twice changes nothing (rules 24, 25).

    Each batch is a transaction: whatever stops the import, the batches before it stand, and the next import of the file
    goes on from there. `on_progress` hears how many bytes of the file are done.
    :raises NotACallFile: when the file cannot be read as one.
    :raises PlanNotAvailable: when accounts are to be created on a plan that is not sold on their first day.
    """
    counts = ImportCounts()
    accounts = None
    if new_accounts is not None:
        accounts = _AccountMaker(services, new_accounts, actor)
    for items in _batches(read_items(path, source, on_progress)):
        if accounts is not None:
            counts.accounts_created += await accounts.create_missing(items)
        results = await record_calls(services, source=source, items=items, actor=actor)
        for item, metered in zip(items, results, strict=True):
            counts.add(item, metered)
    return counts


def read_items(path: Path, source: str, on_progress: Callable[[int], None] | None = None) -> Iterator[Item]:
    """Yield the rows of a call file as items to record; their texts can be read again by `read_payload`.

    :raises NotACallFile: when the file cannot be read as one.
    """
    line_number = 1  # the header
    for row in read_call_file(path, source, on_progress):
        if isinstance(row, MalformedRow):
            line_number = row.line_number
            yield Item(line_number, Unreadable(_sentence(row.reason)), row.text)
        else:
            line_number += 1
            yield Item(line_number, row)


def read_payload(source: str, payload: str) -> CallReport | Unreadable:
    """Return the call of a text that waits in quarantine: JSON, as other systems and our own import leave it there.

    A row of a call file that could not be read stays unreadable, until somebody mends it.
    """
    if payload.lstrip().startswith("{"):
        return read_call_text(payload, source)
    return Unreadable("The row cannot be read. Mend it, or discard it when its source has sent it again, corrected.")


def read_mended(source: str, text: str) -> CallReport | Unreadable:
    """Return the call of a text that a person has mended: JSON, or a row of a call file.

    On a command line a tab is hard to type, so a backslash and a `t` mean one in a row.
    """
    if text.lstrip().startswith("{"):
        return read_call_text(text, source)
    if not text.strip():
        return Unreadable("The row is empty.")
    row = read_call_line(text.replace("\\t", "\t"), source)
    return Unreadable(_sentence(row.reason)) if isinstance(row, MalformedRow) else row


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, BATCH_SIZE)):
        yield batch


class _AccountMaker:
    """Creates the accounts that a batch names; remembers only so many, so that memory does not grow with the file."""

    def __init__(self, services: Services, particulars: NewAccounts, actor: str) -> None:
        self._services = services
        self._particulars = particulars
        self._actor = actor
        self._known: set[str] = set()

    async def create_missing(self, items: Iterable[Item]) -> int:
        """Create the accounts of these calls that are not there yet and return how many that were."""
        named = {item.call.account for item in items if isinstance(item.call, CallReport)}
        created = 0
        for name in sorted(named - self._known):
            created += await self._create(name)
        if len(self._known) > MOST_KNOWN_ACCOUNTS:
            self._known.clear()
        self._known |= named
        return created

    async def _create(self, name: str) -> bool:
        found = await unit_of_work.read(self._services.database, lambda uow: uow.accounts.find_by_external_id(name))
        if found is not None:
            return False
        wanted = AccountParticulars(
            external_id=name,
            name=name,
            plan_code=self._particulars.plan_code,
            paid_since_on=self._particulars.paid_since_on,
        )
        put = await put_account(self._services, particulars=wanted, actor=self._actor)
        return put.is_new


def _sentence(reason: str) -> str:
    """Return the reason as a sentence; the names of fields keep their small letters."""
    return f"{'The ' + reason[4:] if reason.startswith('the ') else reason}."
