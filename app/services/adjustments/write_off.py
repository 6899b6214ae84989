"""Staff write an invoice off: what is open on it is not expected any more (rule 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.billed_lines import WriteOffEntry
from app.domain.events.invoices import InvoiceWrittenOff
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.ledger import Posting, PostingKind
from app.domain.write_offs import write_off_shares
from app.repositories import unit_of_work
from app.services.common.staff_actions import check_no_checkout, check_not_under_way, check_staff, get_invoice
from app.services.invoices.settle_credit import finish_collecting, reactivate_if_settled
from app.services.invoices.still_billed import load_books

if TYPE_CHECKING:
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services


class NothingToWriteOff(ValueError):
    """Nothing is open on the invoice."""

    def __init__(self, number: int, status: InvoiceStatus) -> None:
        super().__init__(f"Invoice {number} is {status.lower()}: there is nothing on it to write off.")
        self.number = number
        self.status = status


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """What was written off of an invoice. `is_new` is false when that was done before."""

    number: int
    amount_cents: int
    is_new: bool = True


async def write_off_invoice(services: Services, caller: Caller, *, invoice_number: int, reason: str) -> WrittenOff:
    """Write off all that is open on an invoice; money that comes later recovers it.

    :raises InvoiceNotFound: when the account has no such invoice.
    :raises NothingToWriteOff: when it is not open.
    :raises ChangeInProgress, ChargeUnderWay: while a change waits for its payment, or a charge of it is under way.
    """
    check_staff(caller.actor, reason)

    async def work(uow: UnitOfWork) -> WrittenOff:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        invoice = await get_invoice(uow, owner.id, invoice_number)
        if invoice.status is InvoiceStatus.UNCOLLECTIBLE:
            written_off = (await uow.ledger.sums_of_invoice(owner.id, invoice.id))[PostingKind.WRITTEN_OFF]
            return WrittenOff(invoice.number, written_off, is_new=False)
        if invoice.status is not InvoiceStatus.OPEN:
            raise NothingToWriteOff(invoice.number, invoice.status)
        await check_no_checkout(uow, owner.id)
        await check_not_under_way(uow, invoice)
        balances = {each.id: each.balance_cents for each in await uow.ledger.open_invoices(owner.id)}
        now, cents = services.clock.now(), balances[invoice.id]
        posting = Posting(PostingKind.WRITTEN_OFF, cents, invoice.id)
        seq = await uow.ledger.last_posting(owner.id) + 1
        shares = write_off_shares(await load_books(uow, owner.id), invoice.number, cents, seq)
        await uow.ledger.append(owner.id, [posting], posted_at=now)
        await uow.write_offs.add(owner.id, WriteOffEntry(seq, shares))
        await uow.invoices.set_status(invoice.id, InvoiceStatus.UNCOLLECTIBLE)
        await finish_collecting(uow, [invoice.id])
        event = InvoiceWrittenOff(
            number=invoice.number,
            status=(invoice.status, InvoiceStatus.UNCOLLECTIBLE),
            balance_cents=(cents, 0),
            reason=reason,
        )
        await uow.events.record(
            event, ids=services.ids, actor=caller.actor, at=now, account_id=owner.id, subject_id=invoice.id
        )
        await reactivate_if_settled(uow, services.ids, owner, now)
        return WrittenOff(invoice.number, cents)

    return await unit_of_work.write(services.database, work)
