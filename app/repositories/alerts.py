"""Who is told what, which limits were told, and from which usage on a month has to be looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Date, Text, and_, bindparam, delete, insert, update
from sqlmodel import col, select

from app.domain.accounts import AccountStatus, Role
from app.domain.alerts import CATALOGUE, AlertKind, Crossing
from app.models.accounts import AccountRow, MembershipRow, UserRow
from app.models.calls import UsageDayRow
from app.models.cycles import BillingCycleRow
from app.models.messages import (
    AlertCrossingRow,
    AlertSubscriptionRow,
    AlertWatchRow,
    ForecastLookRow,
    PaymentContactRow,
)
from app.repositories.billing_facts import total
from app.repositories.bulk import execute_many, read_rows, upsert
from app.repositories.conditions import Sql, one_of
from app.repositories.contacts import CONTACT_COLUMNS, read_contact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.contacts import PaymentContact
    from app.repositories.bulk import Columns, Merged

_SUBSCRIBED = and_(
    col(AlertSubscriptionRow.account_id) == col(MembershipRow.account_id),
    col(AlertSubscriptionRow.user_id) == col(MembershipRow.user_id),
)
_ADMIN_COLUMNS: Sql = (
    col(MembershipRow.account_id),
    col(UserRow.id),
    col(UserRow.name),
    col(UserRow.email),
    col(AlertSubscriptionRow.kind),
)
_ADMINS = (
    select(*_ADMIN_COLUMNS)
    .join(UserRow, col(UserRow.id) == col(MembershipRow.user_id))
    .join(AlertSubscriptionRow, _SUBSCRIBED)
    .where(
        one_of(col(MembershipRow.account_id), "account_ids"),
        col(MembershipRow.role) == Role.ADMIN,
        one_of(col(AlertSubscriptionRow.kind), "kinds"),
        col(AlertSubscriptionRow.is_on),
    )
    .order_by(col(MembershipRow.account_id), col(UserRow.id))
)
_CONTACTS = (
    select(*CONTACT_COLUMNS)
    .where(
        one_of(col(PaymentContactRow.account_id), "account_ids"),
        col(PaymentContactRow.is_active),
        col(PaymentContactRow.removed_at).is_(None),
    )
    .order_by(col(PaymentContactRow.account_id), col(PaymentContactRow.id))
)
_USED = (
    select(total(col(UsageDayRow.live_seconds)))
    .where(
        col(UsageDayRow.account_id) == col(AccountRow.id),
        col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
        col(UsageDayRow.on_date) >= col(BillingCycleRow.period_on),
        col(UsageDayRow.on_date) < col(AccountRow.next_cycle_on),
    )
    .scalar_subquery()
)
_METER_COLUMNS: Sql = (
    col(AccountRow.id),
    col(BillingCycleRow.period_on),
    col(AccountRow.paid_starts_on),
    col(BillingCycleRow.plan_version_id),
    _USED.label("used_seconds"),
    col(AlertWatchRow.period_on).label("watched_on"),
    col(AlertWatchRow.from_seconds),
)
_METERS = (
    select(*_METER_COLUMNS)
    .join(BillingCycleRow, col(BillingCycleRow.account_id) == col(AccountRow.id))
    .outerjoin(AlertWatchRow, col(AlertWatchRow.account_id) == col(AccountRow.id))
    .where(
        one_of(col(AccountRow.id), "account_ids"),
        col(BillingCycleRow.period_on) >= bindparam("since", type_=Date),
        col(BillingCycleRow.period_on) < col(AccountRow.next_cycle_on),
    )
)


_CROSSINGS = (
    select(
        col(AlertCrossingRow.kind),
        col(AlertCrossingRow.level),
        col(AlertCrossingRow.arming_no),
        col(AlertCrossingRow.rearmed_at),
    )
    .where(
        col(AlertCrossingRow.account_id) == bindparam("account_id", type_=Text),
        col(AlertCrossingRow.period_on) == bindparam("period_on", type_=Date),
    )
    .order_by(col(AlertCrossingRow.arming_no))
)


def _watched(_stored: Columns, incoming: Columns) -> Merged:
    return {"period_on": incoming.period_on, "from_seconds": incoming.from_seconds}


def _looked(_stored: Columns, incoming: Columns) -> Merged:
    return {"looked_on": incoming.looked_on}


_WATCH = upsert(AlertWatchRow, ("account_id",), _watched)
_LOOK = upsert(ForecastLookRow, ("account_id",), _looked)
_CROSS = insert(AlertCrossingRow)
_SUBSCRIBE = upsert(AlertSubscriptionRow, ("account_id", "user_id", "kind"))


class Admin(NamedTuple):
    """An admin who is told."""

    account_id: str
    user_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Meter:
    """An opened month of an account with its live time so far, and what is known of the limits ahead.

    `watched_on` is None before the month was ever looked at; `from_seconds` None when no limit of it is left.
    """

    account_id: str
    period_on: date
    paid_starts_on: date
    plan_version_id: str
    used_seconds: int
    watched_on: date | None
    from_seconds: int | None

    @property
    def is_due(self) -> bool:
        """Tell whether a limit may have been passed since the last look."""
        if self.watched_on != self.period_on:
            return True
        return self.from_seconds is not None and self.used_seconds >= self.from_seconds


class AlertRepository:
    """Subscriptions of admins, limits that were told, and the looks at usage and forecast."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def admins(self, kinds: Iterable[AlertKind], account_ids: Iterable[str]) -> list[tuple[AlertKind, Admin]]:
        """Return the admins of the accounts with each of the kinds that they have switched on."""
        rows = await read_rows(self._session, _ADMINS, kinds=list(kinds), account_ids=list(account_ids))
        return [(AlertKind(kind), Admin(*admin)) for *admin, kind in rows]

    async def contacts(self, account_ids: Iterable[str]) -> list[PaymentContact]:
        """Return the active payment contacts of the accounts."""
        return [read_contact(row) for row in await read_rows(self._session, _CONTACTS, account_ids=list(account_ids))]

    async def subscriptions(self, account_id: str, user_id: str) -> dict[AlertKind, bool]:
        """Return what the admin has switched on and off."""
        statement = select(AlertSubscriptionRow.kind, AlertSubscriptionRow.is_on).where(
            AlertSubscriptionRow.account_id == account_id, AlertSubscriptionRow.user_id == user_id
        )
        return {AlertKind(kind): is_on for kind, is_on in await self._session.exec(statement)}

    async def switch(self, account_id: str, user_id: str, kind: AlertKind, *, is_on: bool) -> None:
        """Store whether the admin is told about the kind."""
        await execute_many(self._session, _SUBSCRIBE, [(account_id, user_id, kind, is_on)])
        statement = update(AlertSubscriptionRow).where(
            col(AlertSubscriptionRow.account_id) == account_id,
            col(AlertSubscriptionRow.user_id) == user_id,
            col(AlertSubscriptionRow.kind) == kind,
        )
        await self._session.exec(statement.values(is_on=is_on))

    async def follow_admins(self, account_id: str, admins: Sequence[str]) -> None:
        """Give each admin (by user id) a subscription to every kind, and take those of everybody else away."""
        gone = delete(AlertSubscriptionRow).where(
            col(AlertSubscriptionRow.account_id) == account_id, col(AlertSubscriptionRow.user_id).not_in(admins)
        )
        await self._session.exec(gone)
        rows = [(account_id, user_id, kind, True) for user_id in admins for kind in CATALOGUE]
        await execute_many(self._session, _SUBSCRIBE, rows)

    async def meters(self, account_ids: Iterable[str], since: date) -> list[Meter]:
        """Return the opened months, from the one that begins on `since` on, with their usage."""
        rows = await read_rows(self._session, _METERS, account_ids=list(account_ids), since=since)
        return [Meter(*row) for row in rows]

    async def crossings(self, account_id: str, period_on: date) -> list[Crossing]:
        """Return the limits of a month that were told."""
        rows = await read_rows(self._session, _CROSSINGS, account_id=account_id, period_on=period_on)
        return [Crossing(AlertKind(kind), level, no, rearmed_at is not None) for kind, level, no, rearmed_at in rows]

    async def add_crossings(self, crossings: Iterable[tuple[str, date, Crossing, int]], *, at: datetime) -> None:
        """Store limits that were passed and told: account id, first day of the month, limit, live seconds.

        The same one twice is refused by its key.
        """
        rows = [
            (account_id, period_on, crossing.kind, crossing.level, crossing.arming_no, at, used_seconds, None)
            for account_id, period_on, crossing, used_seconds in crossings
        ]
        await execute_many(self._session, _CROSS, rows)

    async def rearm(self, account_id: str, period_on: date, crossings: Iterable[Crossing], *, at: datetime) -> None:
        """Store that limits will be told again, and that the month has to be looked at anew."""
        for crossing in crossings:
            statement = update(AlertCrossingRow).where(
                col(AlertCrossingRow.account_id) == account_id,
                col(AlertCrossingRow.period_on) == period_on,
                col(AlertCrossingRow.kind) == crossing.kind,
                col(AlertCrossingRow.level) == crossing.level,
                col(AlertCrossingRow.arming_no) == crossing.arming_no,
            )
            await self._session.exec(statement.values(rearmed_at=at))
        await self._session.exec(delete(AlertWatchRow).where(col(AlertWatchRow.account_id) == account_id))

    async def watch(self, watches: Iterable[tuple[str, date, int | None]]) -> None:
        """Store from which live time on each account's month (its first day) has to be looked at again."""
        await execute_many(self._session, _WATCH, list(watches))

    async def unforecast(self, today: date, limit: int) -> list[tuple[str, str]]:
        """Return accounts, by id and external id, whose month was not projected today."""
        statement = (
            select(AccountRow.id, AccountRow.external_id)
            .outerjoin(ForecastLookRow, col(ForecastLookRow.account_id) == col(AccountRow.id))
            .where(
                AccountRow.status == AccountStatus.ACTIVE,
                AccountRow.paid_starts_on <= today,
                col(ForecastLookRow.looked_on).is_(None) | (col(ForecastLookRow.looked_on) < today),
            )
            .order_by(col(AccountRow.id))
            .limit(limit)
        )
        return [(account_id, external_id) for account_id, external_id in await self._session.exec(statement)]

    async def mark_forecast(self, account_id: str, today: date) -> None:
        """Store that the account's month was projected."""
        await execute_many(self._session, _LOOK, [(account_id, today)])
