"""The gateway's sales, refunds and disputes of a month against ours and the journal; each difference by its name.

Nothing is recorded or changed by this: `reconcile` does that after a restore, and webhook events and the nightly sweep
do it from day to day. What this finds, they have missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.collection import AttemptState
from app.domain.events.reversals import DisputeLost
from app.domain.gateway_month import DifferenceKind, compare_month
from app.domain.gateway_records import GatewayRecords, sides_of
from app.domain.periods import BILLING_ZONE
from app.domain.reports import ReportMonth
from app.messages.tables import Figure, plain_dollars
from app.repositories import unit_of_work
from app.services.operations.ask_each import ask_each
from app.services.operations.report_csv import csv_header, csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.gateway_month import GatewayMonth, Movement
    from app.domain.payment_gateway import Transaction
    from app.domain.refunds import Dispute
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

ONE_DAY = timedelta(days=1)

RECONCILE_COLUMNS = (
    "flow",
    "what",
    "id",
    "account",
    "gateway_amount",
    "our_amount",
    "journal_amount",
    "gateway_at",
    "our_at",
    "note",
)
"""The columns of a total or a difference; instants are wall-clock time in the billing zone."""


@dataclass(frozen=True, slots=True)
class _Gateway:
    """What the gateway has, by id."""

    transactions: dict[str, Transaction] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)


async def report_reconcile(services: Services, *, month: str) -> GatewayMonth:
    """Compare a month (`YYYY-MM`, in the billing zone) at the gateway with our records and the journal.

    The gateway is searched page by page for the month, then asked one by one for what we have and it has not shown.
    Five statements, whatever the number of charges.
    :raises InvalidMonth: when the text is no month.
    :raises MonthNotBegun: when it is in the future.
    :raises GatewayUnavailable: when the gateway cannot be asked.
    """
    found = ReportMonth.parse(month, services.clock.now())
    gateway = await _search(services, found)
    records = await unit_of_work.read(services.database, lambda uow: _read(uow, found, gateway))
    await _ask_for_the_rest(services, records, gateway)
    return compare_month(found, sides_of(records, gateway.transactions, gateway.disputes))


async def _search(services: Services, month: ReportMonth) -> _Gateway:
    """Return what the gateway has in the month; disputes of one more day at either end, for its days are not ours."""
    found = _Gateway()
    async for transaction in services.payments.transactions_since(month.begins_at, month.ends_at):
        found.transactions[transaction.id] = transaction
    first, last = month.period.starts_on - ONE_DAY, month.period.ends_before + ONE_DAY
    async for dispute in services.payments.disputes_between(first, last):
        found.disputes[dispute.id] = dispute
    return found


async def _read(uow: UnitOfWork, month: ReportMonth, gateway: _Gateway) -> GatewayRecords:
    span = month.begins_at, month.ends_at
    orders = [each.order_id for each in gateway.transactions.values() if each.order_id]
    lost = {entry.event.dispute: entry.occurred_at async for entry in uow.reports.events([DisputeLost])}
    disputes = {*gateway.disputes, *(id_ for id_, lost_at in lost.items() if month.contains(lost_at))}
    return GatewayRecords(
        tuple(await uow.gateway_records.charges(*span, gateway.transactions, orders)),
        tuple(await uow.gateway_records.refunds(*span, gateway.transactions, orders)),
        tuple(await uow.gateway_records.disputes(*span, disputes)),
        lost,
        tuple(await uow.gateway_records.postings(*span)),
    )


async def _ask_for_the_rest(services: Services, records: GatewayRecords, gateway: _Gateway) -> None:
    """Ask about what we have and the search has not shown: it may be of another month, or nowhere."""

    async def ask_transaction(transaction_id: str) -> None:
        found = await services.payments.find_transaction(transaction_id)
        if found is not None:
            gateway.transactions[transaction_id] = found

    async def ask_dispute(dispute_id: str) -> None:
        found = await services.payments.find_dispute(dispute_id)
        if found is not None:
            gateway.disputes[dispute_id] = found

    refunded = [each.transaction_id for each in records.refunds if each.state is AttemptState.SUCCEEDED]
    missing = [each for each in (*records.succeeded, *refunded) if each not in gateway.transactions]
    await ask_each(missing, ask_transaction)
    await ask_each([each.id for each in records.disputes if each.id not in gateway.disputes], ask_dispute)


def csv_text(report: GatewayMonth) -> str:
    """Return a report as CSV: a row for each flow with its totals, then one for each difference."""
    rows = (*_total_rows(report), *difference_rows(report))
    return csv_header("month", *RECONCILE_COLUMNS) + csv_rows(
        ((Figure(report.month.text), *row) for row in rows), is_closed=report.month.is_closed
    )


def _total_rows(report: GatewayMonth) -> Iterator[tuple[str, ...]]:
    nothing = Figure("")
    for each in report.totals:
        amounts = map(plain_dollars, (each.theirs_cents, each.ours_cents, each.posted_cents))
        note = f"{each.theirs_count} at the gateway, {each.ours_count} here"
        yield each.flow, "total", "", "", *amounts, nothing, nothing, note


def difference_rows(report: GatewayMonth) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each difference in the order of the columns; a side that has none is empty."""
    for each in report.differences:
        is_posted = each.kind is DifferenceKind.ONLY_POSTED
        theirs, ours = each.theirs, None if is_posted else each.ours
        yield (
            each.flow,
            each.kind,
            each.id,
            each.account,
            _amount(theirs),
            _amount(ours),
            _amount(each.ours if is_posted else None),
            _instant(theirs),
            _instant(each.ours),
            each.note,
        )


def _amount(movement: Movement | None) -> Figure:
    return Figure("") if movement is None else plain_dollars(movement.cents)


def _instant(movement: Movement | None) -> Figure:
    if movement is None:
        return Figure("")
    return Figure(movement.at.astimezone(BILLING_ZONE).replace(tzinfo=None).isoformat(" ", "seconds"))
