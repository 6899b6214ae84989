"""Invoices: the list, one with everything behind it, and the difference between two."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from app.domain.periods import InvalidMonth, Period
from app.graphql.connections import (
    DEFAULT_PAGE,
    AfterArgument,
    Connection,
    FirstArgument,
    Keys,
    Window,
    open_window,
    page_of,
)
from app.graphql.context import Info
from app.graphql.cost import PAGED, cost
from app.graphql.errors import BadInput
from app.graphql.permissions import Permission, root_field
from app.graphql.selections import mentions
from app.graphql.types.collection import PaymentAttempt
from app.graphql.types.invoice import FilterArgument, Invoice, InvoiceFilter
from app.graphql.types.invoice_difference import InvoiceDifference
from app.repositories.pages.chosen_invoices import ATTEMPTED_INVOICE, OPEN_INVOICES, SETTLED_INVOICES
from app.repositories.pages.invoices import INVOICE, INVOICE_PAIR, invoices_page
from app.repositories.reader import Page
from app.views import invoices as views
from app.views.invoices import InvoicePage

INVOICES = "invoices"
DETAILS = ("lines", "payments", "credits", "collection")
ABOVE_EVERY_NUMBER = 2**63 - 1

IdArgument = Annotated[strawberry.ID, strawberry.argument(description="The id of the invoice.")]
FromArgument = Annotated[strawberry.ID, strawberry.argument(name="from", description="The id of the earlier invoice.")]
ToArgument = Annotated[strawberry.ID, strawberry.argument(name="to", description="The id of the later invoice.")]


def list_page(info: Info, window: Window, narrowed: InvoiceFilter) -> tuple[Page[InvoicePage], dict[str, object]]:
    """Return the page of a list of invoices with its binds; lines and payments only where they are asked for.

    :raises BadInput: when the month or the cursor cannot be used.
    """
    binds: dict[str, object] = {"after_number": _after(window), "fetch": window.fetch}
    if narrowed.status is not None:
        binds["status"] = narrowed.status
    if narrowed.month is not None:
        binds["month_on"] = read_month(narrowed.month).starts_on
    page = invoices_page(
        has_status="status" in binds,
        has_month="month_on" in binds,
        is_detailed=mentions(info, *DETAILS),
        is_counted=window.is_counted,
    )
    return page, binds


def read_month(month: str) -> Period:
    """Return the month of an argument.

    :raises BadInput: when the text is no month.
    """
    try:
        return Period.parse(month)
    except InvalidMonth as error:
        raise BadInput(str(error)) from None


def _after(window: Window) -> int:
    if window.after is None:
        return ABOVE_EVERY_NUMBER
    return min(int(window.after[0]), ABOVE_EVERY_NUMBER)


def _keys(invoice: views.Invoice) -> Keys:
    return (invoice.facts.number,)


async def load_invoice(info: Info, invoice_id: str) -> Invoice | None:
    """Return an invoice of the caller's account."""
    found = await info.context.load(INVOICE, invoice_id=invoice_id)
    return Invoice.of(found[0]) if found else None


async def load_invoices(info: Info, invoice_ids: Sequence[str]) -> list[Invoice | None]:
    """Return invoices of the caller's account in the order of their ids, in one trip."""
    asked: list[tuple[Page[Any], dict[str, object]]] = [(INVOICE, {"invoice_id": each}) for each in invoice_ids]
    found = await info.context.load_together(*asked)
    return [Invoice.of(each[0]) if each else None for each in found]


async def load_settled_invoices(info: Info, invoice_id: str) -> list[Invoice]:
    """Return the invoices of the caller's account that credit of this one has paid, wholly or in part."""
    return [Invoice.of(found) for found in await info.context.load(SETTLED_INVOICES, invoice_id=invoice_id)]


async def load_open_invoices(info: Info) -> list[Invoice]:
    """Return the open invoices of the caller's account, oldest first."""
    found = await info.context.load(OPEN_INVOICES)
    return [Invoice.of(invoice) for invoice in sorted(found, key=lambda invoice: invoice.facts.number)]


async def load_attempt(info: Info, id: str) -> PaymentAttempt | None:
    """Return one charge of one of the account's invoices."""
    found = await info.context.load(ATTEMPTED_INVOICE, attempt_id=id)
    tried = (attempt for invoice in found for attempt in invoice.attempts)
    return next((PaymentAttempt.of(attempt) for attempt in tried if attempt.id == id), None)


@strawberry.type
class InvoiceQueries:
    """Root fields about invoices."""

    @root_field(
        costs=[PAGED],
        permission=Permission.VIEW_INVOICES,
        description="Your invoices, newest first.",
    )
    async def invoices(
        self,
        info: Info,
        filter: FilterArgument = None,
        first: FirstArgument = DEFAULT_PAGE,
        after: AfterArgument = None,
    ) -> Connection[Invoice] | None:
        """Resolve `invoices`."""
        window = open_window(info, kind=INVOICES, first=first, after=after, keys=(int,))
        page, binds = list_page(info, window, filter or InvoiceFilter())
        found = await info.context.load(page, **binds)
        return page_of(found.invoices, window, node=Invoice.of, keys=_keys, total=found.total)

    @root_field(
        costs=[cost(250)],
        permission=Permission.VIEW_INVOICES,
        description="One invoice, down to the underlying calls. Null if your account has none with this id.",
    )
    async def invoice(self, info: Info, id: IdArgument) -> Invoice | None:
        """Resolve `invoice`."""
        return await load_invoice(info, str(id))

    @root_field(
        costs=[cost(250)],
        permission=Permission.VIEW_INVOICES,
        description=(
            "Why two of your invoices differ: the difference by kind of charge, each with its "
            "cause. Null if your account lacks one of them."
        ),
    )
    async def invoice_difference(self, info: Info, before: FromArgument, after: ToArgument) -> InvoiceDifference | None:
        """Resolve `invoiceDifference`."""
        found = await info.context.load(INVOICE_PAIR, from_id=str(before), to_id=str(after))
        by_id = {invoice.facts.id: invoice for invoice in found}
        old, new = by_id.get(before), by_id.get(after)
        return InvoiceDifference.of(old, new) if old and new else None
