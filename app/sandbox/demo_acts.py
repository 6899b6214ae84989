"""What staff and customers do in the demo's history beside paying: taxes, credit notes, plans, add-ons, refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceKind
from app.domain.periods import billing_date
from app.domain.plan_changes import When
from app.domain.taxes import TaxRate
from app.repositories import unit_of_work
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.set_taxes import set_taxes
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import QuoteSigner
from app.services.plans.switch_add_on import activate_add_on, cancel_add_on, preview_add_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.services.plans.change_plan import PlanChangeQuote
    from app.services.plans.switch_add_on import AddOnQuote

TAXES = (TaxRate("Kansas sales tax", 65_000), TaxRate("Douglas County tax", 12_250))
CREDIT_CENTS = 60_00
SMALLER_PLAN, LARGER_PLAN = "100", "500"
ADD_ONS = ("on_call", "transcription")
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
        await issue_credit_note(
            self._services,
            Caller(self._account, "staff:front-office"),
            invoice_number=(await self._newest_invoices(1))[-1].number,
            cents_by_line={1: CREDIT_CENTS},
            reference="Ticket 1093",
            reason="A week of calls went to voice mail",
        )

    async def move_down(self) -> None:
        """Change to the smaller plan at once."""
        await self._change_plan(SMALLER_PLAN, When.NOW)

    async def schedule_larger_plan(self) -> None:
        """Change to the larger plan from next month on."""
        await self._change_plan(LARGER_PLAN, When.NEXT_CYCLE)

    async def buy(self, code: str) -> None:
        """Buy an add-on, with its terms accepted."""
        signer = self._signer

        async def quote(uow: UnitOfWork) -> AddOnQuote:
            return preview_add_on(await load_snapshot(uow, self._account, self._services.clock.now()), code, signer)

        quoted = await unit_of_work.read(self._services.database, quote)
        await activate_add_on(
            self._services,
            Caller(self._account, "demo"),
            signer=signer,
            quote_token=quoted.quote.token,
            terms_version=quoted.version.terms_version,
            idempotency_key=f"add-on {code}",
        )

    async def cancel_add_on(self) -> None:
        """Cancel one of the add-ons; it stays usable until the end of the month."""
        await cancel_add_on(self._services, Caller(self._account, "demo"), code=ADD_ONS[-1])

    async def refund_two_invoices(self) -> None:
        """Give back what the two newest invoices were paid with: they are open again, and not charged by themselves."""
        for invoice in await self._newest_invoices(2):
            await refund_payment(
                self._services,
                Caller(self._account, "staff:front-office"),
                invoice_number=invoice.number,
                amount_cents=invoice.amount_due_cents,
                reference=f"Refund of {invoice.number}",
                reason="Asked to pay by another card",
            )

    async def _newest_invoices(self, count: int) -> Sequence[StoredInvoice]:
        async def newest(uow: UnitOfWork) -> Sequence[StoredInvoice]:
            owner = await uow.accounts.get_by_external_id(self._account)
            invoices = await uow.invoices.list_for_account(owner.id)
            return [invoice for invoice in invoices if invoice.kind is InvoiceKind.CYCLE][-count:]

        return await unit_of_work.read(self._services.database, newest)

    @property
    def _signer(self) -> QuoteSigner:
        return QuoteSigner(QUOTE_SECRET, self._services.clock, self._services.ids)

    async def _change_plan(self, code: str, when: When) -> None:
        signer = self._signer

        async def quote(uow: UnitOfWork) -> PlanChangeQuote:
            now = self._services.clock.now()
            snapshot = await load_snapshot(uow, self._account, now)
            target = snapshot.catalogue.get(code, billing_date(now))
            return preview_plan_change(snapshot, target.id, when, signer)

        quoted = await unit_of_work.read(self._services.database, quote)
        await change_plan(
            self._services,
            Caller(self._account, "demo"),
            signer=signer,
            quote_token=quoted.quote.token,
            idempotency_key=f"plan {code}",
        )
