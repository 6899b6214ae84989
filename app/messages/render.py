"""The one place that renders templates: escaped by default, and a variable that is not there is an error."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.messages.invoice_words import InvoiceWords

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).resolve().parents[1] / "static"
STYLE_SHEET = STATIC / "document.css"


class Renderer:
    """Renders pages that need nothing else: the style stands inside, and `content_policy` allows that style alone."""

    def __init__(self, style_sheet: Path = STYLE_SHEET) -> None:
        style = style_sheet.read_text(encoding="utf-8")
        digest = b64encode(sha256(style.encode()).digest()).decode()
        self.content_policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Our own file, and escaping it would change what the hash stands for.
        self._environment.globals["style"] = Markup(style)  # noqa: S704

    def invoice(self, words: InvoiceWords) -> str:
        """Return the page of an invoice, to read and to print."""
        return self._environment.get_template("invoice/invoice.html").render(invoice=words)

    def problem(self, *, title: str, sentence: str) -> str:
        """Return a page that says in one sentence why there is nothing to see, and what to do."""
        return self._environment.get_template("invoice/problem.html").render(title=title, sentence=sentence)

    def unsubscribe(self, *, title: str, sentence: str, asks: bool) -> str:
        """Return the page behind a mail's link; where it `asks` it has a button."""
        return self._environment.get_template("unsubscribe.html").render(title=title, sentence=sentence, asks=asks)

    def confirmation(self, *, title: str, sentence: str, buttons: Sequence[tuple[str, str]]) -> str:
        """Return the page that asks whether an address agrees; a button has its answer and its label."""
        template = self._environment.get_template("confirmation.html")
        return template.render(title=title, sentence=sentence, buttons=buttons)

    def messages(
        self,
        *,
        title: str,
        sentence: str,
        other_page: tuple[str, str],
        rows: Sequence[object],
        about: str = "To",
        is_dated: bool = True,
    ) -> str:
        """Return a list of messages, with the label and address of the page beside it.

        A row has `subject`, `to`, `when` and `links`; `about` is the heading of `to`, and `when` is shown where the
        list `is_dated`.
        """
        template = self._environment.get_template("sandbox/messages.html")
        return template.render(
            title=title, sentence=sentence, other_page=other_page, rows=rows, about=about, is_dated=is_dated
        )
