"""The facts of issued invoices as they stood, rebuilt from raw calls, lines and postings in order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.domain.add_ons import purchase_facts, recurring_items
from app.domain.billing_items import BilledBase
from app.domain.checkouts import CheckoutAction
from app.domain.invoices import BASE_KINDS, USAGE_KINDS, BillingFacts, InvoiceKind, InvoiceStatus, LineKind, UsedPeriod
from app.domain.ledger import Book, moved_cents
from app.domain.periods import Period, billing_date, day_before
from app.domain.policies import policies_on, policies_version
from app.domain.usage import UsageTotals
from app.repositories.accounts import ADJUSTABLE_MONTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from app.domain.accounts import Account
    from app.domain.add_ons import AddOnSubscription, AddOnVersion
    from app.domain.billing_items import ExtraCharge, RecurringItem, TaxRate
    from app.domain.invoices import InvoiceLine
    from app.domain.plans import PlanVersion
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import PostedPosting
    from app.repositories.taxes import DatedTaxRate
    from app.repositories.unit_of_work import UnitOfWork

CHANGING_PLAN = frozenset({InvoiceKind.PLAN_CHANGE, InvoiceKind.PLAN_UPGRADE})
BILLING_BASE = CHANGING_PLAN | {InvoiceKind.CYCLE}


class FactsMissing(LookupError):
    """The books no longer hold what the invoice was computed from."""


@dataclass(slots=True)
class Replay:
    """One account's invoices, taken in order; what earlier ones billed collects as they pass.

    `month_plans` is the plan that each month stands on so far; `purchases` are the add-ons that had to be paid first,
    by invoice, whether or not they were.
    """

    account: Account
    postings: Sequence[PostedPosting]
    plans: Mapping[str, PlanVersion]
    subscriptions: Sequence[AddOnSubscription]
    charges: Mapping[str, tuple[ExtraCharge, ...]]
    taxes: Sequence[DatedTaxRate]
    purchases: Mapping[str, AddOnVersion]
    month_plans: dict[date, PlanVersion] = field(default_factory=dict)
    billed_usage: Counter[date] = field(default_factory=Counter)
    billed_base: dict[date, BilledBase] = field(default_factory=dict)

    @classmethod
    async def begin(
        cls,
        uow: UnitOfWork,
        account: Account,
        invoices: Sequence[StoredInvoice],
        postings: Sequence[PostedPosting],
    ) -> Replay:
        """Return the replay of an account before its first invoice."""
        versions = {version.id: version for version in await uow.add_ons.versions()}
        checkouts = await uow.checkouts.list_for_account(account.id)
        return cls(
            account=account,
            postings=postings,
            plans=await uow.plans.get_many(invoice.plan_version_id for invoice in invoices),
            subscriptions=await uow.add_ons.list_for_account(account.id),
            charges=await uow.charges.by_invoice(account.id),
            taxes=await uow.taxes.list_for_account(account.id),
            purchases={
                checkout.invoice_id: versions[checkout.details["version"]]
                for checkout in checkouts
                if checkout.action is CheckoutAction.ACTIVATE_ADD_ON
            },
        )

    async def facts(self, uow: UnitOfWork, invoice: StoredInvoice) -> BillingFacts:
        """Return the facts that an invoice was computed from; `passed` has been told of every earlier one.

        :raises UnknownPolicies: when this release does not have the invoice's policies.
        :raises FactsMissing: when the books do not hold the facts any more.
        """
        if invoice.kind is InvoiceKind.ADD_ON:
            return self._purchase_facts(invoice)
        month = invoice.period.starts_on
        return BillingFacts(
            period=invoice.period,
            paid_starts_on=self.account.paid_starts_on,
            plan=self.plans[invoice.plan_version_id],
            policies=policies_version(invoice.policies_version),
            used=await self._used(uow, invoice),
            credit_available_cents=self._credit_before(invoice),
            kind=invoice.kind,
            bills_base=invoice.kind in BILLING_BASE,
            billed_base=self.billed_base.get(month) if invoice.kind in CHANGING_PLAN else None,
            recurring=self._recurring(invoice),
            charges=self.charges.get(invoice.id, ()),
            tax=self._tax(invoice),
        )

    def passed(self, invoice: StoredInvoice) -> None:
        """Take an invoice into what was billed; a void one leaves nothing behind."""
        if invoice.status is InvoiceStatus.VOID:
            return
        month = invoice.period.starts_on
        if invoice.kind in BILLING_BASE:
            self.month_plans[month] = self.plans[invoice.plan_version_id]
        for line in invoice.lines:
            if line.kind in USAGE_KINDS:
                self.billed_usage[line.period.starts_on] += line.amount_cents
            elif line.kind in BASE_KINDS:
                self._bill_base(line)

    def _bill_base(self, line: InvoiceLine) -> None:
        month = line.period.starts_on
        known = self.billed_base.get(month, BilledBase("", "", 0))
        if line.kind is LineKind.BASE:
            known = replace(known, plan_code=str(line.inputs["plan"]), plan_name=str(line.inputs["plan_name"]))
        self.billed_base[month] = replace(known, amount_cents=known.amount_cents + line.amount_cents)

    async def _used(self, uow: UnitOfWork, invoice: StoredInvoice) -> tuple[UsedPeriod, ...]:
        """Return the months whose usage the invoice bills, newest first, summed from the calls that it saw."""
        if invoice.kind is InvoiceKind.CYCLE:
            months, before = range(1, ADJUSTABLE_MONTHS + 1), invoice.period.starts_on
        elif invoice.kind is InvoiceKind.FINAL:
            months, before = range(ADJUSTABLE_MONTHS + 1), invoice.period.ends_before
        else:
            return ()
        oldest = max(invoice.period.shifted(-ADJUSTABLE_MONTHS).starts_on, self.account.paid_starts_on)
        usage: dict[date, UsageTotals] = {}
        for on, totals in (await uow.calls.sum_days(self.account.id, oldest, before, invoice.usage_watermark)).items():
            month = Period.containing(on).starts_on
            usage[month] = usage.get(month, UsageTotals()) + totals
        return tuple(
            UsedPeriod(
                period,
                self.month_plans[period.starts_on],
                policies_on(period.starts_on),
                usage.get(period.starts_on, UsageTotals()),
                self.billed_usage[period.starts_on],
                is_current=period == invoice.period,
            )
            for period in (invoice.period.shifted(-back) for back in months)
            if period.starts_on in self.month_plans
        )

    def _recurring(self, invoice: StoredInvoice) -> tuple[RecurringItem, ...]:
        if invoice.kind is not InvoiceKind.CYCLE:
            return ()
        return tuple(recurring_items(self.subscriptions, invoice.period))

    def _purchase_facts(self, invoice: StoredInvoice) -> BillingFacts:
        bought_on = billing_date(invoice.issued_at)
        version = self.purchases.get(invoice.id) or self._subscribed(invoice, bought_on)
        return purchase_facts(
            version,
            bought_on,
            self.plans[invoice.plan_version_id],
            self.account.paid_starts_on,
            self._credit_before(invoice),
            self._tax(invoice),
        )

    def _subscribed(self, invoice: StoredInvoice, bought_on: date) -> AddOnVersion:
        codes = {line.inputs.get("item") for line in invoice.lines}
        for subscription in self.subscriptions:
            if subscription.starts_on == bought_on and subscription.version.code in codes:
                return subscription.version
        raise FactsMissing(f"no add-on was bought on {bought_on}")

    def _tax(self, invoice: StoredInvoice) -> TaxRate | None:
        """Return the tax in force when the month began, for a cycle invoice, or on the day of issue for any other."""
        on = invoice.period.starts_on
        if invoice.kind is not InvoiceKind.CYCLE:
            on = min(billing_date(invoice.issued_at), day_before(invoice.period.ends_before))
        dated = [tax for tax in self.taxes if tax.valid_from <= on]
        return dated[-1].rate if dated and dated[-1].rate.ten_thousandths else None

    def _credit_before(self, invoice: StoredInvoice) -> int:
        """Return the credit that the invoice found."""
        seen = self.postings[: invoice.ledger_watermark]
        return -sum(moved_cents(posted.posting, Book.CUSTOMER_CREDIT) for posted in seen)
