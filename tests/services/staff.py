"""What tests of staff's actions share: who acts, the balances of the books, and what always holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from app.domain.plan_changes import When
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.events import StoredEvent
from app.repositories.unit_of_work import UnitOfWork
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.payments.customer_charges import Outcome
from app.services.payments.reversals import stop_collecting
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import QuoteSigner
from tests.services.books import events, rows
from tests.world import ACCOUNT, World

T = TypeVar("T")

ANN = {"actor": "staff:ann", "reason": "Ticket 4711."}


WHY = {"reason": ANN["reason"]}


def by_ann(account: str = ACCOUNT) -> Caller:
    """Ann of our staff, who acts on an account."""
    return Caller(account, ANN["actor"])


def by_staff(world: World, service: Callable[..., Awaitable[T]], **given: Any) -> Awaitable[T]:
    """Do what staff do: Ann, on the usual account and for the usual reason, unless something else is given."""
    given = {"account": ACCOUNT, **ANN, **given}
    return service(world.services, Caller(given.pop("account"), given.pop("actor")), **given)


def balances(database: Database) -> dict[int, tuple[str, int]]:
    """Status and what is still to be paid of every invoice, by number, from the postings alone."""
    found = rows(
        database,
        """
        SELECT number, status, coalesce((
            SELECT sum(CASE WHEN debit = 'RECEIVABLE' THEN amount_cents ELSE -amount_cents END) FROM ledger_posting AS p
            WHERE p.invoice_id = invoice.id AND 'RECEIVABLE' IN (debit, credit)), 0)
        FROM invoice ORDER BY number
        """,
    )
    return {number: (status, cents) for number, status, cents in found}


def credit(database: Database) -> int:
    """All credit that customers have, from the postings alone."""
    return book(database, "CUSTOMER_CREDIT", -1)


def book(database: Database, name: str, sign: int = 1) -> int:
    moved = rows(
        database,
        "SELECT coalesce(sum(amount_cents * ((debit = ?) - (credit = ?))), 0) FROM ledger_posting",
        name,
        name,
    )
    return sign * moved[0][0]


def check_books(database: Database) -> None:
    """Debits equal credits, credit is never used twice, and statuses are what the postings say (rule 35)."""
    sides: Counter[str] = Counter()
    left: dict[tuple[str, int], int] = {}
    statement = "SELECT account_id, seq, debit, credit, amount_cents, grant_seq FROM ledger_posting ORDER BY 1, 2"
    for account_id, seq, debit, credited, cents, grant_seq in rows(database, statement):
        sides[debit] += cents
        sides[credited] -= cents
        if credited == "CUSTOMER_CREDIT":
            left[account_id, seq] = cents
        if debit == "CUSTOMER_CREDIT":
            left[account_id, grant_seq] -= cents
            assert left[account_id, grant_seq] >= 0, (account_id, seq)
    assert sum(sides.values()) == 0
    assert sum(left.values()) == credit(database)
    for number, (status, cents) in balances(database).items():
        assert (cents > 0) == (status == "OPEN"), (number, status, cents)
        assert cents >= 0, number
    numbers = list(balances(database))
    assert numbers == list(range(100_001, 100_001 + len(numbers)))
    assert rows(database, "SELECT id FROM account WHERE ledger_seq <> (SELECT count(*) FROM ledger_posting AS p "
                          "WHERE p.account_id = account.id)") == []  # fmt: skip


async def change_to(world: World, plan: str, account: str = ACCOUNT) -> Outcome:
    """Confirm a change of plan at once; with a card on file, what is due has to be paid first."""
    signer = QuoteSigner("a secret of the tests", world.clock, world.ids)
    snapshot = await unit_of_work.read(world.database, lambda uow: load_snapshot(uow, account, world.clock.now()))
    target = snapshot.catalogue.get(plan, snapshot.today)
    quote = preview_plan_change(snapshot, target.id, When.NOW, signer)
    confirmed = await change_plan(
        world.services,
        Caller(account, "user:ann"),
        signer=signer,
        payment_runner=world.payment_runner,
        quote_token=quote.quote.token,
        idempotency_key=world.ids.new("key"),
    )
    return confirmed.outcome


async def leave_to_customer(world: World, number: int) -> None:
    """Let an invoice be paid by hand alone, as after a refund."""

    async def stop(uow: UnitOfWork) -> None:
        invoice = await uow.invoices.find_by_number(number)
        await stop_collecting(uow, invoice.id)

    await unit_of_work.write(world.database, stop)


async def last_event(world: World, account: str = ACCOUNT) -> StoredEvent:
    return (await events(world.database, account))[-1]
