"""Quotes: what confirming does, and what the next invoice would then look like."""

from datetime import date, datetime

import strawberry

from app.domain.plan_changes import When
from app.error_codes import ErrorCode
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.fields import computed
from app.graphql.refusals import UserError, refusal
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import NextInvoice, PreviewLine
from app.services.plans import change_plan, quotes
from app.views import next_invoice as views

described_enum(
    When,
    description="When a plan change takes effect.",
    name="ChangeWhen",
    values={
        When.NOW: "Immediately, for the whole current month: price and allowance both apply from its first day.",
        When.NEXT_CYCLE: "On the first of next month. Nothing is invoiced now, and the change can be cancelled.",
    },
)


def assumed_change(plan_id: str, when: When) -> tuple[str, str]:
    """Return what the id of a next invoice says of the change that it takes for done: `now`, `220_2020`."""
    return when.lower().replace("_", "-"), plan_id.partition("_")[2]


def read_assumed_change(id: str) -> tuple[str, When] | None:
    """Return the plan and the time of the change that the next invoice of an id takes for done; None if it is none."""
    _, _, change = id.partition("_accrued_")
    written, _, plan = change.partition("_")
    when = next((one for one in When if assumed_change("", one)[0] == written), None)
    return None if when is None else (f"plan_{plan}", when)


@strawberry.type(
    description=(
        "The effect of a plan change. The quote can be confirmed with `changePlan` for 15 minutes. "
        "New calls do not invalidate it unless they rule the change out."
    )
)
class PlanChangeQuote:
    """Built with `PlanChangeQuote.of`."""

    id: strawberry.ID = strawberry.field(description="Pass it to `changePlan` to confirm. It can be used once.")
    plan_id: strawberry.ID = strawberry.field(description="The plan to change to, at its current prices.")
    when: When = strawberry.field(description="When the change takes effect.")
    effective_on: date = strawberry.field(description="The first billing date on which the change applies.")
    lines: list[PreviewLine] = strawberry.field(
        directives=[holds(4)], description="The lines that would be invoiced now. Empty if nothing would be."
    )
    total: Money = strawberry.field(description="The sum of the lines. A total below zero becomes account credit.")
    credit_applied: Money = strawberry.field(description="The part that account credit would pay.")
    amount_due_now: Money = strawberry.field(description="The amount that would be due now, after credit.")
    credit_to_open_invoices: Money = strawberry.field(
        description=(
            "The part of the new credit that pays open invoices at once. The rest is applied to the next invoice."
        )
    )
    hash: str = strawberry.field(description="A hash of the effects of confirming.")
    expires_at: datetime = strawberry.field(description="When the quote expires.")
    next_invoice: NextInvoice | None = strawberry.field(
        description=(
            "A preview of the next invoice after the change, based on usage to date. Null on a "
            "quote that comes with a refusal: request a preview."
        )
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
            next_invoice=NextInvoice.of(following, *assumed_change(offer.target.id, offer.when)) if following else None,
        )


@refusal(
    quotes.QuoteStale,
    code=ErrorCode.QUOTE_STALE,
    description=(
        "The quote has expired, was already used, or the account has changed since. Nothing was "
        "changed. Use the new quote."
    ),
    when=lambda refused: isinstance(refused.fresh, change_plan.PlanChangeQuote),
)
class QuoteStale(UserError):
    """A quote that cannot be confirmed, with the one as things stand."""

    refused: strawberry.Private[quotes.QuoteStale[change_plan.PlanChangeQuote]]

    @computed(description="A new quote, based on the account's current state.")
    def quote(self) -> PlanChangeQuote:
        """Return the quote."""
        return PlanChangeQuote.of(self.refused.fresh)
