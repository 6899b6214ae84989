"""The one reader of JSON: what it takes, what it refuses, and that it takes nothing else than what Python reads."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.json_text import DEEPEST, NotJson, read_json

REFUSED = {
    "nothing": (b"", "empty document"),
    "half of it": (b'{"a":', "unexpected end of data"),
    "more than one": (b"{} {}", "unexpected content after document"),
    "NaN": (b'{"a":NaN}', "unexpected character"),
    "Infinity": (b"[-Infinity]", "no digit after sign"),
    "a number beyond a double": (b"1e999", "number is infinity"),
    "5,000 digits": (b"9" * 5_000, "number is infinity"),
    "a leading zero": (b"[01]", "leading zero"),
    "a comma too many": (b'{"a":1,}', "trailing comma"),
    "a comment": (b"{} // nothing", "unexpected content"),
    "quotes of another kind": (b"{'a':1}", "expected"),
    "a line break in a text": (b'"a\nb"', "control character"),
    "half of a pair": (b'"\\ud800"', "no low surrogate"),
    "latin-1": ('"ü"'.encode("latin-1"), "not valid UTF-8"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "not valid UTF-8"),
    "two byte order marks": (b"\xef\xbb\xbf\xef\xbb\xbf{}", "byte order mark"),
    "too deep": (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "more than 32 levels"),
    "deep without end": (b"[" * 100_000, "depth limit exceeded"),
    "a key twice": (b'{"a":1,"b":2,"a":1}', "the key 'a' is there twice"),
    "a key twice in another spelling": (b'{"a":1,"\\u0061":1}', "the key 'a' is there twice"),
    "a key twice, far in": (b'[{"a":1},{"a":[{"b":1,"c":2,"b":3}]}]', "the key 'b' is there twice"),
    "a key twice, with a control": (b'{"\\u0007":1,"\\u0007":1}', "the key '?' is there twice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_plainly_json_is_refused_with_the_reason(name):
    text, reason = REFUSED[name]
    with pytest.raises(NotJson) as caught:
        read_json(text)
    assert reason in caught.value.reason
    assert not caught.value.reason.endswith(".")


@pytest.mark.parametrize("text", [b'\xef\xbb\xbf{"a":1}', '\ufeff{"a":1}', b' {"a":1}\r\n', '{"a":1}'])
def test_a_byte_order_mark_and_blanks_around_are_ignored(text):
    assert read_json(text) == {"a": 1}


def test_the_same_key_in_two_objects_is_no_repetition():
    assert read_json(b'[{"a":{"a":1}},{"a":2}]') == [{"a": {"a": 1}}, {"a": 2}]


def test_as_deep_as_allowed_is_read():
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST) != []


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    # A character outside UTF-8 cannot be sent, and a text cannot begin with a mark that is ignored.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_whatever_another_writer_wrote_is_read_as_it_was(value: Any):
    try:
        orjson.dumps(value)
    except TypeError:  # half of a pair as a key
        return
    assert read_json(json.dumps(value)) == json.loads(json.dumps(value))
