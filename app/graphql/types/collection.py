"""How an invoice is collected: what was tried, what came of it, and what comes next."""

from datetime import datetime

import strawberry

from app.domain.collection import AttemptState, CollectionStatus
from app.domain.payment_methods import method_name
from app.graphql.enums import described_enum
from app.graphql.types.money import Money
from app.services.payments.collection_words import attempt_words, collection_words
from app.views import invoices as views

described_enum(
    CollectionStatus,
    description="Where the collecting of an invoice stands.",
    values={
        CollectionStatus.IDLE: "It begins at once.",
        CollectionStatus.CHARGING: "A payment method is being charged.",
        CollectionStatus.WAITING: "No method could be charged; it is tried again on the next date, if there is one.",
        CollectionStatus.UNKNOWN: "The outcome of a charge is not known yet. Nothing is charged until it is.",
        CollectionStatus.DONE: "Nothing is left to collect.",
        CollectionStatus.PARKED: "Our staff have to look at it. Nothing is asked of you.",
    },
)

described_enum(
    AttemptState,
    description="What came of a charge.",
    values={
        AttemptState.PLANNED: "It could not be sent yet.",
        AttemptState.SENT: "It is under way.",
        AttemptState.SUCCEEDED: "The money was taken.",
        AttemptState.DECLINED: "It was declined; no money was taken.",
        AttemptState.UNKNOWN: "Not known yet. We find out before anything else is charged.",
    },
)


@strawberry.type(description="One charge of an invoice to one payment method.")
class PaymentAttempt:
    """Built with `PaymentAttempt.of`."""

    id: strawberry.ID = strawberry.field(description="Names the charge.")
    made_at: datetime = strawberry.field(description="When it was made.")
    amount: Money = strawberry.field(description="How much was to be taken.")
    state: AttemptState = strawberry.field(description="What came of it.")
    message: str = strawberry.field(description="What came of it, in words, and what to do.")
    display_name: str = strawberry.field(description="The payment method, such as `Visa ending in 1881`.")
    payment_method_id: strawberry.ID = strawberry.field(description="The payment method; it may be gone by now.")

    @classmethod
    def of(cls, attempt: views.ChargeAttempt) -> "PaymentAttempt":
        """Return a charge for clients."""
        return cls(
            id=strawberry.ID(attempt.id),
            made_at=attempt.made_at,
            amount=Money.of(attempt.amount_cents),
            state=attempt.state,
            message=attempt_words(attempt),
            display_name=method_name(attempt.brand, attempt.last4, attempt.payer_email),
            payment_method_id=strawberry.ID(attempt.method_id),
        )


@strawberry.type(description="How an invoice is collected. Dates are those of what happens unless it is paid before.")
class InvoiceCollection:
    """Built with `InvoiceCollection.of`."""

    status: CollectionStatus = strawberry.field(description="Where it stands.")
    message: str = strawberry.field(description="Where it stands, in words.")
    next_attempt_at: datetime | None = strawberry.field(description="When the payment methods are charged again.")
    late_fee_at: datetime | None = strawberry.field(description="When a late fee is added to the next invoice.")
    suspends_at: datetime | None = strawberry.field(description="When service is suspended.")
    attempts: list[PaymentAttempt] = strawberry.field(description="Every charge so far, the oldest first.")

    @classmethod
    def of(cls, invoice: views.Invoice, collecting: views.Collecting) -> "InvoiceCollection":
        """Return the collecting of an invoice for clients."""
        return cls(
            status=collecting.status,
            message=collection_words(collecting),
            next_attempt_at=collecting.next_attempt_at,
            late_fee_at=collecting.late_fee_at,
            suspends_at=collecting.suspend_at,
            attempts=[PaymentAttempt.of(attempt) for attempt in invoice.attempts],
        )
