"""What an admin has switched on, which limits were told, payment contacts, and the log of messages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, bindparam, func, select
from sqlmodel import col

from app.domain.alerts import AlertKind
from app.domain.confirmations import ABOUT_ADDRESSES
from app.domain.contacts import Channel
from app.domain.deliveries import CallOutcome, DeliveryState
from app.models.accounts import UserRow
from app.models.messages import (
    AlertCrossingRow,
    AlertSubscriptionRow,
    MailComplaintRow,
    NotificationRow,
    PaymentContactRow,
    RefusingAddressRow,
)
from app.repositories.conditions import beyond
from app.repositories.contacts import CONTACT_COLUMNS, read_contact
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.alerts import ListedContact, MessagePage, SentMessage, ToldLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows

_ID = col(NotificationRow.id)

_SUBSCRIPTIONS = (
    select(col(AlertSubscriptionRow.kind), col(AlertSubscriptionRow.is_on))
    .join(UserRow, col(UserRow.id) == col(AlertSubscriptionRow.user_id))
    .where(own(col(AlertSubscriptionRow.account_id)), col(UserRow.subject) == bindparam("subject"))
)

_TOLD = (
    select(
        col(AlertCrossingRow.kind),
        col(AlertCrossingRow.level),
        col(AlertCrossingRow.arming_no),
        col(AlertCrossingRow.crossed_at),
        col(AlertCrossingRow.rearmed_at).is_not(None).label("is_rearmed"),
    )
    .where(
        own(col(AlertCrossingRow.account_id)),
        col(AlertCrossingRow.period_on) == bindparam("month", type_=Date),
    )
    .order_by(col(AlertCrossingRow.arming_no))
)

_KEY = func.lower(col(PaymentContactRow.email))
_CONTACTS = (
    select(
        *CONTACT_COLUMNS,
        func.coalesce(col(MailComplaintRow.reason), col(RefusingAddressRow.reason)).label("problem"),
        func.coalesce(col(MailComplaintRow.complained_at), col(RefusingAddressRow.refused_at)).label("since"),
    )
    .outerjoin(RefusingAddressRow, col(RefusingAddressRow.address) == _KEY)
    .outerjoin(MailComplaintRow, col(MailComplaintRow.address) == _KEY)
    .where(own(col(PaymentContactRow.account_id)), col(PaymentContactRow.removed_at).is_(None))
    .order_by(col(PaymentContactRow.id))
)

_MESSAGE_COLUMNS: Sql = (
    _ID,
    col(NotificationRow.kind),
    col(NotificationRow.channel),
    col(NotificationRow.recipient),
    col(NotificationRow.address),
    col(NotificationRow.contact_id).is_not(None).label("is_contact"),
    col(NotificationRow.state),
    col(NotificationRow.created_at),
    col(NotificationRow.finished_at),
    col(NotificationRow.outcome),
    col(NotificationRow.call_outcome),
    col(NotificationRow.attempts),
)

LAST_ID = "~"
"""Behind every id of a message."""


def _chosen(subscriptions: Sequence[tuple[str, bool]]) -> dict[AlertKind, bool]:
    return {AlertKind(kind): bool(is_on) for kind, is_on in subscriptions}


def _told(told: Rows) -> list[ToldLimit]:
    return [ToldLimit(AlertKind(kind), level, no, at, bool(rearmed)) for kind, level, no, at, rearmed in told]


def _listed(contacts: Rows) -> list[ListedContact]:
    return [ListedContact(read_contact(row[:-2]), row[-2], row[-1]) for row in contacts]


SUBSCRIPTIONS: Page[dict[AlertKind, bool]] = Page("alert subscriptions", {"subscriptions": _SUBSCRIPTIONS}, _chosen)
"""Takes `account` and the `subject` of the admin."""

TOLD_LIMITS: Page[list[ToldLimit]] = Page("told limits", {"told": _TOLD}, _told)
"""Takes `account` and the first day of the `month`."""

CONTACTS: Page[list[ListedContact]] = Page("payment contacts", {"contacts": _CONTACTS}, _listed)
"""Takes `account`."""


@cache
def messages_page(*, is_counted: bool = False) -> Page[MessagePage]:
    """Return the page of the messages of an account, newest first. Binds: `after_id` (`LAST_ID` at first), `fetch`."""
    # What asks an address to confirm is no alert; its answer and its problems are shown with the contact.
    shown = own(col(NotificationRow.account_id)) & col(NotificationRow.kind).not_in(sorted(ABOUT_ADDRESSES))
    newest = (
        select(*_MESSAGE_COLUMNS)
        .where(shown, beyond((_ID,), ("after_id",), descending=True))
        .order_by(_ID.desc())
        .limit(bindparam("fetch"))
    )
    parts: dict[str, Sql] = {"messages": newest}
    if is_counted:
        parts["count"] = select(func.count()).select_from(NotificationRow).where(shown)
    return Page("messages", parts, _messages)


def _messages(messages: Rows, count: Sequence[tuple[int]] = ()) -> MessagePage:
    return MessagePage([_sent(row) for row in messages], count[0][0] if count else None)


def _sent(row: Sequence[Any]) -> SentMessage:
    identifier, kind, channel, recipient, address, is_contact, state, queued, finished, outcome, call, attempts = row
    return SentMessage(
        identifier,
        AlertKind(kind),
        Channel(channel),
        recipient,
        address,
        bool(is_contact),
        DeliveryState(state),
        queued,
        finished,
        outcome,
        None if call is None else CallOutcome(call),
        attempts,
    )
