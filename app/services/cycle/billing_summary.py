"""The Billing Summary: each of its boxes is worked out by itself, so that a fault in one leaves the others whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.auto_pay import AutoPay, auto_pay
from app.domain.periods import Period, billing_date
from app.domain.policies import COLLECTION_POLICIES
from app.services.plans.next_invoice import next_invoice
from app.services.plans.plan_advice import plan_advice, project_month, upgrades_ahead
from app.services.usage.usage_months import show_plan, usage_month

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.payment_methods import PaymentMethod
    from app.domain.projection import Projection
    from app.domain.upgrade_forecast import UpgradeForecast
    from app.views.billing_summary import SummaryFacts
    from app.views.next_invoice import NextInvoice
    from app.views.plan_advice import PlanAdviceFacts
    from app.views.plans import Plan
    from app.views.usage import UsageMonth


@dataclass(frozen=True, slots=True)
class BillingSummary:
    """The boxes of one account at one instant; nothing is computed before it is asked for.

    `advice` is what the projection and the upgrades ahead rest on; without it there are none.
    """

    facts: SummaryFacts
    now: datetime
    advice: PlanAdviceFacts | None = None

    @property
    def period(self) -> Period:
        """The current billing month (rule 1)."""
        return Period.containing(billing_date(self.now))

    @property
    def current_plan(self) -> Plan:
        """The plan that this month is billed on; the chosen one until the month's cycle invoice is issued."""
        usage = self.facts.usage
        return show_plan(usage.plan_of(self.period), usage.catalogue, billing_date(self.now))

    @property
    def next_month_plan(self) -> Plan:
        """The plan that the account has chosen, which the next month begins on, at the price that it has then."""
        return show_plan(self.facts.next_invoice.billing.plan, self.facts.usage.catalogue, billing_date(self.now))

    @property
    def usage(self) -> UsageMonth | None:
        """The usage of this month to date; None while the whole month lies before the paid start."""
        return usage_month(facts=self.facts.usage, period=self.period, now=self.now)

    @property
    def next_invoice(self) -> NextInvoice:
        """The next invoice on the usage so far."""
        return next_invoice(facts=self.facts.next_invoice, now=self.now)

    @property
    def payment_method(self) -> PaymentMethod | None:
        """The default on file (rule 29)."""
        return next((method for method in self.facts.methods if method.is_default), None)

    @property
    def auto_pay(self) -> AutoPay:
        """How the account pays by itself (rules 29, 34)."""
        facts = self.facts
        rounds = facts.rounds if facts.open_balance_cents > 0 else ()
        return auto_pay(facts.account, facts.methods, rounds, self.now, COLLECTION_POLICIES)

    @property
    def projection(self) -> Projection | None:
        """This month at its end (rule 40)."""
        return None if self.advice is None else project_month(self.advice)

    @property
    def is_best_plan(self) -> bool | None:
        """Whether the plan that the next month begins on is the one to have; None if it cannot be told (rule 40)."""
        return None if self.advice is None else plan_advice(self.advice).is_best_plan

    @property
    def upgrades_ahead(self) -> tuple[UpgradeForecast, ...]:
        """The automatic upgrades that this month is heading for (rule 21)."""
        return () if self.advice is None else upgrades_ahead(self.advice)
