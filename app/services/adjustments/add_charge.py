"""Staff put a one-time charge on the next invoice of an account, with the words that the customer reads (rule 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.billing_items import OneTimeCharge
from app.domain.events.invoices import OneTimeChargeAdded
from app.domain.invoice_lines import LineKind
from app.repositories import unit_of_work
from app.services.common.staff_actions import (
    AccountClosed,
    check_amount,
    check_staff,
    checked_title,
    execute_staff_action,
)

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from app.domain.accounts import Account
    from app.ports import Ids
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

OPERATION = "staff.add_charge"


@dataclass(frozen=True, slots=True)
class ChargeAdded:
    """A charge that waits for the next invoice. `is_new` is false when it had been added before."""

    charge_id: str
    title: str
    amount_cents: int
    is_new: bool = True


async def add_charge(
    services: Services, caller: Caller, *, title: str, amount_cents: int, reference: str, reason: str
) -> ChargeAdded:
    """Let a charge wait for the next invoice of the account; the same reference twice adds it once.

    :raises InvalidAmount: when the amount, before tax, is out of bounds.
    :raises InvalidTitle: when the customer could not read it.
    :raises AccountClosed: when no invoice comes any more.
    :raises IdempotencyConflict: when the reference was used for another charge.
    """
    check_staff(caller.actor, reason)
    check_amount(amount_cents)
    words = checked_title(title)

    async def work(uow: UnitOfWork) -> ChargeAdded:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        charge, now = OneTimeCharge(LineKind.CHARGE, services.ids.new("chg"), words, amount_cents), services.clock.now()

        async def add() -> dict[str, Any]:
            await _add(uow, services.ids, owner, charge, now, caller.actor, reason)
            return {"charge_id": charge.id, "title": words, "amount_cents": amount_cents}

        result, is_new = await execute_staff_action(
            uow,
            account_id=owner.id,
            operation=OPERATION,
            reference=reference,
            request={"title": words, "amount_cents": amount_cents},
            now=now,
            work=add,
        )
        return ChargeAdded(**result, is_new=is_new)

    return await unit_of_work.write(services.database, work)


async def list_waiting_charges(*, database: Database, account: str) -> tuple[OneTimeCharge, ...]:
    """Return the charges that wait for the next invoice of the account, oldest first.

    :raises AccountNotFound: when there is no such account.
    """

    async def work(uow: UnitOfWork) -> tuple[OneTimeCharge, ...]:
        owner = await uow.accounts.get_by_external_id(account)
        return (await uow.charges.waiting([owner.id])).get(owner.id, ())

    return await unit_of_work.read(database, work)


async def _add(
    uow: UnitOfWork, ids: Ids, owner: Account, charge: OneTimeCharge, now: datetime, actor: str, reason: str
) -> None:
    if owner.status is AccountStatus.CLOSED:
        raise AccountClosed(owner.external_id)
    await uow.charges.add(owner.id, charge, created_at=now)
    event = OneTimeChargeAdded(title=charge.title, amount_cents=charge.amount_cents, reason=reason)
    await uow.events.record(event, ids=ids, actor=actor, at=now, account_id=owner.id, subject_id=charge.id)
