"""What the Billing Summary page asks for: itself, and the next invoice alone."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, root_field
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.next_invoice import NextInvoice
from app.repositories.pages.billing_summary import BILLING_SUMMARY
from app.repositories.pages.next_invoice import NEXT_INVOICE
from app.services import billing_summary as services
from app.services.next_invoice import next_invoice
from app.services.usage_months import current_month
from app.views.next_invoice import NextInvoiceBasis

BasisArgument = Annotated[NextInvoiceBasis, strawberry.argument(description="Which usage to count.")]


async def load_summary(info: Info) -> BillingSummary | None:
    """Return the Billing Summary of the caller's account."""
    now = info.context.clock.now()
    month = current_month(now)
    facts = await info.context.load(BILLING_SUMMARY, since=month.starts_on, before=month.ends_before)
    return BillingSummary.of(services.BillingSummary(facts, now)) if facts else None


@strawberry.type
class BillingSummaryQueries:
    """Root fields of the Billing Summary."""

    @root_field(
        permission=Permission.VIEW_SUMMARY,
        description="The Billing Summary: the plan, this month's usage, the balances, and the next invoice so far.",
    )
    async def billing_summary(self, info: Info) -> BillingSummary | None:
        """Resolve `billingSummary`."""
        return await load_summary(info)

    @root_field(
        permission=Permission.VIEW_SUMMARY,
        description="Your next invoice, as it would be if it were issued now, with lines that explain themselves.",
    )
    async def next_invoice(self, info: Info, basis: BasisArgument = NextInvoiceBasis.ACCRUED) -> NextInvoice | None:
        """Resolve `nextInvoice`."""
        now = info.context.clock.now()
        facts = await info.context.load(NEXT_INVOICE)
        return NextInvoice.of(next_invoice(facts=facts, now=now, basis=basis)) if facts else None
