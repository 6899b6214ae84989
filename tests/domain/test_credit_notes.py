"""Credit notes give back what is still billed, never more, and the tax with it to the cent (rule 27)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.credit_notes import (
    Creditable,
    CreditTooHigh,
    LineNotCreditable,
    NothingLeftToCredit,
    credit_note_draft,
    credit_note_facts_hash,
    recompute_credit_note,
)
from app.domain.explanations import explain
from app.domain.invoice_drafts import DraftLine, InvoiceDraft, InvoiceKind, draft_of
from app.domain.invoice_lines import LineKind
from app.domain.periods import Period
from app.domain.position_fold import fold
from app.domain.taxes import TaxRate
from tests.factories.invoices import a_line
from tests.factories.positions import FIRST, a_base, a_document, a_write_off, given_back, used

OCTOBER, NOVEMBER = Period.parse("2026-10"), Period.parse("2026-11")
SALES_TAX = (TaxRate("Sales tax", 65_000),)


def invoiced(*cents: int, taxes: tuple[TaxRate, ...] = ()) -> InvoiceDraft:
    """Invoice 100001 with a base line of each amount."""
    items = [DraftLine(a_line(amount_cents=each)) for each in cents]
    return draft_of(InvoiceKind.CYCLE, OCTOBER, items, taxes)


def an_invoice(*cents: int, earlier: tuple[InvoiceDraft, ...] = (), taxes: tuple[TaxRate, ...] = ()) -> Creditable:
    """That invoice, after credit notes from number 100002 on."""
    issued = (invoiced(*cents, taxes=taxes), *earlier)
    documents = [a_document(number, *draft.lines) for number, draft in enumerate(issued, start=FIRST)]
    return Creditable.of(FIRST, fold(documents))


def a_changed_month(number: int) -> Creditable:
    """One of two invoices: $139.00 for the month, then the change to $239.00 that takes it back."""
    lines = {100_001: (a_base(139_00),), 100_002: (a_base(239_00, plan="220"), given_back(139_00))}
    return Creditable.of(number, fold(a_document(each, *lines[each]) for each in lines))


def amounts(lines) -> list[tuple[str, int]]:
    return [(str(line.kind), line.amount_cents) for line in lines]


class TestDraft:
    def test_rule_27_a_part_of_a_line_is_given_back_with_its_tax(self):
        draft = credit_note_draft(an_invoice(139_00, 20_00, taxes=SALES_TAX), {1: 100_00}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -100_00), ("TAX", -6_50)]
        assert (draft.kind, draft.period, draft.total_cents, draft.tax_cents) == (
            InvoiceKind.CREDIT_NOTE,
            NOVEMBER,
            -106_50,
            -6_50,
        )
        assert (draft.credit_created_cents, draft.amount_due_cents) == (106_50, 0)
        assert draft.reversed_cents == {100_001: 106_50}

    def test_a_line_says_what_it_corrects(self):
        line = credit_note_draft(an_invoice(139_00), {1: 9_00}, NOVEMBER).lines[0]

        assert line.period.month == "2026-10"
        assert (line.quantity, line.unit, line.unit_price, line.rule) == (1, "correction", -9_0000, 27)
        assert dict(line.inputs) == {
            "title": "Credit on invoice 100001: 100 Minutes plan, October 2026",
            "invoice": "100001",
            "line": 1,
            "charged_cents": 139_00,
            "credited_before_cents": 0,
        }
        assert explain(line).title == "Credit on invoice 100001: 100 Minutes plan, October 2026"

    def test_its_tax_says_what_it_was_on_and_of_which_invoice(self):
        tax = credit_note_draft(an_invoice(139_00, taxes=SALES_TAX), {1: 100_00}, NOVEMBER).lines[1]

        assert (tax.unit, tax.unit_price) == ("percent", 65_000)
        assert tax.inputs == {"tax_name": "Sales tax", "taxed_cents": -100_00, "reverses": "100001"}

    def test_several_taxes_are_each_given_back(self):
        taxes = (TaxRate("State", 65_000), TaxRate("City", 12_500, (LineKind.BASE,)))

        draft = credit_note_draft(an_invoice(139_00, taxes=taxes), {}, NOVEMBER)

        assert [(line.amount_cents, line.inputs.get("tax_name")) for line in draft.lines] == [
            (-139_00, None),
            (-9_04, "State"),
            (-1_74, "City"),
        ]

    def test_none_credits_what_is_left_of_a_line(self):
        first = credit_note_draft(an_invoice(139_00, 20_00), {1: 9_00}, NOVEMBER)

        draft = credit_note_draft(an_invoice(139_00, 20_00, earlier=(first,)), {1: None}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -130_00)]
        assert draft.lines[0].inputs["credited_before_cents"] == 9_00

    def test_a_line_says_how_much_of_it_was_credited_before(self):
        first = credit_note_draft(an_invoice(139_00), {1: 100_00}, NOVEMBER)
        line = credit_note_draft(an_invoice(139_00, earlier=(first,)), {1: 9_00}, NOVEMBER).lines[0]

        assert line.inputs["credited_before_cents"] == 100_00

    def test_no_line_credits_all_that_is_left_of_the_invoice(self):
        first = credit_note_draft(an_invoice(139_00, 20_00, taxes=SALES_TAX), {2: 20_00}, NOVEMBER)

        draft = credit_note_draft(an_invoice(139_00, 20_00, taxes=SALES_TAX, earlier=(first,)), {}, NOVEMBER)

        assert amounts(first.lines) == [("CORRECTION", -20_00), ("TAX", -1_30)]
        assert amounts(draft.lines) == [("CORRECTION", -139_00), ("TAX", -9_04)]  # 10.34 charged - 1.30

    def test_what_a_change_of_plan_took_back_is_left_on_its_own_line_alone(self):
        """A change of plan, +239 -139: all of the new base can be given back, and nothing of the old."""
        draft = credit_note_draft(a_changed_month(100_002), {}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -239_00)]
        with pytest.raises(NothingLeftToCredit):
            credit_note_draft(a_changed_month(100_001), {}, NOVEMBER)

    def test_a_tax_that_rounds_to_nothing_has_no_line(self):
        draft = credit_note_draft(an_invoice(139_00, taxes=SALES_TAX), {1: 1}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -1)]

    def test_a_line_that_costs_nothing_does_not_keep_the_whole_invoice_from_being_credited(self):
        """Two patched seconds are a line of $0.00."""
        lines = (a_base(139_00), used(0, LineKind.PATCH))
        invoice = Creditable.of(FIRST, fold([a_document(FIRST, *lines)]))

        assert amounts(credit_note_draft(invoice, {}, NOVEMBER).lines) == [("CORRECTION", -139_00)]
        with pytest.raises(LineNotCreditable):
            credit_note_draft(invoice, {2: None}, NOVEMBER)


class TestRefusals:
    @pytest.mark.parametrize("position", [0, -1, 3, 4])
    def test_a_line_that_charges_nothing_cannot_be_credited(self, position):
        with pytest.raises(
            LineNotCreditable, match=f"Invoice 100001 has no line {position} that charges something"
        ) as no:
            credit_note_draft(an_invoice(139_00, 20_00, taxes=SALES_TAX), {position: 1}, NOVEMBER)
        assert (no.value.number, no.value.position) == (100_001, position)

    def test_a_line_that_gave_back_cannot_be_credited(self):
        with pytest.raises(LineNotCreditable):
            credit_note_draft(a_changed_month(100_002), {2: None}, NOVEMBER)

    def test_an_invoice_that_charges_nothing_has_nothing_to_credit(self):
        with pytest.raises(NothingLeftToCredit) as no:
            credit_note_draft(an_invoice(0), {}, NOVEMBER)
        assert no.value.number == 100_001

    def test_never_more_than_the_line_charged_less_earlier_notes(self):
        first = credit_note_draft(an_invoice(139_00), {1: 9_00}, NOVEMBER)

        with pytest.raises(CreditTooHigh) as refused:
            credit_note_draft(an_invoice(139_00, earlier=(first,)), {1: 130_01}, NOVEMBER)
        assert str(refused.value) == (
            "$130.01 cannot be credited: $130.00 is left of line 1 of invoice 100001 (credited by credit note 100002)."
        )
        assert (refused.value.asked_cents, refused.value.left_cents) == ({1: 130_01}, {1: 130_00})

    def test_never_more_than_is_still_billed_whatever_took_it_off(self):
        with pytest.raises(CreditTooHigh, match=r"\(taken back by invoice 100002\)\.$"):
            credit_note_draft(a_changed_month(100_001), {1: 1}, NOVEMBER)
        books = fold([a_document(FIRST, a_base(139_00))], [a_write_off(4, ((FIRST, 1), 100_00))])
        with pytest.raises(CreditTooHigh, match=r"\$39.00 is left .* \(written off with invoice 100001\)\.$"):
            credit_note_draft(Creditable.of(FIRST, books), {1: 39_01}, NOVEMBER)

    def test_nothing_below_zero_is_given_back(self):
        with pytest.raises(CreditTooHigh) as refused:
            credit_note_draft(an_invoice(139_00), {1: -1}, NOVEMBER)
        assert refused.value.asked_cents == {1: -1}

    def test_every_line_that_has_not_so_much_is_named_with_what_it_has(self):
        notes = (credit_note_draft(an_invoice(139_00, 20_00, 5_00), {1: 9_00}, NOVEMBER),) * 2

        with pytest.raises(CreditTooHigh) as refused:
            credit_note_draft(an_invoice(139_00, 20_00, 5_00, earlier=notes), {1: 200_00, 2: 20_01, 3: 4_00}, NOVEMBER)
        assert str(refused.value) == (
            "$200.00 cannot be credited: $121.00 is left of line 1 of invoice 100001 "
            "(credited by credit note 100002, credited by credit note 100003). "
            "$20.01 cannot be credited: $20.00 is left of line 2 of invoice 100001."
        )

    def test_never_more_than_the_line_of_a_change_charged(self):
        """The invoice itself came to $100.00; its new base is $239.00, and that is the line's limit."""
        with pytest.raises(CreditTooHigh, match=r"\$239.01 cannot be credited: \$239.00 is left of line 1 of invoice"):
            credit_note_draft(a_changed_month(100_002), {1: 239_01}, NOVEMBER)

    def test_nothing_is_left_once_all_is_given_back(self):
        first = credit_note_draft(an_invoice(139_00), {}, NOVEMBER)

        for asked in ({}, {1: None}, {1: 0}):
            with pytest.raises(NothingLeftToCredit, match="Invoice 100001 has nothing left to credit"):
                credit_note_draft(an_invoice(139_00, earlier=(first,)), asked, NOVEMBER)


class TestReplay:
    def test_a_note_is_computed_again_from_its_own_lines(self):
        creditable = an_invoice(139_00, 20_00, taxes=SALES_TAX)
        draft = credit_note_draft(creditable, {1: 100_00, 2: None}, NOVEMBER)

        again = recompute_credit_note(creditable, draft.lines, NOVEMBER)

        assert again == draft
        assert again.content_hash == draft.content_hash
        assert credit_note_facts_hash(creditable, again) == credit_note_facts_hash(creditable, draft)

    def test_other_facts_give_another_hash(self):
        creditable = an_invoice(139_00, 20_00)
        draft = credit_note_draft(creditable, {1: 100_00}, NOVEMBER)
        others = [
            credit_note_facts_hash(an_invoice(139_00, 20_01), draft),
            credit_note_facts_hash(creditable, credit_note_draft(creditable, {1: 99_99}, NOVEMBER)),
            credit_note_facts_hash(an_invoice(139_00, 20_00, earlier=(draft,)), draft),
            credit_note_facts_hash(an_invoice(139_00, 20_00, taxes=SALES_TAX), draft),
            credit_note_facts_hash(creditable, credit_note_draft(creditable, {1: 100_00}, OCTOBER)),
        ]

        assert credit_note_facts_hash(creditable, draft) not in others
        assert len(set(others)) == 5


@given(
    charged=st.lists(st.integers(1, 10_000), min_size=1, max_size=4),
    rates=st.lists(st.integers(0, 1_000_000), max_size=2),
    parts=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3_000)), max_size=12),
)
def test_after_the_last_note_exactly_the_invoice_is_given_back(charged, rates, parts):
    """Rule 27: however it is cut into notes, amounts and tax add up to what was charged."""
    taxes = tuple(TaxRate(f"Tax {place}", rate) for place, rate in enumerate(rates))
    notes: list[InvoiceDraft] = []
    for position, cents in [*parts, (0, 0)]:
        invoice = an_invoice(*charged, taxes=taxes, earlier=tuple(notes))
        asked = {position: min(cents, invoice.left_of_line(position))} if position else {}
        left_cents = sum(line.left_cents for line in invoice.billed.values())
        if left_cents and (not position or asked[position]):
            notes.append(credit_note_draft(invoice, asked, NOVEMBER))

    given_back_cents = -sum(note.total_cents for note in notes)
    assert given_back_cents == invoiced(*charged, taxes=taxes).total_cents
    assert all(line.amount_cents < 0 for note in notes for line in note.lines)
