"""How soon another payment method may be tried, by whom, and from where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.add_attempts import AddAttempt, is_local, network_of, wait_before_attempt
from app.domain.payment_methods import ATTEMPT_LIMITS

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
ATTEMPT = AddAttempt("acc_1", "user:ann", "93.184.215.14", NOW)
STRANGER = AddAttempt("acc_2", "user:eve", "93.184.215.15", NOW)


def earlier(**of: str | None) -> list[AddAttempt]:
    """Five attempts of a stranger ten minutes ago, who has some things in common."""
    return [replace(STRANGER, at=NOW - timedelta(minutes=10), **of)] * 5


class TestWaiting:
    @pytest.mark.parametrize(
        "common", [{"account_id": "acc_1"}, {"actor": "user:ann"}, {"address": "93.184.215.14"}], ids=str
    )
    def test_five_of_the_account_of_the_person_or_of_the_address_fill_an_hour(self, common):
        assert wait_before_attempt(earlier(**common), ATTEMPT, ATTEMPT_LIMITS) == 3_000
        assert wait_before_attempt(earlier(**common)[1:], ATTEMPT, ATTEMPT_LIMITS) == 0

    def test_what_strangers_do_elsewhere_holds_nobody_up(self):
        assert wait_before_attempt(earlier(), ATTEMPT, ATTEMPT_LIMITS) == 0

    def test_addresses_that_are_not_known_are_not_the_same(self):
        assert wait_before_attempt(earlier(address=None), replace(ATTEMPT, address=None), ATTEMPT_LIMITS) == 0

    def test_a_network_of_ipv6_is_one_place(self):
        there = earlier(address="2606:2800:21f:cb07:1::1")
        here = replace(ATTEMPT, address="2606:2800:21f:cb07:ffff::9")
        assert wait_before_attempt(there, here, ATTEMPT_LIMITS) == 3_000
        assert wait_before_attempt(there, replace(here, address="2606:2800:21f:cb08::1"), ATTEMPT_LIMITS) == 0


class TestNetworks:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            (None, None),
            ("", None),
            ("unknown", None),
            ("93.184.215.14", "93.184.215.14"),
            ("::ffff:93.184.215.14", "93.184.215.14"),
            ("2606:2800:21F:CB07::1", "2606:2800:21f:cb07::/64"),
        ],
    )
    def test_an_address_tells_where_somebody_is(self, address, network):
        assert network_of(address) == network

    @pytest.mark.parametrize(
        ("address", "local"),
        [("127.0.0.1", True), ("10.0.0.7", True), ("::1", True), ("fd00::1", True), ("93.184.215.14", False)],
    )
    def test_local_addresses_are_those_of_no_one_place(self, address, local):
        assert is_local(address) is local
