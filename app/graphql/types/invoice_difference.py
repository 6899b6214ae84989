"""Why did my bill change: two invoices beside each other."""

import strawberry

from app.domain.comparison import KIND_NAMES, KindDifference, compare_lines, movement
from app.domain.invoice_lines import LineKind
from app.graphql.types.invoice import Invoice
from app.graphql.types.money import Money
from app.views import invoices as views


@strawberry.type(description="What one kind of charge comes to on two invoices, and why that differs.")
class InvoiceDifferenceItem:
    """Built from a comparison of the core with `InvoiceDifferenceItem.of`."""

    kind: LineKind = strawberry.field(description="The kind of charge.")
    display_name: str = strawberry.field(description="The kind in words, such as `Overage`.")
    before: Money = strawberry.field(name="from", description="What it comes to on the invoice compared from.")
    after: Money = strawberry.field(name="to", description="What it comes to on the invoice compared to.")
    difference: Money = strawberry.field(description="`to` less `from`; negative when it fell.")
    cause: str = strawberry.field(description="Why, in one sentence.")

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


@strawberry.type(description="Why one invoice is higher or lower than another, kind of charge by kind of charge.")
class InvoiceDifference:
    """Built from two invoices with `InvoiceDifference.of`."""

    before: Invoice = strawberry.field(name="from", description="The invoice compared from.")
    after: Invoice = strawberry.field(name="to", description="The invoice compared to.")
    summary: str = strawberry.field(description="The difference of the totals in one sentence.")
    total_difference: Money = strawberry.field(description="The difference of the totals: the sum of all items.")
    credit_applied_difference: Money = strawberry.field(description="How much more credit the later one used.")
    amount_due_difference: Money = strawberry.field(description="The difference of the amounts due.")
    items: list[InvoiceDifferenceItem] = strawberry.field(
        description="One item for each kind of charge on either invoice, in the order of an invoice."
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
