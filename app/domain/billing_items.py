"""What a bill may charge besides plan and usage: add-ons, additional lines and one-time charges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from app.domain.invoice_lines import LineKind


@dataclass(frozen=True, slots=True)
class RecurringItem:
    """An add-on or an additional line, active in the month at `monthly_cents`.

    `first_day` is set where this is the month it was bought in: from then on it is paid for, prorated by day where
    `is_prorated` says so (rule 22).
    """

    kind: LineKind
    code: str
    name: str
    monthly_cents: int
    is_prorated: bool = False
    first_day: date | None = None


@dataclass(frozen=True, slots=True)
class OneTimeCharge:
    """A one-time charge: a fee, or one that staff added, with the words the customer reads. `kind` says which."""

    kind: LineKind
    id: str
    title: str
    amount_cents: int
