"""What every change of the payment methods shares: the method that it is about, their order, and its event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.alerts import AlertKind
from app.domain.announcements import Change, PaymentMethodChanged
from app.domain.events.payment_methods import DefaultPaymentMethodChanged, PaymentMethodRemoved
from app.domain.payment_methods import MethodStatus, VaultTask, in_order
from app.domain.periods import billing_date
from app.services.notifications.announce import Announcement, actor_name, announce
from app.services.payments.collect_due import request_collection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from app.domain.events.event import Event
    from app.domain.payment_methods import PaymentMethod
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork


class PaymentMethodNotFound(LookupError):
    """The account has no such method on file."""

    def __init__(self, method_id: str) -> None:
        super().__init__("There is no such payment method on file. Load the list again.")
        self.method_id = method_id


@dataclass(frozen=True, slots=True)
class MethodChange:
    """Who changes payment methods of which account, when, and from where."""

    ids: Ids
    account_id: str
    actor: str
    now: datetime
    address: str | None = None
    request_id: str | None = None

    async def record(self, uow: UnitOfWork, event: Event, method_id: str | None) -> None:
        """Record what happened to a method, or to their order, in the audit log."""
        await uow.events.record(
            event,
            ids=self.ids,
            actor=self.actor,
            at=self.now,
            account_id=self.account_id,
            subject_id=method_id,
            request_id=self.request_id,
        )


def get_on_file(methods: Iterable[PaymentMethod], method_id: str) -> PaymentMethod:
    """Return the method of that id.

    :raises PaymentMethodNotFound: when there is none on file.
    """
    found = next((method for method in methods if method.id == method_id), None)
    if found is None:
        raise PaymentMethodNotFound(method_id)
    return found


async def put_in_order(uow: UnitOfWork, account_id: str, method_ids: Sequence[str]) -> None:
    """Store the order in which methods are tried; the first is the default (rule 29)."""
    await uow.payment_methods.set_default(account_id, method_ids[0], former_position=1)
    await uow.payment_methods.set_positions({each: place for place, each in enumerate(method_ids[1:], start=1)})


async def tell(uow: UnitOfWork, change: MethodChange, method: PaymentMethod, what: Change) -> None:
    """Tell every admin what happened to a method; nobody can switch that off (rule 38)."""
    by = await actor_name(uow, change.actor)
    facts = PaymentMethodChanged(method.display_name, what, billing_date(change.now), by)
    subject = f"{method.id}:{what}:{change.now.isoformat()}"
    told = Announcement(AlertKind.PAYMENT_METHOD_CHANGED, change.account_id, subject, facts)
    await announce(uow, ids=change.ids, now=change.now, announcements=[told])


async def tell_new_default(
    uow: UnitOfWork, change: MethodChange, default: PaymentMethod, former: PaymentMethod | None, *, is_told: bool = True
) -> None:
    """Write down that another method is the default, have the vault mirror it, and ask for a round (rule 30)."""
    await uow.vault_tasks.plan(default.id, VaultTask.MAKE_DEFAULT, at=change.now)
    former_name = None if former is None else former.display_name
    event = DefaultPaymentMethodChanged(
        method_name=default.display_name, former_name=former_name, address=change.address
    )
    await change.record(uow, event, default.id)
    if former is not None and is_told:
        await tell(uow, change, default, Change.MADE_DEFAULT)
    await request_collection(uow, change.account_id, change.now)


async def take_off_file(uow: UnitOfWork, change: MethodChange, method: PaymentMethod, *, is_told: bool = True) -> None:
    """Remove a method at once, with the consent to charge it; the vault is told afterwards, and admins unless told."""
    await uow.payment_methods.set_status(method.id, MethodStatus.REMOVED, at=change.now)
    await uow.consents.revoke(method.id, at=change.now)
    await uow.vault_tasks.plan(method.id, VaultTask.DELETE, at=change.now)
    removed = PaymentMethodRemoved(method_name=method.display_name, address=change.address)
    await change.record(uow, removed, method.id)
    if is_told:
        await tell(uow, change, method, Change.REMOVED)


def default_of(methods: Iterable[PaymentMethod]) -> PaymentMethod | None:
    """Return the default method on file."""
    return next((method for method in in_order(methods) if method.is_default), None)
