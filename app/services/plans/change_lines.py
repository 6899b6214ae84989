"""Staff add a telephone line to an account, or let one end with the month (rules 22, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from app.domain.add_ons import AddOnSubscription, get_line
from app.domain.events.plans import AdditionalLineAdded, AdditionalLineEnded
from app.domain.invoice_lines import LineKind
from app.repositories import unit_of_work
from app.services.common.account_snapshot import check_active, facts_of_purchase, load_snapshot
from app.services.common.staff_actions import check_no_checkout, check_staff, execute_staff_action
from app.services.invoices.issue_invoice import InvoiceOrder, issue_invoice

if TYPE_CHECKING:
    from typing import Any

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.views.account_snapshot import AccountSnapshot


class NoLineToEnd(LookupError):
    """The account has no such line that goes on."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"The account has no additional line {reference!r} that goes on.")
        self.reference = reference


@dataclass(frozen=True, slots=True)
class LineAdded:
    """A line that was added, and its invoice. `is_new` is false when it had been added before."""

    invoice_number: int
    amount_due_cents: int
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class LineEnded:
    """The first day without the line. `is_new` is false when its end had been set before."""

    ends_before: date
    is_new: bool = True


async def add_line(services: Services, caller: Caller, *, reference: str, reason: str) -> LineAdded:
    """Add a line from today on: its whole month is invoiced at once, due on receipt, and every later one in advance.

    The reference names the line, such as its number does, and adds it once.
    :raises AddOnNotAvailable: when no line is on sale.
    :raises AccountSuspended: when it is suspended or closed (rule 33).
    :raises ChangeInProgress: while a change waits for its payment.
    """
    check_staff(caller.actor, reason)

    async def work(uow: UnitOfWork) -> LineAdded:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()

        async def add() -> dict[str, Any]:
            await check_no_checkout(uow, owner.id)
            snapshot = await load_snapshot(uow, caller.account, now)
            check_active(snapshot)
            version = get_line(snapshot.add_on_versions, snapshot.today)
            facts, plan = facts_of_purchase(snapshot, version), snapshot.plan.month_plan
            issue = await issue_invoice(uow, services.ids, InvoiceOrder(snapshot, facts, plan.id, caller.actor), now)
            line = AddOnSubscription(services.ids.new("sub"), version, snapshot.today)
            await uow.add_ons.subscribe(line, owner.id, accepted_by=caller.actor, accepted_at=now)
            await uow.events.record(
                AdditionalLineAdded(line=reference.strip(), version=version.id, invoice=issue.id, reason=reason),
                ids=services.ids,
                actor=caller.actor,
                at=now,
                account_id=owner.id,
                subject_id=line.id,
            )
            return {"invoice_number": issue.number, "amount_due_cents": issue.draft.amount_due_cents}

        result, is_new = await execute_staff_action(
            uow, account_id=owner.id, operation="staff.add_line", reference=reference, request={}, now=now, work=add
        )
        return LineAdded(**result, is_new=is_new)

    return await unit_of_work.write(services.database, work)


async def end_line(services: Services, caller: Caller, *, reference: str, reason: str) -> LineEnded:
    """Let the line that was added under the reference end with this month; nothing is refunded.

    :raises NoLineToEnd: when the account has no such line that goes on.
    """
    check_staff(caller.actor, reason)

    async def work(uow: UnitOfWork) -> LineEnded:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()

        async def end() -> dict[str, Any]:
            snapshot = await load_snapshot(uow, caller.account, now)
            line_id = await _find_line(uow, snapshot, reference.strip())
            ends_before = snapshot.period.ends_before
            await uow.add_ons.set_end(line_id, owner.id, ends_before)
            await uow.events.record(
                AdditionalLineEnded(line=reference.strip(), ends_before=ends_before, reason=reason),
                ids=services.ids,
                actor=caller.actor,
                at=now,
                account_id=owner.id,
                subject_id=line_id,
            )
            return {"ends_before": ends_before.isoformat()}

        result, is_new = await execute_staff_action(
            uow, account_id=owner.id, operation="staff.end_line", reference=reference, request={}, now=now, work=end
        )
        return LineEnded(date.fromisoformat(result["ends_before"]), is_new=is_new)

    return await unit_of_work.write(services.database, work)


async def _find_line(uow: UnitOfWork, snapshot: AccountSnapshot, reference: str) -> str:
    """Return the line that was added under the reference and goes on; the audit log knows which one it is."""
    going_on = {
        each.id
        for each in snapshot.subscriptions
        if each.version.kind is LineKind.ADDITIONAL_LINE and each.ends_before is None
    }
    for entry in await uow.events.list_of(AdditionalLineAdded, snapshot.account_id):
        if entry.subject_id in going_on and entry.event.line == reference:
            return entry.subject_id
    raise NoLineToEnd(reference)
