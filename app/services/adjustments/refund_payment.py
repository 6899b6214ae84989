"""Staff give money of a charge back, by voiding it while it is not settled, else by a refund; never twice.

The refund is written down before it is sent, and no transaction is open while the gateway works. What is not known
afterwards, `settle_refunds` finds out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.domain.collection import OPEN_STATES, AttemptState
from app.domain.explanations import dollars
from app.domain.payment_gateway import GatewayUnavailable, TransactionStatus
from app.domain.refunds import Refund, RefundKind, net_received_cents, sent_again
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION
from app.services.adjustments.refund_steps import REFUND_LEASE, carry_out
from app.services.common.staff_actions import check_amount, check_staff, execute_staff_action, get_invoice

if TYPE_CHECKING:
    from app.domain.collection import Attempt
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

OPERATION = "refund-payment"


class NothingToRefund(ValueError):
    """So much of what was charged for the invoice is not refundable."""

    def __init__(self, number: int, most_cents: int) -> None:
        if most_cents:
            super().__init__(f"At most {dollars(most_cents)} of invoice {number} is refundable in one refund.")
        else:
            super().__init__(f"Nothing of invoice {number} is refundable: no charge of it was paid.")
        self.number = number
        self.most_cents = most_cents


class RefundUnderWay(ValueError):
    """The outcome of another charge or refund of the invoice is not known yet."""

    def __init__(self, number: int) -> None:
        super().__init__(f"A charge or a refund of invoice {number} is under way. Try again in a few minutes.")
        self.number = number


class RefundRefused(ValueError):
    """The gateway or the bank did not give the money back; nothing has changed."""

    def __init__(self, amount_cents: int) -> None:
        super().__init__(
            f"The payment gateway declined the refund of {dollars(amount_cents)}, and nothing changed. A charge that "
            f"is not settled yet can only be refunded whole: try again tomorrow, with a new reference."
        )
        self.amount_cents = amount_cents


class RefundsOnHold(ValueError):
    """No money moves before a restored database is reconciled with the gateway."""

    def __init__(self) -> None:
        super().__init__("Money is on hold after a restore. Run `flex-billing reconcile` first.")


@dataclass(frozen=True, slots=True)
class Refunded:
    """The outcome of a refund: given back, or not known yet. `is_new` is false when it was asked for before."""

    refund_id: str
    number: int
    amount_cents: int
    is_known: bool
    is_new: bool = True


async def refund_payment(
    services: Services, caller: Caller, *, invoice_number: int, amount_cents: int, reference: str, reason: str
) -> Refunded:
    """Give money of a charge back, at most what the invoice received of it; the invoice's balance opens again.

    The same reference again does nothing more, but tells its outcome.
    :raises InvoiceNotFound: when the account has no such invoice.
    :raises NothingToRefund: when no charge of it has so much left.
    :raises RefundUnderWay: when the outcome of another charge or refund of it is not known.
    :raises RefundRefused: when the gateway does not do it.
    :raises RefundsOnHold: after a restore.
    :raises GatewayUnavailable: when the gateway cannot be asked about the charge; nothing was done.
    """
    check_staff(caller.actor, reason)
    check_amount(amount_cents)
    asked = _Asked(caller.account, invoice_number, amount_cents, reference.strip(), caller.actor, reason)
    attempt = await unit_of_work.read(services.database, lambda uow: _find_charge(uow, asked))
    kind = RefundKind.REFUND if attempt is None else await _kind(services, attempt, amount_cents)
    refund, is_new = await unit_of_work.write(services.database, lambda uow: _plan(uow, services, asked, kind))
    if is_new:
        refund = await carry_out(services, refund, was_sent=False)
    if refund.state is AttemptState.DECLINED:
        raise RefundRefused(amount_cents)
    is_known = refund.state is AttemptState.SUCCEEDED
    return Refunded(refund.id, invoice_number, refund.amount_cents, is_known, is_new)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What staff asked for."""

    account: str
    number: int
    amount_cents: int
    reference: str
    actor: str
    reason: str

    def request(self) -> dict[str, Any]:
        return {"invoice": self.number, "amount_cents": self.amount_cents}


async def _find_charge(uow: UnitOfWork, asked: _Asked) -> Attempt | None:
    """Return the charge to give back of, or None when the reference was used before."""
    owner = await uow.accounts.get_by_external_id(asked.account)
    if await uow.operations.find(owner.id, OPERATION, asked.reference) is not None:
        return None
    return await _choose(uow, owner.id, asked)


async def _choose(uow: UnitOfWork, account_id: str, asked: _Asked) -> Attempt:
    """Return the latest charge of the invoice that has so much left."""
    invoice = await get_invoice(uow, account_id, asked.number)
    attempts = await uow.attempts.of_invoice(invoice.id)
    if any(attempt.state in OPEN_STATES for attempt in attempts):
        raise RefundUnderWay(asked.number)
    net_cents = net_received_cents(await uow.ledger.sums_of_invoice(account_id, invoice.id))
    most_cents = 0
    for attempt in reversed([each for each in attempts if each.state is AttemptState.SUCCEEDED]):
        if any(refund.state in OPEN_STATES for refund in await uow.refunds.list_of_attempt(account_id, attempt.id)):
            raise RefundUnderWay(asked.number)
        left_cents = min(net_cents, attempt.amount_cents - await uow.refunds.gone_back_cents(attempt.id))
        if left_cents >= asked.amount_cents:
            return attempt
        most_cents = max(most_cents, left_cents)
    raise NothingToRefund(asked.number, most_cents)


async def _kind(services: Services, attempt: Attempt, amount_cents: int) -> RefundKind:
    """Return how a charge goes back: one that is not settled and goes back whole is voided."""
    found = await services.payments.find_transaction(attempt.transaction_id or "")
    if found is None:
        raise GatewayUnavailable(f"the gateway has no transaction {attempt.transaction_id}")
    is_whole = amount_cents == found.amount_cents
    is_settled = found.status is TransactionStatus.SETTLED
    return RefundKind.VOID if is_whole and not is_settled else RefundKind.REFUND


async def _plan(uow: UnitOfWork, services: Services, asked: _Asked, kind: RefundKind) -> tuple[Refund, bool]:
    """Write a refund down as sent, once for each reference."""
    now = services.clock.now()
    owner = await uow.accounts.get_by_external_id(asked.account, lock=True)

    async def work() -> dict[str, Any]:
        if await uow.holds.find(COLLECTION) is not None:
            raise RefundsOnHold
        attempt = await _choose(uow, owner.id, asked)
        refund_id = services.ids.new("rfd")
        draft = Refund(
            refund_id, owner.id, attempt.id, kind, asked.amount_cents, AttemptState.PLANNED, asked.actor, asked.reason
        )
        sent = replace(sent_again(draft, now), next_action_at=now + REFUND_LEASE)
        await uow.refunds.add(sent, created_at=now)
        return {"refund": refund_id}

    result, is_new = await execute_staff_action(
        uow,
        account_id=owner.id,
        operation=OPERATION,
        reference=asked.reference,
        request=asked.request(),
        now=now,
        work=work,
    )
    refund = await uow.refunds.find(result["refund"])
    if refund is None:
        raise LookupError(result["refund"])
    return refund, is_new
