"""Add-ons and additional lines: their dated versions, and what they cost in which month (rules 22, 23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.add_ons import AddOnNotAvailable, AddOnSubscription, get_add_on, purchase_facts, recurring_items
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.periods import Period
from app.domain.seed_catalogue import SEED_ADD_ONS
from app.domain.taxes import TaxRate
from tests import calculator
from tests.factories.plans import a_plan
from tests.factories.strategies import DAYS

SEPTEMBER_11 = date(2026, 9, 11)
ON_CALL = get_add_on(SEED_ADD_ONS, "on_call", SEPTEMBER_11)
LINE = get_add_on(SEED_ADD_ONS, "line", SEPTEMBER_11)


def bought(version=ON_CALL, today=SEPTEMBER_11, *, credit_cents=0, taxes=()):
    return compute_invoice(purchase_facts(version, today, a_plan(), date(2026, 2, 1), credit_cents, taxes))


def charged(month, *subscriptions):
    """What the cycle invoice of the month charges for them."""
    return [(item.code, item.monthly_cents) for item in recurring_items(subscriptions, Period.parse(month))]


class TestCatalogue:
    def test_sells_four_add_ons_and_lines_at_their_prices(self):
        sold = [(each.code, each.kind, each.monthly_cents, each.is_prorated) for each in SEED_ADD_ONS]
        assert sold == [
            ("on_call", "ADD_ON", 25_00, True),
            ("transcription", "ADD_ON", 15_00, True),
            ("live_call", "ADD_ON", 20_00, True),
            ("queue_voicemail", "ADD_ON", 10_00, True),
            ("line", "ADDITIONAL_LINE", 10_00, False),
        ]
        assert [each.entitlement for each in SEED_ADD_ONS][3:] == ["queueVoicemail", None]
        assert all(each.terms and each.terms_version for each in SEED_ADD_ONS)

    def test_gives_the_version_of_the_day(self):
        old = replace(ON_CALL, valid_before=date(2027, 1, 1))
        new = replace(ON_CALL, id="addon_on_call_2027", valid_from=date(2027, 1, 1), monthly_cents=30_00)
        assert get_add_on((old, new), "on_call", date(2026, 12, 31)) == old
        assert get_add_on((old, new), "on_call", date(2027, 1, 1)) == new

    @pytest.mark.parametrize(("code", "on"), [("fax", SEPTEMBER_11), ("on_call", date(1989, 12, 31))])
    def test_says_what_is_not_on_sale(self, code, on):
        with pytest.raises(AddOnNotAvailable) as no:
            get_add_on(SEED_ADD_ONS, code, on)
        assert str(no.value) == f"There is no add-on '{code}' on sale on {on}."
        assert (no.value.add_on_code, no.value.on) == (code, on)


class TestPurchase:
    """Rule 22: invoiced and active at once."""

    def test_the_rest_of_the_month_is_charged_by_day(self):
        """$25.00 / 30 days = $0.83, 20 days."""
        draft = bought()
        [line] = draft.lines
        assert (draft.kind, line.kind, line.rule) == (InvoiceKind.ADD_ON, LineKind.ADD_ON, 22)
        assert (line.quantity, line.unit, line.unit_price, line.amount_cents) == (20, "day", 8300, 16_60)
        assert line.inputs == {
            "item": "on_call",
            "item_name": "On-Call",
            "paid_days": 20,
            "days": 30,
            "monthly_cents": 25_00,
            "daily_cents": 83,
        }
        assert draft.amount_due_cents == 16_60

    @pytest.mark.parametrize(("day", "cents"), [(1, 25_00), (2, 24_07), (30, 83)])
    def test_on_the_first_the_whole_month_is_charged_and_on_the_last_one_day(self, day, cents):
        assert bought(today=date(2026, 9, day)).total_cents == cents

    @pytest.mark.parametrize("day", [1, 11, 30])
    def test_a_line_is_never_prorated(self, day):
        [line] = bought(LINE, date(2026, 9, day)).lines
        assert (line.kind, line.quantity, line.unit, line.amount_cents) == (LineKind.ADDITIONAL_LINE, 1, "month", 10_00)
        assert line.inputs == {"item": "line", "item_name": "Additional line"}

    def test_neither_is_an_add_on_that_is_switched_so(self):
        assert bought(replace(ON_CALL, is_prorated=False)).total_cents == 25_00

    def test_credit_pays_for_it_and_tax_is_on_it(self):
        """Rules 11 and 35: 6.5 % of $16.60 is $1.079."""
        draft = bought(credit_cents=10_00, taxes=(TaxRate("Kansas sales tax", 65_000),))
        assert (draft.tax_cents, draft.total_cents) == (1_08, 17_68)
        assert (draft.credit_applied_cents, draft.amount_due_cents) == (10_00, 7_68)

    @given(today=DAYS, monthly_cents=st.integers(0, 50_000))
    def test_costs_what_the_calculator_charges_day_after_day(self, today, monthly_cents):
        """Rule 22: as rule 9."""
        draft = bought(replace(ON_CALL, monthly_cents=monthly_cents), today)
        assert draft.total_cents == calculator.base_of((today.year, today.month), today, monthly_cents)


class TestRecurring:
    def test_rule_22_is_on_every_cycle_invoice_after_the_month_it_was_bought_in(self):
        held = AddOnSubscription("sub_1", ON_CALL, SEPTEMBER_11)
        assert charged("2026-09", held) == []
        assert charged("2026-10", held) == charged("2027-03", held) == [("on_call", 25_00)]

    def test_rule_22_bought_on_the_first_is_charged_once_whenever_the_cycle_invoice_comes(self):
        held = AddOnSubscription("sub_1", ON_CALL, date(2026, 9, 1))
        assert charged("2026-09", held) == []

    def test_rule_23_ends_with_the_month_and_nothing_is_given_back(self):
        cancelled = AddOnSubscription("sub_1", ON_CALL, date(2026, 8, 20), ends_before=date(2026, 10, 1))
        assert charged("2026-09", cancelled) == [("on_call", 25_00)]
        assert charged("2026-10", cancelled) == []

    @pytest.mark.parametrize(
        ("on", "is_active"),
        [
            (date(2026, 8, 19), False),
            (date(2026, 8, 20), True),
            (date(2026, 9, 30), True),
            (date(2026, 10, 1), False),
        ],
    )
    def test_rule_23_stays_usable_until_the_month_ends(self, on, is_active):
        cancelled = AddOnSubscription("sub_1", ON_CALL, date(2026, 8, 20), ends_before=date(2026, 10, 1))
        assert cancelled.is_active_on(on) == is_active

    def test_each_line_is_charged_by_itself(self):
        lines = [AddOnSubscription(f"sub_{number}", LINE, date(2026, 8, number)) for number in (1, 2)]
        assert charged("2026-09", *lines) == [("line", 10_00), ("line", 10_00)]

    def test_keeps_the_price_it_was_bought_at(self):
        dear = replace(ON_CALL, monthly_cents=30_00)
        assert charged("2026-09", AddOnSubscription("sub_1", dear, date(2026, 8, 1))) == [("on_call", 30_00)]
