"""The taxes of an account from a day on; what has been invoiced keeps the taxes it was invoiced with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.events.accounts import AccountTaxesSet
from app.domain.explanations import percent
from app.domain.invoice_lines import TAXABLE_KINDS
from app.domain.periods import billing_date
from app.domain.taxes import WHOLE, TaxList, TaxRate
from app.repositories import unit_of_work
from app.services.common.staff_actions import check_staff, checked_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

MOST_TAXES = 20
"""How many taxes an account may pay at once."""


class InvalidTaxes(ValueError):
    """The list of taxes cannot be used; `field` names what is wrong in it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


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
class TaxesSet:
    """The taxes from a day on. `is_new` is false when they had been set before."""

    taxes: TaxList
    is_new: bool = True


async def set_taxes(
    services: Services, caller: Caller, *, taxes: Sequence[TaxRate], valid_from: date, reason: str
) -> TaxesSet:
    """Let the account pay just these taxes from a day on; an empty list ends them, a rate of zero leaves one out.

    A list that begins on the same day gives way.
    :raises InvalidTaxes: when a rate is out of bounds, a name is there twice, or a kind cannot be taxed.
    :raises InvalidTitle: when the customer could not read a name.
    :raises TaxBackdated: when an invoice was issued on the day or after it.
    """
    check_staff(caller.actor, reason)
    _check(taxes)
    charged = (replace(tax, name=checked_title(tax.name)) for tax in taxes if tax.rate)
    wanted = TaxList(valid_from, tuple(charged))

    async def work(uow: UnitOfWork) -> TaxesSet:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        known = await uow.taxes.list_for_account(owner.id)
        if wanted in known:
            return TaxesSet(wanted, is_new=False)
        last_issued_at = await uow.invoices.last_issued_at(owner.id)
        if last_issued_at is not None and valid_from <= billing_date(last_issued_at):
            raise TaxBackdated(valid_from, billing_date(last_issued_at))
        await uow.taxes.put(owner.id, wanted)
        before = [each.taxes for each in known if each.valid_from <= valid_from]
        event = AccountTaxesSet(
            valid_from=valid_from,
            taxes=(_words(before[-1] if before else ()), _words(wanted.taxes)),
            reason=reason,
        )
        await uow.events.record(
            event, ids=services.ids, actor=caller.actor, at=services.clock.now(), account_id=owner.id
        )
        return TaxesSet(wanted)

    return await unit_of_work.write(services.database, work)


def _check(taxes: Sequence[TaxRate]) -> None:
    if len(taxes) > MOST_TAXES:
        raise InvalidTaxes("taxes", f"An account pays at most {MOST_TAXES} taxes at once.")
    for place, tax in enumerate(taxes):
        if not 0 <= tax.rate <= WHOLE:
            raise InvalidTaxes(
                f"taxes.{place}.percent", "A tax lies between 0 % and 100 %, with four decimals at most."
            )
        for kind in tax.kinds:
            if kind not in TAXABLE_KINDS:
                known = ", ".join(TAXABLE_KINDS)
                raise InvalidTaxes(f"taxes.{place}.kinds", f"{kind} cannot be taxed. What can: {known}.")
    twice = [name for name, times in Counter(tax.name.strip() for tax in taxes).items() if times > 1]
    if twice:
        raise InvalidTaxes("taxes", f"{twice[0]!r} is there twice. State each tax once.")


def _words(taxes: Iterable[TaxRate]) -> tuple[str, ...]:
    """Return the taxes as the audit log keeps them, such as `County tax 1.25 % on BASE, OVERAGE`."""
    return tuple(
        f"{tax.name} {percent(tax.rate)} %" + (f" on {', '.join(tax.kinds)}" if tax.kinds else "") for tax in taxes
    )
