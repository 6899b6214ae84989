"""Changes that wait for their payment, one at a time for an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, true, update
from sqlmodel import col
from sqlmodel import select as select_rows

from app.domain.checkouts import Checkout, CheckoutState
from app.models.collection import CheckoutRow
from app.repositories.checkout_details import details_of, write_details

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Mapped
    from sqlmodel.ext.asyncio.session import AsyncSession


class CheckoutRepository:
    """Changes that wait for their payment, one at a time for an account."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, checkout: Checkout, *, created_at: datetime) -> None:
        """Add a change that waits; the database refuses a second one of the account."""
        self._session.add(
            CheckoutRow(
                id=checkout.id,
                account_id=checkout.account_id,
                invoice_id=checkout.invoice_id,
                action=checkout.action,
                state=checkout.state,
                details=write_details(checkout.details),
                actor=checkout.actor,
                request_id=checkout.request_id,
                created_at=created_at,
                origin=checkout.origin,
            )
        )
        await self._session.flush()

    async def find_waiting(self, account_id: str) -> Checkout | None:
        """Return the change of the account that waits for its payment."""
        statement = select_rows(CheckoutRow).where(
            CheckoutRow.account_id == account_id, CheckoutRow.state == CheckoutState.WAITING
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _checkout(row)

    async def find_by_invoice(self, invoice_id: str) -> Checkout | None:
        """Return the change that an invoice charges for, whatever became of it."""
        statement = (
            select_rows(CheckoutRow)
            .where(CheckoutRow.invoice_id == invoice_id)
            .execution_options(populate_existing=True)
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _checkout(row)

    async def list_for_account(self, account_id: str) -> list[Checkout]:
        """Return every change of the account that had to be paid first, oldest first."""
        statement = select_rows(CheckoutRow).where(CheckoutRow.account_id == account_id).order_by(col(CheckoutRow.id))
        return [_checkout(row) for row in await self._session.exec(statement)]

    async def finish(self, checkout_id: str, state: CheckoutState, *, at: datetime) -> None:
        """Store the outcome of a change."""
        row = CheckoutRow
        await self._session.exec(update(row).where(col(row.id) == checkout_id).values(state=state, finished_at=at))


def waiting_checkout(account_id: Mapped[str]) -> ColumnElement[bool]:
    """Return the condition that the account of a column has a change that waits for its payment."""
    return (
        select(true())
        .where(col(CheckoutRow.account_id) == account_id, col(CheckoutRow.state) == CheckoutState.WAITING)
        .exists()
    )


def _checkout(row: CheckoutRow) -> Checkout:
    return Checkout(
        row.id,
        row.account_id,
        row.invoice_id,
        row.state,
        details_of(row.action, row.details),
        row.actor,
        row.request_id,
        row.origin,
    )
