"""The cycle run's view of accounts: which are due, the facts of their bills, and the step to the next month."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, update
from sqlmodel import col, select

from app.models.accounts import AccountRow
from app.models.cycles import BillingCycleRow
from app.models.plans import PlanVersionRow
from app.repositories.accounts import adjustable_from
from app.repositories.billing_facts import (
    assemble_facts,
    read_account,
    select_accounts,
    select_billed,
    select_cycles,
    select_usage,
)
from app.repositories.bulk import execute_many, read_rows
from app.repositories.conditions import one_of
from app.repositories.plans import plan_from_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.invoices import BillingFacts
    from app.domain.plans import PlanVersion
    from app.repositories.billing_facts import Sql


def _of_accounts(column: Sql) -> Sql:
    return one_of(column, "account_ids")


_ACCOUNTS = select_accounts(_of_accounts)
_CYCLES = select_cycles(_of_accounts)
_USAGE = select_usage(_of_accounts)
_BILLED = select_billed(_of_accounts)
_INSERT_CYCLE = insert(BillingCycleRow)
_ADVANCE_ACCOUNT = (
    update(AccountRow)
    .where(col(AccountRow.id) == bindparam("account"))
    .values(
        next_cycle_on=bindparam("next_cycle"),
        next_close_at=bindparam("next_close"),
        adjustable_from_on=bindparam("adjustable_from"),
        ledger_seq=bindparam("last_posting"),
    )
)


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account whose cycle invoice is due; the caller is its only writer."""

    id: str
    name: str
    paid_starts_on: date
    plan_version_id: str
    usage_seq: int
    ledger_seq: int


@dataclass(frozen=True, slots=True)
class OpenedMonth:
    """The step of an account into a month: its plan there, what comes next, and its last posting."""

    account_id: str
    period_on: date
    plan_version_id: str
    next_cycle_on: date
    next_close_at: datetime
    ledger_seq: int


class CycleRepository:
    """Moves accounts from month to month."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim_due(self, now: datetime, limit: int) -> list[DueAccount]:
        """Return accounts whose cycle invoice is due, the longest overdue first, locked for the caller."""
        columns: Any = (
            col(AccountRow.id),
            col(AccountRow.name),
            col(AccountRow.paid_starts_on),
            col(AccountRow.plan_version_id),
            col(AccountRow.usage_seq),
            col(AccountRow.ledger_seq),
        )
        statement = (
            select(*columns)
            .where(col(AccountRow.next_close_at) <= now)
            .order_by(col(AccountRow.next_close_at), col(AccountRow.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [DueAccount(*row) for row in await self._session.exec(statement)]

    async def count_due(self, now: datetime) -> int:
        """Return how many accounts have a cycle invoice due."""
        return (await self._session.exec(select(func.count()).where(col(AccountRow.next_close_at) <= now))).one()

    async def plans(self, account_id: str) -> dict[date, PlanVersion]:
        """Return the plan that each opened month of the account is billed on, by its first day."""
        statement = (
            select(col(BillingCycleRow.period_on), PlanVersionRow)
            .join(PlanVersionRow, col(PlanVersionRow.id) == BillingCycleRow.plan_version_id)
            .where(BillingCycleRow.account_id == account_id)
        )
        return {period_on: plan_from_row(row) for period_on, row in await self._session.exec(statement)}

    async def has_begun(self, account_id: str) -> bool:
        """Tell whether the account has had its first cycle invoice."""
        statement = select(col(BillingCycleRow.period_on)).where(BillingCycleRow.account_id == account_id).limit(1)
        return (await self._session.exec(statement)).first() is not None

    async def oldest_due_at(self) -> datetime | None:
        """Return when the next, or the longest overdue, cycle invoice falls due."""
        return (await self._session.exec(select(func.min(AccountRow.next_close_at)))).one()

    async def facts(self, account_ids: Sequence[str]) -> dict[str, BillingFacts]:
        """Return the facts of the next cycle invoice of each account."""
        ids = list(account_ids)
        accounts = [read_account(row) for row in await read_rows(self._session, _ACCOUNTS, account_ids=ids)]
        cycles = _by_account(await read_rows(self._session, _CYCLES, account_ids=ids))
        usage = _by_account(await read_rows(self._session, _USAGE, account_ids=ids))
        billed = _by_account(await read_rows(self._session, _BILLED, account_ids=ids))
        return {
            account.id: assemble_facts(
                account, cycles.get(account.id, ()), usage.get(account.id, ()), billed.get(account.id, ())
            )
            for account in accounts
        }

    async def open_months(self, months: Iterable[OpenedMonth], *, opened_at: datetime) -> None:
        """Open the months and let each account wait for its next."""
        opened, advanced = [], []
        for month in months:
            opened.append((month.account_id, month.period_on, month.plan_version_id, opened_at))
            adjustable = adjustable_from(month.next_cycle_on)
            advanced.append((month.next_cycle_on, month.next_close_at, adjustable, month.ledger_seq, month.account_id))
        await execute_many(self._session, _INSERT_CYCLE, opened)
        await execute_many(self._session, _ADVANCE_ACCOUNT, advanced)


def _by_account(rows: Iterable[Any]) -> dict[str, list[Any]]:
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped
