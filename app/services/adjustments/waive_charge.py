"""Staff waive a fee or another charge that waits for the next invoice (rules 27, 32)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.events.invoices import OneTimeChargeWaived
from app.repositories import unit_of_work
from app.services.common.staff_actions import check_staff

if TYPE_CHECKING:
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services


class ChargeNotFound(LookupError):
    """The account has no such charge."""

    def __init__(self, charge_id: str) -> None:
        super().__init__(f"There is no charge {charge_id!r} on the account. List those that wait to see their ids.")
        self.charge_id = charge_id


class ChargeAlreadyInvoiced(ValueError):
    """An issued invoice never changes: what it charged is given back by a credit note."""

    def __init__(self, charge_id: str, invoice_id: str) -> None:
        super().__init__(f"Charge {charge_id!r} has been invoiced. Write a credit note over its line instead.")
        self.charge_id = charge_id
        self.invoice_id = invoice_id


@dataclass(frozen=True, slots=True)
class ChargeWaived:
    """A charge that is never invoiced. `is_new` is false when it had been waived before."""

    charge_id: str
    title: str
    amount_cents: int
    is_new: bool = True


async def waive_charge(services: Services, caller: Caller, *, charge_id: str, reason: str) -> ChargeWaived:
    """Waive a charge of the account that waits for its next invoice.

    :raises ChargeNotFound: when the account has no such charge.
    :raises ChargeAlreadyInvoiced: when an invoice has taken it up.
    """
    check_staff(caller.actor, reason)

    async def work(uow: UnitOfWork) -> ChargeWaived:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        found = await uow.charges.find(charge_id)
        if found is None or found.account_id != owner.id:
            raise ChargeNotFound(charge_id)
        if found.invoice_id is not None:
            raise ChargeAlreadyInvoiced(charge_id, found.invoice_id)
        charge, is_new = found.charge, found.waived_at is None
        if is_new:
            now = services.clock.now()
            await uow.charges.waive(charge.id, at=now)
            await uow.events.record(
                OneTimeChargeWaived(title=charge.title, amount_cents=charge.amount_cents, reason=reason),
                ids=services.ids,
                actor=caller.actor,
                at=now,
                account_id=owner.id,
                subject_id=charge.id,
            )
        return ChargeWaived(charge.id, charge.title, charge.amount_cents, is_new)

    return await unit_of_work.write(services.database, work)
