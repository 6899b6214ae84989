"""Calls as other systems send them: one JSON object each, read strictly, refused with the field's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from app.domain.periods import BILLING_ZONE
from app.domain.usage import CallReport
from app.json_text import NotJson, read_json

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.json_values import Json

LONGEST_CALL_SECONDS = 86_400
LONGEST_NAME_CHARACTERS = 128
LONGEST_PLACE_CHARACTERS = 64

_DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:")


def _visible_ascii(text: str) -> str:
    if not all("!" <= letter <= "~" for letter in text):
        raise ValueError("write it in visible ASCII characters, without blanks")
    return text


_Text = Annotated[str, StringConstraints(max_length=LONGEST_NAME_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Name = Annotated[_Text, StringConstraints(min_length=1)]
_EventId = Annotated[_Name, AfterValidator(_visible_ascii)]
"""As typed: 007 is another call than 7, and no two ids look alike."""

_Seconds = Annotated[int, Field(ge=0, le=LONGEST_CALL_SECONDS, strict=True)]


def write_call(call: CallReport) -> str:
    """Return a call as the JSON text that `read_call_text` reads again."""
    return orjson.dumps(
        {
            "eventId": call.event_id,
            "account": call.account,
            "startedAt": call.started_at,
            "scriptSeconds": call.script_seconds,
            "recordingSeconds": call.recording_seconds,
            "patchSeconds": call.patch_seconds,
            "ivrSeconds": call.ivr_seconds,
            "disposition": call.disposition,
            "billable": call.is_billable,
            "corrects": call.corrects,
        }
    ).decode()


def _written_out(value: object) -> object:
    """Refuse a bare number: whether it counts seconds or milliseconds would be a guess about money."""
    if not isinstance(value, str) or not _DATE_AND_TIME.match(value):
        raise ValueError("write it as 2026-08-14T09:30:00-07:00")
    return value


class Unreadable(NamedTuple):
    """An item that could not be read as a call, and why."""

    message: str


class CallItem(BaseModel):
    """One call. Durations in whole seconds; `startedAt` with its offset from UTC; `corrects` an earlier `eventId`."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)

    event_id: _EventId
    account: _Name
    started_at: Annotated[AwareDatetime, BeforeValidator(_written_out)]
    script_seconds: _Seconds = 0
    recording_seconds: _Seconds = 0
    patch_seconds: _Seconds = 0
    ivr_seconds: _Seconds = 0
    disposition: _Text = ""
    billable: Annotated[bool, Field(strict=True)] = True
    corrects: _EventId | None = None


def read_call_item(value: Json, source: str) -> CallReport | Unreadable:
    """Return the call that a decoded JSON value describes, or what is wrong with it in one sentence."""
    try:
        item = CallItem.model_validate(value)
    except ValidationError as error:
        return Unreadable(_sentence(error))
    started_at = _in_range(item.started_at)
    if started_at is None:
        return Unreadable("startedAt: the year is out of range.")
    return CallReport(
        source=source,
        event_id=item.event_id,
        account=item.account,
        started_at=started_at,
        script_seconds=item.script_seconds,
        recording_seconds=item.recording_seconds,
        patch_seconds=item.patch_seconds,
        ivr_seconds=item.ivr_seconds,
        disposition=item.disposition,
        is_billable=item.billable,
        corrects=item.corrects,
    )


def read_call_text(text: str, source: str) -> CallReport | Unreadable:
    """Return the call that a JSON text describes, or what is wrong with it in one sentence."""
    try:
        value = read_json(text)
    except NotJson as error:
        return Unreadable(f"The item is not JSON: {error.reason}.")
    return read_call_item(value, source)


def _in_range(started_at: datetime) -> datetime | None:
    try:
        started_at.astimezone(BILLING_ZONE)
    except OverflowError:
        return None
    return started_at


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(_printable(str(part)) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place}: {message}." if place else f"{message}."


def _printable(name: str) -> str:
    """Return a field's name as its sender wrote it, fit to be kept and shown."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[:LONGEST_PLACE_CHARACTERS])
