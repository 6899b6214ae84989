"""Pay now."""

import asyncio
from typing import Annotated, Any

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.billing_summary import load_summary
from app.graphql.queries.invoices import load_invoice, load_invoices
from app.graphql.queries.viewer import load_viewer_again
from app.graphql.types.payment import (
    InvoicePaid,
    InvoicePaymentOutcome,
    OpenBalancePaid,
    PayInvoiceInput,
    PayInvoiceResult,
    PayOpenBalanceInput,
    PayOpenBalanceResult,
)
from app.services.payments import pay_invoice

InvoiceInput = Annotated[PayInvoiceInput, strawberry.argument(description="The invoice to pay.")]
BalanceInput = Annotated[PayOpenBalanceInput, strawberry.argument(description="The idempotency key.")]


async def load_changed(info: Info) -> dict[str, Any]:
    """Return what every payment may change beside its invoices, read together."""
    viewer, summary = await asyncio.gather(load_viewer_again(info), load_summary(info))
    return {"viewer": viewer, "billing_summary": summary}


@strawberry.type
class PaymentMutations:
    """Mutations that pay."""

    @mutation_field(
        permission=Permission.PAY_INVOICES,
        description=(
            "Charges the balance of an invoice now: to the default payment method, then to the back-ups in order."
        ),
    )
    async def pay_invoice(self, info: Info, input: InvoiceInput) -> PayInvoiceResult:
        """Resolve `payInvoice`."""
        outcome = await pay_invoice.pay_invoice(
            info.context.services,
            await info.context.caller(),
            payment_runner=info.context.writes.required_payment_runner,
            invoice_id=input.invoice_id,
            idempotency_key=input.idempotency_key,
        )
        return InvoicePaid(
            status=outcome,
            invoice=await load_invoice(info, input.invoice_id),
            **await load_changed(info),
        )

    @mutation_field(
        permission=Permission.PAY_INVOICES,
        description=(
            "Charges all open invoices now, oldest first. A suspended account is reactivated when all of them are paid."
        ),
    )
    async def pay_open_balance(self, info: Info, input: BalanceInput) -> PayOpenBalanceResult:
        """Resolve `payOpenBalance`."""
        paid = await pay_invoice.pay_open_balance(
            info.context.services,
            await info.context.caller(),
            payment_runner=info.context.writes.required_payment_runner,
            idempotency_key=input.idempotency_key,
        )
        invoices = await load_invoices(info, [one.invoice_id for one in paid])
        outcomes = [
            InvoicePaymentOutcome(invoice=invoice, result=one.result)
            for one, invoice in zip(paid, invoices, strict=True)
        ]
        return OpenBalancePaid(outcomes=outcomes, **await load_changed(info))
