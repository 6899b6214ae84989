"""Choosing the payment method that is charged first (rules 29, 30)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.payment_methods import place_in_order
from app.repositories import unit_of_work
from app.services.payment_methods.payment_method_changes import (
    MethodChange,
    default_of,
    get_on_file,
    put_in_order,
    tell_new_default,
)

if TYPE_CHECKING:
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services


async def set_default_payment_method(services: Services, caller: Caller, *, method_id: str) -> None:
    """Make a method on file the default; the former one becomes the first back-up, and open invoices are tried.

    The vault's own default follows later. One that is the default already stays it, and nothing is written.
    :raises PaymentMethodNotFound: when the account has no such method on file.
    """

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        methods = await uow.payment_methods.list_on_file(owner.id)
        chosen = get_on_file(methods, method_id)
        if chosen.is_default:
            return
        change = MethodChange(
            services.ids, owner.id, caller.actor, services.clock.now(), caller.address, caller.request_id
        )
        await put_in_order(uow, owner.id, place_in_order(methods, chosen.id, as_default=True))
        await tell_new_default(uow, change, chosen, default_of(methods))

    await unit_of_work.write(services.database, work)
