"""Pay now."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.billing_summary import load_summary
from app.graphql.queries.invoices import load_invoice, load_invoices
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

InvoiceInput = Annotated[PayInvoiceInput, strawberry.argument(description="Which invoice to pay.")]
BalanceInput = Annotated[PayOpenBalanceInput, strawberry.argument(description="The key of this press of the button.")]


@strawberry.type
class PaymentMutations:
    """Mutations that pay."""

    @mutation_field(
        permission=Permission.PAY_INVOICES,
        description="Charge what is open on an invoice now: the default payment method, then the back-ups in order.",
    )
    async def pay_invoice(self, info: Info, input: InvoiceInput) -> PayInvoiceResult:
        """Resolve `payInvoice`."""
        outcome = await pay_invoice.pay_invoice(
            info.context.services,
            await info.context.caller(),
            cashier=info.context.till,
            invoice_id=input.invoice_id,
            idempotency_key=input.idempotency_key,
        )
        return InvoicePaid(
            status=outcome,
            invoice=await load_invoice(info, input.invoice_id),
            billing_summary=await load_summary(info),
        )

    @mutation_field(
        permission=Permission.PAY_INVOICES,
        description="Charge everything that is open now, the oldest invoice first. A suspended account is served again "
        "as soon as all of it is paid.",
    )
    async def pay_open_balance(self, info: Info, input: BalanceInput) -> PayOpenBalanceResult:
        """Resolve `payOpenBalance`."""
        paid = await pay_invoice.pay_open_balance(
            info.context.services,
            await info.context.caller(),
            cashier=info.context.till,
            idempotency_key=input.idempotency_key,
        )
        invoices = await load_invoices(info, [one.invoice_id for one in paid])
        outcomes = [
            InvoicePaymentOutcome(invoice=invoice, result=one.result)
            for one, invoice in zip(paid, invoices, strict=True)
        ]
        return OpenBalancePaid(outcomes=outcomes, billing_summary=await load_summary(info))
