"""Money that goes back: refunds by staff, disputes, returned payments; each opens the invoice's balance again."""

from __future__ import annotations

from enum import StrEnum


class RefundKind(StrEnum):
    """How it goes back: a charge that is not settled yet is taken back whole, a settled one is refunded."""

    VOID = "VOID"
    REFUND = "REFUND"


class DisputeState(StrEnum):
    """How far a dispute has come."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class NoticeState(StrEnum):
    """What became of a notice of the payment service."""

    RECEIVED = "RECEIVED"
    DONE = "DONE"
    QUARANTINED = "QUARANTINED"
