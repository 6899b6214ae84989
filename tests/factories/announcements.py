"""Facts of every kind of message with realistic figures, and with figures and names at their worst."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

from app.domain.alerts import AlertKind
from app.domain.announcements import (
    AddOnEnded,
    ContactChanged,
    Facts,
    InvoiceReady,
    PaymentFailed,
    PaymentMethodChanged,
    PaymentReceived,
    PlanMoved,
    RefundMade,
    UpgradeAhead,
    Upgraded,
)
from app.sandbox.sample_messages import AUGUST, SAMPLES

USUAL = SAMPLES
"""One of each kind."""

NASTY = "Ünal <script>alert('x')</script> & \"Söhne\" مرحبا بالعالم "
LONG = NASTY + "very " * 60 + "long"

OTHERS: dict[str, list[Facts]] = {
    AlertKind.PLAN_CHANGED: [
        PlanMoved("SCHEDULED", "220 Minutes", "100 Minutes", date(2026, 9, 1), 0, 0, "Ann Ames"),
        PlanMoved("CANCELLED", "220 Minutes", "100 Minutes", date(2026, 9, 1), 0, 0, "our staff"),
    ],
    AlertKind.ADD_ON_ENDED: [AddOnEnded("On-Call", None, "Ann Ames")],
    AlertKind.INVOICE_READY: [
        InvoiceReady(100_002, "Credit note", AUGUST, -91_00, 0, 0, AUGUST),
        InvoiceReady(100_003, "Monthly invoice", AUGUST, 100_00, 100_00, 0, AUGUST),
        InvoiceReady(100_004, "Plan change", AUGUST, 100_00, 0, 100_00, AUGUST, open_cents=0, is_paid=True),
        InvoiceReady(100_005, "Monthly invoice", AUGUST, 100_00, 0, 100_00, AUGUST, open_cents=0, is_asked_for=True),
    ],
    AlertKind.PAYMENT_FAILED: [
        PaymentFailed(100_001, 1, "PayPal", "It expired.", None),
        PaymentFailed(100_001, 1, "PayPal", "The bank took the payment back.", None, is_undone=True),
        PaymentFailed(100_001, 1, "PayPal", "The bank did not pay it.", AUGUST, is_undone=True),
    ],
    AlertKind.PAYMENT_REFUNDED: [RefundMade(100_001, 1, "PayPal", AUGUST, 0)],
    AlertKind.PAYMENT_RECEIVED: [PaymentReceived(1, "Check 1", AUGUST, (), 1)],
    AlertKind.CONTACT_CHANGED: [
        ContactChanged("Carla Coe", "ADDED", (), "Ann Ames"),
        ContactChanged("Carla Coe", "REMOVED", (), "Ann Ames"),
        ContactChanged("Carla Coe", "COMPLAINED", (), ""),
    ],
    AlertKind.PAYMENT_METHOD_CHANGED: [
        PaymentMethodChanged("Visa", change, AUGUST, "Ann Ames") for change in ("ADDED", "CHANGED", "REMOVED")
    ],
    AlertKind.UPGRADE_SCHEDULED: [
        UpgradeAhead(AUGUST, "100 Minutes", "220 Minutes", date(2026, 8, 27), 0, 28_40, is_permanent=True)
    ],
    AlertKind.UPGRADE_DONE: [
        Upgraded(AUGUST, "100 Minutes", "220 Minutes", 10_700, 100_042, 0, 1_72, is_permanent=False)
    ],
}
"""What else some kinds can say."""


def extreme(facts: Facts, number: int, text: str) -> Facts:
    """The same facts with every figure at `number` and every name at `text`."""
    values = {field.name: getattr(facts, field.name) for field in fields(facts)}
    changed = {name: _extreme(name, value, number, text) for name, value in values.items()}
    return replace(facts, **changed)


def _extreme(name: str, value: object, number: int, text: str) -> object:
    if name in {"change", "trouble"} or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return number
    if isinstance(value, str):
        return text
    return value
