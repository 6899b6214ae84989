"""Why did my bill change: two invoices beside each other."""

import strawberry

from app.domain.comparison import KIND_NAMES, KindDifference, compare_lines, movement
from app.domain.invoice_lines import LineKind
from app.graphql.cost import holds
from app.graphql.types.invoice import Invoice
from app.graphql.types.money import Money
from app.views import invoices as views


@strawberry.type(description="One kind of charge on both invoices, and why it differs.")
class InvoiceDifferenceItem:
    """Built from a comparison of the core with `InvoiceDifferenceItem.of`."""

    kind: LineKind = strawberry.field(description="The kind of charge.")
    display_name: str = strawberry.field(description="The name of the kind, such as `Overage`.")
    before: Money = strawberry.field(name="from", description="The amount on the earlier invoice.")
    after: Money = strawberry.field(name="to", description="The amount on the later invoice.")
    difference: Money = strawberry.field(description="`to` less `from`. Negative if it went down.")
    cause: str = strawberry.field(description="The cause in one sentence.")

    @classmethod
    def of(cls, found: KindDifference) -> "InvoiceDifferenceItem":
        """Return a difference for clients."""
        return cls(
            kind=found.kind,
            display_name=KIND_NAMES[found.kind],
            before=Money.of(found.before_cents),
            after=Money.of(found.after_cents),
            difference=Money.of(found.difference_cents),
            cause=found.cause,
        )


@strawberry.type(description="Why two invoices differ, by kind of charge.")
class InvoiceDifference:
    """Built from two invoices with `InvoiceDifference.of`."""

    before: Invoice = strawberry.field(name="from", description="The earlier invoice.")
    after: Invoice = strawberry.field(name="to", description="The later invoice.")
    summary: str = strawberry.field(description="The difference between the totals in one sentence.")
    total_difference: Money = strawberry.field(description="The difference between the totals: the sum of all items.")
    credit_applied_difference: Money = strawberry.field(description="The difference between the credits applied.")
    amount_due_difference: Money = strawberry.field(description="The difference between the amounts due.")
    items: list[InvoiceDifferenceItem] = strawberry.field(
        directives=[holds(6)], description="One item for each kind of charge on either invoice, in invoice order."
    )

    @classmethod
    def of(cls, before: views.Invoice, after: views.Invoice) -> "InvoiceDifference":
        """Return the comparison for clients."""
        old, new = before.facts, after.facts
        found = compare_lines((placed.line for placed in before.lines), (placed.line for placed in after.lines))
        return cls(
            before=Invoice.of(before),
            after=Invoice.of(after),
            summary=f"{movement('The total', old.total_cents, new.total_cents)}.",
            total_difference=Money.of(new.total_cents - old.total_cents),
            credit_applied_difference=Money.of(new.credit_applied_cents - old.credit_applied_cents),
            amount_due_difference=Money.of(new.amount_due_cents - old.amount_due_cents),
            items=[InvoiceDifferenceItem.of(one) for one in found],
        )
