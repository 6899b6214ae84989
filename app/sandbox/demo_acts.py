"""What staff and the customer do in the demo's history beside paying: taxes, a credit note, and a smaller plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceKind
from app.domain.periods import billing_date
from app.domain.plan_changes import When
from app.domain.taxes import TaxRate
from app.repositories import unit_of_work
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.set_taxes import set_taxes
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import QuoteSigner

if TYPE_CHECKING:
    from datetime import date

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.services.plans.change_plan import PlanChangeQuote

TAXES = (TaxRate("Kansas sales tax", 65_000), TaxRate("Douglas County tax", 12_250))
CREDIT_CENTS = 60_00
SMALLER_PLAN = "100"
QUOTE_SECRET = "the demo's quotes live for the moment in which they are confirmed"  # noqa: S105 -- guards nothing


class DemoActs:
    """Acts on one account of the demo, each by the use case that the portal or the command line calls."""

    def __init__(self, services: Services, account: str) -> None:
        self._services = services
        self._account = account

    async def set_taxes(self, valid_from: date) -> None:
        """Let the account pay a state's and a county's tax from a day on."""
        await set_taxes(
            self._services,
            Caller(self._account, "key:tax-provider"),
            taxes=TAXES,
            valid_from=valid_from,
            reason="told by the tax provider",
        )

    async def credit_a_week(self) -> None:
        """Give back a part of this month's base by a credit note."""

        async def newest(uow: UnitOfWork) -> int:
            owner = await uow.accounts.get_by_external_id(self._account)
            invoices = await uow.invoices.list_for_account(owner.id)
            return [invoice.number for invoice in invoices if invoice.kind is InvoiceKind.CYCLE][-1]

        await issue_credit_note(
            self._services,
            Caller(self._account, "staff:front-office"),
            invoice_number=await unit_of_work.read(self._services.database, newest),
            cents_by_line={1: CREDIT_CENTS},
            reference="Ticket 1093",
            reason="A week of calls went to voice mail",
        )

    async def move_down(self) -> None:
        """Change to the smaller plan at once."""
        signer = QuoteSigner(QUOTE_SECRET, self._services.clock, self._services.ids)

        async def quote(uow: UnitOfWork) -> PlanChangeQuote:
            now = self._services.clock.now()
            snapshot = await load_snapshot(uow, self._account, now)
            target = snapshot.catalogue.get(SMALLER_PLAN, billing_date(now))
            return preview_plan_change(snapshot, target.id, When.NOW, signer)

        quoted = await unit_of_work.read(self._services.database, quote)
        await change_plan(
            self._services,
            Caller(self._account, "demo"),
            signer=signer,
            quote_token=quoted.quote.token,
            idempotency_key="smaller plan",
        )
