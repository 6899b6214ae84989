"""How an invoice is collected: what was tried, its outcome, and what comes next."""

from datetime import datetime

import strawberry

from app.domain.collection import AttemptState, CollectionStatus
from app.domain.payment_methods import method_name
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.services.payments.collection_words import attempt_words, collection_words
from app.views import invoices as views

described_enum(
    CollectionStatus,
    description="The collection status of an invoice.",
    values={
        CollectionStatus.IDLE: "Collection is about to start.",
        CollectionStatus.CHARGING: "A payment method is being charged.",
        CollectionStatus.WAITING: (
            "No method could be charged. The next attempt is made on the next date, if there is one."
        ),
        CollectionStatus.UNKNOWN: "The result of a charge is not known yet. Nothing else is charged until it is.",
        CollectionStatus.DONE: "Nothing is left to collect.",
        CollectionStatus.PARKED: "Our staff is reviewing the collection. You do not need to do anything.",
    },
)

described_enum(
    AttemptState,
    description="The result of a charge.",
    values={
        AttemptState.PLANNED: "The charge has not been sent yet.",
        AttemptState.SENT: "The charge was sent and has no result yet.",
        AttemptState.SUCCEEDED: "The charge succeeded.",
        AttemptState.DECLINED: "The charge was declined. No money was taken.",
        AttemptState.UNKNOWN: "The result is not known yet. Nothing else is charged until it is.",
    },
)


@strawberry.type(description="One charge of an invoice to one payment method.")
class PaymentAttempt(Node):
    """Built with `PaymentAttempt.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the charge.")
    made_at: datetime = strawberry.field(description="When the charge was made.")
    amount: Money = strawberry.field(description="The amount charged or to be charged.")
    state: AttemptState = strawberry.field(description="The result.")
    message: str = strawberry.field(description="The result in words, and what to do.")
    display_name: str = strawberry.field(description="The payment method to show, such as `Visa ending in 1881`.")
    payment_method_id: strawberry.ID = strawberry.field(
        description="The payment method, which may have been removed since."
    )

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


@strawberry.type(description="The collection of an invoice. Its dates apply unless the invoice is paid before.")
class InvoiceCollection:
    """Built with `InvoiceCollection.of`."""

    status: CollectionStatus = strawberry.field(description="The status.")
    message: str = strawberry.field(description="The status in words.")
    next_attempt_at: datetime | None = strawberry.field(description="When the payment methods are charged again.")
    late_fee_at: datetime | None = strawberry.field(description="When a late fee will be added to the next invoice.")
    suspends_at: datetime | None = strawberry.field(description="When service will be suspended.")
    attempts: list[PaymentAttempt] = strawberry.field(
        directives=[holds(4)], description="All charges so far, oldest first."
    )

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
