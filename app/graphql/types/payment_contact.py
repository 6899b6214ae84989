"""Payment contacts: who else hears about billing."""

from datetime import datetime, time
from typing import Annotated

import strawberry

from app.domain.alerts import AlertKind
from app.domain.contacts import CallingHours, ContactDetails, InvalidContact
from app.graphql.types import user_error
from app.graphql.types.channel import Channel
from app.graphql.types.node import Node
from app.views.alerts import ListedContact


@strawberry.type(description="An e-mail address that a mail server refused.")
class AddressProblem:
    """What was said, and when."""

    reason: str = strawberry.field(description="What the mail server said.")
    since: datetime = strawberry.field(description="When it last said so.")


@strawberry.type(description="Somebody who is told about billing without signing in, such as a bookkeeper.")
class PaymentContact(Node):
    """Built from a listed contact with `PaymentContact.of`."""

    id: strawberry.ID = strawberry.field(description="Names the contact; it stays the same.")
    name: str = strawberry.field(description="The contact's name.")
    title: str = strawberry.field(description="What the contact is, such as `Bookkeeper`; may be empty.")
    email: str | None = strawberry.field(description="The e-mail address.")
    phone: str | None = strawberry.field(description="The phone number with its country code, such as `+12025550143`.")
    channels: list[Channel] = strawberry.field(description="How the contact is reached.")
    kinds: list[AlertKind] = strawberry.field(description="What the contact is told about.")
    time_zone: str = strawberry.field(description="The time zone of the calling hours, by its IANA name.")
    calls_from: str = strawberry.field(description="From when on calls may be made, as `HH:MM`.")
    calls_until: str = strawberry.field(description="Until when calls may be made, as `HH:MM`.")
    is_active: bool = strawberry.field(description="Whether the contact is told at present.")
    email_problem: AddressProblem | None = strawberry.field(
        description="Why the e-mail address does not work; null when it does, as far as we know."
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
            email_problem=problem,
        )


@strawberry.input(description="A payment contact as it is to be, whole.")
class PaymentContactInput:
    """All that an admin says of a contact."""

    name: str = strawberry.field(description="The contact's name: up to 100 characters, and no link.")
    title: str = strawberry.field(default="", description="What the contact is, such as `Bookkeeper`.")
    email: str | None = strawberry.field(default=None, description="The e-mail address, for the channel `EMAIL`.")
    phone: str | None = strawberry.field(
        default=None, description="The phone number, for the channel `PHONE_CALL`; without a country code a US one."
    )
    channels: list[Channel] = strawberry.field(description="How to reach the contact.")
    kinds: list[AlertKind] = strawberry.field(description="What to tell the contact about.")
    time_zone: str = strawberry.field(
        default="America/Los_Angeles", description="The contact's time zone, by its IANA name."
    )
    calls_from: str = strawberry.field(default="09:00", description="From when on calls may be made, as `HH:MM`.")
    calls_until: str = strawberry.field(default="17:00", description="Until when calls may be made, as `HH:MM`.")
    is_active: bool = strawberry.field(default=True, description="Whether to tell the contact at present.")

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


@strawberry.input(description="The payment contact to change, and how it is to be.")
class UpdatePaymentContactInput:
    """A new description."""

    contact_id: strawberry.ID = strawberry.field(description="The contact's id.")
    contact: PaymentContactInput = strawberry.field(description="The contact as it is to be, whole.")


@strawberry.input(description="The payment contact to remove.")
class RemovePaymentContactInput:
    """A contact that is to be told nothing more."""

    contact_id: strawberry.ID = strawberry.field(description="The contact's id.")


@strawberry.type(description="The contact is added. The admins and the other contacts are told.")
class PaymentContactAdded:
    """A new contact."""

    contact: PaymentContact | None = strawberry.field(description="The contact.")
    payment_contacts: list[PaymentContact] = strawberry.field(description="All contacts as they are now.")


@strawberry.type(description="The contact is as described. The admins and the other contacts are told.")
class PaymentContactUpdated:
    """A changed contact."""

    contact: PaymentContact | None = strawberry.field(description="The contact as it is now.")


@strawberry.type(description="The contact is removed, and told nothing more.")
class PaymentContactRemoved:
    """A contact less."""

    contact_id: strawberry.ID = strawberry.field(description="The id that it had.")
    payment_contacts: list[PaymentContact] = strawberry.field(description="The contacts that are left.")


AddPaymentContactResult = Annotated[
    PaymentContactAdded | user_error.InvalidContact | user_error.TooManyContacts,
    strawberry.union("AddPaymentContactResult", description="The contact, or why it was not added."),
]

UpdatePaymentContactResult = Annotated[
    PaymentContactUpdated | user_error.InvalidContact | user_error.NotFound,
    strawberry.union("UpdatePaymentContactResult", description="The contact, or why it stayed as it was."),
]

RemovePaymentContactResult = Annotated[
    PaymentContactRemoved | user_error.NotFound,
    strawberry.union("RemovePaymentContactResult", description="What is left, or why nothing was removed."),
]
