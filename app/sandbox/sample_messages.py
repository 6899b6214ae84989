"""Facts of every kind of message with realistic figures, for the gallery."""

from __future__ import annotations

from datetime import date

from app.domain.alerts import AlertKind
from app.domain.announcements import (
    OPERATOR_ALERT,
    AddOnBought,
    AddOnEnded,
    AllowanceUsed,
    BackupUsed,
    CardExpiring,
    ConfirmationAsked,
    ContactChanged,
    ContactGone,
    CostEffectivePassed,
    Facts,
    ForecastOver,
    InvoiceReady,
    OperatorAlert,
    PaymentFailed,
    PaymentMethodChanged,
    PaymentReceived,
    PlanMoved,
    Reactivated,
    RefundMade,
    Suspended,
    SuspensionScheduled,
    UpgradeAhead,
    Upgraded,
)
from app.domain.confirmations import CONFIRMATION, REMOVAL

AUGUST = date(2026, 8, 1)

SAMPLES: dict[str, Facts] = {
    AlertKind.ALLOWANCE_NEARLY_USED: AllowanceUsed(AUGUST, "100 Minutes", 4_805, 6_000, 80, 12_900),
    AlertKind.ALLOWANCE_EXCEEDED: AllowanceUsed(AUGUST, "100 Minutes", 6_245, 6_000, 100, 12_900),
    AlertKind.COST_EFFECTIVE_EXCEEDED: CostEffectivePassed(
        AUGUST, "100 Minutes", 10_641, 10_620, "220 Minutes", 100_00
    ),
    AlertKind.FORECAST_OVER_ALLOWANCE: ForecastOver(
        AUGUST, "100 Minutes", 3_000, 7_530, 6_000, date(2026, 8, 24), 12_900
    ),
    AlertKind.UPGRADE_SCHEDULED: UpgradeAhead(
        AUGUST, "100 Minutes", "220 Minutes", date(2026, 8, 27), 100_00, 28_40, is_permanent=False
    ),
    AlertKind.UPGRADE_DONE: Upgraded(
        AUGUST, "100 Minutes", "220 Minutes", 10_700, 100_042, 100_00, 1_72, is_permanent=True
    ),
    AlertKind.INVOICE_READY: InvoiceReady(100_001, "Monthly invoice", AUGUST, 237_50, 37_50, 200_00, AUGUST),
    AlertKind.PAYMENT_RECEIVED: PaymentReceived(400_00, "Check 1041", date(2026, 8, 9), (100_001, 100_002), 23_50),
    AlertKind.PAYMENT_REFUNDED: RefundMade(100_001, 49_70, "Visa ending in 1111", date(2026, 8, 11), 49_70),
    AlertKind.PAYMENT_FAILED: PaymentFailed(
        100_001, 237_50, "Visa ending in 1111", "The card was declined.", date(2026, 8, 3)
    ),
    AlertKind.BACKUP_USED: BackupUsed(100_001, 237_50, "Visa ending in 1111", "Mastercard ending in 4444"),
    AlertKind.CARD_EXPIRING: CardExpiring("Visa ending in 1111", date(2026, 8, 31), 30, is_default=True),
    AlertKind.SUSPENSION_SCHEDULED: SuspensionScheduled(date(2026, 8, 22), 237_50),
    AlertKind.SUSPENDED: Suspended(date(2026, 8, 22), 237_50),
    AlertKind.REACTIVATED: Reactivated(date(2026, 8, 23)),
    AlertKind.PLAN_CHANGED: PlanMoved("CHANGED", "100 Minutes", "220 Minutes", AUGUST, 100_00, 0, "Ann Ames"),
    AlertKind.ADD_ON_BOUGHT: AddOnBought("On-Call", date(2026, 8, 14), 14_58, 25_00, "Ann Ames"),
    AlertKind.ADD_ON_ENDED: AddOnEnded("On-Call", date(2026, 8, 31), "Ann Ames"),
    AlertKind.CONTACT_CHANGED: ContactChanged("Carla Coe", "CHANGED", ("email", "is_active"), "Ann Ames"),
    AlertKind.PAYMENT_METHOD_CHANGED: PaymentMethodChanged(
        "Visa ending in 1111", "MADE_DEFAULT", date(2026, 8, 14), "Ann Ames"
    ),
    CONFIRMATION: ConfirmationAsked(date(2026, 8, 21)),
    REMOVAL: ContactGone(date(2026, 8, 14)),
    OPERATOR_ALERT: OperatorAlert("MAIL_REFUSED", "Mail waits since 14:02.", date(2026, 8, 14)),
}
"""One of each kind, in the order of the catalogue."""
