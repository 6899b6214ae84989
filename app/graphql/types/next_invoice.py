"""The next invoice, before it is issued."""

from datetime import datetime

import strawberry

from app.domain import invoice_lines
from app.domain.explanations import explain
from app.domain.invoice_lines import LineKind
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
    description="Which usage a preview of the next invoice counts.",
    values={
        NextInvoiceBasis.ACCRUED: "The calls known so far, and nothing that is still to come.",
        NextInvoiceBasis.PROJECTED: "The month at its end, if it goes on at its pace, with the upgrades on the way.",
    },
)


@strawberry.type(description="One charge of an invoice that is not issued yet.")
class PreviewLine:
    """Built from a line of the core with `PreviewLine.of`."""

    display_name: str = strawberry.field(description="What is charged, in words.")
    kind: LineKind = strawberry.field(description="What kind of charge it is.")
    amount: Money = strawberry.field(description="What the line adds to the invoice; negative when owed to you.")
    period: Period = strawberry.field(description="The month that the charge is for.")
    explanation: LineExplanation = strawberry.field(description="Why it costs that much.")

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
    description="Your next invoice, as it would be if it were issued now. Whatever comes in before then changes it."
)
class NextInvoice(Node):
    """Built from a preview's view with `NextInvoice.of`."""

    view: strawberry.Private[views.NextInvoice]
    id: strawberry.ID = strawberry.field(description="Names this account's next invoice, on this basis.")
    period: Period = strawberry.field(description="The month that the invoice opens and whose base it charges.")
    usage_period: Period | None = strawberry.field(
        description="The month whose usage it charges, so far; null when it is your first invoice."
    )
    issues_at: datetime = strawberry.field(description="When the invoice is to be issued; it is due on receipt.")
    as_of: datetime = strawberry.field(description="When the facts behind it were read.")
    basis: NextInvoiceBasis = strawberry.field(description="Which usage is counted.")
    lines: list[PreviewLine] = strawberry.field(description="The charges, in the invoice's order.")
    total: Money = strawberry.field(description="The sum of the lines; below zero it becomes credit.")
    hash: str = strawberry.field(
        description="A fingerprint of all that would be charged. The invoice has the same one if nothing changes."
    )

    @classmethod
    def of(cls, found: views.NextInvoice) -> "NextInvoice":
        """Return a preview for clients."""
        draft = found.draft
        return cls(
            view=found,
            id=derived_id("next", found.account_id, found.basis.lower()),
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
        description="The part that your credit will pay. Null when your role does not see payment details.",
    )
    def credit_applied(self) -> Money | None:
        """Return the credit."""
        return Money.of(self.view.draft.credit_applied_cents)

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="What will be left to pay. Null when your role does not see payment details.",
    )
    def amount_due(self) -> Money | None:
        """Return the rest."""
        return Money.of(self.view.draft.amount_due_cents)
