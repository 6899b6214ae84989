"""Calls of other systems, one JSON object each: read strictly, and refused in a sentence that names the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.usage import CallReport
from app.services.usage.call_items import Unreadable, read_call_item, read_call_text

WHOLE = {
    "eventId": "e-1",
    "account": "AA0101",
    "startedAt": "2026-08-14T09:30:00-07:00",
    "scriptSeconds": 90,
    "recordingSeconds": 120,
    "patchSeconds": 30,
    "ivrSeconds": 15,
    "disposition": "MESSAGE",
    "billable": False,
    "corrects": "e-0",
}
LEAST = {"eventId": "e-1", "account": "AA0101", "startedAt": "2026-08-14T16:30:00Z"}


class TestReading:
    def test_every_field_is_read(self):
        assert read_call_item(WHOLE, "east") == CallReport(
            source="east",
            event_id="e-1",
            account="AA0101",
            started_at=datetime(2026, 8, 14, 16, 30, tzinfo=UTC),
            script_seconds=90,
            recording_seconds=120,
            patch_seconds=30,
            ivr_seconds=15,
            disposition="MESSAGE",
            is_billable=False,
            corrects="e-0",
        )

    def test_what_is_left_out_is_nothing(self):
        started_at = datetime(2026, 8, 14, 16, 30, tzinfo=UTC)

        assert read_call_item(LEAST, "east") == CallReport("east", "e-1", "AA0101", started_at)

    def test_names_in_any_script_are_kept_as_they_are(self):
        call = read_call_item({**LEAST, "account": "Zahnärzte №1 🦷", "disposition": "留言"}, "east")

        assert (call.account, call.disposition) == ("Zahnärzte №1 🦷", "留言")

    @pytest.mark.parametrize(
        "written",
        ["2026-08-14T16:30:00Z", "2026-08-14 16:30:00+00:00", "2026-08-14t16:30z", "2026-08-14T16:30:00.000+00:00"],
    )
    def test_an_instant_may_be_written_in_each_usual_way(self, written):
        assert read_call_item({**LEAST, "startedAt": written}, "east").started_at == datetime(
            2026, 8, 14, 16, 30, tzinfo=UTC
        )

    def test_a_text_is_read_as_its_value(self):
        assert read_call_text(orjson.dumps(WHOLE).decode(), "east") == read_call_item(WHOLE, "east")

    @pytest.mark.parametrize("event_id", ["7", "007", "+7", "7.0", "7e0", "~!"])
    def test_rule_24_an_id_is_kept_as_it_was_typed(self, event_id):
        assert read_call_item({**LEAST, "eventId": event_id, "corrects": event_id}, "east")[1] == event_id


REFUSED: dict[str, tuple[Any, str]] = {
    "no object": ([], "Input should be a valid dictionary or instance of CallItem."),
    "null": (None, "Input should be a valid dictionary or instance of CallItem."),
    "nothing": ({}, "eventId: Field required."),
    "an unknown field": ({**LEAST, "colour": "red"}, "colour: Extra inputs are not permitted."),
    "a field in another spelling": ({**LEAST, "script_seconds": 1}, "script_seconds: Extra inputs are not permitted."),
    "an unprintable field": ({**LEAST, "a\0\n": 1}, "a\ufffd\ufffd: Extra inputs are not permitted."),
    "an endless field": ({**LEAST, "x" * 9_999: 1}, "x" * 64 + ": Extra inputs are not permitted."),
    "an empty id": ({**LEAST, "eventId": ""}, "eventId: String should have at least 1 character."),
    "a long id": ({**LEAST, "eventId": "x" * 129}, "eventId: String should have at most 128 characters."),
    "an id with a line break": (
        {**LEAST, "eventId": "a\nb"},
        "eventId: String should match pattern '^[^\\x00-\\x1f\\x7f]*$'.",
    ),
    "an id in other letters": (
        {**LEAST, "eventId": "\u0410-1"},
        "eventId: write it in visible ASCII characters, without blanks.",
    ),
    "an id with a blank": (
        {**LEAST, "eventId": "7 "},
        "eventId: write it in visible ASCII characters, without blanks.",
    ),
    "an original in other letters": (
        {**LEAST, "corrects": "1\u200b"},
        "corrects: write it in visible ASCII characters, without blanks.",
    ),
    "a number as id": ({**LEAST, "eventId": 7}, "eventId: Input should be a valid string."),
    "seconds below zero": (
        {**LEAST, "scriptSeconds": -1},
        "scriptSeconds: Input should be greater than or equal to 0.",
    ),
    "a call of more than a day": (
        {**LEAST, "recordingSeconds": 86_401},
        "recordingSeconds: Input should be less than or equal to 86400.",
    ),
    "half a second": ({**LEAST, "patchSeconds": 1.5}, "patchSeconds: Input should be a valid integer."),
    "seconds as text": ({**LEAST, "ivrSeconds": "1"}, "ivrSeconds: Input should be a valid integer."),
    "seconds as truth": ({**LEAST, "ivrSeconds": True}, "ivrSeconds: Input should be a valid integer."),
    "billable as text": ({**LEAST, "billable": "yes"}, "billable: Input should be a valid boolean."),
    "a time without its offset": (
        {**LEAST, "startedAt": "2026-08-14T09:30:00"},
        "startedAt: Input should have timezone info.",
    ),
    "a date": ({**LEAST, "startedAt": "2026-08-14"}, "startedAt: write it as 2026-08-14T09:30:00-07:00."),
    "seconds since 1970": ({**LEAST, "startedAt": 1_786_000_000}, "startedAt: write it as 2026-08-14T09:30:00-07:00."),
    "the same as text": ({**LEAST, "startedAt": "1786000000"}, "startedAt: write it as 2026-08-14T09:30:00-07:00."),
    "a year before time": ({**LEAST, "startedAt": "0001-01-01T00:00:00Z"}, "startedAt: the year is out of range."),
    "a year after time": ({**LEAST, "startedAt": "9999-12-31T23:59:59-12:00"}, "startedAt: the year is out of range."),
    "the 30th of February": (
        {**LEAST, "startedAt": "2026-02-30T09:30:00Z"},
        "startedAt: Input should be a valid datetime or date, day value is outside expected range.",
    ),
}


class TestRefusing:
    @pytest.mark.parametrize("what", REFUSED)
    def test_the_sentence_names_the_field(self, what):
        value, sentence = REFUSED[what]

        assert read_call_item(value, "east") == Unreadable(sentence)

    @pytest.mark.parametrize("text", ["", "{", "\0", '{"eventId":"\\ud800"}', "[" * 100_000])
    def test_a_text_that_is_no_json_is_refused(self, text):
        refused = read_call_text(text, "east")

        assert isinstance(refused, Unreadable)
        assert refused.message.startswith("The item is not JSON: ")

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from([*WHOLE, "other"]) | st.text(max_size=3), inner, max_size=8)
            ),
        )
    )
    def test_any_value_is_read_or_refused(self, value):
        read = read_call_item(value, "east")

        assert isinstance(read, CallReport) or read.message.endswith(".")

    @given(st.sampled_from(sorted(WHOLE)), st.integers() | st.text() | st.none() | st.floats())
    def test_any_value_of_a_field_is_read_or_refused(self, name, value):
        read = read_call_item({**WHOLE, name: value}, "east")

        assert isinstance(read, CallReport) or read.message.startswith(f"{name}: ")
