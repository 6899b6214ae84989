"""Payment contacts: who else hears about billing."""

from datetime import datetime, time
from typing import Annotated

import strawberry

from app.domain.alerts import AlertKind
from app.domain.contacts import CallingHours, ConfirmationState, ContactDetails, InvalidContact
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.channel import Channel
from app.graphql.types.node import Node
from app.graphql.types.payment_errors import RateLimited
from app.views.alerts import ListedContact

described_enum(
    ConfirmationState,
    description="Whether the holder of an email address or phone number agreed to receive billing messages there.",
    values={
        ConfirmationState.UNCONFIRMED: "Not answered yet. Only the request to confirm is sent there.",
        ConfirmationState.CONFIRMED: "The holder agreed.",
        ConfirmationState.DECLINED: "The holder declined. Nothing is sent there.",
    },
)


@strawberry.type(description="A problem of an email address: mail came back from it, or its owner wants none.")
class AddressProblem:
    """What was said, and when."""

    reason: str = strawberry.field(
        description="The mail server's response, or that the recipient reported a mail as unwanted."
    )
    since: datetime = strawberry.field(description="When it was last reported.")


@strawberry.type(description="A person who receives billing messages without signing in, such as a bookkeeper.")
class PaymentContact(Node):
    """Built from a listed contact with `PaymentContact.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the contact. It never changes.")
    name: str = strawberry.field(description="The contact's name.")
    title: str = strawberry.field(description="The contact's role, such as `Bookkeeper`. May be empty.")
    email: str | None = strawberry.field(description="The email address.")
    phone: str | None = strawberry.field(description="The phone number with country code, such as `+12025550143`.")
    channels: list[Channel] = strawberry.field(
        directives=[holds(2)], description="The channels through which the contact is reached."
    )
    kinds: list[AlertKind] = strawberry.field(
        directives=[holds(10)], description="The kinds of message the contact receives."
    )
    time_zone: str = strawberry.field(description="The IANA time zone of the calling hours.")
    calls_from: str = strawberry.field(description="The earliest time for phone calls, as `HH:MM`.")
    calls_until: str = strawberry.field(description="The latest time for phone calls, as `HH:MM`.")
    is_active: bool = strawberry.field(description="Whether the contact currently receives messages.")
    email_state: ConfirmationState | None = strawberry.field(
        description="Whether the holder of the email address agreed. Null without an address."
    )
    phone_state: ConfirmationState | None = strawberry.field(
        description="Whether the holder of the phone number agreed. Null without a number."
    )
    email_problem: AddressProblem | None = strawberry.field(
        description="A delivery problem with the email address. Null if none is known."
    )

    @classmethod
    def of(cls, listed: ListedContact) -> "PaymentContact":
        """Return a contact for clients."""
        details, problem = listed.contact.details, None
        if listed.refusal is not None and listed.refused_at is not None:
            problem = AddressProblem(reason=listed.refusal, since=listed.refused_at)
        return cls(
            id=strawberry.ID(listed.contact.id),
            name=details.name,
            title=details.title,
            email=details.email,
            phone=details.phone,
            channels=[channel for channel in Channel if channel in details.channels],
            kinds=[kind for kind in AlertKind if kind in details.kinds],
            time_zone=details.hours.time_zone,
            calls_from=details.hours.opens_at.isoformat("minutes"),
            calls_until=details.hours.closes_at.isoformat("minutes"),
            is_active=details.is_active,
            email_state=listed.contact.email_state,
            phone_state=listed.contact.phone_state,
            email_problem=problem,
        )


@strawberry.input(description="All details of a payment contact.")
class PaymentContactInput:
    """All that an admin says of a contact."""

    name: str = strawberry.field(description="The contact's name: up to 80 characters in one script, without links.")
    title: str = strawberry.field(default="", description="The contact's role, such as `Bookkeeper`.")
    email: str | None = strawberry.field(
        default=None,
        description="The email address, for the channel `EMAIL`. A new one has to be confirmed.",
    )
    phone: str | None = strawberry.field(
        default=None,
        description=(
            "The phone number, for the channel `PHONE_CALL`: an ordinary one of the United States or Canada, unless "
            "this installation calls other countries. A number without a country code is a US number. The first call "
            "to a new one asks to confirm."
        ),
    )
    channels: list[Channel] = strawberry.field(
        directives=[holds(2)], description="The channels through which to reach the contact."
    )
    kinds: list[AlertKind] = strawberry.field(
        directives=[holds(10)], description="The kinds of message to send to the contact."
    )
    time_zone: str = strawberry.field(default="America/Los_Angeles", description="The contact's IANA time zone.")
    calls_from: str = strawberry.field(default="09:00", description="The earliest time for phone calls, as `HH:MM`.")
    calls_until: str = strawberry.field(default="17:00", description="The latest time for phone calls, as `HH:MM`.")
    is_active: bool = strawberry.field(default=True, description="Whether the contact currently receives messages.")

    def details(self) -> ContactDetails:
        """Return the description for the core.

        :raises InvalidContact: when an hour is none.
        """
        hours = CallingHours(self.time_zone, _hour(self.calls_from), _hour(self.calls_until))
        return ContactDetails(
            name=self.name,
            title=self.title,
            email=self.email,
            phone=self.phone,
            channels=frozenset(self.channels),
            kinds=frozenset(self.kinds),
            hours=hours,
            is_active=self.is_active,
        )


def _hour(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise InvalidContact("callingHours", f"{text!r} is no time of day. Write it as 09:00.") from None


@strawberry.input(description="The payment contact to add.")
class AddPaymentContactInput:
    """A new contact."""

    contact: PaymentContactInput = strawberry.field(description="The contact.")


@strawberry.input(description="The payment contact to change, and its new details.")
class UpdatePaymentContactInput:
    """A new description."""

    contact_id: strawberry.ID = strawberry.field(description="The contact's id.")
    contact: PaymentContactInput = strawberry.field(description="All details of the contact.")


@strawberry.input(description="The payment contact to remove.")
class RemovePaymentContactInput:
    """A contact that is to be told nothing more."""

    contact_id: strawberry.ID = strawberry.field(description="The contact's id.")


@strawberry.input(description="The payment contact to ask again, and how.")
class ResendContactConfirmationInput:
    """An address that has not answered."""

    contact_id: strawberry.ID = strawberry.field(description="The contact's id.")
    channel: Channel = strawberry.field(
        description="`EMAIL` sends the email again, `PHONE_CALL` has the number called again."
    )


@strawberry.type(description="The contact was added. The admins and the confirmed contacts are notified.")
class PaymentContactAdded:
    """A new contact."""

    contact: PaymentContact | None = strawberry.field(description="The contact.")
    payment_contacts: list[PaymentContact] = strawberry.field(
        directives=[holds(6)], description="All contacts after the change."
    )


@strawberry.type(description="The contact was changed. The admins and the confirmed contacts are notified.")
class PaymentContactUpdated:
    """A changed contact."""

    contact: PaymentContact | None = strawberry.field(description="The contact after the change.")


@strawberry.type(description="The contact was removed and receives no more messages.")
class PaymentContactRemoved:
    """A contact less."""

    contact_id: strawberry.ID = strawberry.field(description="The id of the removed contact.")
    payment_contacts: list[PaymentContact] = strawberry.field(
        directives=[holds(6)], description="The remaining contacts."
    )


@strawberry.type(description="The request to confirm is sent once more.")
class ContactConfirmationResent:
    """A question asked again."""

    contact: PaymentContact | None = strawberry.field(description="The contact.")


AddPaymentContactResult = Annotated[
    PaymentContactAdded | user_error.InvalidContact | user_error.TooManyContacts | RateLimited,
    strawberry.union("AddPaymentContactResult", description="The contact, or the reason it was not added."),
]

UpdatePaymentContactResult = Annotated[
    PaymentContactUpdated | user_error.InvalidContact | user_error.NotFound | RateLimited,
    strawberry.union("UpdatePaymentContactResult", description="The contact, or the reason it was not changed."),
]

RemovePaymentContactResult = Annotated[
    PaymentContactRemoved | user_error.NotFound | RateLimited,
    strawberry.union(
        "RemovePaymentContactResult", description="The remaining contacts, or the reason nothing was removed."
    ),
]

ResendContactConfirmationResult = Annotated[
    ContactConfirmationResent
    | user_error.NotFound
    | user_error.NothingToConfirm
    | user_error.ConfirmationsUsedUp
    | RateLimited,
    strawberry.union("ResendContactConfirmationResult", description="The contact, or the reason nothing was sent."),
]
