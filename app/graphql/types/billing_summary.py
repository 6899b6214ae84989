"""The Billing Summary, box by box."""

import strawberry

from app.domain.periods import billing_date
from app.graphql.cost import cost, holds
from app.graphql.derived_ids import derived_id
from app.graphql.fields import computed
from app.graphql.permissions import Permission, section
from app.graphql.types.common import Period
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import NextInvoice
from app.graphql.types.node import Node
from app.graphql.types.payment_method import AutoPay, PaymentMethod, payment_method_of
from app.graphql.types.plan import Plan
from app.graphql.types.projection import Projection, UpgradeForecast
from app.graphql.types.usage import UsageMonth
from app.services.cycle import billing_summary as services


@strawberry.type(
    description=(
        "The Billing Summary. Each part is nullable: a part that cannot be loaded is null and has "
        "an error of its own; the others are still returned."
    )
)
class BillingSummary(Node):
    """Built from the summary's service with `BillingSummary.of`; a box is computed when it is selected."""

    summary: strawberry.Private[services.BillingSummary]
    id: strawberry.ID = strawberry.field(description="Identifies this account's summary. It never changes.")
    period: Period = strawberry.field(description="The current billing month.")

    @classmethod
    def of(cls, summary: services.BillingSummary) -> "BillingSummary":
        """Return the summary for clients."""
        account_id = summary.facts.usage.account_id
        return cls(summary=summary, id=derived_id("summary", account_id), period=Period.of(summary.period))

    @computed(description="The plan that this month is billed on. During a trial, the plan that follows it.")
    def current_plan(self) -> Plan | None:
        """Return the plan of this month."""
        return Plan.of(self.summary.current_plan)

    @computed(description="The chosen plan, which next month starts on.")
    def next_month_plan(self) -> Plan | None:
        """Return the chosen plan."""
        return Plan.of(self.summary.next_month_plan)

    @computed(
        description=(
            "This month's usage to date. Null, without an error, before the month in which paid service starts."
        )
    )
    def usage(self) -> UsageMonth | None:
        """Return the usage of this month."""
        month = self.summary.usage
        return UsageMonth.of(month) if month else None

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="The amount still due on all invoices. Null if your role cannot see payment details.",
    )
    def open_balance(self) -> Money | None:
        """Return what is owed."""
        return Money.of(self.summary.facts.open_balance_cents)

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="Account credit that will pay for coming invoices. Null if your role cannot see payment details.",
    )
    def credit_balance(self) -> Money | None:
        """Return what is owed to the customer."""
        return Money.of(self.summary.facts.credit_balance_cents)

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="The default payment method. Null if there is none, or if your role cannot see payment details.",
    )
    def payment_method(self) -> PaymentMethod | None:
        """Return the default on file."""
        method = self.summary.payment_method
        return payment_method_of(method, billing_date(self.summary.now)) if method else None

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description=(
            "Automatic payment: whether it is required, and when which method is charged next. Null "
            "if your role cannot see payment details."
        ),
    )
    def auto_pay(self) -> AutoPay | None:
        """Return how the account pays by itself."""
        return AutoPay.of(self.summary.auto_pay, billing_date(self.summary.now))

    @computed(description="A preview of the next invoice, based on usage to date.")
    def next_invoice(self) -> NextInvoice | None:
        """Return the preview."""
        return NextInvoice.of(self.summary.next_invoice)

    @computed(description="This month's usage projected to its end at the current pace.")
    def projection(self) -> Projection | None:
        """Return the projection."""
        found = self.summary.projection
        return Projection.of(found) if found else None

    @computed(
        costs=[cost(200)],
        description=(
            "Whether the chosen plan is the best one for the account's usage: false if `planAdvice` recommends "
            "another. Null while there are too few full months to tell."
        ),
    )
    def is_best_plan(self) -> bool | None:
        """Return what the advice says of the plan."""
        return self.summary.is_best_plan

    @computed(
        costs=[holds(2)],
        description="The automatic upgrades expected this month at the current pace, in order. Usually empty.",
    )
    def upgrade_forecast(self) -> list[UpgradeForecast] | None:
        """Return the forecast."""
        return [UpgradeForecast.of(one, self.summary) for one in self.summary.upgrades_ahead]
