"""What the Billing Summary page asks for: itself, and the next invoice alone."""

from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from app.graphql.context import Info
from app.graphql.cost import cost
from app.graphql.permissions import Permission, root_field
from app.graphql.selections import mentions
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.next_invoice import NextInvoice
from app.repositories.pages.billing_summary import BILLING_SUMMARY
from app.repositories.pages.next_invoice import NEXT_INVOICE
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.repositories.reader import Page
from app.services.cycle import billing_summary as services
from app.services.plans.next_invoice import next_invoice
from app.services.plans.plan_advice import plan_advice_dates, projected_next_invoice
from app.services.usage.usage_months import current_month
from app.views.next_invoice import NextInvoiceBasis

FORECASTS = ("projection", "upgradeForecast", "isBestPlan")

BasisArgument = Annotated[NextInvoiceBasis, strawberry.argument(description="The usage to base the preview on.")]


async def load_summary(info: Info) -> BillingSummary | None:
    """Return the Billing Summary of the caller's account."""
    now = info.context.clock.now()
    month = current_month(now)
    dates: dict[str, object] = {"since": month.starts_on, "before": month.ends_before}
    pages: list[tuple[Page[Any], Mapping[str, object]]] = [(BILLING_SUMMARY, dates)]
    if mentions(info, *FORECASTS):
        pages.append((PLAN_ADVICE, plan_advice_dates(now)))
    facts, advice = (*await info.context.load_together(*pages), None)[:2]
    return BillingSummary.of(services.BillingSummary(facts, now, advice)) if facts else None


async def load_next_invoice(info: Info, basis: NextInvoiceBasis) -> NextInvoice | None:
    """Return the preview of the next invoice of the caller's account."""
    now = info.context.clock.now()
    if basis is NextInvoiceBasis.ACCRUED:
        facts = await info.context.load(NEXT_INVOICE)
        return NextInvoice.of(next_invoice(facts=facts, now=now)) if facts else None
    facts, advice = await info.context.load_together((NEXT_INVOICE, {}), (PLAN_ADVICE, plan_advice_dates(now)))
    if facts is None or advice is None:
        return None
    return NextInvoice.of(projected_next_invoice(facts=facts, advice=advice, now=now))


@strawberry.type
class BillingSummaryQueries:
    """Root fields of the Billing Summary."""

    @root_field(
        costs=[cost(300)],
        permission=Permission.VIEW_SUMMARY,
        description=(
            "The Billing Summary: the plan, this month's usage, the balances, and a preview of the next invoice."
        ),
    )
    async def billing_summary(self, info: Info) -> BillingSummary | None:
        """Resolve `billingSummary`."""
        return await load_summary(info)

    @root_field(
        costs=[cost(250)],
        permission=Permission.VIEW_SUMMARY,
        description="A preview of the next invoice, as if it were issued now, with an explanation of each line.",
    )
    async def next_invoice(self, info: Info, basis: BasisArgument = NextInvoiceBasis.ACCRUED) -> NextInvoice | None:
        """Resolve `nextInvoice`."""
        return await load_next_invoice(info, basis)
