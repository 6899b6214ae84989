"""The invoice that comes next, as it would look if it were issued now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.invoice_drafts import InvoiceDraft
    from app.domain.invoices import BillingFacts
    from app.domain.periods import Period


class NextInvoiceBasis(StrEnum):
    """Which usage a preview counts."""

    ACCRUED = "ACCRUED"
    PROJECTED = "PROJECTED"


@dataclass(frozen=True, slots=True)
class NextInvoiceFacts:
    """All that the next cycle invoice of an account depends on, as the cycle run reads it."""

    account_id: str
    billing: BillingFacts


@dataclass(frozen=True, slots=True)
class NextInvoice:
    """A draft of the next invoice; `usage_period` is the month whose calls it bills, None on a first invoice."""

    account_id: str
    basis: NextInvoiceBasis
    draft: InvoiceDraft
    usage_period: Period | None
    issues_at: datetime
    read_at: datetime
