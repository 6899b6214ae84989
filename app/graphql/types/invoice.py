"""Issued invoices: what they charge, what was paid on them, and the documents to keep."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from app.domain.explanations import percent, reversed_number, tax_rate_of
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import InvoiceLine as InvoiceLineValue
from app.domain.invoice_lines import LineKind
from app.domain.ledger import PaymentKind, PostingKind, ReversalReason
from app.domain.periods import billing_date
from app.graphql.context import Info
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.fields import computed
from app.graphql.permissions import Permission, section
from app.graphql.types.collection import InvoiceCollection
from app.graphql.types.common import Period
from app.graphql.types.invoice_line import InvoiceLine
from app.graphql.types.line_kinds import lines_of
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.messages.invoice_words import KIND_NAMES, REVERSAL_NAMES, STATUS_NAMES
from app.services.invoices.document_links import DocumentKind, DocumentLinks
from app.views import invoices as views

described_enum(
    InvoiceKind,
    description="The reason an invoice was issued.",
    values={
        InvoiceKind.CYCLE: (
            "The monthly invoice: the base price of the new month and the usage of the month that ended."
        ),
        InvoiceKind.PLAN_CHANGE: (
            "The plan was changed within a month: the new base price is charged and the old one reversed."
        ),
        InvoiceKind.PLAN_UPGRADE: "Usage outgrew the plan, and the month was upgraded automatically.",
        InvoiceKind.ADD_ON: "An add-on or an additional line was bought.",
        InvoiceKind.FINAL: "The final invoice of a closed account.",
        InvoiceKind.CREDIT_NOTE: "A credit note: charges of an earlier invoice are reversed.",
    },
)

described_enum(
    InvoiceStatus,
    description="The status of an invoice. Lines and totals never change after issue.",
    values={
        InvoiceStatus.DRAFT: "Being prepared. The API never returns a draft.",
        InvoiceStatus.OPEN: "Issued, with a balance due.",
        InvoiceStatus.PAID: "Nothing is left to pay.",
        InvoiceStatus.VOID: "Void: it is not due.",
        InvoiceStatus.UNCOLLECTIBLE: "Written off: payment is no longer expected.",
    },
)

described_enum(
    PaymentKind,
    description="How a payment was made.",
    values={
        PaymentKind.CHECK: "A paper check.",
        PaymentKind.CARD: "A card on file.",
        PaymentKind.PAYPAL: "A PayPal account on file.",
    },
)

described_enum(
    ReversalReason,
    description="Why a payment was reversed.",
    values={
        ReversalReason.REFUNDED: "A refund by our staff.",
        ReversalReason.CHARGED_BACK: "A chargeback: the customer disputed the charge with the bank.",
        ReversalReason.RETURNED: "A returned payment: the bank did not honor it, or the charge was withdrawn.",
    },
)

CREDIT_ORIGINS = {
    PostingKind.CREDIT_GRANTED: "An earlier invoice came out below zero, or a credit note was written",
    PostingKind.TAX_CREDITED: "The tax on what an earlier invoice or a credit note gave back",
    PostingKind.OVERPAID: "A payment was larger than what was open",
    PostingKind.PREPAID: "You paid in advance",
    PostingKind.GOODWILL_GRANTED: "We gave it to you as goodwill",
    PostingKind.CREDIT_RESTORED: "An invoice that had used it was withdrawn",
}
"""Where credit comes from, by the posting that granted it."""


@strawberry.type(description="A payment, or the part of one, applied to an invoice.")
class InvoicePayment:
    """Money that came in for an invoice."""

    kind: PaymentKind = strawberry.field(description="How the payment was made.")
    amount: Money = strawberry.field(description="The amount applied to this invoice.")
    received_on: date = strawberry.field(description="The date on which the payment was received.")
    reference: str = strawberry.field(description="The reference of the payment, such as the check number.")

    @classmethod
    def of(cls, payment: views.Payment) -> "InvoicePayment":
        """Return a payment for clients."""
        return cls(
            kind=payment.kind,
            amount=Money.of(payment.amount_cents),
            received_on=payment.received_on,
            reference=payment.reference,
        )


@strawberry.type(
    description=("A payment that was refunded, returned or charged back. The invoice's balance rises by the amount.")
)
class InvoiceReversal:
    """Money that left again."""

    amount: Money = strawberry.field(description="The amount reversed.")
    reason: ReversalReason = strawberry.field(description="The reason, for programs.")
    reason_display_name: str = strawberry.field(description="The reason to show, such as `Refunded`.")
    reversed_at: datetime = strawberry.field(description="When it was reversed.")
    kind: PaymentKind = strawberry.field(description="How the original payment was made.")
    reference: str = strawberry.field(description="The reference of the original payment, as in `payments`.")

    @classmethod
    def of(cls, back: views.Reversal) -> "InvoiceReversal":
        """Return money that went back for clients."""
        reason = ReversalReason(back.why)
        return cls(
            amount=Money.of(back.amount_cents),
            reason=reason,
            reason_display_name=REVERSAL_NAMES[reason],
            reversed_at=back.reversed_at,
            kind=back.kind,
            reference=back.reference,
        )


@strawberry.type(description="One tax of an invoice, charged or reversed.")
class InvoiceTax:
    """Built from a tax line with `InvoiceTax.of`."""

    name: str = strawberry.field(description="The name of the tax.")
    percentage: str = strawberry.field(description="The rate in per cent, such as `8.875`.")
    taxed: Money = strawberry.field(
        description="The sum of the lines that the tax applies to. Negative if they are reversed."
    )
    amount: Money = strawberry.field(description="The tax. Negative if it is reversed.")
    reverses_number: str | None = strawberry.field(
        description=(
            "The number of the invoice whose tax is reversed. Null if the tax is charged, or "
            "reduced by a credit that is kept."
        )
    )

    @classmethod
    def of(cls, line: InvoiceLineValue) -> "InvoiceTax":
        """Return a tax for clients."""
        return cls(
            name=str(line.inputs["tax_name"]),
            percentage=percent(tax_rate_of(line)),
            taxed=Money.of(int(line.inputs["taxed_cents"])),
            amount=Money.of(line.amount_cents),
            reverses_number=reversed_number(line),
        )


@strawberry.type(description="Account credit applied to an invoice, at its issue or later.")
class InvoiceCredit:
    """Credit applied to an invoice."""

    amount: Money = strawberry.field(description="The credit applied to this invoice.")
    granted_on: date = strawberry.field(description="The billing date on which the account received the credit.")
    origin: str = strawberry.field(description="Where the credit came from, as text to show.")

    @classmethod
    def of(cls, credit: views.Credit) -> "InvoiceCredit":
        """Return a use of credit for clients."""
        return cls(
            amount=Money.of(credit.amount_cents),
            granted_on=billing_date(credit.granted_at),
            origin=CREDIT_ORIGINS[credit.origin],
        )


@strawberry.type(
    description=(
        "Links to the documents of one invoice. Anyone with a link can open the document for 30 "
        "minutes without signing in. Request a link when the user clicks, and do not store it."
    )
)
class InvoiceDocuments:
    """Built with `InvoiceDocuments.of`."""

    html: str | None = strawberry.field(description="The invoice as a web page to read and print.")
    csv: str | None = strawberry.field(description="The lines as CSV.")
    calls_csv: str | None = strawberry.field(
        description="The underlying calls as CSV. Null if the invoice bills no usage."
    )
    pdf: str | None = strawberry.field(description="The invoice as a PDF; null where PDF is not installed.")
    expires_at: datetime = strawberry.field(description="When the links expire.")

    @classmethod
    def of(cls, links: DocumentLinks, invoice: views.Invoice) -> "InvoiceDocuments":
        """Return fresh links for clients."""
        facts, expires_at = invoice.facts, links.expires_at()

        def make(kind: DocumentKind) -> str | None:
            return links.make(facts.account_external_id, facts.id, kind, expires_at)

        return cls(
            html=make(DocumentKind.HTML),
            csv=make(DocumentKind.CSV),
            calls_csv=make(DocumentKind.CALLS_CSV) if invoice.usage_period else None,
            pdf=make(DocumentKind.PDF),
            expires_at=expires_at,
        )


@strawberry.type(description="An issued invoice. Its lines and totals never change; its payments do.")
class Invoice(Node):
    """Built from an invoice of a page with `Invoice.of`."""

    number: str = strawberry.field(description="The invoice number. Numbers have no gaps.")
    kind: InvoiceKind = strawberry.field(description="The reason it was issued.")
    kind_display_name: str = strawberry.field(description="The kind to show, such as `Monthly invoice`.")
    status: InvoiceStatus = strawberry.field(description="The status.")
    status_display_name: str = strawberry.field(description="The status to show, such as `Paid`.")
    account_name: str = strawberry.field(description="The account's name when the invoice was issued.")
    period: Period = strawberry.field(
        description=(
            "The month whose base price a monthly invoice charges. For any other invoice, the month "
            "in which it was issued."
        )
    )
    corrects: strawberry.ID | None = strawberry.field(
        description="The id of the invoice that a credit note corrects or that a later invoice replaced."
    )
    issued_at: datetime = strawberry.field(description="When it was issued.")
    due_on: date = strawberry.field(description="The due date: on receipt.")
    paid_at: datetime | None = strawberry.field(description="When it was paid in full. Null while a balance is due.")
    subtotal: Money = strawberry.field(description="The sum of the lines before tax.")
    tax: Money = strawberry.field(description="The total tax. Zero if none is charged.")
    total: Money = strawberry.field(description="The sum of the lines. Negative if more is reversed than charged.")
    credit_applied: Money = strawberry.field(description="The account credit applied when the invoice was issued.")
    credit_created: Money = strawberry.field(description="The account credit created by a total below zero.")
    amount_due: Money = strawberry.field(description="The amount due at issue: the total less account credit.")
    balance: Money = strawberry.field(
        description=(
            "The amount still due now. Zero for a void invoice. For an uncollectible one, the "
            "amount written off less payments received since."
        )
    )
    hash: str = strawberry.field(
        description="A hash of everything billed. A preview with the same hash bills exactly the same."
    )
    invoice: strawberry.Private[views.Invoice]

    @classmethod
    def of(cls, invoice: views.Invoice) -> "Invoice":
        """Return an invoice for clients."""
        facts = invoice.facts
        return cls(
            id=strawberry.ID(facts.id),
            number=str(facts.number),
            kind=facts.kind,
            kind_display_name=KIND_NAMES[facts.kind],
            status=facts.status,
            status_display_name=STATUS_NAMES[facts.status],
            account_name=facts.account_name,
            period=Period.of(invoice.period),
            corrects=None if facts.corrects_id is None else strawberry.ID(facts.corrects_id),
            issued_at=facts.issued_at,
            due_on=facts.due_on,
            paid_at=facts.paid_at,
            subtotal=Money.of(invoice.subtotal_cents),
            tax=Money.of(facts.tax_cents),
            total=Money.of(facts.total_cents),
            credit_applied=Money.of(facts.credit_applied_cents),
            credit_created=Money.of(invoice.credit_created_cents),
            amount_due=Money.of(facts.amount_due_cents),
            balance=Money.of(facts.balance_cents),
            hash=facts.content_hash,
            invoice=invoice,
        )

    @computed(costs=[holds(6)], description="The charges, in the order of the invoice.")
    def lines(self) -> list[InvoiceLine]:
        """Return the lines; those of one month share the reading of its usage."""
        return lines_of(self.invoice)

    @computed(costs=[holds(2)], description="The individual taxes, which add up to `tax`. Empty if none is charged.")
    def taxes(self) -> list[InvoiceTax]:
        """Return the taxes."""
        lines = (placed.line for placed in self.invoice.lines)
        return [InvoiceTax.of(line) for line in lines if line.kind is LineKind.TAX]

    @computed(costs=[holds(2)], description="The payments applied to it, in the order in which they were recorded.")
    def payments(self) -> list[InvoicePayment]:
        """Return the payments."""
        return [InvoicePayment.of(payment) for payment in self.invoice.payments]

    @computed(costs=[holds(2)], description="Refunds, returned payments and chargebacks of its payments, in order.")
    def reversals(self) -> list[InvoiceReversal]:
        """Return what went back."""
        return [InvoiceReversal.of(back) for back in self.invoice.reversals]

    @computed(
        costs=[holds(2)],
        description=(
            "The account credit applied to it, in order: first `creditApplied`, then credit applied after issue."
        ),
    )
    def credits(self) -> list[InvoiceCredit]:
        """Return the uses of credit."""
        return [InvoiceCredit.of(credit) for credit in self.invoice.credits]

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description=(
            "The collection of the invoice: every charge, its result, and the next date. Null if "
            "nothing was due, or if your role cannot see payment details."
        ),
    )
    def collection(self) -> InvoiceCollection | None:
        """Return the timeline."""
        collecting = self.invoice.collecting
        return None if collecting is None else InvoiceCollection.of(self.invoice, collecting)

    @computed(description="Documents to view, print and download. Null if this installation has none.")
    def documents(self, info: Info) -> InvoiceDocuments | None:
        """Return links that are good from now on."""
        links = info.context.links
        return None if links is None else InvoiceDocuments.of(links, self.invoice)


@strawberry.input(description="Filters the list of invoices. Fields that are left out do not filter.")
class InvoiceFilter:
    """What invoices can be narrowed by."""

    status: InvoiceStatus | None = strawberry.field(default=None, description="Only invoices with this status.")
    month: str | None = strawberry.field(default=None, description="Only invoices for this month, as `YYYY-MM`.")


FilterArgument = Annotated[InvoiceFilter | None, strawberry.argument(description="Filters the list.")]
