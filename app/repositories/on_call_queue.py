"""What waits for a person of ours, across all accounts: in figures, and one by one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, null, text
from sqlmodel import col, select

from app.domain.accounts import AccountStatus
from app.domain.alerts import AlertKind
from app.domain.announcements import suspension_subject
from app.domain.collection import AttemptState, CollectionStatus
from app.domain.deliveries import CallOutcome, DeliveryState
from app.domain.periods import billing_date
from app.domain.refunds import DisputeState, WebhookEventState
from app.models.accounts import AccountRow
from app.models.collection import OPEN_ATTEMPT, CollectionRow, DisputeRow, PaymentAttemptRow, RefundRow
from app.models.invoices import InvoiceRow
from app.models.messages import UNSETTLED, NotificationRow, RefusingAddressRow
from app.models.webhook_events import WebhookEventRow
from app.repositories.notifications import NOT_WANTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession


class MoneyWaiting(NamedTuple):
    """Charges and refunds sent long ago with no known outcome, collections that broke off, disputes without an end,
    refunds that came back to us of late, and notices that nobody understood.

    `collects_at` is when the next collecting falls due, or the longest overdue one did.
    """

    unknown_charges: int
    unknown_refunds: int
    parked: int
    disputes: int
    failed_refunds: int
    notices: int
    collects_at: datetime | None


class WaitingKind(StrEnum):
    """What it is that waits for a person."""

    UNKNOWN_CHARGE = "UNKNOWN_CHARGE"
    UNKNOWN_REFUND = "UNKNOWN_REFUND"
    FAILED_REFUND = "FAILED_REFUND"
    PARKED = "PARKED"
    DISPUTE = "DISPUTE"
    NOTICE = "NOTICE"
    UNREACHED = "UNREACHED"
    PHONE_CALL = "PHONE_CALL"
    MESSAGE = "MESSAGE"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits. `id` is what it is settled by, `why` what is known of it; some belong to no account."""

    kind: WaitingKind
    id: str
    account: str | None
    since: datetime
    why: str


class OnCallQueueRepository:
    """What the operator on call goes by."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def money_waiting(self, sent_before: datetime, failed_since: datetime) -> MoneyWaiting:
        """Return the figures of now; what was sent counts once that was before the one instant, what failed since the
        other.
        """
        count = func.count()
        figures = (
            select(count).where(text(OPEN_ATTEMPT), col(PaymentAttemptRow.sent_at) < sent_before),
            select(count).where(text(OPEN_ATTEMPT), col(RefundRow.sent_at) < sent_before),
            select(count).where(col(CollectionRow.status) == CollectionStatus.PARKED),
            select(count).where(col(DisputeRow.state) == DisputeState.OPEN),
            select(count).where(_came_back(failed_since)),
            select(count).where(col(WebhookEventRow.state) == WebhookEventState.QUARANTINED),
            select(func.min(col(CollectionRow.next_action_at))),
        )
        columns: Any = [figure.scalar_subquery() for figure in figures]
        return MoneyWaiting(*(await self._session.exec(select(*columns))).one())

    async def list_waiting(self, *, sent_before: datetime, failed_since: datetime, limit: int) -> list[Waiting]:
        """Return what waits, up to `limit` of each kind, oldest first; failed messages only since an instant."""
        found = []
        for kind, statement in _statements(sent_before, failed_since):
            rows = await self._session.exec(statement.limit(limit))
            found += [Waiting(kind, str(id_), account, since, why or "") for id_, account, since, why in rows]
        return found + (await self.list_unreached())[:limit]

    async def list_unreached(self) -> list[Waiting]:
        """Return suspensions that are near and whose warning reached nobody, by the first invoice of each (rule 41).

        A warning is taken to have reached somebody unless its mail failed or came back, or nobody took the call.
        """
        warned = {
            (account_id, billing_date(suspend_at)): Waiting(
                WaitingKind.UNREACHED,
                str(number),
                external_id,
                issued_at,
                f"Service is suspended on {billing_date(suspend_at)}.",
            )
            for account_id, external_id, number, issued_at, suspend_at in reversed(
                list(await self._session.exec(_WARNED))
            )
        }
        if not warned:
            return []
        statement = _REACHED.where(col(NotificationRow.account_id).in_({account_id for account_id, _ in warned}))
        reached = tuple(await self._session.exec(statement))
        return [
            waiting
            for (account_id, on), waiting in sorted(warned.items(), key=lambda item: int(item[1].id))
            if not any(key.startswith(_warning_key(account_id, on)) for key in reached)
        ]


_WARNED_COLUMNS: Any = (
    CollectionRow.account_id,
    AccountRow.external_id,
    InvoiceRow.number,
    InvoiceRow.issued_at,
    CollectionRow.suspend_at,
)
_WARNED: Any = (
    select(*_WARNED_COLUMNS)
    .join(AccountRow, col(AccountRow.id) == col(CollectionRow.account_id))
    .join(InvoiceRow, col(InvoiceRow.id) == col(CollectionRow.invoice_id))
    .where(
        col(CollectionRow.next_action_at).is_not(None),
        col(CollectionRow.warn_at).is_(None),
        col(CollectionRow.suspend_at).is_not(None),
        col(AccountRow.status) == AccountStatus.ACTIVE,
    )
    .order_by(col(InvoiceRow.number))
)
_REACHED: Any = (
    select(NotificationRow.dedupe_key)
    .outerjoin(RefusingAddressRow, col(RefusingAddressRow.address) == func.lower(col(NotificationRow.address)))
    .where(
        col(NotificationRow.kind) == AlertKind.SUSPENSION_SCHEDULED,
        col(NotificationRow.state) != DeliveryState.FAILED,
        col(NotificationRow.call_outcome).is_(None)
        | col(NotificationRow.call_outcome).in_((CallOutcome.ANSWERED, CallOutcome.VOICEMAIL)),
        col(RefusingAddressRow.address).is_(None),
    )
)


def _warning_key(account_id: str, on: date) -> str:
    return f"{AlertKind.SUSPENSION_SCHEDULED}:{suspension_subject(account_id, on)}:"


def _statements(sent_before: datetime, failed_since: datetime) -> Iterator[tuple[WaitingKind, Any]]:
    """Yield what to ask for each kind: id, account, since when, and what is known."""
    charge, refund, parked, dispute = PaymentAttemptRow, RefundRow, CollectionRow, DisputeRow
    notice, message = WebhookEventRow, NotificationRow
    yield (
        WaitingKind.UNKNOWN_CHARGE,
        _of_account(charge, charge.id, charge.sent_at, charge.state)
        .where(text(OPEN_ATTEMPT), col(charge.sent_at) < sent_before)
        .order_by(col(charge.sent_at)),
    )
    refunds = _of_account(refund, refund.id, refund.sent_at, refund.why).order_by(col(refund.sent_at))
    yield WaitingKind.UNKNOWN_REFUND, refunds.where(text(OPEN_ATTEMPT), col(refund.sent_at) < sent_before)
    yield WaitingKind.FAILED_REFUND, refunds.where(_came_back(failed_since))
    yield (
        WaitingKind.PARKED,
        _of_account(parked, InvoiceRow.number, InvoiceRow.issued_at, parked.note)
        .join(InvoiceRow, col(InvoiceRow.id) == col(parked.invoice_id))
        .where(col(parked.status) == CollectionStatus.PARKED)
        .order_by(col(InvoiceRow.number)),
    )
    yield (
        WaitingKind.DISPUTE,
        _of_account(dispute, dispute.id, dispute.opened_at, dispute.attempt_id)
        .where(col(dispute.state) == DisputeState.OPEN)
        .order_by(col(dispute.opened_at)),
    )
    columns: Any = (notice.id, null(), notice.received_at, notice.reason)
    yield (
        WaitingKind.NOTICE,
        select(*columns).where(notice.state == WebhookEventState.QUARANTINED).order_by(col(notice.received_at)),
    )
    messages = _of_account(message, message.id, message.finished_at, message.outcome).order_by(col(message.finished_at))
    is_unknown = col(message.state) == DeliveryState.UNKNOWN
    has_failed = (col(message.state) == DeliveryState.FAILED) & (col(message.finished_at) >= failed_since)
    yield WaitingKind.PHONE_CALL, messages.where(text(UNSETTLED), is_unknown)
    yield WaitingKind.MESSAGE, messages.where(has_failed, col(message.outcome).not_in(NOT_WANTED))


def _came_back(since: datetime) -> ColumnElement[bool]:
    """Refunds that had gone through and did not reach the customer; one that was refused has no transaction."""
    row = RefundRow
    return (
        (col(row.state) == AttemptState.DECLINED)
        & col(row.transaction_id).is_not(None)
        & (col(row.resolved_at) >= since)
    )


def _of_account(row: Any, id_: Any, since: Any, why: Any) -> Any:  # noqa: ANN401 -- a table and its columns
    columns: Any = (id_, AccountRow.external_id, since, why)
    return select(*columns).select_from(row).outerjoin(AccountRow, col(AccountRow.id) == col(row.account_id))
