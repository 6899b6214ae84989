"""Quotes: what confirming does, and what the next invoice would then look like."""

from datetime import date, datetime

import strawberry

from app.domain.plan_changes import When
from app.graphql.enums import described_enum
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import NextInvoice, PreviewLine
from app.graphql.types.user_error import UserError
from app.services.plans import change_plan
from app.views import next_invoice as views

described_enum(
    When,
    description="From when on a change counts.",
    name="ChangeWhen",
    values={
        When.NOW: "At once, and for the whole current month: the allowance is retroactive, and so is the price.",
        When.NEXT_CYCLE: "From the first of the next month on. Nothing is invoiced now, and it can be cancelled.",
    },
)


@strawberry.type(
    description="What changing the plan would do. Confirm it within a quarter of an hour with `changePlan`; calls that "
    "come in meanwhile leave it valid, unless they forbid the change."
)
class PlanChangeQuote:
    """Built with `PlanChangeQuote.of`."""

    id: strawberry.ID = strawberry.field(description="Confirm by this; it is good for one confirmation.")
    plan_id: strawberry.ID = strawberry.field(description="The plan at the prices that it would be taken at.")
    when: When = strawberry.field(description="From when on the change counts.")
    effective_on: date = strawberry.field(description="The first billing date that the change counts for.")
    lines: list[PreviewLine] = strawberry.field(description="What would be invoiced now; empty where nothing is.")
    total: Money = strawberry.field(description="The sum of the lines; below zero it becomes credit.")
    credit_applied: Money = strawberry.field(description="The part that your credit would pay.")
    amount_due_now: Money = strawberry.field(description="What would be left to pay now.")
    credit_to_open_invoices: Money = strawberry.field(
        description="The part of the credit that pays your open invoices at once; the rest waits for the next invoice."
    )
    hash: str = strawberry.field(description="A fingerprint of what confirming does.")
    expires_at: datetime = strawberry.field(description="Until when it can be confirmed.")
    next_invoice: NextInvoice | None = strawberry.field(
        description="The next invoice as it would be after the change, on the usage so far. Null on a quote that comes "
        "with a refusal: ask for a preview."
    )

    @classmethod
    def of(cls, quoted: change_plan.PlanChangeQuote, following: views.NextInvoice | None = None) -> "PlanChangeQuote":
        """Return a quote for clients, with the next invoice that it would leave where that was worked out."""
        offer = quoted.offer
        draft = offer.draft
        return cls(
            id=strawberry.ID(quoted.quote.token),
            plan_id=strawberry.ID(offer.target.id),
            when=offer.when,
            effective_on=offer.effective_on,
            lines=[PreviewLine.of(line) for line in draft.lines] if draft else [],
            total=Money.of(draft.total_cents if draft else 0),
            credit_applied=Money.of(draft.credit_applied_cents if draft else 0),
            amount_due_now=Money.of(offer.amount_due_now_cents),
            credit_to_open_invoices=Money.of(offer.settled_cents),
            hash=offer.content_hash,
            expires_at=quoted.quote.expires_at,
            next_invoice=NextInvoice.of(following) if following else None,
        )


@strawberry.type(
    description="What the quote covers has moved, its time is over, or it was used. Nothing was done: look at the new "
    "one."
)
class QuoteStale(UserError):
    """A quote that cannot be confirmed, with the one as things stand."""

    quote: PlanChangeQuote = strawberry.field(description="The quote as things stand now.")
