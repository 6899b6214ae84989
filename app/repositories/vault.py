"""What the vault is still to be told, what customers agreed to, and every method that ever was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, update
from sqlmodel import col, select

from app.domain.add_attempts import AddAttempt
from app.domain.payment_methods import ON_FILE, AddFailure, VaultTask
from app.models.connection import POSTGRESQL
from app.models.payment_methods import PaymentConsentRow, PaymentMethodRow
from app.repositories.payment_methods import Consent, StoredMethod, stored_from_row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

ATTEMPTS_LOCK = 7_229_002
"""The advisory lock of PostgreSQL that attempts to add a method take; any number that nothing else uses."""


class VaultTaskRepository:
    """What the vault is still to be told or asked about methods."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def plan(self, method_id: str, task: VaultTask | None, *, at: datetime | None, failures: int = 0) -> None:
        """Store what the vault is to be told of a method, and when next; None when it knows all."""
        row = PaymentMethodRow
        values = {"vault_task": task, "next_action_at": at, "failures": failures}
        await self._session.exec(update(row).where(col(row.id) == method_id).values(**values))

    async def due(self, now: datetime, limit: int) -> list[StoredMethod]:
        """Return methods that the vault is to be told or asked about by now, the longest overdue first."""
        row = PaymentMethodRow
        statement = (
            select(row)
            .where(col(row.vault_task).is_not(None), col(row.next_action_at) <= now)
            .order_by(col(row.next_action_at), col(row.id))
            .limit(limit)
        )
        return [stored_from_row(found) for found in await self._session.exec(statement)]

    async def oldest_at(self) -> datetime | None:
        """Return when the vault is next to be told or asked something, or was to be the longest ago."""
        row = PaymentMethodRow
        statement = select(func.min(row.next_action_at)).where(col(row.vault_task).is_not(None))
        return (await self._session.exec(statement)).one()


class ConsentRepository:
    """What customers agreed to when methods were added."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, method_id: str) -> Consent | None:
        """Return what was agreed to when a method was added."""
        row = PaymentConsentRow
        found = (await self._session.exec(select(row).where(row.method_id == method_id))).first()
        return None if found is None else _consent(found)

    async def attempts_since(self, since: datetime) -> list[AddAttempt]:
        """Return who tried to add a method of any account after an instant, unless the gateway was not to be reached.

        Until the transaction ends nobody else is told: otherwise two at once would both see room for one more.
        """
        connection = await self._session.connection()
        if connection.dialect.name == POSTGRESQL:  # SQLite has one writer at a time
            await self._session.exec(select(func.pg_advisory_xact_lock(ATTEMPTS_LOCK)))
        method, consent = PaymentMethodRow, PaymentConsentRow
        failure = col(method.failure)
        statement = (
            select(method.account_id, method.created_by, consent.address, method.created_at)
            .join(consent, (col(consent.account_id) == method.account_id) & (col(consent.method_id) == method.id))
            .where(
                col(method.created_at) > since,
                or_(failure.is_(None), failure != AddFailure.UNAVAILABLE),
            )
        )
        return [AddAttempt(*found) for found in await self._session.exec(statement)]

    async def revoke(self, method_id: str, *, at: datetime) -> None:
        """Store that a method may not be charged from now on."""
        statement = (
            update(PaymentConsentRow)
            .where(col(PaymentConsentRow.method_id) == method_id, col(PaymentConsentRow.revoked_at).is_(None))
            .values(revoked_at=at)
        )
        await self._session.exec(statement)


class VaultRecordRepository:
    """Every method that ever was, for the comparison with the vault."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ids_on_file(self) -> Iterable[tuple[str, str]]:
        """Return account and id of every method on file, for the comparison with the vault."""
        row = PaymentMethodRow
        statement = select(row.account_id, row.id).where(col(row.status).in_(ON_FILE)).order_by(row.account_id, row.id)
        return list(await self._session.exec(statement))

    async def account_ids(self) -> list[str]:
        """Return every account that ever had a method, in order."""
        row = PaymentMethodRow
        return list(await self._session.exec(select(row.account_id).distinct().order_by(col(row.account_id))))

    async def list_all(self, account_id: str) -> list[StoredMethod]:
        """Return every method of the account, whatever became of it, oldest first."""
        row = PaymentMethodRow
        statement = (
            select(row)
            .where(row.account_id == account_id)
            .order_by(col(row.id))
            .execution_options(populate_existing=True)
        )
        return [stored_from_row(found) for found in await self._session.exec(statement)]


def _consent(row: PaymentConsentRow) -> Consent:
    return Consent(
        row.id,
        row.account_id,
        row.method_id,
        row.agreement_version,
        row.text_hash,
        row.agreement,
        row.accepted_by,
        row.accepted_at,
        row.address,
        row.user_agent,
    )
