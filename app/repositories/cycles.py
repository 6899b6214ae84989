"""The cycle run's view of accounts: which are due, the facts of their bills, and the step to the next month."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, insert, literal_column, null, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from app.domain.usage import UsageTotals
from app.models.accounts import AccountRow
from app.models.calls import UsageDayRow
from app.models.cycles import BillingCycleRow
from app.models.plans import PlanVersionRow
from app.repositories.accounts import adjustable_from
from app.repositories.billing_facts import FactRows, assemble_facts, fact_parts, read_account, read_catalogue, total
from app.repositories.bulk import execute_many, read_rows
from app.repositories.checkouts import waiting_checkout
from app.repositories.conditions import one_of
from app.repositories.plans import plan_from_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.invoices import BillingFacts
    from app.domain.plans import PlanVersion
    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows


def _of_accounts(column: Sql) -> Sql:
    return one_of(column, "account_ids")


_FACTS = fact_parts(_of_accounts)
_DUE_COLUMNS: Any = (
    col(AccountRow.id),
    col(AccountRow.external_id),
    col(AccountRow.name),
    col(AccountRow.paid_starts_on),
    col(AccountRow.upgrade_count),
    col(AccountRow.usage_seq),
    col(AccountRow.ledger_seq),
)
_SELECT_DUE = select(*_DUE_COLUMNS).order_by(col(AccountRow.next_close_at), col(AccountRow.id))
_RELOAD_DUE = _SELECT_DUE.where(_of_accounts(col(AccountRow.id)))
_INSERT_CYCLE = insert(BillingCycleRow)
_ADVANCE_ACCOUNT = (
    update(AccountRow)
    .where(col(AccountRow.id) == bindparam("account"))
    .values(
        next_cycle_on=bindparam("next_cycle"),
        next_close_at=bindparam("next_close"),
        adjustable_from_on=bindparam("adjustable_from"),
        checked_usage_seq=literal_column("0"),  # the month that opens may hold calls already
        plan_version_id=bindparam("plan"),
        upgrade_count=case(
            (col(AccountRow.pending_plan_version_id).is_(None), col(AccountRow.upgrade_count)),
            else_=literal_column("0"),
        ),
        pending_plan_version_id=null(),
    )
)


_MARK_CHECKED = (
    update(AccountRow)
    .where(col(AccountRow.id) == bindparam("account"))
    .values(checked_usage_seq=bindparam("looked_at"))
)


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account whose cycle invoice is due; the caller is its only writer."""

    account_id: str
    external_id: str
    name: str
    paid_starts_on: date
    upgrade_count: int
    usage_seq: int
    ledger_seq: int


@dataclass(frozen=True, slots=True)
class OpenedMonth:
    """The step of an account into a month: its plan there, and what comes next."""

    account_id: str
    period_on: date
    plan_version_id: str
    next_cycle_on: date
    next_close_at: datetime


@dataclass(frozen=True, slots=True)
class UncheckedAccount:
    """An account with usage since an upgrade was last considered: its open month, and what that is billed on.

    `period_on` and `plan` are None before its first month is opened.
    """

    id: str
    external_id: str
    paid_starts_on: date
    upgrade_count: int
    usage_seq: int
    period_on: date | None
    plan: PlanVersion | None
    usage: UsageTotals


class CycleRepository:
    """Moves accounts from month to month."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._has_claimed = False

    async def claim_due(self, now: datetime, limit: int) -> list[DueAccount]:
        """Return accounts whose cycle invoice is due, the longest overdue first, locked for the caller.

        One with a change that waits for its payment comes later: that change counts for the month it was made in.
        :raises RuntimeError: on a second claim in one transaction, which may return accounts that the first did not.
        """
        if self._has_claimed:
            raise RuntimeError("a transaction claims due accounts once: load the claimed ones again with `reload`")
        self._has_claimed = True
        statement = (
            _SELECT_DUE.where(col(AccountRow.next_close_at) <= now, ~waiting_checkout(col(AccountRow.id)))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [DueAccount(*row) for row in await self._session.exec(statement)]

    async def reload(self, account_ids: Sequence[str]) -> list[DueAccount]:
        """Return claimed accounts as they stand now, in the order of the claim."""
        rows = await read_rows(self._session, _RELOAD_DUE, account_ids=list(account_ids))
        return [DueAccount(*row) for row in rows]

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

    async def has_unchecked(self) -> bool:
        """Tell whether any account has usage since an upgrade was last considered."""
        statement = (
            select(AccountRow.id)
            .where(col(AccountRow.usage_seq) > col(AccountRow.checked_usage_seq), ~waiting_checkout(col(AccountRow.id)))
            .limit(1)
        )
        return (await self._session.exec(statement)).first() is not None

    async def unchecked(self, after: str, limit: int) -> list[UncheckedAccount]:
        """Return accounts behind `after`, by id, with usage since the last look: their open month's plan and usage.

        The open month is the one last opened, which stays so for some hours of the next.
        """
        sums = (UsageDayRow.live_seconds, UsageDayRow.patch_seconds, UsageDayRow.ivr_seconds, UsageDayRow.call_count)
        columns: Any = (
            col(AccountRow.id),
            col(AccountRow.external_id),
            col(AccountRow.paid_starts_on),
            col(AccountRow.upgrade_count),
            col(AccountRow.usage_seq),
            col(BillingCycleRow.period_on),
            PlanVersionRow,
            *(total(col(column)) for column in sums),
        )
        cycle = aliased(BillingCycleRow)
        open_month = select(func.max(cycle.period_on)).where(cycle.account_id == AccountRow.id).scalar_subquery()
        statement = (
            select(*columns)
            .select_from(AccountRow)
            .outerjoin(
                BillingCycleRow,
                and_(
                    col(BillingCycleRow.account_id) == col(AccountRow.id), col(BillingCycleRow.period_on) == open_month
                ),
            )
            .outerjoin(PlanVersionRow, col(PlanVersionRow.id) == col(BillingCycleRow.plan_version_id))
            .outerjoin(
                UsageDayRow,
                and_(
                    col(UsageDayRow.account_id) == col(AccountRow.id),
                    col(UsageDayRow.period_on) == col(BillingCycleRow.period_on),
                    col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
                ),
            )
            .where(
                col(AccountRow.usage_seq) > col(AccountRow.checked_usage_seq),
                col(AccountRow.id) > after,
                ~waiting_checkout(col(AccountRow.id)),
            )
            .group_by(col(AccountRow.id), col(BillingCycleRow.period_on), col(PlanVersionRow.id))
            .order_by(col(AccountRow.id))
            .limit(limit)
        )
        rows = await self._session.exec(statement)
        return [_unchecked(row) for row in rows]

    async def mark_checked(self, looked_at: Iterable[tuple[str, int]]) -> None:
        """Store up to which call an upgrade was considered, by account id."""
        await execute_many(self._session, _MARK_CHECKED, [(seq, account_id) for account_id, seq in looked_at])

    async def set_plan(self, account_id: str, period_on: date, plan_version_id: str) -> None:
        """Store the plan that an opened month is billed on from now on."""
        statement = (
            update(BillingCycleRow)
            .where(col(BillingCycleRow.account_id) == account_id, col(BillingCycleRow.period_on) == period_on)
            .values(plan_version_id=plan_version_id)
        )
        await self._session.exec(statement)

    async def oldest_due_at(self) -> datetime | None:
        """Return when the next, or the longest overdue, cycle invoice falls due that can be issued."""
        statement = select(func.min(AccountRow.next_close_at)).where(~waiting_checkout(col(AccountRow.id)))
        return (await self._session.exec(statement)).one()

    async def facts(self, account_ids: Sequence[str]) -> dict[str, BillingFacts]:
        """Return the facts of the next cycle invoice of each account."""
        ids = list(account_ids)
        rows = {name: await read_rows(self._session, part, account_ids=ids) for name, part in _FACTS.items()}
        accounts = [read_account(row) for row in rows.pop("account")]
        prices = read_catalogue(rows.pop("prices"))
        grouped = {name: _by_account(found) for name, found in rows.items()}
        return {
            account.id: assemble_facts(
                account, prices, FactRows(**{name: found.get(account.id, ()) for name, found in grouped.items()})
            )
            for account in accounts
        }

    async def open_months(self, months: Iterable[OpenedMonth], *, opened_at: datetime) -> None:
        """Open the months and let each account wait for its next."""
        opened, advanced = [], []
        for month in months:
            opened.append((month.account_id, month.period_on, month.plan_version_id, opened_at))
            adjustable = adjustable_from(month.next_cycle_on)
            advanced.append(
                (
                    month.plan_version_id,
                    month.next_cycle_on,
                    month.next_close_at,
                    adjustable,
                    month.account_id,
                )
            )
        await execute_many(self._session, _INSERT_CYCLE, opened)
        await execute_many(self._session, _ADVANCE_ACCOUNT, advanced)


def _by_account(rows: Rows) -> Mapping[str, Rows]:
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped


def _unchecked(row: Any) -> UncheckedAccount:  # noqa: ANN401 -- a row of columns, an entity and sums
    return UncheckedAccount(
        id=row.id,
        external_id=row.external_id,
        paid_starts_on=row.paid_starts_on,
        upgrade_count=row.upgrade_count,
        usage_seq=row.usage_seq,
        period_on=row.period_on,
        plan=None if row.PlanVersionRow is None else plan_from_row(row.PlanVersionRow),
        usage=UsageTotals(*row[7:]),
    )
