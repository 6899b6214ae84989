"""Calls, newest first or behind a line of an invoice, and what they add up to by day: raw calls, not the daily sums."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import UTCDateTime, col

from app.domain.invoice_lines import LineKind
from app.models.accounts import AccountRow
from app.models.calls import CallRow
from app.repositories.billing_facts import total
from app.repositories.conditions import beyond
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.calls import Call, CallPage, UsageOfDay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows

_KEYS = (col(CallRow.started_at), col(CallRow.seq))
_CURSOR = ("after_at", "after_seq")
_WATERMARK: Sql = bindparam("watermark", type_=BigInteger())

_CHARGED_SECONDS = {
    LineKind.OVERAGE: CallRow.live_seconds,
    LineKind.PATCH: CallRow.patch_seconds,
    LineKind.IVR: CallRow.ivr_seconds,
}


def _instant(name: str) -> Sql:
    return bindparam(name, type_=UTCDateTime())


def _replaced(*limits: Sql, later: type[CallRow]) -> Sql:
    """Tell whether a later report has taken the place of the call."""
    found = select(col(later.seq)).where(
        col(later.account_id) == CallRow.account_id, col(later.corrects_seq) == CallRow.seq, *limits
    )
    return found.exists()


def _select_calls(is_replaced: Sql) -> Sql:
    counts = and_(col(CallRow.is_billable), ~is_replaced, col(CallRow.on_date) >= col(AccountRow.paid_starts_on))
    columns = (
        CallRow.account_id,
        CallRow.seq,
        CallRow.started_at,
        CallRow.on_date,
        CallRow.live_seconds,
        CallRow.script_seconds,
        CallRow.recording_seconds,
        CallRow.patch_seconds,
        CallRow.ivr_seconds,
        CallRow.disposition,
        CallRow.corrects_seq,
    )
    return (
        select(*(col(column) for column in columns), is_replaced.label("is_corrected"), counts.label("is_billed"))
        .join(AccountRow, col(AccountRow.id) == col(CallRow.account_id))
        .where(own(col(CallRow.account_id)))
    )


def _call_page(calls: Rows, count: Sequence[tuple[int]] = ()) -> CallPage:
    return CallPage([Call._make(row) for row in calls], count[0][0] if count else None)


@cache
def calls_page(*, has_disposition: bool, is_billed: bool | None, is_counted: bool) -> Page[CallPage]:
    """Return the page of an account's calls, newest first.

    Binds: `since_at` (included), `after_at` and `after_seq` (the cursor, and at first the end of the time asked for),
    `fetch`; `disposition` where it has one, and `before_at` where it counts.
    """
    is_replaced = _replaced(later=aliased(CallRow))
    chosen = _select_calls(is_replaced).where(col(CallRow.started_at) >= _instant("since_at"))
    if has_disposition:
        chosen = chosen.where(col(CallRow.disposition) == bindparam("disposition"))
    if is_billed is not None:
        counts = chosen.selected_columns.is_billed.element
        chosen = chosen.where(counts if is_billed else ~counts)
    parts = {
        "calls": chosen.where(beyond(_KEYS, _CURSOR, descending=True))
        .order_by(*(key.desc() for key in _KEYS))
        .limit(bindparam("fetch"))
    }
    if is_counted:
        every = chosen.where(col(CallRow.started_at) < _instant("before_at")).subquery()
        parts["count"] = select(func.count()).select_from(every)
    return Page("calls", parts, _call_page)


@cache
def underlying_calls_page(kind: LineKind, *, is_counted: bool) -> Page[CallPage]:
    """Return the page of the underlying calls of a line of this kind, oldest first, chosen as of its watermark.

    Behind a charge: the calls that it adds up. Behind a correction: the calls that came in since the invoice before,
    and those they took the place of. What a call says of itself is what it says everywhere: how it stands today. Binds:
    `since_at`, `before_at`, `watermark`, `after_at`, `after_seq`, `fetch`, and `earlier_watermark` for a correction.
    """
    later = aliased(CallRow)
    was_replaced = _replaced(later.seq <= _WATERMARK, later=later)
    chosen = _select_calls(_replaced(later=aliased(CallRow))).where(*_stood(), _belongs(kind, was_replaced))
    parts = {
        "calls": chosen.where(beyond(_KEYS, _CURSOR)).order_by(*_KEYS).limit(bindparam("fetch")),
    }
    if is_counted:
        parts["count"] = select(func.count()).select_from(chosen.subquery())
    return Page(f"underlying calls of {kind}", parts, _call_page)


def _stood() -> tuple[Sql, Sql, Sql]:
    # The sum keeps SQLite from searching by the sequence, which would read every month of the account for one.
    return (
        col(CallRow.started_at) >= _instant("since_at"),
        col(CallRow.started_at) < _instant("before_at"),
        col(CallRow.seq) + 0 <= _WATERMARK,
    )


def _belongs(kind: LineKind, was_replaced: Sql) -> Sql:
    if kind is LineKind.ADJUSTMENT:
        earlier: Sql = bindparam("earlier_watermark", type_=BigInteger())
        later = aliased(CallRow)
        return or_(col(CallRow.seq) > earlier, _replaced(later.seq > earlier, later.seq <= _WATERMARK, later=later))
    return and_(col(CallRow.is_billable), ~was_replaced, col(_CHARGED_SECONDS[kind]) > 0)


def _month_calls() -> Page[CallPage]:
    later = aliased(CallRow)
    is_replaced = _replaced(later.seq <= _WATERMARK, later=later)
    chosen = (
        _select_calls(is_replaced)
        .where(*_stood(), ~is_replaced, beyond(_KEYS, _CURSOR))
        .order_by(*_KEYS)
        .limit(bindparam("fetch"))
    )
    return Page("calls of a month", {"calls": chosen}, _call_page)


def _underlying_usage() -> Page[Sequence[UsageOfDay]]:
    later = aliased(CallRow)
    is_replaced = _replaced(later.seq <= _WATERMARK, later=later)
    sums = (CallRow.live_seconds, CallRow.patch_seconds, CallRow.ivr_seconds)
    days = (
        select(col(CallRow.on_date), *(total(col(column)) for column in sums), func.count())
        .where(own(col(CallRow.account_id)), *_stood(), col(CallRow.is_billable), ~is_replaced)
        .group_by(col(CallRow.on_date))
        .order_by(col(CallRow.on_date))
    )
    return Page("underlying usage of a line", {"days": days}, lambda days: [UsageOfDay._make(row) for row in days])


def _call() -> Page[Call | None]:
    chosen = _select_calls(_replaced(later=aliased(CallRow))).where(
        col(CallRow.account_id) == bindparam("account_id"), col(CallRow.seq) == bindparam("seq")
    )
    return Page("call", {"calls": chosen}, lambda calls: Call._make(calls[0]) if calls else None)


MONTH_CALLS = _month_calls()
"""The calls of some days as they were at a watermark, free ones too, oldest first, without those replaced by then.

Binds: `since_at`, `before_at`, `watermark`, `after_at`, `after_seq`, `fetch`.
"""

UNDERLYING_USAGE = _underlying_usage()
"""What the charged calls of some days add up to, as they were at a watermark: `since_at`, `before_at`, `watermark`."""

CALL = _call()
"""One call of the account, by the account's own id and the call's place: `account_id`, `seq`."""
