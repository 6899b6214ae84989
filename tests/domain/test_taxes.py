"""Taxes: each rounds once on what it applies to, and belongs to lines that can be given back (rules 4 and 11).

The vectors T1 to T6 of the books are told as invoices; single figures of one tax: `test_charges_and_tax.py`.
"""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.credit_notes import Creditable, credit_note_draft
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import TAXABLE_KINDS, LineKind, TaxShare
from app.domain.invoices import compute_invoice
from app.domain.money import round_half_up
from app.domain.periods import Period
from app.domain.position_fold import fold
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.taxes import WHOLE, TaxList, TaxRate, tax_lines, taxes_in_force, with_taxes
from tests.factories.calls import usage
from tests.factories.invoices import a_charge, a_used_month, an_item, facts
from tests.factories.positions import FIRST, a_base, a_charge_line, a_document, adjusted, books_of, used
from tests.factories.strategies import TAXES

OCTOBER = Period.parse("2026-10")
TEN = (TaxRate("Sales tax", 100_000),)
TWENTY = (TaxRate("VAT", 200_000),)


def plan(code):
    return SEED_CATALOGUE.get(code, OCTOBER.starts_on)


def billed_month(code, taxes=()):
    """The cycle invoice of October, and the base that it billed."""
    draft = compute_invoice(facts(plan=plan(code), taxes=taxes))
    books = fold([a_document(FIRST, *draft.lines)])
    return draft, books


def changed(books, code, taxes=()):
    """A change of plan within October under the taxes of its day."""
    billed = books.position(OCTOBER.starts_on, LineKind.BASE)
    return compute_invoice(facts(kind=InvoiceKind.PLAN_CHANGE, plan=plan(code), billed_base=billed, taxes=taxes))


def amounts(draft):
    return [(str(line.kind), line.amount_cents) for line in draft.lines]


def named(draft):
    """The tax lines: name, rate, what they are on, what they come to, and of which invoice."""
    return [
        (
            line.inputs["tax_name"],
            line.unit_price,
            line.inputs["taxed_cents"],
            line.amount_cents,
            line.inputs.get("reverses"),
        )
        for line in draft.lines
        if line.kind is LineKind.TAX
    ]


class TestVectors:
    def test_t1_what_was_billed_untaxed_is_given_back_untaxed(self):
        _, books = billed_month("500")
        draft = changed(books, "220", TEN)
        assert amounts(draft) == [("BASE", 239_00), ("BASE_REVERSAL", -499_00), ("TAX", 23_90)]
        assert draft.total_cents == -236_10

    def test_t2_what_was_billed_with_tax_is_given_back_with_it_though_tax_has_ended(self):
        paid, books = billed_month("500", TWENTY)
        assert paid.total_cents == 598_80
        draft = changed(books, "220")
        assert amounts(draft) == [("BASE", 239_00), ("BASE_REVERSAL", -499_00), ("TAX", -99_80)]
        assert draft.total_cents == -359_80
        assert named(draft) == [("VAT", 200_000, -499_00, -99_80, "100001")]

    def test_t3_a_correction_gives_back_untaxed_what_was_billed_so_beside_a_taxed_base(self):
        """$97.30 of overage before tax began, corrected to $0.70 under 9.25 %."""
        economy = plan("economy")
        billed = books_of(used(97_30, month="2026-09")).usage(date(2026, 9, 1))
        rated = usage(live_seconds=30)  # at $1.39 a minute
        late = a_used_month("2026-09", plan=economy, usage=rated, billed=billed)
        draft = compute_invoice(facts("2026-11", plan=economy, used=(late,), taxes=(TaxRate("Sales tax", 92_500),)))
        assert amounts(draft) == [("BASE", 39_00), ("ADJUSTMENT", -96_60), ("TAX", 3_61)]
        assert draft.total_cents == -53_99

    def test_t4_a_rate_has_up_to_four_decimals(self):
        draft, _ = billed_month("1000", (TaxRate("City of New York", 88_750),))
        assert amounts(draft) == [("BASE", 949_00), ("TAX", 84_22)]

    def test_t5_several_taxes_are_a_line_each(self):
        draft, _ = billed_month("100", (TaxRate("State", 65_000), TaxRate("City", 12_500)))
        assert named(draft) == [("State", 65_000, 139_00, 9_04, None), ("City", 12_500, 139_00, 1_74, None)]
        assert draft.lines[0].taxes == (TaxShare("State", 65_000, 9_04), TaxShare("City", 12_500, 1_74))

    def test_t6_a_kept_credit_has_the_tax_of_the_new_price(self):
        """P1 with 10 % throughout: all of 500 credited, then Economy."""
        paid, books = billed_month("500", TEN)
        note = credit_note_draft(Creditable.of(FIRST, books), {}, OCTOBER)
        assert (paid.total_cents, note.credit_created_cents) == (548_90, 548_90)
        books.add(a_document(FIRST + 1, *note.lines))
        draft = changed(books, "economy", TEN)
        assert amounts(draft) == [("BASE", 39_00), ("CREDIT_KEPT", -39_00), ("TAX", 3_90), ("TAX", -3_90)]
        assert named(draft) == [("Sales tax", 100_000, 39_00, 3_90, None), ("Sales tax", 100_000, -39_00, -3_90, None)]
        assert (draft.total_cents, draft.credit_created_cents) == (0, 0)


class TestRates:
    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            (a_base(), LineKind.BASE),
            (used(1, LineKind.IVR), LineKind.IVR),
            (adjusted(1, rated_cents=1, kind=LineKind.IVR), LineKind.IVR),
            (a_charge_line(), LineKind.CHARGE),
        ],
    )
    def test_apply_to_every_kind_of_charge_or_to_those_they_name(self, line, kind):
        """An adjustment counts as the usage that it adjusts."""
        assert TaxRate("Tax", 1).applies_to(line)
        assert [other for other in TAXABLE_KINDS if TaxRate("Tax", 1, (other,)).applies_to(line)] == [kind]

    def test_in_force_are_those_of_the_newest_list_that_has_begun(self):
        lists = [TaxList(date(2026, 8, 1), TEN), TaxList(date(2026, 10, 2), TWENTY), TaxList(date(2027, 1, 1))]
        days = [date(2026, 7, 31), date(2026, 8, 1), date(2026, 10, 1), date(2026, 10, 2), date(2027, 1, 1)]
        assert [taxes_in_force(lists, on) for on in days] == [(), TEN, TEN, TWENTY, ()]
        assert taxes_in_force([], date(2026, 10, 1)) == ()


class TestShares:
    def test_each_tax_is_on_the_lines_it_names_alone(self):
        taxes = (TaxRate("State", 65_000), TaxRate("On add-ons", 50_000, (LineKind.ADD_ON,)))
        draft = compute_invoice(facts(recurring=(an_item(),), charges=(a_charge(),), taxes=taxes))
        assert named(draft) == [
            ("State", 65_000, 204_00, 13_26, None),
            ("On add-ons", 50_000, 25_00, 1_25, None),
        ]
        assert [[share[::2] for share in line.taxes] for line in draft.lines[:3]] == [
            [("State", 9_04)],
            [("State", 1_62), ("On add-ons", 1_25)],
            [("State", 2_60)],
        ]

    def test_left_over_cents_go_to_the_largest_remainders_and_on_a_tie_to_the_earlier_line(self):
        """Three lines of $0.10 at 25 %: 7.5 cents are 8, and each 2.5."""
        taxed = with_taxes([a_charge_line(10)] * 3, [TaxRate("Tax", 250_000)])
        assert [share.cents for line in taxed for share in line.taxes] == [3, 3, 2]

    def test_a_line_of_one_cent_is_taxed_like_any_other(self):
        """$0.11 at 50 % are 6 cents, of which the one cent has 1."""
        half = (TaxRate("Half", 500_000),)
        taxed = with_taxes([a_charge_line(1), a_charge_line(10)], half)
        assert [[share.cents for share in line.taxes] for line in taxed] == [[1], [5]]
        (line,) = tax_lines(OCTOBER, taxed, half, [])
        assert (line.amount_cents, line.inputs["taxed_cents"]) == (6, 11)
        (alone,) = tax_lines(OCTOBER, taxed[:1], half, [])
        assert (alone.amount_cents, alone.inputs["taxed_cents"], alone.quantity, alone.rule) == (1, 1, 1, 11)

    def test_a_line_whose_share_is_nothing_has_none(self):
        """Two lines of $0.07 at 6.5 %: the one cent belongs to the first."""
        taxed = with_taxes([a_charge_line(7)] * 2, [TaxRate("Tax", 65_000)])
        assert [line.taxes for line in taxed] == [(TaxShare("Tax", 65_000, 1),), ()]

    def test_what_is_given_back_is_not_taxed_anew(self):
        lines = [a_charge_line(10_00), adjusted(-5_00, rated_cents=0)]
        assert [line.taxes for line in with_taxes(lines, TEN)] == [(TaxShare("Sales tax", 100_000, 1_00),), ()]

    def test_a_tax_without_a_line_that_it_applies_to_is_nothing(self):
        only_ivr = (TaxRate("Tax", 100_000, (LineKind.IVR,)),)
        assert with_taxes([a_base()], only_ivr) == [a_base()]
        assert list(tax_lines(OCTOBER, [a_base()], only_ivr, [])) == []

    @given(cents=st.lists(st.integers(0, 100_000), max_size=5), taxes=TAXES)
    def test_rule_4_add_up_to_each_tax_rounded_once(self, cents, taxes):
        lines = with_taxes([a_base(each) for each in cents], taxes)
        for tax in taxes:
            shares = [share.cents for line in lines for share in line.taxes if share.name == tax.name]
            applies = not tax.kinds or LineKind.BASE in tax.kinds
            assert sum(shares) == (round_half_up(sum(cents) * tax.rate, WHOLE) if applies else 0)
            assert all(share > 0 for share in shares)


class TestGivenBack:
    def test_lines_name_each_invoice_in_the_order_of_their_numbers(self):
        """Overage billed at 10 % and at 20 %, both given back."""
        first, second = with_taxes([used(5_00)], TEN), with_taxes([used(7_00)], TWENTY)
        billed = books_of(tuple(first), tuple(second)).usage(OCTOBER.starts_on)
        late = a_used_month("2026-10", billed=billed)
        draft = compute_invoice(facts("2026-12", bills_base=False, used=(late,), taxes=TEN))
        assert named(draft) == [("Sales tax", 100_000, -5_00, -50, "100001"), ("VAT", 200_000, -7_00, -1_40, "100002")]
        assert draft.reversed_cents == {100_001: 5_50, 100_002: 8_40}
        assert draft.lines[0].taxes == (
            TaxShare("Sales tax", 100_000, -50, 100_001),
            TaxShare("VAT", 200_000, -1_40, 100_002),
        )

    def test_lines_of_one_invoice_stand_in_the_order_of_its_taxes(self):
        taxes = (TaxRate("State", 65_000), TaxRate("City", 12_500))
        _, books = billed_month("500", taxes)
        draft = changed(books, "220", taxes)
        assert [(name, cents, reverses) for name, _, _, cents, reverses in named(draft)] == [
            ("State", 15_54, None),
            ("City", 2_99, None),
            ("State", -32_44, "100001"),
            ("City", -6_24, "100001"),
        ]

    def test_a_tax_that_came_to_nothing_has_no_line(self):
        billed = books_of(tuple(with_taxes([used(3)], TEN))).usage(OCTOBER.starts_on)
        late = a_used_month("2026-10", billed=billed)
        assert amounts(compute_invoice(facts("2026-12", bills_base=False, used=(late,)))) == [("ADJUSTMENT", -3)]
