"""Choosing the order in which back-up payment methods are tried (rule 29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.events.payment_methods import BackupPaymentMethodsReordered
from app.domain.payment_methods import in_order, reordered
from app.repositories import unit_of_work
from app.services.payment_methods.payment_method_changes import MethodChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services


async def reorder_backup_payment_methods(services: Services, caller: Caller, *, method_ids: Sequence[str]) -> None:
    """Put the back-ups into the order given; where they are in it already, nothing is written.

    :raises InvalidOrder: when the ids are not those of the back-ups, each once.
    """

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        methods = await uow.payment_methods.list_on_file(owner.id)
        positions = reordered(methods, method_ids)
        before = [method for method in in_order(methods) if not method.is_default]
        if [method.id for method in before] == list(method_ids):
            return
        await uow.payment_methods.set_positions(positions)
        change = MethodChange(
            services.ids, owner.id, caller.actor, services.clock.now(), caller.address, caller.request_id
        )
        after = sorted(before, key=lambda method: positions[method.id])
        order = tuple(method.display_name for method in after)
        await change.record(uow, BackupPaymentMethodsReordered(order=order, address=change.address), None)

    await unit_of_work.write(services.database, work)
