"""The outbox: messages are added once, claimed under a lease, and settled by whoever still holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, text, update
from sqlmodel import col, select

from app.domain.confirmations import CONFIRMATION, address_key
from app.domain.contacts import CallingHours, Channel
from app.domain.deliveries import DeliveryState
from app.models.accounts import AccountRow
from app.models.messages import UNSETTLED, NotificationRow, PaymentContactRow
from app.repositories.bulk import execute_many, upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.deliveries import CallOutcome

_ADD = upsert(
    NotificationRow,
    ("dedupe_key",),
    None,
    (
        "id",
        "account_id",
        "kind",
        "channel",
        "user_id",
        "contact_id",
        "recipient",
        "address",
        "dedupe_key",
        "facts",
        "state",
        "created_at",
        "next_action_at",
        "lease_epoch",
        "attempts",
    ),
)

REMOVED = "The recipient was removed before it was sent."
SETTLED = "What it was about was settled before it was handed over."
CALLED_ENOUGH = "The number, or the account, has been called as often as may be."
OBSOLETE = "It was no longer true when it was to be sent."
SWITCHED_OFF = "The recipient chose not to hear of it before it was sent."
UNWANTED = "The owner of the address complained of our mail, so none is sent there."
NOT_WANTED = (REMOVED, SETTLED, CALLED_ENOUGH, OBSOLETE, SWITCHED_OFF, UNWANTED)
"""Why a message was given up that nobody misses."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. `dedupe_key` names it for ever: the same one twice is one."""

    id: str
    account_id: str | None
    kind: str
    channel: Channel
    user_id: str | None
    contact_id: str | None
    recipient: str
    address: str
    dedupe_key: str
    facts: Mapping[str, Any]
    created_at: datetime
    next_action_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that the caller alone works on while its lease lasts; `hours` are those of a call's recipient."""

    message: Message
    epoch: int
    attempts: int
    account_name: str
    account_external_id: str
    hours: CallingHours | None


class NotificationRepository:
    """Messages on their way, and the log of those that arrived."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_many(self, messages: Sequence[Message]) -> int:
        """Queue messages and return how many are new."""
        rows = [
            (
                m.id,
                m.account_id,
                m.kind,
                m.channel,
                m.user_id,
                m.contact_id,
                m.recipient,
                m.address,
                m.dedupe_key,
                dict(m.facts),
                DeliveryState.QUEUED,
                m.created_at,
                m.next_action_at,
                0,
                0,
            )
            for m in messages
        ]
        return await execute_many(self._session, _ADD, rows)

    async def has_due(self, channel: Channel, now: datetime, real_now: datetime) -> bool:
        """Tell whether a message waits to be sent, or to be settled after a worker that died."""
        statement = select(NotificationRow.id).where(_due(channel, now, real_now)).limit(1)
        return (await self._session.exec(statement)).first() is not None

    async def claim(
        self, channel: Channel, *, now: datetime, real_now: datetime, lease_until: datetime, limit: int
    ) -> list[Claimed]:
        """Take messages that are due, the longest waiting first; each is the caller's until the lease is over."""
        statement = (
            select(NotificationRow)
            .where(_due(channel, now, real_now))
            .order_by(col(NotificationRow.next_action_at), col(NotificationRow.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = list(await self._session.exec(statement))
        for row in rows:
            row.state, row.lease_until = DeliveryState.SENDING, lease_until
            row.lease_epoch += 1
            row.attempts += 1
            self._session.add(row)
        await self._session.flush()
        return [await self._claimed(row) for row in rows]

    async def has_lost_call(self, real_now: datetime) -> bool:
        """Tell whether a worker died with a phone call in its hands."""
        return (
            await self._session.exec(select(NotificationRow.id).where(_lost(real_now)).limit(1))
        ).first() is not None

    async def expire_calls(self, real_now: datetime, *, at: datetime, outcome: str) -> int:
        """Settle phone calls whose worker died: they may have been made, so a person decides. Returns how many."""
        statement = (
            update(NotificationRow)
            .where(_lost(real_now))
            .values(
                state=DeliveryState.UNKNOWN,
                outcome=outcome,
                finished_at=at,
                lease_until=None,
                lease_epoch=NotificationRow.lease_epoch + 1,
            )
        )
        return int((await self._session.exec(statement)).rowcount)

    async def doubt_calls(self, *, at: datetime, outcome: str) -> None:
        """Settle every phone call that waits as one that may have been made, so that a person decides."""
        statement = update(NotificationRow).where(
            _UNSETTLED, col(NotificationRow.channel) == Channel.PHONE_CALL, _WAITS
        )
        values: dict[str, Any] = {
            "state": DeliveryState.UNKNOWN,
            "outcome": outcome,
            "finished_at": at,
            "lease_until": None,
            "lease_epoch": NotificationRow.lease_epoch + 1,
        }
        await self._session.exec(statement.values(values))

    async def settle(self, claimed: Claimed, state: DeliveryState, *, at: datetime, outcome: str) -> bool:
        """Store the outcome of a message; False when the caller had lost it to another, and nothing was stored."""
        values = {"state": state, "outcome": outcome, "finished_at": at, "lease_until": None}
        return await self._update(claimed, values)

    async def put_back(self, claimed: Claimed, *, next_at: datetime, outcome: str | None, is_attempt: bool) -> bool:
        """Let a message wait again; where nothing was tried it counts as no attempt."""
        values = {
            "state": DeliveryState.QUEUED,
            "next_action_at": next_at,
            "outcome": outcome,
            "lease_until": None,
            "attempts": claimed.attempts if is_attempt else claimed.attempts - 1,
        }
        return await self._update(claimed, values)

    async def find_failed(self, message_id: str) -> Message | None:
        """Return a message that was given up; None where there is none, or nobody misses it."""
        row = await self._session.get(NotificationRow, message_id, with_for_update=True)
        if row is None or row.state is not DeliveryState.FAILED or row.outcome in NOT_WANTED:
            return None
        return _message(row)

    async def queue_again(self, message: Message, *, recipient: str, address: str, at: datetime) -> None:
        """Let a message that was given up wait again, as if it had never been tried, for where its recipient is now."""
        values = {
            "state": DeliveryState.QUEUED,
            "recipient": recipient,
            "address": address,
            "next_action_at": at,
            "attempts": 0,
            "finished_at": None,
            "outcome": None,
        }
        await self._session.exec(update(NotificationRow).where(col(NotificationRow.id) == message.id).values(values))

    async def report_call(
        self, message_id: str, outcome: CallOutcome, *, note: str, attempts: int | None, at: datetime
    ) -> Message | None:
        """Store the outcome of a call, and return it; None when there is no such call.

        A report settles a call whose fate was unknown; of several the last one counts.
        """
        row = await self._session.get(NotificationRow, message_id, with_for_update=True)
        if row is None or row.channel is not Channel.PHONE_CALL or row.state is DeliveryState.QUEUED:
            return None
        row.state, row.call_outcome, row.outcome, row.finished_at = DeliveryState.SENT, outcome, note, at
        row.lease_until = None
        row.attempts = row.attempts if attempts is None else attempts
        self._session.add(row)
        await self._session.flush()
        return _message(row)

    async def times_since(self, account_id: str, prefix: str, since: datetime) -> list[datetime]:
        """Return when messages to people who sign in, by the beginning of their keys, came up since, oldest first."""
        statement = (
            select(NotificationRow.created_at)
            .where(
                NotificationRow.account_id == account_id,
                col(NotificationRow.user_id).is_not(None),
                col(NotificationRow.dedupe_key).startswith(prefix, autoescape=True),
                NotificationRow.created_at > since,
            )
            .order_by(col(NotificationRow.created_at))
        )
        return list(await self._session.exec(statement))

    async def _update(self, claimed: Claimed, values: Mapping[str, Any]) -> bool:
        statement = update(NotificationRow).where(
            col(NotificationRow.id) == claimed.message.id,
            col(NotificationRow.lease_epoch) == claimed.epoch,
            col(NotificationRow.state) == DeliveryState.SENDING,
        )
        return bool((await self._session.exec(statement.values(values))).rowcount)

    async def _claimed(self, row: NotificationRow) -> Claimed:
        account = None if row.account_id is None else await self._session.get(AccountRow, row.account_id)
        hours = None
        if row.channel is Channel.PHONE_CALL and row.contact_id is not None:
            contact = await self._session.get_one(PaymentContactRow, row.contact_id)
            opens, closes = map(time.fromisoformat, (contact.opens_at, contact.closes_at))
            hours = CallingHours(contact.time_zone, opens, closes)
        name, external_id = ("", "") if account is None else (account.name, account.external_id)
        return Claimed(_message(row), row.lease_epoch, row.attempts, name, external_id, hours)


class RecipientRepository:
    """Queued messages of people whose address or part in an account has changed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def readdress(self, user_id: str, *, recipient: str, address: str) -> None:
        """Send what still waits for a person to their new address."""
        values = {"recipient": recipient, "address": address}
        await self._session.exec(
            update(NotificationRow).where(col(NotificationRow.user_id) == user_id, _WAITS).values(values)
        )

    async def readdress_contact(self, contact_id: str, channel: Channel, *, recipient: str, address: str) -> None:
        """Send what still waits for a contact to their new address or number."""
        own = and_(_of_contact(contact_id), col(NotificationRow.channel) == channel)
        await self._session.exec(
            update(NotificationRow).where(own, _WAITS).values(recipient=recipient, address=address)
        )

    async def drop_for_users(self, account_id: str, user_ids: Sequence[str], *, at: datetime) -> None:
        """Give up what waits for people who are admins of the account no more."""
        own = and_(col(NotificationRow.account_id) == account_id, col(NotificationRow.user_id).in_(user_ids))
        await self._drop(own, at)

    async def drop_for_contact(self, contact_id: str, *, at: datetime, channel: Channel | None = None) -> None:
        """Give up what waits for a contact, by one channel or by all."""
        own = _of_contact(contact_id)
        await self._drop(own if channel is None else and_(own, col(NotificationRow.channel) == channel), at)

    async def drop_for_address(self, account_id: str, channel: Channel, key: str, *, at: datetime) -> None:
        """Give up what waits for an address of an account's contacts, by what its spellings have in common."""
        row = NotificationRow
        own = and_(col(row.account_id) == account_id, col(row.channel) == channel, col(row.user_id).is_(None))
        found = await self._session.exec(select(row.id, row.address).where(own, _QUEUED))
        ids = [message_id for message_id, address in found if address_key(address) == key]
        await self._drop(col(row.id).in_(ids), at)

    async def _drop(self, own: ColumnElement[bool], at: datetime) -> None:
        values = {"state": DeliveryState.FAILED, "outcome": REMOVED, "finished_at": at}
        await self._session.exec(update(NotificationRow).where(own, _QUEUED).values(values))


class OutboxFiguresRepository:
    """Figures of the outbox."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count_by_state(self) -> dict[tuple[Channel, DeliveryState], int]:
        """Return how many messages stand where, by channel and state."""
        statement = select(NotificationRow.channel, NotificationRow.state, func.count()).group_by(
            col(NotificationRow.channel), col(NotificationRow.state)
        )
        rows = await self._session.exec(statement)
        return {(Channel(channel), DeliveryState(state)): count for channel, state, count in rows}

    async def oldest_unsent_at(self) -> datetime | None:
        """Return since when the longest waiting mail has been tried in vain."""
        statement = select(func.min(NotificationRow.created_at)).where(
            _UNSETTLED, NotificationRow.channel == Channel.EMAIL, _WAITS, col(NotificationRow.outcome).is_not(None)
        )
        return (await self._session.exec(statement)).one()

    async def count_unknown_before(self, instant: datetime) -> int:
        """Return how many calls have an unknown fate since before an instant."""
        statement = select(func.count()).where(
            _UNSETTLED, NotificationRow.state == DeliveryState.UNKNOWN, col(NotificationRow.finished_at) < instant
        )
        return (await self._session.exec(statement)).one()


_UNSETTLED = text(UNSETTLED)
_QUEUED = col(NotificationRow.state) == DeliveryState.QUEUED
_WAITS = col(NotificationRow.state).in_((DeliveryState.QUEUED, DeliveryState.SENDING))


def _of_contact(contact_id: str) -> ColumnElement[bool]:
    """What is told to a contact; a question to confirm goes to where it was asked, whatever becomes of the contact."""
    return and_(col(NotificationRow.contact_id) == contact_id, col(NotificationRow.kind) != CONFIRMATION)


def _due(channel: Channel, now: datetime, real_now: datetime) -> ColumnElement[bool]:
    """What may be claimed: what is queued and due, and a mail whose worker died. A call is never tried again."""
    queued = and_(_QUEUED, col(NotificationRow.next_action_at) <= now)
    abandoned = and_(col(NotificationRow.state) == DeliveryState.SENDING, col(NotificationRow.lease_until) < real_now)
    waits = queued if channel is Channel.PHONE_CALL else or_(queued, abandoned)
    return and_(_UNSETTLED, col(NotificationRow.channel) == channel, waits)


def _lost(real_now: datetime) -> ColumnElement[bool]:
    """Phone calls in the hands of a worker that died."""
    return and_(
        _UNSETTLED,
        col(NotificationRow.channel) == Channel.PHONE_CALL,
        col(NotificationRow.state) == DeliveryState.SENDING,
        col(NotificationRow.lease_until) < real_now,
    )


def _message(row: NotificationRow) -> Message:
    return Message(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        channel=row.channel,
        user_id=row.user_id,
        contact_id=row.contact_id,
        recipient=row.recipient,
        address=row.address,
        dedupe_key=row.dedupe_key,
        facts=row.facts,
        created_at=row.created_at,
        next_action_at=row.next_action_at,
    )
