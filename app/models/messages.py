"""Who is told about billing, what was told, and every message on its way."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel, ConfirmationState
from app.domain.deliveries import CallOutcome, DeliveryState
from app.models.base import (
    Row,
    day,
    enum_text,
    flag,
    identifier,
    instant,
    json_value,
    reference,
    text,
    whole_number,
)

UNSETTLED = "state IN ('QUEUED', 'SENDING', 'UNKNOWN')"
"""What the outbox's index holds; a statement that says the same, word for word, is answered from it."""


class PaymentContactRow(Row, table=True):
    """Somebody who hears about billing and does not sign in; `channels` and `kinds` are lists, hours are `HH:MM`."""

    __tablename__ = "payment_contact"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    name: str = text()
    title: str = text()
    email: str | None = text(default=None)
    phone: str | None = text(default=None)
    channels: list[str] = json_value()
    kinds: list[str] = json_value()
    time_zone: str = text()
    opens_at: str = text()
    closes_at: str = text()
    is_active: bool = flag()
    created_at: datetime = instant()
    removed_at: datetime | None = instant(default=None)
    email_state: ConfirmationState | None = enum_text(ConfirmationState, name="email_state", default=None)
    phone_state: ConfirmationState | None = enum_text(ConfirmationState, name="phone_state", default=None)


class ContactAddressRow(Row, table=True):
    """An e-mail address or phone number of an account's contacts: whether it confirmed, and how often it was asked.

    `key` is the address in small letters. A row stays when its contact goes: nobody is asked anew by being added anew.
    """

    __tablename__ = "contact_address"
    __table_args__ = (CheckConstraint("requests >= 0", name="requests"),)

    account_id: str = reference("account.id", index=False, primary_key=True)
    channel: Channel = enum_text(Channel, primary_key=True)
    key: str = text(primary_key=True)
    state: ConfirmationState = enum_text(ConfirmationState)
    requests: int = whole_number(default=0)
    requested_at: datetime | None = instant(default=None)
    answered_at: datetime | None = instant(default=None)


class AlertSubscriptionRow(Row, table=True):
    """Whether an admin is told about a kind; there is a row as long as the person is an admin of the account."""

    __tablename__ = "alert_subscription"

    account_id: str = reference("account.id", index=False, primary_key=True)
    user_id: str = reference("app_user.id", primary_key=True)
    kind: AlertKind = enum_text(AlertKind, primary_key=True)
    is_on: bool = flag()


class AlertCrossingRow(Row, table=True):
    """A limit of a month that was passed, and told, once for each arming (rule 37)."""

    __tablename__ = "alert_crossing"

    account_id: str = reference("account.id", index=False, primary_key=True)
    period_on: date = day(primary_key=True)
    kind: AlertKind = enum_text(AlertKind, primary_key=True)
    level: int = whole_number(primary_key=True, sa_column_kwargs={"autoincrement": False})
    arming_no: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    crossed_at: datetime = instant()
    used_seconds: int = whole_number()
    rearmed_at: datetime | None = instant(default=None)


class AlertWatchRow(Row, table=True):
    """From which live time on a month has to be looked at again; none is left where `from_seconds` is null."""

    __tablename__ = "alert_watch"

    account_id: str = reference("account.id", index=False, primary_key=True)
    period_on: date = day()
    from_seconds: int | None = whole_number(default=None)


class ForecastLookRow(Row, table=True):
    """The day on which an account's month was last projected for its alerts."""

    __tablename__ = "forecast_look"

    account_id: str = reference("account.id", index=False, primary_key=True)
    looked_on: date = day()


class RefusingAddressRow(Row, table=True):
    """An address, by its key, that a mail server refused or a mail came back from, until it takes a mail again."""

    __tablename__ = "refusing_address"

    address: str = text(primary_key=True)
    reason: str = text()
    refused_at: datetime = instant()


class MailComplaintRow(Row, table=True):
    """An address, by its key, whose owner complained of a mail: nothing is sent there until staff allow it again."""

    __tablename__ = "mail_complaint"

    address: str = text(primary_key=True)
    reason: str = text()
    complained_at: datetime = instant()


class NotificationRow(Row, table=True):
    """One message to one person: the outbox, and later the log of what was told.

    `account_id` is null for what goes to the operator on call. `next_action_at` goes by the clock of billing,
    `lease_until` by real time; a worker whose `lease_epoch` is not the row's has lost it.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index(None, "account_id", "id"),
        Index(
            "ix_notification_unsettled",
            "channel",
            "next_action_at",
            "id",
            sqlite_where=sql(UNSETTLED),
            postgresql_where=sql(UNSETTLED),
        ),
        Index(None, "user_id"),
        Index(None, "contact_id"),
    )

    id: str = identifier()
    account_id: str | None = reference("account.id", index=False, default=None)
    kind: str = text()
    channel: Channel = enum_text(Channel)
    user_id: str | None = reference("app_user.id", index=False, default=None)
    contact_id: str | None = reference("payment_contact.id", index=False, default=None)
    recipient: str = text()
    address: str = text()
    dedupe_key: str = text()
    facts: dict[str, Any] = json_value()
    state: DeliveryState = enum_text(DeliveryState)
    created_at: datetime = instant()
    next_action_at: datetime = instant()
    lease_until: datetime | None = instant(default=None)
    lease_epoch: int = whole_number(default=0)
    attempts: int = whole_number(default=0)
    finished_at: datetime | None = instant(default=None)
    outcome: str | None = text(default=None)
    call_outcome: CallOutcome | None = enum_text(CallOutcome, default=None)
