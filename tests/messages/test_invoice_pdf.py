"""The invoice as a PDF."""

from __future__ import annotations

import dataclasses

import pytest

from app.messages import invoice_pdf
from app.messages.invoice_pdf import PdfNotInstalled
from tests.messages.test_render import WORDS


class TestInvoicePdf:
    def test_the_same_words_give_the_same_file(self):
        made = invoice_pdf.invoice_pdf(WORDS)
        assert made.startswith(b"%PDF-")
        assert made == invoice_pdf.invoice_pdf(WORDS)

    def test_a_long_invoice_goes_on_on_the_next_page(self):
        long = dataclasses.replace(WORDS, lines=WORDS.lines * 60)
        assert invoice_pdf.invoice_pdf(long).count(b"/Type /Page\n") > 1

    def test_without_the_extra_it_says_which_one_brings_it(self, monkeypatch):
        monkeypatch.setattr(invoice_pdf, "find_spec", lambda _: None)
        assert invoice_pdf.is_available() is False
        with pytest.raises(PdfNotInstalled, match=r"flex-billing\[pdf\]"):
            invoice_pdf.invoice_pdf(WORDS)
