"""What we have on record of the gateway's transactions and disputes, and both as movements of money to compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from app.domain.collection import AttemptState
from app.domain.gateway_month import Flow, Movement, Sides
from app.domain.ledger import PostingKind
from app.domain.payment_gateway import TransactionKind
from app.domain.refunds import DisputeState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from app.domain.payment_gateway import Transaction
    from app.domain.refunds import Dispute

FLOWS_OF_POSTINGS: Mapping[PostingKind, Flow] = {
    PostingKind.PAYMENT_RECEIVED: Flow.SALE,
    PostingKind.OVERPAID: Flow.SALE,
    PostingKind.WRITE_OFF_RECOVERED: Flow.SALE,
    PostingKind.REFUNDED: Flow.REFUND,
    PostingKind.CHARGED_BACK: Flow.CHARGEBACK,
    PostingKind.RETURNED: Flow.TAKEN_BACK,
}
"""What each kind of posting about a payment by card or PayPal is at the gateway."""

Key = tuple[Flow, str]
"""A movement by its flow and the gateway's id."""


class RecordedCharge(NamedTuple):
    """A charge: its transaction, when its outcome was recorded, and when it was voided or returned, if it was."""

    account: str
    id: str
    transaction_id: str
    cents: int
    state: AttemptState
    resolved_at: datetime | None
    returned_at: datetime | None = None


class RecordedRefund(NamedTuple):
    """A refund that is a transaction of its own, and when its outcome was recorded."""

    account: str
    id: str
    transaction_id: str
    cents: int
    state: AttemptState
    resolved_at: datetime | None


class RecordedDispute(NamedTuple):
    """A dispute as the gateway had it when it last told of it."""

    account: str
    id: str
    cents: int
    state: DisputeState
    opened_at: datetime
    changed_at: datetime


class GatewayPosting(NamedTuple):
    """A posting of a payment by card or PayPal, named by its reference: money that came in, or went back."""

    account: str
    reference: str
    kind: PostingKind
    cents: int
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class GatewayRecords:
    """What we have on record of a month, and of what the gateway has in it.

    `lost_at` says by a dispute's id when we last recorded that it was lost.
    """

    charges: tuple[RecordedCharge, ...] = ()
    refunds: tuple[RecordedRefund, ...] = ()
    disputes: tuple[RecordedDispute, ...] = ()
    lost_at: Mapping[str, datetime] = field(default_factory=dict)
    postings: tuple[GatewayPosting, ...] = ()

    @property
    def succeeded(self) -> dict[str, RecordedCharge]:
        """The charges that went through, by transaction, those that were voided or returned since included."""
        return {each.transaction_id: each for each in self.charges if each.state is AttemptState.SUCCEEDED}


def sides_of(
    records: GatewayRecords, transactions: Mapping[str, Transaction], disputes: Mapping[str, Dispute]
) -> Sides:
    """Return our records and what the gateway has, by id, as movements of both sides and the journal's.

    A sale that took no money there is one only if it went through here: then it was voided or returned since.
    """
    theirs = (*_transactions(records, transactions), *_disputes(disputes))
    ours = (*_charges(records), *_refunds(records), *_recorded_disputes(records))
    notes = dict(_notes(records, transactions, disputes))
    return Sides(theirs, ours, tuple(_posted(records)), notes)


def _transactions(records: GatewayRecords, transactions: Mapping[str, Transaction]) -> Iterator[Movement]:
    succeeded = records.succeeded
    for each in transactions.values():
        charge = succeeded.get(each.id)
        if each.kind is TransactionKind.REFUND:
            if each.moves_money:
                yield Movement(Flow.REFUND, each.id, each.amount_cents, each.created_at)
        elif each.moves_money or charge is not None:
            yield Movement(Flow.SALE, each.id, each.amount_cents, each.created_at)
        if charge is not None and not each.moves_money:
            # The gateway does not say when; where we know it, it is the same event.
            yield Movement(Flow.TAKEN_BACK, each.id, each.amount_cents, charge.returned_at or each.created_at)


def _disputes(disputes: Mapping[str, Dispute]) -> Iterator[Movement]:
    for each in disputes.values():
        yield Movement(Flow.DISPUTE, each.id, each.amount_cents, each.opened_at)
        if each.state is DisputeState.LOST:
            yield Movement(Flow.CHARGEBACK, each.id, each.amount_cents, each.changed_at)


def _charges(records: GatewayRecords) -> Iterator[Movement]:
    for transaction_id, each in records.succeeded.items():
        if each.resolved_at is not None:
            yield Movement(Flow.SALE, transaction_id, each.cents, each.resolved_at, each.account)
        if each.returned_at is not None:
            yield Movement(Flow.TAKEN_BACK, transaction_id, each.cents, each.returned_at, each.account)


def _refunds(records: GatewayRecords) -> Iterator[Movement]:
    for each in records.refunds:
        if each.state is AttemptState.SUCCEEDED and each.resolved_at is not None:
            yield Movement(Flow.REFUND, each.transaction_id, each.cents, each.resolved_at, each.account)


def _recorded_disputes(records: GatewayRecords) -> Iterator[Movement]:
    for each in records.disputes:
        yield Movement(Flow.DISPUTE, each.id, each.cents, each.opened_at, each.account)
        if each.state is DisputeState.LOST:
            lost_at = records.lost_at.get(each.id, each.changed_at)
            yield Movement(Flow.CHARGEBACK, each.id, each.cents, lost_at, each.account)


def _posted(records: GatewayRecords) -> Iterator[Movement]:
    """Yield what is posted; the parts of a payment that pay an invoice and that are credit are one movement."""
    received: dict[tuple[str, str, datetime], int] = {}
    for each in records.postings:
        flow = FLOWS_OF_POSTINGS[each.kind]
        if flow is Flow.SALE:
            key = each.account, each.reference, each.posted_at
            received[key] = received.get(key, 0) + each.cents
        else:
            yield Movement(flow, each.reference, each.cents, each.posted_at, each.account)
    for (account, reference, posted_at), cents in received.items():
        yield Movement(Flow.SALE, reference, cents, posted_at, account)


def _notes(
    records: GatewayRecords, transactions: Mapping[str, Transaction], disputes: Mapping[str, Dispute]
) -> Iterator[tuple[Key, str]]:
    """Yield what is known of a movement, for whoever has to find out why the two sides differ."""
    charges = {name: each for each in records.charges for name in (each.id, each.transaction_id) if name}
    refunds = {name: each for each in records.refunds for name in (each.id, each.transaction_id) if name}
    recorded = {each.id: each.state for each in records.disputes}
    for each in transactions.values():
        charge, refund = (found.get(each.id) or found.get(each.order_id or "") for found in (charges, refunds))
        yield (Flow.TAKEN_BACK, each.id), f"the transaction is {each.status} there"
        if charge is not None and each.id not in records.succeeded:
            by = f" by {charge.transaction_id}" if charge.state is AttemptState.SUCCEEDED else ""
            yield (Flow.SALE, each.id), f"charge {charge.id} is {charge.state}{by} here"
        if refund is not None:
            yield (Flow.REFUND, each.id), f"refund {refund.id} is {refund.state} here, {each.status} there"
    for dispute in disputes.values():
        here = recorded.get(dispute.id, "unknown")
        yield (Flow.CHARGEBACK, dispute.id), f"the dispute is {dispute.state} there, {here} here"
