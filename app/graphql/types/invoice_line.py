"""The lines of an issued invoice, each kind with what it alone can tell, and the way down to the calls behind it."""

import strawberry

from app.domain import invoice_lines
from app.domain.invoice_lines import LineKind
from app.graphql.connections import DEFAULT_PAGE, AfterArgument, Connection, FirstArgument
from app.graphql.context import Info
from app.graphql.cost import PAGED
from app.graphql.fields import computed, looked_up
from app.graphql.types.call import Call
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.graphql.types.line import LineExplanation
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.graphql.types.plan import UnitPrice
from app.graphql.types.underlying_calls import MonthUsage, load_underlying_calls
from app.graphql.types.underlying_usage import UnderlyingUsage
from app.views.calls import UnderlyingCalls


@strawberry.interface(
    description="One line of an issued invoice. Line types that your app does not know have these fields too."
)
class InvoiceLine(Node):
    """What all kinds of line share."""

    kind: LineKind = strawberry.field(description="The kind of charge.")
    display_name: str = strawberry.field(description="The line's title, such as `100 Minutes plan, February 2027`.")
    amount: Money = strawberry.field(description="The amount that the line adds to the total. Negative for a credit.")
    period: Period = strawberry.field(description="The month that the line charges for.")
    line: strawberry.Private[invoice_lines.InvoiceLine]

    @computed(description="How the amount was calculated.")
    def explanation(self) -> LineExplanation:
        """Return the arithmetic of the line."""
        return LineExplanation.of(self.line)


@strawberry.interface(description="A line that bills usage. It gives access to that usage and to the underlying calls.")
class MeteredLine(InvoiceLine):
    """What lines of usage share. An issued line never changes: calls that came in later are not behind it."""

    behind: strawberry.Private[UnderlyingCalls]
    month: strawberry.Private[MonthUsage]

    @looked_up(description="The usage of the line's month by day, as of the invoice's issue.")
    async def usage(self, info: Info) -> UnderlyingUsage:
        """Resolve `usage`."""
        return UnderlyingUsage.of(await self.month.load(info.context))

    @looked_up(
        costs=[PAGED],
        description=(
            "The underlying calls, oldest first: those that the invoice billed when it was issued. For a charge: the "
            "calls it adds up. For an adjustment: the calls reported since the previous invoice, and those they "
            "corrected. Each call is shown as it stands today."
        ),
    )
    async def calls(
        self, info: Info, first: FirstArgument = DEFAULT_PAGE, after: AfterArgument = None
    ) -> Connection[Call]:
        """Resolve `calls`."""
        return await load_underlying_calls(info, self.behind, first, after)


@strawberry.type(
    description=(
        "The base price of a plan for a month, or its reversal when another plan replaced it "
        "(`kind` is `BASE_REVERSAL`)."
    )
)
class PlanLine(InvoiceLine):
    """A line of the base (rule 18)."""

    plan_code: str = strawberry.field(description="The plan's short code, such as `100`.")
    plan_name: str = strawberry.field(description="The plan's name to show, such as `100 Minutes`.")
    paid_days: int = strawberry.field(
        description="The number of days billed. It is the whole month, except in a partial first month."
    )


@strawberry.type(description="The price of an add-on or an additional telephone line for a month.")
class AddOnLine(InvoiceLine):
    """A line of something that recurs (rule 22)."""

    add_on_code: str = strawberry.field(description="The short code of the add-on or line, such as `on_call`.")
    add_on_name: str = strawberry.field(description="The name to show, such as `On-Call`.")
    paid_days: int = strawberry.field(
        description=(
            "The number of days billed. It is the whole month, except for an add-on that is "
            "prorated in its first month."
        )
    )


@strawberry.type(description="Usage that is charged: overage, patched calls, or automated (IVR) time.")
class UsageLine(MeteredLine):
    """A line of metered time."""

    quantity: Duration = strawberry.field(description="The billed time.")
    rate: UnitPrice = strawberry.field(description="The price per minute.")


@strawberry.type(
    description=(
        "A correction to the usage charges of an earlier month, for calls that were reported after its invoice."
    )
)
class AdjustmentLine(MeteredLine):
    """A line of late usage (rule 25)."""

    usage_kind: LineKind | None = strawberry.field(
        description=(
            "The kind of usage that the line corrects: `OVERAGE`, `PATCH` or `IVR`. Null on lines "
            "issued before November 2026, which correct all kinds at once."
        )
    )
    month_charges: Money = strawberry.field(description="What the month's usage costs now, late calls included.")
    credit_kept: Money = strawberry.field(
        description="The part of earlier credit notes and write-offs that stays deducted although usage went up."
    )
    already_billed: Money = strawberry.field(description="The amount still billed for it by earlier invoices.")


@strawberry.type(
    description=(
        "A single amount: a one-time charge added by our staff, a late fee, a credit kept on a new "
        "price (`kind` is `CREDIT_KEPT`), or the reversal of an earlier charge (`kind` is "
        "`CORRECTION`)."
    )
)
class ChargeLine(InvoiceLine):
    """A line that bills once."""

    corrects: strawberry.ID | None = strawberry.field(
        description="The id of the invoice whose charge is reversed. Null on charges and fees."
    )
    corrects_number: str | None = strawberry.field(description="The number of that invoice. Null on charges and fees.")


@strawberry.type(description="One tax on the charges, or its reversal.")
class TaxLine(InvoiceLine):
    """A line of tax (rule 11)."""

    tax_name: str = strawberry.field(description="The name of the tax.")
    percentage: str = strawberry.field(description="The rate in per cent, such as `6.5`.")
    taxed: Money = strawberry.field(
        description="The sum of the lines that the tax applies to. Negative if they are reversed."
    )
    reverses_number: str | None = strawberry.field(
        description=(
            "The number of the invoice whose tax is reversed. Null if the tax is charged, or "
            "reduced by a credit that is kept."
        )
    )
