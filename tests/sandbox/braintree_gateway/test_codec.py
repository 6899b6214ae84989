"""The wire's XML, evaluated by the SDK's own parser and generator."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateways.braintree_sdk import sdk
from app.sandbox.braintree_gateway.codec import BodyUnreadable, Collection, Items, decode, encode

XmlUtil = sdk.util.xml_util.XmlUtil

# What XML can carry at all, without the ends of lines, which it changes.
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Cc"]), min_size=1).map(str.strip)


class TestAnswers:
    def test_every_kind_of_value_is_read_by_the_sdk(self):
        content = {
            "first_name": "O'Neill & <Sons>",
            "page_size": 50,
            "default": False,
            "created_at": datetime(2026, 7, 1, 17, tzinfo=UTC),
            "received_date": date(2026, 7, 1),
            "order_id": None,
            "ids": Items("item", ["a", "b"]),
            "disputes": Items("dispute"),
            "found": Collection("transaction", [{"id": "a"}, {"id": "b"}]),
        }
        assert XmlUtil.dict_from_xml(encode("customer", content)) == {
            "customer": {
                **content,
                "created_at": datetime(2026, 7, 1, 17),
                "order_id": None,
                "ids": ["a", "b"],
                "disputes": [],
                "found": {"transaction": [{"id": "a"}, {"id": "b"}]},
            }
        }

    @given(TEXT.filter(bool))
    def test_every_text_comes_through(self, text):
        assert XmlUtil.dict_from_xml(encode("customer", {"company": text}))["customer"]["company"] == text


class TestRequests:
    def test_every_kind_of_value_of_the_sdk_is_read(self):
        params = {
            "amount": "10.00",
            "is_default": True,
            "number": 7,
            "since": datetime(2026, 7, 1, 17),
            "nothing": None,
            "options": {"submit": True},
            "ids": ["a", "b"],
        }
        assert decode(XmlUtil.xml_from_dict({"transaction": params}).encode()) == {
            "transaction": {**params, "since": datetime(2026, 7, 1, 17, tzinfo=UTC), "nothing": ""}
        }

    @given(TEXT.filter(bool))
    def test_every_text_comes_through(self, text):
        assert decode(XmlUtil.xml_from_dict({"customer": {"company": text}}).encode()) == {
            "customer": {"company": text}
        }

    def test_nothing_is_nothing(self):
        assert decode(b" ") == {}

    @pytest.mark.parametrize(
        "body",
        [
            b"no XML",
            b"<a>",
            b"<a>\x00</a>",
            b"\xff\xfe<a/>",
            b'<n type="integer">many</n>',
            b'<t type="datetime">soon</t>',
            b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        ],
    )
    def test_what_cannot_be_read_is_said(self, body):
        with pytest.raises(BodyUnreadable):
            decode(body)
