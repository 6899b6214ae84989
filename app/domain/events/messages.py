"""Events of payment contacts, alerts and messages."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.deliveries import CallOutcome
from app.domain.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvent(Event):
    """What every change of a payment contact records: its name, and the fields that are new."""

    contact: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentContactAdded(ContactEvent):
    """A payment contact was added."""

    kind = "contact.added"
    sentence = "Added the payment contact {contact}."


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentContactChanged(ContactEvent):
    """A payment contact got a new description."""

    kind = "contact.changed"
    sentence = "Changed the payment contact {contact}."


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentContactRemoved(ContactEvent):
    """A payment contact was removed."""

    kind = "contact.removed"
    sentence = "Removed the payment contact {contact}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequested(Event):
    """Somebody had a payment contact's address asked again to confirm."""

    kind = "contact.requested"
    sentence = "Asked {address} again to confirm that billing messages may go there."

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactConfirmed(Event):
    """Whoever is behind an address agreed to hear from the account."""

    kind = "contact.confirmed"
    sentence = "Confirmed that billing messages may go to {address}."

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDeclined(Event):
    """Whoever is behind an address wants to hear nothing from the account."""

    kind = "contact.declined"
    sentence = "Declined billing messages to {address}."

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailComplained(Event):
    """A payment contact or an admin reported a mail as unwanted, so that they get no more."""

    kind = "mail.complained"
    sentence = "{recipient} reported a mail as unwanted; no more mail is sent to that address."

    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAllowedAgain(Event):
    """Staff let mail go again to somebody who had reported one as unwanted."""

    kind = "mail.allowed"
    sentence = "Mail is sent to {recipient} again."

    recipient: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsSwitched(Event):
    """An admin switched alerts on and off, by their titles."""

    kind = "alerts.switched"
    sentence = "Switched their alerts: on {on}; off {off}."

    on: tuple[str, ...]
    off: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcomeReported(Event):
    """The operators reported the outcome of a billing phone call."""

    kind = "call.reported"
    sentence = "Reported the outcome of a billing phone call."

    outcome: CallOutcome
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueuedAgain(Event):
    """Staff queued a failed message again, to an address or number."""

    kind = "message.queued_again"
    sentence = "Queued a message again for {sent_to}."

    sent_to: str
    reason: str
