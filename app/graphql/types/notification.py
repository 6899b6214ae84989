"""The log of messages: what was told to whom, when, and its outcome; and an invoice's mail sent again."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.deliveries import CallOutcome, DeliveryState
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.channel import Channel
from app.graphql.types.invoice import Invoice
from app.graphql.types.node import Node
from app.graphql.types.payment_errors import RateLimited
from app.views.alerts import SentMessage

described_enum(
    DeliveryState,
    description="The delivery status of a message.",
    values={
        DeliveryState.QUEUED: "It is waiting to be sent or retried.",
        DeliveryState.SENDING: "It is being sent.",
        DeliveryState.SENT: "A mail server or our operators accepted it.",
        DeliveryState.FAILED: "It was rejected, given up or no longer wanted. See `result`.",
        DeliveryState.UNKNOWN: "A phone call that may or may not have been made. Our staff is finding out.",
    },
)

described_enum(
    CallOutcome,
    description="The outcome of a phone call.",
    values={
        CallOutcome.ANSWERED: "A person was informed.",
        CallOutcome.VOICEMAIL: "A message was left.",
        CallOutcome.NO_ANSWER: "Nobody answered.",
        CallOutcome.BUSY: "The line was busy.",
        CallOutcome.DECLINED: "The call was declined.",
        CallOutcome.WRONG_NUMBER: "Somebody else has the number.",
        CallOutcome.NOT_MADE: "The call was not made.",
    },
)


@strawberry.type(description="One message sent to one person.")
class Notification(Node):
    """Built from the log's view with `Notification.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the message.")
    kind: AlertKind = strawberry.field(description="The kind of alert.")
    display_name: str = strawberry.field(description="The subject to show.")
    channel: Channel = strawberry.field(description="The channel.")
    recipient: str = strawberry.field(description="The recipient's name.")
    address: str = strawberry.field(description="The email address or phone number.")
    is_to_contact: bool = strawberry.field(
        description="Whether the recipient is a payment contact rather than an admin."
    )
    state: DeliveryState = strawberry.field(description="The status.")
    queued_at: datetime = strawberry.field(description="When the message was queued.")
    finished_at: datetime | None = strawberry.field(description="When delivery ended. Null while it is in progress.")
    result: str | None = strawberry.field(description="The last response from the mail server or our operators.")
    call_outcome: CallOutcome | None = strawberry.field(
        description="The outcome of a phone call. Null until it is reported."
    )
    attempts: int = strawberry.field(
        description="The number of delivery attempts. For a reported phone call, the number of calls made."
    )

    @classmethod
    def of(cls, sent: SentMessage) -> "Notification":
        """Return a message for clients."""
        return cls(
            id=strawberry.ID(sent.id),
            kind=sent.kind,
            display_name=CATALOGUE[sent.kind].title,
            channel=sent.channel,
            recipient=sent.recipient,
            address=sent.address,
            is_to_contact=sent.is_contact,
            state=sent.state,
            queued_at=sent.queued_at,
            finished_at=sent.finished_at,
            result=sent.outcome,
            call_outcome=sent.call_outcome,
            attempts=sent.attempts,
        )


@strawberry.input(description="The invoice to send again.")
class ResendInvoiceInput:
    """An invoice."""

    invoice_id: strawberry.ID = strawberry.field(description="The invoice's id.")


@strawberry.type(description="The invoice email was queued again.")
class InvoiceResent:
    """What was sent, and where to."""

    invoice: Invoice | None = strawberry.field(description="The invoice.")
    sent_to: list[str] = strawberry.field(
        directives=[holds(4)], description="The email addresses it is sent to: yours and the contacts'."
    )


ResendInvoiceResult = Annotated[
    InvoiceResent | user_error.NotFound | RateLimited,
    strawberry.union("ResendInvoiceResult", description="The recipients, or the reason nothing was sent."),
]
