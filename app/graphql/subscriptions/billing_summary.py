"""What the Billing Summary page is kept up to date with."""

import strawberry

from app.graphql.context import MEMBERSHIP_GONE, Info
from app.graphql.cost import cost
from app.graphql.errors import Forbidden
from app.graphql.permissions import Permission, root_field
from app.graphql.queries.billing_summary import load_summary
from app.graphql.types.billing_summary import BillingSummary


@strawberry.type
class BillingSummarySubscriptions:
    """Root fields that follow the Billing Summary.

    A root field resolves one event, as that of a query would: `app/http/event_streams.py` runs the operation again for
    each event, with the caller's role, the cost and the clock of that moment.
    """

    @root_field(
        costs=[cost(300)],
        permission=Permission.VIEW_SUMMARY,
        description=(
            "The Billing Summary now, and again whenever something in it has changed: a call, the plan, an add-on, a "
            "payment, an invoice. Changes that follow each other closely come as one."
        ),
    )
    async def billing_summary_updated(self, info: Info) -> BillingSummary:
        """Resolve one event of `billingSummaryUpdated`."""
        summary = await load_summary(info)
        if summary is None:
            raise Forbidden(MEMBERSHIP_GONE)
        return summary
