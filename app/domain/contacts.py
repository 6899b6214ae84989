"""Payment contacts: who else hears about billing, by which channel, and when a call may reach them (rule 39)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from app.domain.alerts import CONTACT_KINDS
from app.domain.names import is_blank, is_unprintable
from app.domain.periods import ZONE_NAME

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.domain.alerts import AlertKind

MOST_CONTACTS = 10
LONGEST_NAME = 80


class Channel(StrEnum):
    """How somebody is reached."""

    EMAIL = "EMAIL"
    PHONE_CALL = "PHONE_CALL"


class ConfirmationState(StrEnum):
    """Whether whoever is behind a contact's address or number agreed to hear from the account (rule 41)."""

    UNCONFIRMED = "UNCONFIRMED"
    CONFIRMED = "CONFIRMED"
    DECLINED = "DECLINED"


class InvalidContact(ValueError):
    """A contact cannot be as described; `field` is what to correct."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TooManyContacts(ValueError):
    """The account has as many contacts as it can."""

    def __init__(self) -> None:
        super().__init__(f"An account has at most {MOST_CONTACTS} payment contacts. Remove one first.")


@dataclass(frozen=True, slots=True)
class CallingHours:
    """When a call may be made: from `opens_at` until before `closes_at` of each day in the contact's time zone."""

    time_zone: str = ZONE_NAME
    opens_at: time = time(9)
    closes_at: time = time(17)

    def next_open(self, instant: datetime) -> datetime:
        """Return the instant itself where a call may be made then, or else the next one at which it may, in UTC.

        A time that the spring change skips is read with the offset before it.
        """
        local = instant.astimezone(ZoneInfo(self.time_zone))
        if self.opens_at <= local.time() < self.closes_at:
            return instant.astimezone(UTC)
        on = local.date() if local.time() < self.opens_at else local.date() + timedelta(days=1)
        return datetime.combine(on, self.opens_at, ZoneInfo(self.time_zone)).astimezone(UTC)

    def closes_after(self, instant: datetime) -> datetime:
        """Return when the hours that an instant lies in are over, in UTC."""
        zone = ZoneInfo(self.time_zone)
        return datetime.combine(instant.astimezone(zone).date(), self.closes_at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """What an admin says of a contact. `phone` is in E.164 form, such as `+12025550143`."""

    name: str
    title: str
    email: str | None
    phone: str | None
    channels: frozenset[Channel]
    kinds: frozenset[AlertKind]
    hours: CallingHours = CallingHours()
    is_active: bool = True

    def address(self, channel: Channel) -> str | None:
        """Return where the contact is reached by a channel."""
        return self.email if channel is Channel.EMAIL else self.phone

    def address_in_use(self, channel: Channel) -> str | None:
        """Return where the contact is to be reached by a channel, or None where it is not."""
        return self.address(channel) if self.is_active and channel in self.channels else None


@dataclass(frozen=True, slots=True)
class PaymentContact:
    """A contact of an account, with the states of its e-mail address and its phone number where it has them."""

    id: str
    account_id: str
    details: ContactDetails
    email_state: ConfirmationState | None = None
    phone_state: ConfirmationState | None = None

    def confirmed_address(self, channel: Channel) -> str | None:
        """Return where the contact is told by a channel: nowhere until whoever is there has confirmed (rule 41)."""
        state = self.email_state if channel is Channel.EMAIL else self.phone_state
        return self.details.address_in_use(channel) if state is ConfirmationState.CONFIRMED else None


def check_details(details: ContactDetails) -> None:
    """Make sure that a contact can be reached as it is meant to be.

    The forms of address and number, and what a name looks like, are checked where they come in.
    :raises InvalidContact: naming the field to correct.
    """
    _check_name("name", details.name, is_required=True)
    _check_name("title", details.title, is_required=False)
    if not details.channels:
        raise InvalidContact("channels", "Choose at least one way to reach the contact: e-mail or phone call.")
    if Channel.EMAIL in details.channels and details.email is None:
        raise InvalidContact("email", "Give an e-mail address, or do not choose e-mail.")
    if Channel.PHONE_CALL in details.channels and details.phone is None:
        raise InvalidContact("phone", "Give a phone number, or do not choose phone calls.")
    _check_kinds(details.kinds)
    _check_hours(details.hours)


def changed_fields(before: ContactDetails, after: ContactDetails) -> tuple[str, ...]:
    """Return the names of the fields in which two descriptions differ, in the order of the form."""
    names = ("name", "title", "email", "phone", "channels", "kinds", "hours", "is_active")
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _check_name(field: str, text: str, *, is_required: bool) -> None:
    if len(text) > LONGEST_NAME:
        raise InvalidContact(field, f"The {field} has more than {LONGEST_NAME} characters. Shorten it.")
    if is_unprintable(text):
        raise InvalidContact(field, f"The {field} holds characters that do not print. Type it again.")
    if is_blank(text) and (is_required or text):
        raise InvalidContact(field, "Give the contact a name." if is_required else f"The {field} cannot be read.")


def _check_kinds(kinds: Collection[AlertKind]) -> None:
    if not kinds:
        raise InvalidContact("kinds", "Choose at least one thing to tell the contact about.")
    foreign = sorted(set(kinds) - CONTACT_KINDS)
    if foreign:
        raise InvalidContact("kinds", f"Payment contacts are not told about {', '.join(foreign)}.")


def _check_hours(hours: CallingHours) -> None:
    if hours.time_zone not in available_timezones():
        raise InvalidContact("timeZone", f"{hours.time_zone!r} is no time zone. Write it as America/New_York.")
    if hours.opens_at >= hours.closes_at:
        raise InvalidContact("callingHours", "Calls must be allowed from an earlier hour of the day until a later one.")
