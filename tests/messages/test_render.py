"""The page of an invoice: complete, escaped, and needing nothing from anywhere else."""

from __future__ import annotations

import dataclasses
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from app.domain.invoice_drafts import InvoiceKind
from app.messages.invoice_words import InvoiceWords, LineWords, Sum, invoice_words
from app.messages.render import Renderer
from tests.factories.invoices import change_with_credit_kept
from tests.factories.issued import an_invoice

WORDS = InvoiceWords(
    issuer="Specialty Answering Service",
    product="SAS Flex Billing",
    number="100002",
    title="Invoice 100002",
    about="In place of invoice 100001",
    account_name='שירותי מענה "Ocean" <script>alert(1)</script> & Sons',
    account_number="AA0101",
    status="Open",
    is_open=True,
    issued_on="August 1, 2026",
    due_on="August 1, 2026",
    period="August 1, 2026 – August 31, 2026",
    caption="Charges for the month August 1, 2026 – August 31, 2026",
    lines=(LineWords("100 Minutes plan, August 2026", "August 1 – 31", "1 month at $139.00", "$139.00"),),
    sums=(Sum("Total", "$139.00"), Sum("Payment", "-$9.00", "Check <1>"), Sum("Balance", "$130.00", is_final=True)),
    balance="$130.00",
)


class Outline(HTMLParser):
    """Which elements and attributes a page has, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.words.append(data)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


class TestInvoicePage:
    def test_shows_every_word(self, renderer):
        text = Outline(renderer.invoice(WORDS)).text
        shown = [WORDS.title, WORDS.about, WORDS.caption, WORDS.account_name, WORDS.status, WORDS.balance]
        shown += ["Check <1>", "1 month at $139.00"]
        assert [word for word in shown if word not in text] == []

    def test_shows_every_row_of_several_taxes_and_of_credit_kept(self, renderer):
        words = invoice_words(an_invoice(lines=change_with_credit_kept(), kind=InvoiceKind.PLAN_CHANGE))
        text = Outline(renderer.invoice(words)).text
        rows = [part for one in words.sums for part in (one.label, one.note, one.amount) if part]
        lines = [part for line in words.lines for part in (line.title, line.arithmetic, line.amount)]
        assert [part for part in (*lines, *rows) if part not in text] == []
        assert "Credit kept from credit note 100002" in lines

    def test_a_name_stays_text_whatever_is_in_it(self, renderer):
        outline = Outline(renderer.invoice(WORDS))
        assert "script" not in outline.tags
        assert "bdi" in outline.tags

    def test_it_refers_to_nothing_outside(self, renderer):
        page = renderer.invoice(WORDS)
        assert Outline(page).attributes & {"src", "href", "style", "onclick", "srcset", "action"} == set()
        assert re.findall(r"url\(|@import|https?:", page) == []

    def test_the_policy_lets_the_style_of_the_page_in_and_nothing_else(self, renderer):
        style = re.search(r"<style>(.*?)</style>", renderer.invoice(WORDS), re.DOTALL)[1]
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in renderer.content_policy
        assert renderer.content_policy.startswith("default-src 'none';")

    def test_rows_and_columns_have_headers_to_be_read_aloud(self, renderer):
        page = renderer.invoice(WORDS)
        assert '<html lang="en">' in page
        assert page.count('scope="col"') == 2
        assert page.count('scope="row"') == len(WORDS.lines) + len(WORDS.sums)
        assert Outline(page).tags.count("h1") == 1

    def test_a_missing_word_is_an_error(self, renderer):
        fields = {field.name: getattr(WORDS, field.name) for field in dataclasses.fields(WORDS)}
        del fields["due_on"]
        with pytest.raises(UndefinedError):
            renderer.invoice(fields)


class TestProblemPage:
    def test_says_its_sentence(self, renderer):
        text = Outline(renderer.problem(title="Expired <now>", sentence="Go back & try again.")).text
        assert "Expired <now>" in text
        assert "Go back & try again." in text
