"""The log of messages: what was told to whom, when, and what came of it; and an invoice's mail sent again."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.deliveries import CallOutcome, DeliveryState
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.channel import Channel
from app.graphql.types.invoice import Invoice
from app.graphql.types.payment_errors import RateLimited
from app.views.alerts import SentMessage

described_enum(
    DeliveryState,
    description="Where a message stands.",
    values={
        DeliveryState.QUEUED: "It waits to be sent, or to be tried again.",
        DeliveryState.SENDING: "It is being handed over.",
        DeliveryState.SENT: "A mail server, or our operators, have taken it.",
        DeliveryState.FAILED: "It was refused, given up, or not wanted any more; `result` says why.",
        DeliveryState.UNKNOWN: "A phone call that may have been made, or not: our staff find out.",
    },
)

described_enum(
    CallOutcome,
    description="What became of a phone call.",
    values={
        CallOutcome.ANSWERED: "Somebody was told.",
        CallOutcome.VOICEMAIL: "A message was left.",
        CallOutcome.NO_ANSWER: "Nobody answered.",
        CallOutcome.BUSY: "The line was busy.",
        CallOutcome.DECLINED: "The call was declined.",
        CallOutcome.WRONG_NUMBER: "Somebody else has the number.",
        CallOutcome.NOT_MADE: "The call was not made.",
    },
)


@strawberry.type(description="One message to one person.")
class Notification:
    """Built from the log's view with `Notification.of`."""

    id: strawberry.ID = strawberry.field(description="Names the message.")
    kind: AlertKind = strawberry.field(description="What it tells.")
    display_name: str = strawberry.field(description="What it tells, for people.")
    channel: Channel = strawberry.field(description="How the person is reached.")
    recipient: str = strawberry.field(description="The person's name.")
    address: str = strawberry.field(description="The e-mail address or phone number that it goes to.")
    is_to_contact: bool = strawberry.field(description="Whether it goes to a payment contact, not to an admin.")
    state: DeliveryState = strawberry.field(description="Where it stands.")
    queued_at: datetime = strawberry.field(description="When there was something to tell.")
    finished_at: datetime | None = strawberry.field(description="When it was settled; null while it is on its way.")
    result: str | None = strawberry.field(description="What the mail server or our operators said last.")
    call_outcome: CallOutcome | None = strawberry.field(description="What became of a phone call, once it is reported.")
    attempts: int = strawberry.field(
        description="How often it was tried; of a call that is reported, how often the operators called."
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


@strawberry.input(description="Which invoice to send again.")
class ResendInvoiceInput:
    """An invoice."""

    invoice_id: strawberry.ID = strawberry.field(description="The invoice's id.")


@strawberry.type(description="The invoice's mail is on its way again.")
class InvoiceResent:
    """What was sent, and where to."""

    invoice: Invoice | None = strawberry.field(description="The invoice.")
    sent_to: list[str] = strawberry.field(description="The e-mail addresses that it goes to: yours, and the contacts'.")


ResendInvoiceResult = Annotated[
    InvoiceResent | user_error.NotFound | RateLimited,
    strawberry.union("ResendInvoiceResult", description="Where the mail goes, or why it does not."),
]
