"""Whether the holder of an address or number agreed to hear from an account, and how often they are asked (rule 41).

An address is a contact's e-mail or phone number; it is asked, and answers, once for an account, whichever contacts
have it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.deliveries import CallOutcome
from app.domain.limits import Limit

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.contacts import Channel, ConfirmationState

CONFIRMATION = "CONTACT_CONFIRMATION"
"""The kind of the one message to an address that has not confirmed."""

REMOVAL = "CONTACT_REMOVED"
"""The kind of the one message to a confirmed address that is no contact's any more."""

ABOUT_ADDRESSES = frozenset({CONFIRMATION, REMOVAL})
"""They go to an address, whatever becomes of its contact, and are no alerts: nobody switches them."""

LINK_LIVES = timedelta(days=7)
PAUSE = timedelta(hours=24)
MOST_REQUESTS = 3
"""The first, and two more that somebody asks for."""

CHANGES = (Limit("contact changes in an hour", 10, timedelta(hours=1)), Limit("contact changes in a day", 30, PAUSE))
"""By account."""

CONFIRMATIONS = Limit("confirmations of an address", 5, timedelta(days=1))
"""By address, over all accounts."""

CALLS_OF_A_KIND = Limit("calls of a kind to a number", 1)
CALLS_TO_A_NUMBER = Limit("calls to a number", 5, timedelta(days=7))
CALLS_OF_AN_ACCOUNT = Limit("calls of an account", 20, timedelta(days=1))


class NothingToConfirm(ValueError):
    """The contact is not reached in this way, or has answered."""

    def __init__(self) -> None:
        super().__init__("There is nothing to ask: the contact has answered already, or is not reached in this way.")


class ConfirmationsUsedUp(ValueError):
    """The address was asked as often as it may be."""

    def __init__(self) -> None:
        super().__init__(
            f"This was asked {MOST_REQUESTS} times without an answer and is not asked again. Ask the contact to look "
            "for our message, or give another address."
        )


class AskedTooSoon(ValueError):
    """The address was asked less than a day ago; `retry_at` is when it may be asked again."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("The contact was asked within the last 24 hours. Try again later.")
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """An e-mail address or phone number, as an account has it. `key` tells it from others, whatever its case.

    `requests` is how often it was asked to confirm, `requested_at` when it was last, `answered_at` when it answered.
    """

    account_id: str
    channel: Channel
    key: str
    state: ConfirmationState
    requests: int = 0
    requested_at: datetime | None = None
    answered_at: datetime | None = None


def address_key(address: str) -> str:
    """Return what two spellings of one address have in common; `straße.de` and `strasse.de` are two domains."""
    return unicodedata.normalize("NFC", address).lower()


def check_request(address: ContactAddress, now: datetime) -> None:
    """Check that an address may be asked once more (rule 41).

    :raises ConfirmationsUsedUp: after the first request and two more.
    :raises AskedTooSoon: less than 24 hours after the last one.
    """
    if address.requests >= MOST_REQUESTS:
        raise ConfirmationsUsedUp
    if address.requested_at is not None and now < address.requested_at + PAUSE:
        raise AskedTooSoon(address.requested_at + PAUSE)


def answer_of(kind: str, outcome: CallOutcome) -> bool | None:
    """Return whether a call of a kind confirms its number, or None where its outcome says nothing about that.

    Whoever answers the first call without declining has confirmed; a wrong number is one whatever the call is about.
    """
    if outcome is CallOutcome.WRONG_NUMBER:
        return False
    if kind != CONFIRMATION:
        return None
    return {CallOutcome.ANSWERED: True, CallOutcome.DECLINED: False}.get(outcome)
