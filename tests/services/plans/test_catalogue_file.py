"""A file of prices is read exactly, in TOML and in JSON, and refused at the first place that cannot be."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from app.domain.add_ons import AddOnVersion
from app.domain.invoice_lines import LineKind
from app.domain.money import UnitPrice
from app.domain.plans import PlanVersion
from app.services.plans.catalogue_file import InvalidCatalogueFile, read_catalogue_file

TOML = b"""
[[plans]]
code = "100"
name = "100 Minutes"
base = "149.00"
included_minutes = 100
overage_rate = "1.2950"
valid_from = 2027-01-01
existing_accounts_move_on = 2027-03-01

[[add_ons]]
code = "on_call"
name = "On-Call"
monthly = "29"
terms_version = "2027-01"
terms = "Billed monthly in advance."
valid_from = 2027-01-01
valid_before = 2028-01-01
entitlement = "onCall"
"""

A_PLAN: dict[str, Any] = {
    "code": "100",
    "name": "100 Minutes",
    "base": "149.00",
    "included_minutes": 100,
    "overage_rate": "1.2950",
    "valid_from": "2027-01-01",
}
AN_ADD_ON: dict[str, Any] = {
    "code": "line",
    "name": "Additional line",
    "monthly": "10.00",
    "terms_version": "2027-01",
    "terms": "Billed in full.",
    "valid_from": "2027-01-01",
    "kind": "ADDITIONAL_LINE",
    "is_prorated": False,
}


def as_json(**document: Any) -> bytes:
    return json.dumps(document).encode()


class TestReading:
    def test_toml_is_read_to_the_last_decimal(self):
        file = read_catalogue_file(TOML)

        day = date(2027, 1, 1)
        assert file.plans == (
            PlanVersion(
                "plan_100_2027-01-01",
                "100",
                "100 Minutes",
                149_00,
                100,
                UnitPrice(1_2950),
                day,
                None,
                date(2027, 3, 1),
            ),
        )
        assert file.add_ons == (
            AddOnVersion(
                id="addon_on_call_2027-01-01",
                code="on_call",
                name="On-Call",
                kind=LineKind.ADD_ON,
                monthly_cents=29_00,
                is_prorated=True,
                entitlement="onCall",
                terms_version="2027-01",
                terms="Billed monthly in advance.",
                valid_from=day,
                valid_before=date(2028, 1, 1),
            ),
        )

    def test_json_says_the_same(self):
        [plan] = read_catalogue_file(as_json(plans=[{**A_PLAN, "existing_accounts_move_on": "2027-03-01"}])).plans
        [line] = read_catalogue_file(as_json(add_ons=[AN_ADD_ON])).add_ons

        assert plan == read_catalogue_file(TOML).plans[0]
        assert (line.kind, line.is_prorated, line.entitlement, line.monthly_cents) == (
            LineKind.ADDITIONAL_LINE,
            False,
            None,
            10_00,
        )

    def test_a_byte_order_mark_does_no_harm(self):
        assert read_catalogue_file(b"\xef\xbb\xbf" + TOML) == read_catalogue_file(TOML)


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "place"),
        [
            (b"[[plans]", "the file"),
            (b"{", "the file"),
            (b"\xff\xfe", "the file"),
            (b'{"a":' * 100_000, "the file"),
            (b"", "the file"),
            (b"{}", "the file"),
            (as_json(prices=[]), "prices"),
            (as_json(plans={}), "plans"),
            (as_json(plans=[1]), "plans"),
        ],
    )
    def test_a_file_of_another_form_is_refused(self, content, place):
        with pytest.raises(InvalidCatalogueFile) as refusal:
            read_catalogue_file(content)

        assert refusal.value.place == place

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"base": 149.0}, 'plans[2].base: dollars as text are needed, such as "139.00".'),
            ({"base": "1e3"}, 'plans[2].base: dollars as text are needed, such as "139.00".'),
            ({"base": "-1.00"}, 'plans[2].base: dollars as text are needed, such as "139.00".'),
            ({"base": "149.0050"}, "plans[2].base: whole cents are needed."),
            ({"overage_rate": "0"}, "plans[2].overage_rate: a rate above zero is needed."),
            ({"included_minutes": "100"}, "plans[2].included_minutes: a whole number from 0 on is needed."),
            ({"included_minutes": True}, "plans[2].included_minutes: a whole number from 0 on is needed."),
            ({"included_minutes": -1}, "plans[2].included_minutes: a whole number from 0 on is needed."),
            ({"valid_from": "1 January"}, "plans[2].valid_from: a date is needed, such as 2027-01-01."),
            ({"valid_from": None}, "plans[2].valid_from: a date is needed, such as 2027-01-01."),
            ({"code": " "}, "plans[2].code: a text is needed."),
            ({"name": 100}, "plans[2].name: a text is needed."),
        ],
    )
    def test_a_field_that_cannot_be_read_is_named(self, changes, message):
        with pytest.raises(InvalidCatalogueFile) as refusal:
            read_catalogue_file(as_json(plans=[A_PLAN, {**A_PLAN, **changes}]))

        assert str(refusal.value) == message

    def test_a_field_that_is_missing_is_named(self):
        incomplete = {name: value for name, value in A_PLAN.items() if name != "overage_rate"}

        with pytest.raises(InvalidCatalogueFile, match=r"plans\[1\]\.overage_rate: dollars as text are needed"):
            read_catalogue_file(as_json(plans=[incomplete]))

    def test_a_field_that_means_nothing_is_named_with_those_that_do(self):
        with pytest.raises(InvalidCatalogueFile, match=r"plans\[1\]\.price: there is no such field, only base, code, "):
            read_catalogue_file(as_json(plans=[{**A_PLAN, "price": "149.00"}]))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"kind": "BASE"}, "add_ons[1].kind: ADD_ON or ADDITIONAL_LINE is needed."),
            ({"kind": []}, "add_ons[1].kind: ADD_ON or ADDITIONAL_LINE is needed."),
            ({"is_prorated": "no"}, "add_ons[1].is_prorated: true or false is needed."),
            ({"entitlement": ""}, "add_ons[1].entitlement: a text is needed."),
        ],
    )
    def test_a_field_of_an_add_on_that_cannot_be_read_is_named(self, changes, message):
        with pytest.raises(InvalidCatalogueFile) as refusal:
            read_catalogue_file(as_json(add_ons=[{**AN_ADD_ON, **changes}]))

        assert str(refusal.value) == message
