"""What collecting has to tell, each as the announcement of its kind (rules 29, 30, 33)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.alerts import AlertKind
from app.domain.announcements import (
    BackupUsed,
    PaymentFailed,
    PaymentReceived,
    RefundMade,
    Suspended,
    SuspensionScheduled,
    suspension_subject,
)
from app.domain.payment_methods import in_order
from app.domain.periods import billing_date
from app.services.notifications.announce import Announcement
from app.services.payments.collection_words import DECLINED, NEEDS_ATTENTION, NOT_ACCEPTED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from app.domain.collection import Attempt
    from app.domain.events.reversals import PaymentRefunded, Reversal
    from app.domain.payment_methods import PaymentMethod
    from app.repositories.ledger import Payment
    from app.services.payments.collection_snapshot import CollectionSnapshot


def charge_received(found: CollectionSnapshot, payment: Payment, method: PaymentMethod | None) -> Announcement:
    """Tell that an invoice was charged; where a back-up stepped in, that one message names both (rule 29)."""
    number, name = found.invoice.number, "a payment method" if method is None else method.display_name
    default = next((each for each in found.methods if each.is_default), None)
    if method is not None and default is not None and not method.is_default:
        backup = BackupUsed(number, payment.amount_cents, default.display_name, name)
        return Announcement(AlertKind.BACKUP_USED, payment.account_id, payment.id, backup)
    paid_cents = min(payment.amount_cents, max(0, found.balance_cents))
    received = PaymentReceived(
        payment.amount_cents, name, payment.received_on, (number,), payment.amount_cents - paid_cents
    )
    return Announcement(AlertKind.PAYMENT_RECEIVED, payment.account_id, payment.id, received)


def collection_failed(
    found: CollectionSnapshot, tried: Sequence[Attempt], round_no: int, next_at: datetime | None
) -> Announcement:
    """Tell that no method paid an invoice, the last one tried, and when it is tried again (rule 30)."""
    if tried:
        method, decline = found.method(tried[-1].method_id), tried[-1].decline
        reason = NOT_ACCEPTED if decline is None else DECLINED[decline.severity]
    else:
        method, reason = next(iter(in_order(found.methods)), None), NEEDS_ATTENTION
    facts = PaymentFailed(
        found.invoice.number,
        found.balance_cents,
        "your payment method" if method is None else method.display_name,
        reason,
        None if next_at is None else billing_date(next_at),
    )
    return Announcement(AlertKind.PAYMENT_FAILED, found.account.id, f"{found.invoice.id}:{round_no}", facts)


def payment_undone(
    account_id: str, event_id: str, event: Reversal, reason: str, next_at: datetime | None
) -> list[Announcement]:
    """Tell that an invoice is open again by the event of money that is gone, and when it is charged again by itself."""
    if event.number is None or not event.is_open:
        return []
    facts = PaymentFailed(
        event.number,
        event.amount_cents,
        event.method_name or "your payment method",
        reason,
        None if next_at is None else billing_date(next_at),
        is_undone=True,
    )
    return [Announcement(AlertKind.PAYMENT_FAILED, account_id, event_id, facts)]


def payment_refunded(account_id: str, event: PaymentRefunded, open_cents: int, on: date) -> list[Announcement]:
    """Tell that staff refunded a payment, and what is open of its invoice since; once for each refund."""
    if event.number is None:
        return []
    method = event.method_name or "your payment method"
    facts = RefundMade(event.number, event.amount_cents, method, on, open_cents)
    return [Announcement(AlertKind.PAYMENT_REFUNDED, account_id, event.refund, facts)]


def suspension_scheduled(found: CollectionSnapshot, suspends_on: date, open_cents: int) -> Announcement:
    """Tell when service will be suspended; once for a day, however many invoices are open."""
    facts = SuspensionScheduled(suspends_on, open_cents)
    return Announcement(
        AlertKind.SUSPENSION_SCHEDULED, found.account.id, suspension_subject(found.account.id, suspends_on), facts
    )


def suspended(found: CollectionSnapshot, open_cents: int, event_id: str) -> Announcement:
    """Tell that service is suspended."""
    facts = Suspended(billing_date(found.now), open_cents)
    return Announcement(AlertKind.SUSPENDED, found.account.id, event_id, facts)
