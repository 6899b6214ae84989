"""Staff give credit: goodwill, or money that was paid in advance of any invoice (rule 35)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.events.invoices import GoodwillGranted
from app.domain.events.payments import PrepaymentRecorded
from app.domain.ledger import PaymentKind, Posting, PostingKind
from app.repositories import unit_of_work
from app.repositories.ledger import Payment
from app.services.adjustments.record_payment import InvalidPayment, PaymentConflict
from app.services.common.staff_actions import AccountClosed, StaffAct, check_amount, check_staff, execute_staff_action
from app.services.invoices.settle_credit import settle_credit
from app.services.invoices.tell import payment_received
from app.services.notifications.announce import announce

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Any

    from app.domain.accounts import Account
    from app.domain.events.event import BeforeAfter
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

GOODWILL = "staff.grant_goodwill"


@dataclass(frozen=True, slots=True)
class CreditGranted:
    """A credit of an account, and all the credit it has now. `is_new` is false when it had been given before."""

    amount_cents: int
    credit_cents: int
    is_new: bool = True


async def grant_goodwill(
    services: Services, caller: Caller, *, amount_cents: int, reference: str, reason: str
) -> CreditGranted:
    """Give the account (by its external id) credit as goodwill; the same reference twice gives it once.

    It pays open invoices first, oldest first; what is left is applied to the next one that is issued.
    :raises InvalidAmount: when the amount is out of bounds.
    :raises AccountClosed: when no invoice comes any more that would use it.
    :raises IdempotencyConflict: when the reference was used for another amount.
    """
    check_staff(caller.actor, reason)
    check_amount(amount_cents)

    async def work(uow: UnitOfWork) -> CreditGranted:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()

        async def grant() -> dict[str, Any]:
            await _grant(uow, owner, Posting(PostingKind.GOODWILL_GRANTED, amount_cents), now)
            event = GoodwillGranted(
                amount_cents=amount_cents,
                reference=reference.strip(),
                reason=reason,
                credit_cents=await _credit_since(uow, owner, amount_cents),
            )
            await uow.events.record(event, ids=services.ids, actor=caller.actor, at=now, account_id=owner.id)
            await settle_credit(uow, services.ids, owner.id, now)
            return {"amount_cents": amount_cents}

        _, is_new = await execute_staff_action(
            uow,
            account_id=owner.id,
            operation=GOODWILL,
            reference=reference,
            request={"amount_cents": amount_cents},
            now=now,
            work=grant,
        )
        return CreditGranted(amount_cents, await credit_cents(uow, owner.id), is_new)

    return await unit_of_work.write(services.database, work)


async def record_prepayment(
    services: Services, caller: Caller, *, amount_cents: int, reference: str, received_on: date, reason: str
) -> CreditGranted:
    """Turn a check sent in advance into credit for the invoices to come; the same check twice is recorded once.

    Like any credit it pays first what is open and collected by itself.
    :raises InvalidAmount: when the amount is out of bounds.
    :raises InvalidPayment: when the reference is empty.
    :raises AccountClosed: when no invoice comes any more.
    :raises PaymentConflict: when the reference is taken by another payment.
    """
    check_staff(caller.actor, reason)
    check_amount(amount_cents)
    if not reference.strip():
        raise InvalidPayment("A payment needs a reference, such as the number of the check.")

    async def work(uow: UnitOfWork) -> CreditGranted:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        payment = Payment(
            services.ids.new("pay"), owner.id, PaymentKind.CHECK, amount_cents, reference.strip(), received_on
        )
        known = await uow.payments.find(owner.id, payment.kind, payment.reference)
        if known is not None and (known.amount_cents, known.received_on) != (amount_cents, received_on):
            raise PaymentConflict(known)
        if known is None:
            act = StaffAct(owner, services.clock.now(), caller.actor, reason)
            await _prepay(uow, services.ids, act, payment)
        return CreditGranted(amount_cents, await credit_cents(uow, owner.id), known is None)

    return await unit_of_work.write(services.database, work)


async def credit_cents(uow: UnitOfWork, account_id: str) -> int:
    """Return the credit that an account has left."""
    grants = await uow.ledger.credit_grants([account_id])
    return sum(grant.remaining_cents for grant in grants.get(account_id, ()))


async def _prepay(uow: UnitOfWork, ids: Ids, act: StaffAct, payment: Payment) -> None:
    owner, now = act.owner, act.now
    await uow.payments.add(payment, recorded_at=now)
    await _grant(uow, owner, Posting(PostingKind.PREPAID, payment.amount_cents, None, payment.id), now)
    event = PrepaymentRecorded(
        amount_cents=payment.amount_cents,
        reference=payment.reference,
        reason=act.reason,
        credit_cents=await _credit_since(uow, owner, payment.amount_cents),
    )
    await uow.events.record(event, ids=ids, actor=act.actor, at=now, account_id=owner.id, subject_id=payment.id)
    await settle_credit(uow, ids, owner.id, now)
    await announce(uow, ids=ids, now=now, announcements=[payment_received(payment, (), payment.amount_cents)])


async def _grant(uow: UnitOfWork, owner: Account, posting: Posting, now: datetime) -> None:
    if owner.status is AccountStatus.CLOSED:
        raise AccountClosed(owner.external_id)
    await uow.ledger.append(owner.id, [posting], posted_at=now)


async def _credit_since(uow: UnitOfWork, owner: Account, amount_cents: int) -> BeforeAfter[int]:
    """Return the account's credit before so much was added to it, and now."""
    after = await credit_cents(uow, owner.id)
    return after - amount_cents, after
