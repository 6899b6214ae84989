"""The check that no month closed without the upgrade that its usage called for (rules 19, 20, 26)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.upgrades import find_upgrade
from app.domain.usage import UsageTotals
from app.services.operations.replay import BILLING_BASE
from app.services.operations.verify_ledger import Difference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork

FIRST_STRICT_ENGINE = 2
"""The releases with an earlier engine are known to have missed upgrades: what they missed is a warning."""


@dataclass(frozen=True, slots=True)
class MissedUpgrade:
    """A month that `invoice` closed on a plan its usage had outgrown, and the plan that it should have moved up to.

    `overcharged_cents` is what the month cost the customer beyond its cost on that plan, base and usage together.
    """

    invoice: StoredInvoice
    month: Period
    plan: PlanVersion
    target: PlanVersion
    overcharged_cents: int

    def as_difference(self, account: str) -> Difference:
        """Return it for the report on an account, by its external id."""
        return Difference(
            account,
            f"invoice {self.invoice.number}, upgrade of {self.month.month}",
            f"{self.plan.id}, {self.overcharged_cents} cents overcharged",
            self.target.id,
            is_warning=self.invoice.engine_version < FIRST_STRICT_ENGINE,
        )


async def check_upgrades(
    uow: UnitOfWork, account: Account, invoices: Sequence[StoredInvoice], since: datetime | None = None
) -> list[Difference]:
    """Return every month of the account that closed without the upgrade that was due then.

    `invoices` are all of the account's, oldest first; `since` checks only months closed from then on.
    """
    return [each.as_difference(account.external_id) async for each in _missed(uow, account, invoices, since)]


async def _missed(
    uow: UnitOfWork, account: Account, invoices: Sequence[StoredInvoice], since: datetime | None
) -> AsyncIterator[MissedUpgrade]:
    catalogue = await uow.plans.catalogue()
    for invoice, month, plan in _closings(invoices, catalogue):
        if since is not None and invoice.issued_at < since:
            continue
        upgrade = find_upgrade(
            plan=plan,
            usage=await _usage_seen(uow, account, month, invoice),
            period=month,
            paid_starts_on=account.paid_starts_on,
            upgrades_so_far=0,  # decides only whether the upgrade lasts, not whether it is due
            catalogue=catalogue,
        )
        if upgrade is not None:
            yield MissedUpgrade(invoice, month, plan, upgrade.target, upgrade.saving_cents)


def _closings(
    invoices: Sequence[StoredInvoice], catalogue: Catalogue
) -> Iterator[tuple[StoredInvoice, Period, PlanVersion]]:
    """Yield each invoice that closed a month, the month, and the plan that the month was billed on until then."""
    versions = {version.id: version for version in catalogue.versions}
    plans: dict[Period, PlanVersion] = {}
    for invoice in invoices:
        month = _closed_month(invoice)
        if month is not None and month in plans:
            yield invoice, month, plans[month]
        if invoice.kind in BILLING_BASE and invoice.status is not InvoiceStatus.VOID:
            plans[invoice.period] = versions[invoice.plan_version_id]


def _closed_month(invoice: StoredInvoice) -> Period | None:
    """Return the month whose usage was final for upgrades when the invoice was issued (rule 26).

    An invoice in the place of a void one closes nothing: the void one had closed the month before.
    """
    if invoice.kind is InvoiceKind.FINAL:
        return invoice.period
    if invoice.kind is InvoiceKind.CYCLE and invoice.corrects_invoice_id is None:
        return invoice.period.shifted(-1)
    return None


async def _usage_seen(uow: UnitOfWork, account: Account, month: Period, invoice: StoredInvoice) -> UsageTotals:
    """Return the month's usage since the paid start, summed from the calls that the invoice saw."""
    since = max(month.starts_on, account.paid_starts_on)
    days = await uow.calls.sum_days(account.id, since, month.ends_before, invoice.usage_watermark)
    return sum(days.values(), UsageTotals())
