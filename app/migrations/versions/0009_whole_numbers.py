"""Every amount, count and sequence is a whole number within a range.

Nothing else changes: each table takes its rows, indexes and triggers along.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-30 20:05:00+00:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.migrations.rebuild import check_numbers, release_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LARGEST = 10**15
SIGNED, COUNT, ORDINAL = (-LARGEST, LARGEST), (0, LARGEST), (1, LARGEST)


def _all(span: tuple[int, int], names: str) -> Iterable[tuple[str, tuple[int, int]]]:
    return ((name, span) for name in names.split())


RANGES: dict[str, dict[str, tuple[int, int]]] = {
    "account": dict(_all(COUNT, "upgrade_count usage_seq checked_usage_seq ledger_seq")),
    "add_on_version": dict(_all(COUNT, "monthly_cents")),
    "alert_crossing": {**dict(_all(COUNT, "level used_seconds")), "arming_no": ORDINAL},
    "alert_watch": dict(_all(COUNT, "from_seconds")),
    "call": {
        **dict(_all(ORDINAL, "seq corrects_seq")),
        **dict(_all(COUNT, "script_seconds recording_seconds live_seconds patch_seconds ivr_seconds")),
    },
    "collection": dict(_all(COUNT, "round_no slots_used failures lease_epoch")),
    "contact_address": dict(_all(COUNT, "requests")),
    "dispute": dict(_all(COUNT, "amount_cents")),
    "extra_charge": dict(_all(COUNT, "amount_cents")),
    "gateway_notice": dict(_all(COUNT, "failures")),
    "invoice": {
        **dict(_all(ORDINAL, "number engine_version")),
        **dict(_all(COUNT, "usage_watermark ledger_watermark credit_applied_cents amount_due_cents")),
        "total_cents": SIGNED,
    },
    "invoice_line": {
        "position": ORDINAL,
        **dict(_all(COUNT, "quantity rule")),
        **dict(_all(SIGNED, "unit_price amount_cents")),
    },
    "ledger_posting": {**dict(_all(ORDINAL, "seq grant_seq")), "amount_cents": COUNT},
    "notification": dict(_all(COUNT, "lease_epoch attempts")),
    "payment": dict(_all(ORDINAL, "amount_cents")),
    "payment_attempt": {
        **dict(_all(ORDINAL, "attempt_no amount_cents")),
        **dict(_all(COUNT, "round_no sends absences")),
    },
    "payment_method": {
        **dict(_all(COUNT, "position failures")),
        "expiry_month": (1, 12),
        "expiry_year": (0, 9999),
    },
    "plan_version": dict(_all(COUNT, "base_cents included_minutes overage_rate")),
    "quarantined_call": dict(_all(COUNT, "position")),
    "refund": {"amount_cents": ORDINAL, **dict(_all(COUNT, "sends absences"))},
    "sequence": dict(_all(ORDINAL, "next_value")),
    "usage_day": dict(_all(SIGNED, "live_seconds patch_seconds ivr_seconds call_count free_call_count")),
    "write_off_share": {**dict(_all(ORDINAL, "seq position write_off_seq")), "cents": SIGNED},
}
"""By table and column: the least and the largest number."""


def upgrade() -> None:
    """Bring the database to this revision.

    :raises WrongNumbers: where the database holds what cannot be right.
    """
    for table, ranges in RANGES.items():
        check_numbers(table, ranges)


def downgrade() -> None:
    """Take the database back to the revision before."""
    for table, ranges in RANGES.items():
        release_numbers(table, ranges)
