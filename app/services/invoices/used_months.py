"""The months whose usage an invoice bills, summed from raw calls: for the invoices that staff bring about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoices import UsedPeriod
from app.domain.periods import Period
from app.domain.policies import policies_on
from app.domain.usage import UsageTotals
from app.repositories.accounts import ADJUSTABLE_MONTHS
from app.services.invoices.still_billed import load_books

if TYPE_CHECKING:
    from datetime import date

    from app.domain.accounts import Account
    from app.repositories.unit_of_work import UnitOfWork


async def used_months(
    uow: UnitOfWork, account: Account, period: Period, kind: InvoiceKind, usage_watermark: int
) -> tuple[UsedPeriod, ...]:
    """Return the opened months that an invoice of `period` bills usage of, newest first, as their calls stand now.

    A final invoice bills that of its own month too (rule 25 for the others).
    """
    is_final = kind is InvoiceKind.FINAL
    before = period.ends_before if is_final else period.starts_on
    usage = await _usage(uow, account, period, before, usage_watermark)
    books = await load_books(uow, account.id)
    plans = await uow.cycles.plans(account.id)
    months = (period.shifted(-back) for back in range(0 if is_final else 1, ADJUSTABLE_MONTHS + 1))
    return tuple(
        UsedPeriod(
            month,
            plans[month.starts_on],
            policies_on(month.starts_on),
            usage.get(month.starts_on, UsageTotals()),
            books.usage(month.starts_on),
            is_current=month == period,
        )
        for month in months
        if month.starts_on in plans
    )


async def _usage(
    uow: UnitOfWork, account: Account, period: Period, before: date, usage_watermark: int
) -> dict[date, UsageTotals]:
    oldest = max(period.shifted(-ADJUSTABLE_MONTHS).starts_on, account.paid_starts_on)
    usage: dict[date, UsageTotals] = {}
    for on, totals in (await uow.calls.sum_days(account.id, oldest, before, usage_watermark)).items():
        month = Period.containing(on).starts_on
        usage[month] = usage.get(month, UsageTotals()) + totals
    return usage
