"""The running balances of accounts and invoices, compared with the postings that they are the sums of (rule 35)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.domain.ledger import AccountBalances, InvoiceBalances, account_balances, invoice_balances
from app.repositories import unit_of_work
from app.repositories.ledger import RunningBalances
from app.services.operations.verify_ledger import Difference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from app.domain.accounts import Account
    from app.repositories.database import Database
    from app.repositories.ledger import PostedPosting
    from app.repositories.unit_of_work import UnitOfWork

NOTHING = InvoiceBalances()


def sum_balances(postings: Iterable[PostedPosting]) -> RunningBalances:
    """Return what the postings of an account add up to."""
    moved = [posted.posting for posted in postings]
    return RunningBalances(account_balances(moved), invoice_balances(moved))


def check_balances(
    account: str, kept: RunningBalances, summed: RunningBalances, numbers: Mapping[str, int]
) -> Iterator[Difference]:
    """Yield each running balance that is not the sum of its postings. `numbers` are those of the invoices, by id."""
    for name, found, expected in zip(AccountBalances._fields, kept.account, summed.account, strict=True):
        if found != expected:
            yield Difference(account, f"running balance, {_words(name)}", f"{found} cents", f"{expected} cents")
    for invoice_id in sorted(kept.invoices.keys() | summed.invoices.keys(), key=lambda each: numbers.get(each, 0)):
        pair = kept.invoices.get(invoice_id, NOTHING), summed.invoices.get(invoice_id, NOTHING)
        for name, found, expected in zip(InvoiceBalances._fields, *pair, strict=True):
            if found != expected:
                place = f"invoice {numbers.get(invoice_id, invoice_id)}, running balance, {_words(name)}"
                yield Difference(account, place, f"{found} cents", f"{expected} cents")


async def rebuild_running_balances(
    database: Database, account: str | None = None, on_progress: Callable[[Account], None] | None = None
) -> AsyncIterator[Difference]:
    """Set every running balance to the sum of its postings, account by account, and yield what was off.

    Each account is a transaction of its own. `account` (an external id) narrows it to one.
    :raises AccountNotFound: when there is no such account.
    """
    for each in await unit_of_work.read(database, lambda uow: uow.accounts.choose(account)):
        for difference in await unit_of_work.write(database, partial(_rebuild, account=each)):
            yield difference
        if on_progress is not None:
            on_progress(each)


async def _rebuild(uow: UnitOfWork, account: Account) -> list[Difference]:
    await uow.accounts.get_by_external_id(account.external_id, lock=True)
    kept = await uow.ledger.running_balances(account.id)
    summed = sum_balances(await uow.ledger.postings(account.id))
    numbers = {invoice.id: invoice.number for invoice in await uow.invoices.list_for_account(account.id)}
    found = list(check_balances(account.external_id, kept, summed, numbers))
    if found:
        await uow.ledger.set_balances(account.id, summed)
    return found


def _words(name: str) -> str:
    return name.removesuffix("_cents").replace("_", " ")
