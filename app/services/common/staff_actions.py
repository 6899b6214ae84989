"""What every action of staff has in common: a reason for the audit log, an amount in bounds, and doing it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.checkouts import ChangeInProgress
from app.domain.collection import OPEN_STATES
from app.domain.explanations import dollars
from app.services.common.idempotency import execute_idempotently

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from app.domain.accounts import Account
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork

MOST_CENTS = 1_000_000_00
"""More than any single amount of the business; an amount typed with some digits too many is refused."""

LONGEST_TITLE_CHARACTERS = 128


class ReasonMissing(ValueError):
    """Staff act for a reason, which the audit log keeps."""

    def __init__(self) -> None:
        super().__init__("Say why this is done: give a reason for the audit log.")


class ActorMissing(ValueError):
    """Nothing is done by nobody."""

    def __init__(self) -> None:
        super().__init__("Say who does this: give an actor for the audit log.")


class InvalidAmount(ValueError):
    """The amount is not above zero, or beyond any that can be meant."""

    def __init__(self, amount_cents: int) -> None:
        super().__init__(f"An amount is above zero and at most {dollars(MOST_CENTS)}, not {dollars(amount_cents)}.")
        self.amount_cents = amount_cents


class InvalidTitle(ValueError):
    """What the customer reads is empty, too long, or does not print."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"What the customer reads has 1 to {LONGEST_TITLE_CHARACTERS} printable characters on one line."
        )
        self.title = title


class InvoiceNotFound(LookupError):
    """No invoice has the number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no invoice {number}. Its number has six digits or more, from 100001 on.")
        self.number = number


class AccountClosed(ValueError):
    """A closed account has had its last invoice."""

    def __init__(self, account: str) -> None:
        super().__init__(f"Account {account!r} is closed: it gets no further invoice, so nothing can wait for one.")
        self.account = account


class ChargeUnderWay(ValueError):
    """The outcome of a charge of the invoice is not known."""

    def __init__(self, number: int) -> None:
        super().__init__(f"A charge of invoice {number} is under way. Wait until its outcome is known.")
        self.number = number


@dataclass(frozen=True, slots=True)
class StaffAct:
    """What staff do to an account: to whose, when, by whom and why."""

    owner: Account
    now: datetime
    actor: str
    reason: str


def check_staff(actor: str, reason: str) -> None:
    """Check that the audit log will know who acts, and why.

    :raises ActorMissing: when nobody is named.
    :raises ReasonMissing: when no reason is given.
    """
    if not actor.strip():
        raise ActorMissing
    if not reason.strip():
        raise ReasonMissing


def check_amount(amount_cents: int) -> None:
    """Check that an amount is one that can be meant.

    :raises InvalidAmount: when it is not.
    """
    if not 0 < amount_cents <= MOST_CENTS:
        raise InvalidAmount(amount_cents)


def checked_title(title: str) -> str:
    """Return words for the customer without space around them.

    :raises InvalidTitle: when nothing or too much is left, or it does not print.
    """
    stripped = title.strip()
    if not 0 < len(stripped) <= LONGEST_TITLE_CHARACTERS or not stripped.isprintable():
        raise InvalidTitle(title)
    return stripped


async def get_invoice(uow: UnitOfWork, account_id: str, number: int) -> StoredInvoice:
    """Return the account's invoice of that number.

    :raises InvoiceNotFound: when there is none, or it is another account's.
    """
    invoice = await uow.invoices.find_by_number(number)
    if invoice is None or invoice.account_id != account_id:
        raise InvoiceNotFound(number)
    return invoice


async def check_no_checkout(uow: UnitOfWork, account_id: str) -> None:
    """Check that no change of the account waits for its payment.

    :raises ChangeInProgress: when one does.
    """
    waiting = await uow.checkouts.find_waiting(account_id)
    if waiting is not None:
        raise ChangeInProgress(waiting)


async def check_not_under_way(uow: UnitOfWork, invoice: StoredInvoice) -> None:
    """Check that nothing is under way that will decide the outcome of the invoice.

    :raises ChangeInProgress: when the invoice is that of a change which waits for its payment.
    :raises ChargeUnderWay: when a charge of it has no outcome yet.
    """
    waiting = await uow.checkouts.find_waiting(invoice.account_id)
    if waiting is not None and waiting.invoice_id == invoice.id:
        raise ChangeInProgress(waiting)
    if any(attempt.state in OPEN_STATES for attempt in await uow.attempts.of_invoice(invoice.id)):
        raise ChargeUnderWay(invoice.number)


async def execute_staff_action(
    uow: UnitOfWork,
    *,
    account_id: str,
    operation: str,
    reference: str,
    request: Mapping[str, Any],
    now: datetime,
    work: Callable[[], Awaitable[dict[str, Any]]],
) -> tuple[dict[str, Any], bool]:
    """Do the work once under the reference that staff gave, and return its result and whether it was done just now.

    :raises InvalidIdempotencyKey: when the reference cannot be one.
    :raises IdempotencyConflict: when the reference came with another request before.
    """
    was_done = False

    async def do() -> dict[str, Any]:
        nonlocal was_done
        was_done = True
        return await work()

    result = await execute_idempotently(
        uow, account_id=account_id, operation=operation, key=reference.strip(), request=request, now=now, work=do
    )
    return result, was_done
