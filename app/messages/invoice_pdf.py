"""The invoice as a PDF, with reportlab, which is an extra: without it there is no PDF, and everything else works."""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportlab.lib.colors import Color
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Flowable, Paragraph, Table

    Cell: TypeAlias = Paragraph | list[Paragraph]
    Rule: TypeAlias = tuple[str | float | tuple[int, int] | Color, ...]
    from app.messages.invoice_words import InvoiceWords, LineWords, Sum

MEDIA_TYPE = "application/pdf"

FONT, BOLD_FONT = "Vera", "VeraBd"
"""They come with reportlab, so that the same invoice gives the same file on every machine."""

BLACK, QUIET, ACCENT, RULE = "#000000", "#566473", "#0b5c7a", "#b9c1c9"

AMOUNT_WIDTH = 110
MARGIN = 56


class PdfNotInstalled(RuntimeError):
    """The extra that makes PDFs is missing."""

    def __init__(self) -> None:
        super().__init__("PDF documents need an extra that is not installed here: pip install 'flex-billing[pdf]'.")


def is_available() -> bool:
    """Tell whether this installation can make PDFs."""
    return find_spec("reportlab") is not None


def invoice_pdf(words: InvoiceWords) -> bytes:
    """Return the invoice as a PDF of letter size; a character that the font lacks is shown as a question mark.

    :raises PdfNotInstalled: without the extra.
    """
    if not is_available():
        raise PdfNotInstalled
    from reportlab.lib.pagesizes import LETTER
    from reportlab.platypus import SimpleDocTemplate

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=LETTER,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=words.title,
        author=words.issuer,
        lang="en-US",
        invariant=1,
    )
    document.build(_story(words, document.width))
    return out.getvalue()


def _story(words: InvoiceWords, width: float) -> list[Flowable]:
    from reportlab.platypus import Spacer

    return [_head(words, width), Spacer(1, 18), _facts(words, width), Spacer(1, 18), _charges(words, width)]


def _head(words: InvoiceWords, width: float) -> Table:
    issuer = [_text(words.issuer, size=12, is_bold=True), _text(words.product, color=QUIET)]
    name = [
        _text(words.title, size=18, is_bold=True, align="right"),
        _text(words.status, align="right", color=ACCENT, is_bold=True),
        *([_text(words.about, align="right", color=QUIET)] if words.about else []),
    ]
    return _table([[issuer, name]], [width / 2, width / 2], [("LINEBELOW", (0, 0), (-1, -1), 2, _color(ACCENT))])


def _facts(words: InvoiceWords, width: float) -> Table:
    facts = [
        _text(words.account_name, size=12, is_bold=True),
        _text(f"Account {words.account_number}", color=QUIET),
        _text(f"Issued {words.issued_on}. Due on receipt, {words.due_on}. Balance: {words.balance}.", color=QUIET),
        _text(words.caption, size=8, color=QUIET),
    ]
    return _table([[facts]], [width], [])


def _charges(words: InvoiceWords, width: float) -> Table:
    header = [_text("Charge", color=QUIET), _text("Amount", color=QUIET, align="right")]
    lines = [[_line(line), _text(line.amount, align="right")] for line in words.lines]
    sums = [[_sum(one), _text(one.amount, align="right", is_bold=one.is_final)] for one in words.sums]
    rules = [
        ("LINEBELOW", (0, 0), (-1, len(lines)), 0.5, _color(RULE)),
        ("LINEABOVE", (0, -1), (-1, -1), 1, _color(BLACK)),
    ]
    return _table([header, *lines, *sums], [width - AMOUNT_WIDTH, AMOUNT_WIDTH], rules, header_rows=1)


def _line(line: LineWords) -> list[Paragraph]:
    return [
        _text(line.title, is_bold=True),
        _text(line.period, size=8, color=QUIET),
        _text(line.arithmetic, size=8, color=QUIET),
    ]


def _sum(one: Sum) -> list[Paragraph]:
    note = [_text(one.note, size=8, color=QUIET)] if one.note else []
    return [_text(one.label, is_bold=one.is_final), *note]


def _table(rows: list[list[Cell]], widths: list[float], rules: Sequence[Rule], *, header_rows: int = 0) -> Table:
    from reportlab.platypus import Table

    table = Table(rows, colWidths=widths, repeatRows=header_rows)
    padding = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0)]
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *padding, *rules])
    return table


def _text(text: str, *, size: int = 10, color: str = BLACK, align: str = "left", is_bold: bool = False) -> Paragraph:
    """A paragraph of plain text: what it holds is never taken for markup."""
    from reportlab.platypus import Paragraph

    shown = "".join(character if ord(character) in _glyphs() else "?" for character in text)
    return Paragraph(escape(shown), _style(size=size, color=color, align=align, is_bold=is_bold))


@cache
def _style(*, size: int, color: str, align: str, is_bold: bool) -> ParagraphStyle:
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle(
        "text",
        fontName=BOLD_FONT if is_bold else FONT,
        fontSize=size,
        leading=size * 1.4,
        textColor=_color(color),
        alignment={"left": 0, "right": 2}[align],
    )


def _color(name: str) -> Color:
    from reportlab.lib.colors import HexColor

    return HexColor(name)


@cache
def _glyphs() -> frozenset[int]:
    """Register both fonts, and return which characters they have."""
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    fonts = [TTFont(name, f"{name}.ttf") for name in (FONT, BOLD_FONT)]
    for font in fonts:
        registerFont(font)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))
