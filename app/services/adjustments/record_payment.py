"""Staff record a check: it pays open invoices, recovers what was written off, and the rest is credit (rule 35)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.events.payments import PaymentRecorded
from app.domain.explanations import dollars
from app.domain.ledger import Posting, PostingKind
from app.repositories import unit_of_work
from app.repositories.ledger import Payment
from app.services.invoices.settle_credit import finish_collecting, reactivate_if_settled
from app.services.invoices.tell import payment_received
from app.services.notifications.announce import announce
from app.services.payments.receive_money import paid_invoice_ids, receive_money

if TYPE_CHECKING:
    from datetime import date

    from app.domain.ledger import PaymentKind
    from app.ports import Clock, Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services


class InvalidPayment(ValueError):
    """The payment cannot be recorded as given."""


class PaymentConflict(ValueError):
    """A payment with the same reference is recorded with other figures."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(
            f"Payment {payment.reference!r} is already recorded, over {dollars(payment.amount_cents)} received on "
            f"{payment.received_on}. Use another reference if this is another payment."
        )
        self.payment = payment


@dataclass(frozen=True, slots=True)
class RecordedPayment:
    """What a payment did. `is_new` is false when it had been recorded before and nothing changed."""

    payment: Payment
    postings: tuple[Posting, ...]
    paid_invoice_ids: tuple[str, ...]
    is_new: bool = True

    @property
    def credit_cents(self) -> int:
        """What was left over and became credit."""
        return sum(p.amount_cents for p in self.postings if p.kind is PostingKind.OVERPAID)

    @property
    def recovered_cents(self) -> int:
        """What recovered invoices that had been written off."""
        return sum(p.amount_cents for p in self.postings if p.kind is PostingKind.WRITE_OFF_RECOVERED)


async def record_payment(
    services: Services,
    caller: Caller,
    *,
    kind: PaymentKind,
    amount_cents: int,
    reference: str,
    received_on: date,
    reason: str,
) -> RecordedPayment:
    """Record money received for the account (by its external id); the same payment twice is recorded once.

    :raises InvalidPayment: when the amount is not above zero or the reference is empty.
    :raises AccountNotFound: when there is no such account.
    :raises PaymentConflict: when the reference is taken by another payment.
    """
    if amount_cents <= 0:
        raise InvalidPayment("The amount of a payment must be above zero.")
    if not reference.strip():
        raise InvalidPayment("A payment needs a reference, such as the number of the check.")

    async def work(uow: UnitOfWork) -> RecordedPayment:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        payment = Payment(services.ids.new("pay"), owner.id, kind, amount_cents, reference.strip(), received_on)
        return await _record(uow, services.clock, services.ids, payment, caller.actor, reason)

    return await unit_of_work.write(services.database, work)


async def _record(
    uow: UnitOfWork, clock: Clock, ids: Ids, payment: Payment, actor: str, reason: str
) -> RecordedPayment:
    known = await uow.payments.find(payment.account_id, payment.kind, payment.reference)
    if known is not None:
        if (known.amount_cents, known.received_on) != (payment.amount_cents, payment.received_on):
            raise PaymentConflict(known)
        return RecordedPayment(known, (), (), is_new=False)
    now = clock.now()
    open_invoices = await uow.ledger.open_invoices(payment.account_id)
    written_off = await uow.write_offs.unrecovered(payment.account_id)
    postings = await receive_money(uow, ids, payment, open_invoices, written_off, now)
    paid = paid_invoice_ids(postings, open_invoices)
    await finish_collecting(uow, paid)
    event = PaymentRecorded(
        amount_cents=payment.amount_cents, reference=payment.reference, reason=reason, paid=tuple(paid)
    )
    await uow.events.record(event, ids=ids, actor=actor, at=now, account_id=payment.account_id, subject_id=payment.id)
    await reactivate_if_settled(uow, ids, await uow.accounts.get(payment.account_id), now)
    recorded = RecordedPayment(payment, postings, tuple(paid))
    numbers = await uow.invoice_numbers.of(posting.invoice_id for posting in postings if posting.invoice_id)
    told = payment_received(payment, numbers, recorded.credit_cents)
    await announce(uow, ids=ids, now=now, announcements=[told])
    return recorded
