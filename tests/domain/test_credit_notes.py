"""Credit notes give back what was charged, never more, and the tax with it to the cent (rule 27)."""

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
from app.domain.invoices import InvoiceKind, InvoiceLine, LineKind
from app.domain.money import UnitPrice, round_half_up
from app.domain.periods import Period
from tests.factories.invoices import a_line

NOVEMBER = Period.parse("2026-11")


def a_tax(taxed_cents: int, ten_thousandths: int = 650) -> InvoiceLine:
    return InvoiceLine(
        kind=LineKind.TAX,
        period=Period.parse("2026-10"),
        quantity=1,
        unit="ten-thousandths",
        unit_price=UnitPrice(ten_thousandths),
        amount_cents=round_half_up(taxed_cents * ten_thousandths, 10_000),
        rule=11,
        inputs={"tax_name": "Sales tax", "taxed_cents": taxed_cents},
    )


def an_invoice(*cents: int, earlier: tuple[InvoiceLine, ...] = (), tax: int | None = None) -> Creditable:
    lines = [a_line(amount_cents=each) for each in cents]
    if tax is not None:
        lines.append(a_tax(sum(cents), tax))
    return Creditable(100_001, lines, earlier)


def amounts(lines) -> list[tuple[str, int]]:
    return [(str(line.kind), line.amount_cents) for line in lines]


class TestDraft:
    def test_rule_27_a_part_of_a_line_is_given_back_with_its_tax(self):
        draft = credit_note_draft(an_invoice(139_00, 20_00, tax=650), {1: 100_00}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -100_00), ("TAX", -6_50)]
        assert (draft.kind, draft.period, draft.total_cents, draft.tax_cents) == (
            InvoiceKind.CREDIT_NOTE,
            NOVEMBER,
            -106_50,
            -6_50,
        )
        assert (draft.credit_created_cents, draft.amount_due_cents) == (106_50, 0)

    def test_a_line_says_what_it_corrects(self):
        line = credit_note_draft(an_invoice(139_00), {1: 9_00}, NOVEMBER).lines[0]

        assert line.period.month == "2026-10"
        assert dict(line.inputs) == {
            "title": "Credit on invoice 100001: 100 Minutes plan, October 2026",
            "invoice": "100001",
            "line": 1,
            "charged_cents": 139_00,
            "credited_before_cents": 0,
        }
        assert explain(line).title == "Credit on invoice 100001: 100 Minutes plan, October 2026"

    def test_none_credits_what_is_left_of_a_line(self):
        first = credit_note_draft(an_invoice(139_00, 20_00), {1: 9_00}, NOVEMBER)

        draft = credit_note_draft(an_invoice(139_00, 20_00, earlier=first.lines), {1: None}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -130_00)]
        assert draft.lines[0].inputs["credited_before_cents"] == 9_00

    def test_no_line_credits_all_that_is_left_of_the_invoice(self):
        first = credit_note_draft(an_invoice(139_00, 20_00, tax=650), {2: 20_00}, NOVEMBER)

        draft = credit_note_draft(an_invoice(139_00, 20_00, tax=650, earlier=first.lines), {}, NOVEMBER)

        assert amounts(first.lines) == [("CORRECTION", -20_00), ("TAX", -1_30)]
        assert amounts(draft.lines) == [("CORRECTION", -139_00), ("TAX", -9_04)]  # 10.34 charged - 1.30

    def test_what_an_invoice_gave_back_itself_is_not_credited_again(self):
        """A change of plan: +239 -139. Its lines charge 239, but the invoice only 100."""
        draft = credit_note_draft(an_invoice(239_00, -139_00), {}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -100_00)]

    def test_a_tax_that_rounds_to_nothing_has_no_line(self):
        draft = credit_note_draft(an_invoice(139_00, tax=650), {1: 1}, NOVEMBER)

        assert amounts(draft.lines) == [("CORRECTION", -1)]


class TestRefusals:
    @pytest.mark.parametrize("position", [0, -1, 3, 4])
    def test_a_line_that_charges_nothing_cannot_be_credited(self, position):
        with pytest.raises(LineNotCreditable, match=f"Invoice 100001 has no line {position} that charges something"):
            credit_note_draft(an_invoice(139_00, 20_00, tax=650), {position: 1}, NOVEMBER)

    def test_a_line_that_gave_back_cannot_be_credited(self):
        with pytest.raises(LineNotCreditable):
            credit_note_draft(an_invoice(239_00, -139_00), {2: None}, NOVEMBER)

    def test_never_more_than_the_line_charged_less_earlier_notes(self):
        first = credit_note_draft(an_invoice(139_00), {1: 9_00}, NOVEMBER)

        with pytest.raises(CreditTooHigh, match=r"\$130.01 cannot be credited: \$130.00 is left of line 1 of invoice"):
            credit_note_draft(an_invoice(139_00, earlier=first.lines), {1: 130_01}, NOVEMBER)

    def test_never_more_than_the_invoice_charged(self):
        with pytest.raises(CreditTooHigh, match=r"\$239.00 cannot be credited: \$100.00 is left of invoice 100001"):
            credit_note_draft(an_invoice(239_00, -139_00), {1: None}, NOVEMBER)

    def test_nothing_is_left_once_all_is_given_back(self):
        first = credit_note_draft(an_invoice(139_00), {}, NOVEMBER)

        for asked in ({}, {1: None}):
            with pytest.raises(NothingLeftToCredit, match="Invoice 100001 has nothing left to credit"):
                credit_note_draft(an_invoice(139_00, earlier=first.lines), asked, NOVEMBER)


class TestReplay:
    def test_a_note_is_computed_again_from_its_own_lines(self):
        creditable = an_invoice(139_00, 20_00, tax=650)
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
            credit_note_facts_hash(an_invoice(139_00, 20_00, earlier=draft.lines), draft),
        ]

        assert credit_note_facts_hash(creditable, draft) not in others
        assert len(set(others)) == 3


@given(
    charged=st.lists(st.integers(1, 10_000), min_size=1, max_size=4),
    rate=st.integers(0, 10_000),
    parts=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3_000)), max_size=12),
)
def test_after_the_last_note_exactly_the_invoice_is_given_back(charged, rate, parts):
    """Rule 27: however it is cut into notes, amounts and tax add up to what was charged."""
    notes: list[InvoiceLine] = []
    for position, cents in [*parts, (0, 0)]:
        invoice = an_invoice(*charged, tax=rate, earlier=tuple(notes))
        asked = {position: min(cents, invoice.left_of_line(position))} if position else {}
        if invoice.left_cents and (not position or asked[position]):
            notes += credit_note_draft(invoice, asked, NOVEMBER).lines

    given_back = -sum(line.amount_cents for line in notes)
    assert given_back == sum(line.amount_cents for line in an_invoice(*charged, tax=rate).lines)
    assert all(line.amount_cents < 0 for line in notes)
