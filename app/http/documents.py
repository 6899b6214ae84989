"""The documents of an invoice, opened by a signed link: a page, tables, and a PDF where that is installed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from app.http import answers
from app.messages import invoice_pdf, tables
from app.messages.invoice_tables import CALL_COLUMNS, call_rows, line_rows
from app.messages.invoice_words import invoice_words
from app.repositories.pages.invoices import INVOICE
from app.services.invoices.document_links import DocumentKind, LinkExpired, LinkUnknown
from app.services.invoices.invoice_calls import invoice_calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.messages.render import Renderer
    from app.repositories.reader import Reader
    from app.services.invoices.document_links import DocumentClaim, DocumentLinks
    from app.views.invoices import Invoice

ADDRESS = "/documents/{token}"

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


def document_kinds() -> frozenset[DocumentKind]:
    """Return the kinds that this installation can make."""
    return frozenset(DocumentKind) - (frozenset() if invoice_pdf.is_available() else {DocumentKind.PDF})


def document_routes(*, reader: Reader, links: DocumentLinks, renderer: Renderer) -> Sequence[BaseRoute]:
    """Return the route of all documents; the link itself is the right to read, so there is no token to check."""
    return [Route(ADDRESS, Documents(reader, links, renderer).answer, methods=["GET"])]


class Documents:
    """Answers for one link: the document, or a page with one sentence."""

    def __init__(self, reader: Reader, links: DocumentLinks, renderer: Renderer) -> None:
        self._reader = reader
        self._links = links
        self._renderer = renderer

    async def answer(self, request: Request) -> Response:
        """Handle one request."""
        try:
            claim = self._links.open(request.path_params["token"])
            invoice = await self._find(claim)
            return await self._document(claim, invoice)
        except LinkUnknown as error:
            return self._problem(answers.NOT_FOUND, "No document here", error)
        except LinkExpired as error:
            return self._problem(answers.GONE, "This link has expired", error)
        except invoice_pdf.PdfNotInstalled as error:
            return self._problem(answers.NOT_FOUND, "No PDF here", error)

    async def _find(self, claim: DocumentClaim) -> Invoice:
        (found,) = await self._reader.load(INVOICE.request(account=claim.account, invoice_id=claim.invoice_id))
        if not found:
            raise LinkUnknown
        invoice: Invoice = found[0]
        return invoice

    async def _document(self, claim: DocumentClaim, invoice: Invoice) -> Response:
        number = invoice.facts.number
        match claim.kind:
            case DocumentKind.HTML:
                page = self._renderer.invoice(invoice_words(invoice))
                return HTMLResponse(page, headers=self._headers("inline", f"invoice-{number}.html"))
            case DocumentKind.PDF:
                # Off the loop: laying out a long invoice takes a while.
                content = await asyncio.to_thread(invoice_pdf.invoice_pdf, invoice_words(invoice))
                headers = self._headers("inline", f"invoice-{number}.pdf")
                return Response(content, headers=headers, media_type=invoice_pdf.MEDIA_TYPE)
            case DocumentKind.CSV:
                table = tables.BYTE_ORDER_MARK + tables.write_rows(line_rows(invoice))
                headers = self._headers("attachment", f"invoice-{number}.csv")
                return Response(table, headers=headers, media_type=tables.MEDIA_TYPE)
            case DocumentKind.CALLS_CSV:
                headers = self._headers("attachment", f"invoice-{number}-calls.csv")
                return StreamingResponse(self._calls(claim, invoice), headers=headers, media_type=tables.MEDIA_TYPE)

    async def _calls(self, claim: DocumentClaim, invoice: Invoice) -> AsyncIterator[str]:
        """Yield the table of the calls in pieces, so that its length does not matter."""
        yield tables.BYTE_ORDER_MARK + tables.write_rows([CALL_COLUMNS])
        async for part, calls in invoice_calls(reader=self._reader, account=claim.account, invoice=invoice):
            yield tables.write_rows(call_rows(part, calls))

    def _headers(self, disposition: str, filename: str) -> dict[str, str]:
        return {
            **HEADERS,
            "content-security-policy": self._renderer.content_policy,
            "content-disposition": f'{disposition}; filename="{filename}"',
        }

    def _problem(self, status: int, title: str, error: Exception) -> Response:
        page = self._renderer.problem(title=title, sentence=str(error))
        headers = {**HEADERS, "content-security-policy": self._renderer.content_policy}
        return HTMLResponse(page, status, headers)
