"""The invoice as a PDF."""

from __future__ import annotations

import dataclasses

import pytest

from app.messages import invoice_pdf
from app.messages.invoice_pdf import PdfNotInstalled
from app.messages.invoice_words import invoice_words
from tests.factories.invoices import change_with_credit_kept
from tests.factories.issued import an_invoice
from tests.messages.test_render import WORDS


class TestInvoicePdf:
    def test_the_same_words_give_the_same_file(self):
        made = invoice_pdf.invoice_pdf(WORDS)
        assert made.startswith(b"%PDF-")
        assert made == invoice_pdf.invoice_pdf(WORDS)

    def test_a_long_invoice_goes_on_on_the_next_page(self):
        long = dataclasses.replace(WORDS, lines=WORDS.lines * 60)
        assert invoice_pdf.invoice_pdf(long).count(b"/Type /Page\n") > 1

    def test_every_row_of_several_taxes_is_in_it(self, monkeypatch):
        written, text = [], invoice_pdf._text

        def write(words, **looks):
            written.append(words)
            return text(words, **looks)

        monkeypatch.setattr(invoice_pdf, "_text", write)
        words = invoice_words(an_invoice(lines=change_with_credit_kept()))
        invoice_pdf.invoice_pdf(words)
        rows = [part for one in words.sums for part in (one.label, one.note, one.amount) if part]
        assert [part for part in rows if part not in written] == []
        assert "Wichita sales tax of invoice 100001: given back" in rows

    def test_without_the_extra_it_says_which_one_brings_it(self, monkeypatch):
        monkeypatch.setattr(invoice_pdf, "find_spec", lambda _: None)
        assert invoice_pdf.is_available() is False
        with pytest.raises(PdfNotInstalled, match=r"flex-billing\[pdf\]"):
            invoice_pdf.invoice_pdf(WORDS)
