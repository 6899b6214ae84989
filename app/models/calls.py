"""Calls as they came, their daily sums, and what could not be used."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.usage import RefusalReason, Resolution
from app.models.base import LARGEST, Row, day, enum_text, flag, identifier, instant, reference, text, whole_number


class CallRow(Row, table=True):
    """One call, append-only. `seq` is its place in the account's commit order; `corrects_seq` the call it replaces."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        Index(None, "account_id", "started_at", "seq"),
        Index(
            "uq_call_corrects",
            "account_id",
            "corrects_seq",
            unique=True,
            sqlite_where=sql("corrects_seq IS NOT NULL"),
            postgresql_where=sql("corrects_seq IS NOT NULL"),
        ),
        CheckConstraint(
            "script_seconds >= 0 AND recording_seconds >= 0 AND patch_seconds >= 0 AND ivr_seconds >= 0",
            name="seconds",
        ),
        {"sqlite_with_rowid": False},
    )

    account_id: str = reference("account.id", index=False, primary_key=True)
    seq: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    source: str = text()
    event_id: str = text()
    started_at: datetime = instant()
    on_date: date = day()
    script_seconds: int = whole_number()
    recording_seconds: int = whole_number()
    live_seconds: int = whole_number()
    patch_seconds: int = whole_number()
    ivr_seconds: int = whole_number()
    disposition: str = text()
    is_billable: bool = flag()
    corrects_seq: int | None = whole_number(least=1, default=None)
    received_at: datetime = instant()


class UsageDayRow(Row, table=True):
    """What the calls of one billing date add up to; kept in the transaction that records them.

    A correction takes off a day. The database checks what is to be added as if it were a row, so a sum may have a sign.
    """

    __tablename__ = "usage_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: str = reference("account.id", index=False, primary_key=True)
    on_date: date = day(primary_key=True)
    period_on: date = day()
    live_seconds: int = whole_number(least=-LARGEST)
    patch_seconds: int = whole_number(least=-LARGEST)
    ivr_seconds: int = whole_number(least=-LARGEST)
    call_count: int = whole_number(least=-LARGEST)
    free_call_count: int = whole_number(least=-LARGEST)
    last_started_at: datetime = instant()


class QuarantinedCallRow(Row, table=True):
    """A call that could not be used, whole, with the reason; the same one twice is kept once (`fingerprint`)."""

    __tablename__ = "quarantined_call"
    __table_args__ = (UniqueConstraint("fingerprint"), Index(None, "resolution", "id"))

    id: str = identifier()
    fingerprint: str = text()
    source: str = text()
    position: int = whole_number()
    payload: str = text()
    reason: RefusalReason = enum_text(RefusalReason)
    message: str = text()
    received_at: datetime = instant()
    resolution: Resolution | None = enum_text(Resolution, default=None)
    resolved_at: datetime | None = instant(default=None)
    resolved_by: str | None = text(default=None)
    resolution_note: str | None = text(default=None)
