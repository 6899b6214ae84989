"""New prices: each ends the one before it, a known one never changes, and the ladder holds on every date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.catalogue_changes import (
    InvalidDates,
    PriceAlreadyKnown,
    PriceBackdated,
    change_catalogue,
    change_versions,
)
from app.domain.plans import Catalogue, InvalidCatalogue
from app.domain.seed_catalogue import SEED_ADD_ONS
from tests.factories.plans import a_220_plan, a_plan

TOMORROW = date(2026, 11, 2)
NEW_YEAR = date(2027, 1, 1)
KNOWN = (a_plan(), a_220_plan())


def a_new_price(**changes):
    return a_plan(**{"base_cents": 149_00, "valid_from": NEW_YEAR, **changes})


class TestChanges:
    def test_a_new_price_ends_the_sale_of_the_one_before_it(self):
        changes = change_catalogue(KNOWN, [a_new_price()], TOMORROW)

        assert changes.added == (a_new_price(),)
        assert changes.ended == (replace(a_plan(), valid_before=NEW_YEAR),)
        sold = [(v.code, v.base_cents) for v in Catalogue(changes.versions).sold_on(NEW_YEAR)]
        assert sold == [("100", 149_00), ("220", 239_00)]

    def test_a_price_before_a_known_one_ends_where_that_begins(self):
        known = (*KNOWN, a_new_price())

        changes = change_catalogue(known, [a_plan(base_cents=145_00, valid_from=date(2026, 12, 1))], TOMORROW)

        assert [(v.base_cents, v.valid_before) for v in changes.added] == [(145_00, NEW_YEAR)]
        assert [(v.base_cents, v.valid_before) for v in changes.ended] == [(139_00, date(2026, 12, 1))]

    def test_a_known_price_is_left_alone(self):
        changes = change_catalogue(KNOWN, KNOWN, TOMORROW)

        assert (changes.added, changes.ended, changes.versions) == ((), (), KNOWN)

    def test_a_known_price_that_ended_may_be_named_without_its_end(self):
        ended = replace(a_plan(), valid_before=date(2026, 1, 1))

        assert change_versions([ended], [a_plan()], TOMORROW).ended == ()

    def test_a_known_price_ends_where_the_file_says_so(self):
        changes = change_catalogue(KNOWN, [replace(a_220_plan(), valid_before=NEW_YEAR)], TOMORROW)

        assert changes.ended == (replace(a_220_plan(), valid_before=NEW_YEAR),)

    def test_add_ons_change_in_the_same_way(self):
        on_call = SEED_ADD_ONS[0]
        dearer = replace(on_call, id="addon_new", monthly_cents=29_00, valid_from=NEW_YEAR)

        changes = change_versions(SEED_ADD_ONS, [dearer], TOMORROW)

        assert changes.added == (dearer,)
        assert changes.ended == (replace(on_call, valid_before=NEW_YEAR),)


class TestRefusals:
    def test_a_known_price_never_changes(self):
        with pytest.raises(PriceAlreadyKnown, match="'100' from 2020-01-01 is known with other figures"):
            change_catalogue(KNOWN, [a_plan(base_cents=139_01)], TOMORROW)

    def test_the_move_of_a_known_price_never_changes(self):
        with pytest.raises(PriceAlreadyKnown):
            change_catalogue((a_new_price(),), [a_new_price(existing_move_on=NEW_YEAR)], TOMORROW)

    def test_a_price_does_not_begin_in_the_past(self):
        with pytest.raises(PriceBackdated, match="cannot begin or end on 2026-11-01: the earliest day for a change is"):
            change_catalogue(KNOWN, [a_new_price(valid_from=date(2026, 11, 1))], TOMORROW)

    def test_a_sale_does_not_end_in_the_past(self):
        with pytest.raises(PriceBackdated):
            change_catalogue(KNOWN, [replace(a_plan(), valid_before=date(2026, 11, 1))], TOMORROW)

    def test_an_ended_sale_does_not_go_on(self):
        ended = replace(a_plan(), valid_before=date(2026, 1, 1))

        with pytest.raises(PriceBackdated):
            change_versions([ended], [replace(a_plan(), valid_before=NEW_YEAR)], TOMORROW)

    def test_two_prices_do_not_begin_at_once(self):
        with pytest.raises(InvalidDates, match="'100': two prices begin on 2027-01-01"):
            change_catalogue(KNOWN, [a_new_price(), a_new_price()], TOMORROW)

    def test_a_price_does_not_end_before_it_begins(self):
        with pytest.raises(InvalidDates, match="it would end on 2027-01-01, before it has begun"):
            change_catalogue(KNOWN, [a_new_price(valid_before=NEW_YEAR)], TOMORROW)

    def test_existing_accounts_move_on_the_first_of_a_month(self):
        with pytest.raises(InvalidDates, match="give the first day of one"):
            change_catalogue(KNOWN, [a_new_price(existing_move_on=date(2027, 2, 2))], TOMORROW)

    def test_existing_accounts_do_not_move_before_the_price_begins(self):
        with pytest.raises(InvalidDates, match="existing accounts cannot move on 2026-12-01, before the price begins"):
            change_catalogue(KNOWN, [a_new_price(existing_move_on=date(2026, 12, 1))], TOMORROW)

    def test_the_ladder_holds_on_the_date_on_which_a_price_begins(self):
        with pytest.raises(InvalidCatalogue, match="On 2027-01-01 plan 100 is cost effective to 255 minutes"):
            change_catalogue(KNOWN, [a_new_price(base_cents=39_00)], TOMORROW)

    def test_a_higher_plan_does_not_charge_more_for_a_minute(self):
        dear = a_plan(code="500", base_cents=499_00, included_minutes=500, overage_rate=1_2000, valid_from=NEW_YEAR)

        with pytest.raises(InvalidCatalogue, match="On 2027-01-01 a minute above the allowance costs more on plan 500"):
            change_catalogue(KNOWN, [dear], TOMORROW)
