"""Where an account stands today: all that a decision about its plan or its add-ons depends on, in one read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.plan_changes import PlanSnapshot
from app.domain.positions import NOTHING_BILLED

if TYPE_CHECKING:
    from datetime import date

    from app.domain.accounts import AccountStatus
    from app.domain.add_ons import AddOnSubscription, AddOnVersion
    from app.domain.ledger import OpenInvoice
    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.positions import Position
    from app.domain.taxes import TaxRate
    from app.domain.usage import UsageTotals


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """One account as of `today`, in the billing month `period`.

    `opened_plan` is what the month's cycle invoice billed, None until it is issued; `usage` is that of the month since
    the paid start. `usage_seq` and `ledger_seq` are the account's last call and last posting.
    """

    account_id: str
    external_id: str
    name: str
    status: AccountStatus
    today: date
    period: Period
    paid_starts_on: date
    next_cycle_on: date
    chosen_plan: PlanVersion
    pending_plan: PlanVersion | None
    opened_plan: PlanVersion | None
    upgrade_count: int
    usage_seq: int
    ledger_seq: int
    credit_cents: int
    usage: UsageTotals
    billed_base: Position
    open_invoices: tuple[OpenInvoice, ...]
    taxes: tuple[TaxRate, ...]
    catalogue: Catalogue
    add_on_versions: tuple[AddOnVersion, ...]
    subscriptions: tuple[AddOnSubscription, ...]

    @property
    def plan(self) -> PlanSnapshot:
        """The part that a change of plan depends on."""
        next_plan = self.pending_plan or self.chosen_plan
        return PlanSnapshot(
            today=self.today,
            period=self.period,
            paid_starts_on=self.paid_starts_on,
            month_plan=self.opened_plan or next_plan,
            chosen_plan=self.chosen_plan,
            pending_plan=self.pending_plan,
            next_cycle_on=self.next_cycle_on,
            usage=self.usage,
            billed_base=self.billed_base if self.opened_plan else NOTHING_BILLED,
            credit_available_cents=self.credit_cents,
            taxes=self.taxes,
            open_invoices=self.open_invoices,
        )
