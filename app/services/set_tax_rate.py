"""Staff set the tax of an account from a date on; what has been invoiced keeps the tax it was invoiced with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.billing_items import TaxRate
from app.domain.periods import billing_date
from app.repositories import unit_of_work
from app.repositories.events import Event
from app.repositories.taxes import DatedTaxRate
from app.services.staff_actions import check_staff, checked_title

if TYPE_CHECKING:
    from datetime import date

    from app.ports import Clock, Ids
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork

HIGHEST_RATE = 10_000
"""In ten-thousandths of the amount: all of it."""


class InvalidTaxRate(ValueError):
    """The rate is below zero, or more than the amount itself."""

    def __init__(self, ten_thousandths: int) -> None:
        super().__init__("A tax rate lies between 0 % and 100 %, with two decimals at most.")
        self.ten_thousandths = ten_thousandths


class TaxBackdated(ValueError):
    """Invoices that were issued since would have been computed otherwise."""

    def __init__(self, valid_from: date, last_issued_on: date) -> None:
        super().__init__(
            f"A tax cannot begin on {valid_from}: an invoice was issued on {last_issued_on}. Let it begin later, and "
            "correct that invoice by a credit note if need be."
        )
        self.valid_from = valid_from
        self.last_issued_on = last_issued_on


@dataclass(frozen=True, slots=True)
class TaxRateSet:
    """A tax from a date on. `is_new` is false when it had been set before."""

    valid_from: date
    rate: TaxRate
    is_new: bool = True


async def set_tax_rate(
    *,
    database: Database,
    clock: Clock,
    ids: Ids,
    account: str,
    name: str,
    ten_thousandths: int,
    valid_from: date,
    actor: str,
    reason: str,
) -> TaxRateSet:
    """Let the account pay a tax of `ten_thousandths` of what is charged (650 is 6.5 %) from a date on; 0 ends it.

    A rate that begins on the same date gives way.
    :raises InvalidTaxRate: when the rate is out of bounds.
    :raises InvalidTitle: when the customer could not read the name.
    :raises TaxBackdated: when an invoice was issued on the date or after it.
    """
    check_staff(actor, reason)
    if not 0 <= ten_thousandths <= HIGHEST_RATE:
        raise InvalidTaxRate(ten_thousandths)
    wanted = DatedTaxRate(valid_from, TaxRate(checked_title(name), ten_thousandths))

    async def work(uow: UnitOfWork) -> TaxRateSet:
        owner = await uow.accounts.get_by_external_id(account, lock=True)
        known = await uow.taxes.list_for_account(owner.id)
        if wanted in known:
            return TaxRateSet(valid_from, wanted.rate, is_new=False)
        last_issued_at = await uow.invoices.last_issued_at(owner.id)
        if last_issued_at is not None and valid_from <= billing_date(last_issued_at):
            raise TaxBackdated(valid_from, billing_date(last_issued_at))
        await uow.taxes.put(owner.id, wanted)
        before = [dated for dated in known if dated.valid_from <= valid_from]
        data = {
            "valid_from": valid_from.isoformat(),
            "name": [before[-1].rate.name if before else None, wanted.rate.name],
            "ten_thousandths": [before[-1].rate.ten_thousandths if before else 0, ten_thousandths],
            "reason": reason,
        }
        await uow.events.add_many([Event(ids.new("evt"), owner.id, "tax.set", actor, clock.now(), None, data)])
        return TaxRateSet(valid_from, wanted.rate)

    return await unit_of_work.write(database, work)
