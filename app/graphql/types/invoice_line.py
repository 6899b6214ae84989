"""The lines of an issued invoice, each kind with what it alone can tell, and the way down to the calls behind it."""

import strawberry

from app.domain import invoice_lines
from app.domain.invoice_lines import LineKind
from app.graphql.connections import DEFAULT_PAGE, AfterArgument, Connection, FirstArgument
from app.graphql.context import Info
from app.graphql.fields import computed, looked_up
from app.graphql.types.call import Call
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.graphql.types.line import LineExplanation
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.graphql.types.plan import UnitPrice
from app.graphql.types.underlying_calls import MonthUsage, load_calls_behind
from app.graphql.types.usage_behind import UsageBehind
from app.views.calls import CallsBehind


@strawberry.interface(description="One charge on an issued invoice. A kind that you do not know has these too.")
class InvoiceLine(Node):
    """What all kinds of line share."""

    kind: LineKind = strawberry.field(description="What the line charges.")
    display_name: str = strawberry.field(description="The line in words, such as `100 Minutes plan, February 2027`.")
    amount: Money = strawberry.field(description="What the line adds to the total; negative when it gives money back.")
    period: Period = strawberry.field(description="The month that the line is about.")
    line: strawberry.Private[invoice_lines.InvoiceLine]

    @computed(description="Why the line costs what it costs.")
    def explanation(self) -> LineExplanation:
        """Return the arithmetic of the line."""
        return LineExplanation.of(self.line)


@strawberry.interface(description="A line that is made of calls: look into the usage behind it, and into those calls.")
class MeteredLine(InvoiceLine):
    """What lines of usage share. An issued line never changes: calls that came in later are not behind it."""

    behind: strawberry.Private[CallsBehind]
    month: strawberry.Private[MonthUsage]

    @looked_up(description="The usage of the line's month, by day, as it was when the invoice was issued.")
    async def usage(self, info: Info) -> UsageBehind:
        """Resolve `usage`."""
        return UsageBehind.of(await self.month.load(info.context))

    @looked_up(
        description="The calls behind the line, oldest first, as they were when the invoice was issued. Behind a "
        "charge: the calls that it adds up. Behind a correction: the calls that came in since the invoice before, and "
        "those that they corrected."
    )
    async def calls(
        self, info: Info, first: FirstArgument = DEFAULT_PAGE, after: AfterArgument = None
    ) -> Connection[Call]:
        """Resolve `calls`."""
        return await load_calls_behind(info, self.behind, first, after)


@strawberry.type(
    description="The price of a plan for a month, or that price given back where another plan took its place "
    "(`kind` is `BASE_REVERSAL`)."
)
class PlanLine(InvoiceLine):
    """A line of the base (rule 18)."""

    plan_code: str = strawberry.field(description="The plan's short name, such as `100`.")
    plan_name: str = strawberry.field(description="The plan's name for people, such as `100 Minutes`.")
    paid_days: int = strawberry.field(description="How many days of the month are billed; all but in a first month.")


@strawberry.type(description="The price of an add-on or an additional telephone line for a month.")
class AddOnLine(InvoiceLine):
    """A line of something that recurs (rule 22)."""

    add_on_code: str = strawberry.field(description="The short name of what is charged, such as `on_call`.")
    add_on_name: str = strawberry.field(description="Its name for people, such as `On-Call`.")
    paid_days: int = strawberry.field(
        description="How many days of the month are billed: all, but where the month it was bought in is billed by day."
    )


@strawberry.type(description="Time that was used, at its price: overage, patched calls, or automated (IVR) time.")
class UsageLine(MeteredLine):
    """A line of metered time."""

    quantity: Duration = strawberry.field(description="The time charged.")
    rate: UnitPrice = strawberry.field(description="The price of a minute.")


@strawberry.type(description="A correction of an earlier month, for calls that came in after its invoice.")
class AdjustmentLine(MeteredLine):
    """A line of late usage (rule 25)."""

    usage_kind: LineKind | None = strawberry.field(
        description="The kind of usage it corrects: `OVERAGE`, `PATCH` or `IVR`. Null on lines from before November "
        "2026, which correct all kinds together."
    )
    month_charges: Money = strawberry.field(description="What that usage comes to now, late calls included.")
    credit_kept: Money = strawberry.field(
        description="What credit notes and write-offs had taken off it and is kept, though the usage went up."
    )
    already_billed: Money = strawberry.field(description="What is still billed for it by earlier invoices.")


@strawberry.type(
    description="A single amount in words: a charge that our staff added, a late fee, credit kept on a new price "
    "(`kind` is `CREDIT_KEPT`), or what an earlier invoice charged and is given back (`kind` is `CORRECTION`)."
)
class ChargeLine(InvoiceLine):
    """A line that bills once."""

    corrects: strawberry.ID | None = strawberry.field(
        description="The id of the invoice that it gives back a charge of; null on a charge and on a fee."
    )
    corrects_number: str | None = strawberry.field(
        description="The number of that invoice; null on a charge and on a fee."
    )


@strawberry.type(description="One tax on what the invoice charges, or given back with what it had been charged on.")
class TaxLine(InvoiceLine):
    """A line of tax (rule 11)."""

    tax_name: str = strawberry.field(description="What the tax is called.")
    percentage: str = strawberry.field(description="The rate in per cent, such as `6.5`.")
    taxed: Money = strawberry.field(
        description="The sum of the lines that it applies to; negative where they are given back."
    )
    reverses_number: str | None = strawberry.field(
        description="The number of the invoice whose tax is given back; null on a tax that is charged, and on what "
        "credit kept takes off it."
    )
