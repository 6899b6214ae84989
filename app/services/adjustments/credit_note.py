"""Staff write a credit note: what an invoice charged too much is given back under a number of its own (rule 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.credit_notes import Creditable, CreditNoteRefused, credit_note_draft, credit_note_facts_hash
from app.domain.events.invoices import CreditNoteIssued
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus, Issue
from app.domain.invoices import ENGINE_VERSION
from app.domain.ledger import issue_postings
from app.domain.periods import Period, billing_date
from app.repositories import unit_of_work
from app.services.common.account_snapshot import load_snapshot
from app.services.common.staff_actions import (
    StaffAct,
    check_amount,
    check_not_under_way,
    check_staff,
    execute_staff_action,
    get_invoice,
)
from app.services.invoices.settle_credit import settle_credit
from app.services.invoices.still_billed import load_books
from app.services.invoices.tell import invoice_ready
from app.services.notifications.announce import announce

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from app.domain.accounts import Account
    from app.domain.invoice_drafts import InvoiceDraft
    from app.ports import Ids
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

OPERATION = "staff.credit_note"
CREDITABLE = frozenset({InvoiceStatus.OPEN, InvoiceStatus.PAID})


class InvoiceNotCreditable(CreditNoteRefused):
    """The invoice is itself a credit note, or nobody owes anything on it any more."""

    def __init__(self, invoice: StoredInvoice) -> None:
        is_note = invoice.kind is InvoiceKind.CREDIT_NOTE
        why = "it is a credit note" if is_note else f"it is {invoice.status.lower()}"
        super().__init__(f"No credit note can be written over invoice {invoice.number}: {why}.")
        self.number = invoice.number


@dataclass(frozen=True, slots=True)
class IssuedCreditNote:
    """A credit note. Of `credited_cents`, tax and all, `applied_cents` went to the invoice; the rest is credit.

    `is_new` is false when it had been written before.
    """

    invoice_id: str
    number: int
    credited_cents: int
    applied_cents: int
    is_new: bool = True


async def issue_credit_note(
    services: Services,
    caller: Caller,
    *,
    invoice_number: int,
    cents_by_line: Mapping[int, int | None],
    reference: str,
    reason: str,
) -> IssuedCreditNote:
    """Give back amounts before tax, by the line's position from 1 (None: all that is left of it); no line: all of it.

    The tax on them is given back too. The credit first lowers what is open on the invoice, then on others; the rest
    waits for the next one. The same reference twice writes one note.
    :raises InvoiceNotFound: when the account has no such invoice.
    :raises InvalidAmount: when an amount is out of bounds.
    :raises CreditNoteRefused: in one of its forms, when the invoice has not that much to give back.
    :raises IdempotencyConflict: when the reference was used for another note.
    """
    check_staff(caller.actor, reason)
    for amount_cents in cents_by_line.values():
        if amount_cents is not None:
            check_amount(amount_cents)

    async def work(uow: UnitOfWork) -> IssuedCreditNote:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()
        wanted = [[position, cents] for position, cents in sorted(cents_by_line.items())]

        async def write_note() -> dict[str, Any]:
            invoice = await get_invoice(uow, owner.id, invoice_number)
            return await _write(uow, services.ids, StaffAct(owner, now, caller.actor, reason), invoice, cents_by_line)

        result, is_new = await execute_staff_action(
            uow,
            account_id=owner.id,
            operation=OPERATION,
            reference=reference,
            request={"invoice": invoice_number, "lines": wanted},
            now=now,
            work=write_note,
        )
        return IssuedCreditNote(**result, is_new=is_new)

    return await unit_of_work.write(services.database, work)


async def _write(
    uow: UnitOfWork, ids: Ids, act: StaffAct, invoice: StoredInvoice, cents_by_line: Mapping[int, int | None]
) -> dict[str, Any]:
    owner, now = act.owner, act.now
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.status not in CREDITABLE:
        raise InvoiceNotCreditable(invoice)
    await check_not_under_way(uow, invoice)
    creditable = Creditable.of(invoice.number, await load_books(uow, owner.id))
    draft = credit_note_draft(creditable, cents_by_line, Period.containing(billing_date(now)))
    issue = await _issue(uow, ids, owner, invoice, draft, creditable, now)
    before = await uow.ledger.balance_of_invoice(owner.id, invoice.id)
    arisen_cents, reversed_cents = draft.credit_created_cents, draft.reversed_cents
    paid = await settle_credit(
        uow, ids, owner.id, now, arisen_cents=arisen_cents, reversed_cents=reversed_cents, actor=act.actor
    )
    applied_cents = paid.get(invoice.id, 0)
    result: dict[str, Any] = {
        "invoice_id": issue.id,
        "number": issue.number,
        "credited_cents": -draft.total_cents,
        "applied_cents": applied_cents,
    }
    event = CreditNoteIssued(
        **result, corrects=invoice.number, balance_cents=(before, before - applied_cents), reason=act.reason
    )
    await uow.events.record(event, ids=ids, actor=act.actor, at=now, account_id=owner.id, subject_id=issue.id)
    return result


async def _issue(
    uow: UnitOfWork,
    ids: Ids,
    owner: Account,
    invoice: StoredInvoice,
    draft: InvoiceDraft,
    creditable: Creditable,
    now: datetime,
) -> Issue:
    snapshot = await load_snapshot(uow, owner.external_id, now)
    issue = Issue(
        id=ids.new("inv"),
        account_id=owner.id,
        account_name=owner.name,
        number=await uow.invoice_numbers.take(1),
        draft=draft,
        plan_version_id=invoice.plan_version_id,
        policies_version=invoice.policies_version,
        usage_watermark=snapshot.usage_seq,
        ledger_watermark=snapshot.ledger_seq,
        facts_hash=credit_note_facts_hash(creditable, draft),
        corrects_invoice_id=invoice.id,
    )
    await uow.invoices.issue_many([issue], engine_version=ENGINE_VERSION, issued_at=now, due_on=billing_date(now))
    await uow.ledger.append(owner.id, issue_postings(draft, issue.id, ()), posted_at=now)
    await announce(uow, ids=ids, now=now, announcements=[invoice_ready(issue, now)])
    return issue
