"""The next invoice, before it is issued."""

from datetime import datetime

import strawberry

from app.domain import invoice_lines
from app.domain.explanations import explain
from app.domain.invoice_lines import LineKind
from app.graphql.cost import holds
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.permissions import Permission, section
from app.graphql.types.common import Period
from app.graphql.types.line import LineExplanation
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.views import next_invoice as views
from app.views.next_invoice import NextInvoiceBasis

described_enum(
    NextInvoiceBasis,
    description="The usage that a preview of the next invoice is based on.",
    values={
        NextInvoiceBasis.ACCRUED: "Usage to date only.",
        NextInvoiceBasis.PROJECTED: (
            "Usage projected to the end of the month at the current pace, automatic upgrades included."
        ),
    },
)


@strawberry.type(description="One line of an invoice that is not issued yet.")
class PreviewLine:
    """Built from a line of the core with `PreviewLine.of`."""

    display_name: str = strawberry.field(description="The line's title.")
    kind: LineKind = strawberry.field(description="The kind of charge.")
    amount: Money = strawberry.field(description="The amount that the line adds to the invoice. Negative for a credit.")
    period: Period = strawberry.field(description="The month that the line charges for.")
    explanation: LineExplanation = strawberry.field(description="How the amount was calculated.")

    @classmethod
    def of(cls, line: invoice_lines.InvoiceLine) -> "PreviewLine":
        """Return a line for clients."""
        return cls(
            display_name=explain(line).title,
            kind=line.kind,
            amount=Money.of(line.amount_cents),
            period=Period.of(line.period),
            explanation=LineExplanation.of(line),
        )


@strawberry.type(
    description="A preview of the next invoice, as if it were issued now. New usage and changes update it."
)
class NextInvoice(Node):
    """Built from a preview's view with `NextInvoice.of`."""

    view: strawberry.Private[views.NextInvoice]
    id: strawberry.ID = strawberry.field(
        description=(
            "Identifies this account's next invoice on this basis. The next invoice after a change that is only "
            "previewed has an id of its own."
        )
    )
    period: Period = strawberry.field(description="The month whose base price it charges.")
    usage_period: Period | None = strawberry.field(
        description="The month whose usage it charges. Null for the first invoice."
    )
    issues_at: datetime = strawberry.field(description="When the invoice will be issued. It is due on receipt.")
    as_of: datetime = strawberry.field(description="When the underlying data was read.")
    basis: NextInvoiceBasis = strawberry.field(description="Which usage it is based on.")
    lines: list[PreviewLine] = strawberry.field(directives=[holds(6)], description="The charges, in invoice order.")
    total: Money = strawberry.field(description="The sum of the lines. A total below zero becomes account credit.")
    hash: str = strawberry.field(
        description="A hash of everything that would be billed. The invoice has the same hash if nothing changes."
    )

    @classmethod
    def of(cls, found: views.NextInvoice, *assumed: str) -> "NextInvoice":
        """Return a preview for clients; `assumed` names the change that it takes for done, if any."""
        draft = found.draft
        return cls(
            view=found,
            id=derived_id("next", found.account_id, found.basis.lower(), *assumed),
            period=Period.of(draft.period),
            usage_period=Period.of(found.usage_period) if found.usage_period else None,
            issues_at=found.issues_at,
            as_of=found.read_at,
            basis=found.basis,
            lines=[PreviewLine.of(line) for line in draft.lines],
            total=Money.of(draft.total_cents),
            hash=draft.content_hash,
        )

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="The part that account credit will pay. Null if your role cannot see payment details.",
    )
    def credit_applied(self) -> Money | None:
        """Return the credit."""
        return Money.of(self.view.draft.credit_applied_cents)

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="The amount that will be due. Null if your role cannot see payment details.",
    )
    def amount_due(self) -> Money | None:
        """Return the rest."""
        return Money.of(self.view.draft.amount_due_cents)
