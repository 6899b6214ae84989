"""Calls, down to the single record."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import strawberry

from app.graphql.connections import Connection, Keys, Window, page_of
from app.graphql.errors import BadInput
from app.graphql.types.duration import Duration
from app.graphql.types.node import Node
from app.views import calls as views

CURSOR_KEYS = (int, int)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_SEQ = 2**63 - 1


@strawberry.type(description="One call handled for the account by an operator or the automated (IVR) service.")
class Call(Node):
    """Built from a call of a page with `Call.of`."""

    started_at: datetime = strawberry.field(description="When the call started.")
    on: date = strawberry.field(description="The billing date of the call: the date on which it started.")
    live: Duration = strawberry.field(
        description="Billable live time: the longer of the operator's script time and the recording."
    )
    script: Duration = strawberry.field(description="The operator's time on the script, notes included.")
    recording: Duration = strawberry.field(description="The length of the recording, hold time included.")
    patch: Duration = strawberry.field(description="The time for which the caller was patched through.")
    ivr: Duration = strawberry.field(description="The time spent in the automated (IVR) service.")
    disposition: str = strawberry.field(
        description="How the call ended, in the words of the reporting system. May be empty."
    )
    is_billed: bool = strawberry.field(
        description="Whether the call is billed. Trial calls, free calls and corrected calls are not."
    )
    corrects: strawberry.ID | None = strawberry.field(
        description="The call that this one replaces, if it is a correction."
    )
    is_corrected: bool = strawberry.field(description="Whether a later report has replaced this one.")

    @classmethod
    def of(cls, call: views.Call) -> "Call":
        """Return a call for clients."""
        corrects = call.corrects_id
        return cls(
            id=strawberry.ID(call.id),
            started_at=call.started_at,
            on=call.on,
            live=Duration.of(call.live_seconds),
            script=Duration.of(call.script_seconds),
            recording=Duration.of(call.recording_seconds),
            patch=Duration.of(call.patch_seconds),
            ivr=Duration.of(call.ivr_seconds),
            disposition=call.disposition,
            is_billed=call.is_billed,
            corrects=None if corrects is None else strawberry.ID(corrects),
            is_corrected=call.is_corrected,
        )


def call_connection(calls: Sequence[views.Call], total: int | None, window: Window) -> Connection[Call]:
    """Return a page of calls for clients."""
    return page_of(calls, window, node=Call.of, keys=_keys, total=total)


def read_position(after: Keys | None) -> tuple[datetime, int] | None:
    """Return where the last call seen stands, or None at the beginning.

    :raises BadInput: when the cursor names no place in time.
    """
    if after is None:
        return None
    microseconds, seq = (int(key) for key in after)
    try:
        started_at = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        started_at = None
    if started_at is None or not 0 <= seq <= _LARGEST_SEQ:
        raise BadInput("This cursor is not one of this list's. Start again without `after`.")
    return started_at, seq


def _keys(call: views.Call) -> Keys:
    return (call.started_at - _EPOCH) // _MICROSECOND, call.seq
