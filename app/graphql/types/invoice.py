"""Issued invoices: what they charge, what was paid on them, and the documents to keep."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from app.domain.explanations import percent, reversed_number, tax_rate_of
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import InvoiceLine as InvoiceLineValue
from app.domain.invoice_lines import LineKind
from app.domain.ledger import MoneyBackReason, PaymentKind, PostingKind
from app.domain.periods import billing_date
from app.graphql.context import Info
from app.graphql.enums import described_enum
from app.graphql.fields import computed
from app.graphql.permissions import Permission, section
from app.graphql.types.collection import InvoiceCollection
from app.graphql.types.common import Period
from app.graphql.types.invoice_line import InvoiceLine
from app.graphql.types.line_kinds import lines_of
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.messages.invoice_words import KIND_NAMES, MONEY_BACK_NAMES, STATUS_NAMES
from app.services.invoices.document_links import DocumentKind, DocumentLinks
from app.views import invoices as views

described_enum(
    InvoiceKind,
    description="What gave rise to an invoice.",
    values={
        InvoiceKind.CYCLE: "A month began: its base price, and the usage of the month that ended.",
        InvoiceKind.PLAN_CHANGE: "The plan was changed within a month: the new base price, and the old one given back.",
        InvoiceKind.PLAN_UPGRADE: "Usage had outgrown the plan, and the month was moved up to the plan that fits it.",
        InvoiceKind.ADD_ON: "An add-on or an additional line was bought.",
        InvoiceKind.FINAL: "The account was closed: what its last month still owed.",
        InvoiceKind.CREDIT_NOTE: "An earlier invoice charged too much: what is given back.",
    },
)

described_enum(
    InvoiceStatus,
    description="Where an invoice stands. Its lines and totals never change after it is issued.",
    values={
        InvoiceStatus.DRAFT: "Being made out, not issued yet. You never meet one in an answer.",
        InvoiceStatus.OPEN: "Issued, and something is still to be paid.",
        InvoiceStatus.PAID: "Nothing is left to pay.",
        InvoiceStatus.VOID: "Withdrawn; it is not to be paid.",
        InvoiceStatus.UNCOLLECTIBLE: "Given up on: we do not expect to be paid any more.",
    },
)

described_enum(
    PaymentKind,
    description="How money came in.",
    values={
        PaymentKind.CHECK: "A paper check.",
        PaymentKind.CARD: "A card on file.",
        PaymentKind.PAYPAL: "A PayPal account on file.",
    },
)

described_enum(
    MoneyBackReason,
    description="Why what was paid went back.",
    values={
        MoneyBackReason.REFUNDED: "Our staff gave it back.",
        MoneyBackReason.CHARGED_BACK: "Your bank took it back: the charge was disputed.",
        MoneyBackReason.RETURNED: "The bank did not pay it after all, or the charge was withdrawn.",
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


@strawberry.type(description="The part of a payment that went to an invoice.")
class InvoicePayment:
    """Money that came in for an invoice."""

    kind: PaymentKind = strawberry.field(description="How the money came in.")
    amount: Money = strawberry.field(description="How much of the payment went to this invoice.")
    received_on: date = strawberry.field(description="The date on which the money was received.")
    reference: str = strawberry.field(description="What the payment is called, such as the number of the check.")

    @classmethod
    def of(cls, payment: views.Payment) -> "InvoicePayment":
        """Return a payment for clients."""
        return cls(
            kind=payment.kind,
            amount=Money.of(payment.amount_cents),
            received_on=payment.received_on,
            reference=payment.reference,
        )


@strawberry.type(description="Money that was paid on an invoice and went back: it is open again by that much.")
class InvoiceMoneyBack:
    """Money that left again."""

    amount: Money = strawberry.field(description="How much went back.")
    reason: MoneyBackReason = strawberry.field(description="Why, for a program.")
    reason_display_name: str = strawberry.field(description="Why, for people, such as `Given back`.")
    went_at: datetime = strawberry.field(description="When it went back.")
    kind: PaymentKind = strawberry.field(description="How the money had come in.")
    reference: str = strawberry.field(description="The payment that it went back of, as `payments` calls it.")

    @classmethod
    def of(cls, back: views.MoneyBack) -> "InvoiceMoneyBack":
        """Return money that went back for clients."""
        reason = MoneyBackReason(back.why)
        return cls(
            amount=Money.of(back.amount_cents),
            reason=reason,
            reason_display_name=MONEY_BACK_NAMES[reason],
            went_at=back.went_at,
            kind=back.kind,
            reference=back.reference,
        )


@strawberry.type(description="One tax of an invoice: what it charges, or what it gives back of an earlier invoice.")
class InvoiceTax:
    """Built from a tax line with `InvoiceTax.of`."""

    name: str = strawberry.field(description="What the tax is called.")
    percentage: str = strawberry.field(description="The rate in per cent, such as `8.875`.")
    taxed: Money = strawberry.field(
        description="The sum of the lines that it applies to; negative where they are given back."
    )
    amount: Money = strawberry.field(description="The tax; negative where it is given back.")
    reverses_number: str | None = strawberry.field(
        description="The number of the invoice whose tax is given back; null on a tax that is charged, and on what "
        "credit kept takes off it."
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


@strawberry.type(description="Credit of the account that paid for a part of an invoice, at its issue or later.")
class InvoiceCredit:
    """Credit applied to an invoice."""

    amount: Money = strawberry.field(description="How much of the credit this invoice used.")
    granted_on: date = strawberry.field(description="The billing date on which the account got the credit.")
    origin: str = strawberry.field(description="Where the credit came from, in words.")

    @classmethod
    def of(cls, credit: views.Credit) -> "InvoiceCredit":
        """Return a use of credit for clients."""
        return cls(
            amount=Money.of(credit.amount_cents),
            granted_on=billing_date(credit.granted_at),
            origin=CREDIT_ORIGINS[credit.origin],
        )


@strawberry.type(
    description="Links to the documents of one invoice. Whoever has a link can open that document for five minutes, "
    "without signing in: ask for it when it is clicked, and do not store it."
)
class InvoiceDocuments:
    """Built with `InvoiceDocuments.of`."""

    html: str | None = strawberry.field(description="The invoice as a page to read and to print.")
    csv: str | None = strawberry.field(description="The lines as a table for a spreadsheet.")
    calls_csv: str | None = strawberry.field(
        description="The calls that the invoice is about, as a table; null where it bills no usage, as for an add-on."
    )
    pdf: str | None = strawberry.field(description="The invoice as a PDF; null where PDF is not installed.")
    expires_at: datetime = strawberry.field(description="When these links stop working.")

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


@strawberry.type(description="An issued invoice. Its lines and totals never change; what is paid on it does.")
class Invoice(Node):
    """Built from an invoice of a page with `Invoice.of`."""

    number: str = strawberry.field(description="The number on the invoice; numbers have no gaps.")
    kind: InvoiceKind = strawberry.field(description="What gave rise to it.")
    kind_display_name: str = strawberry.field(description="The kind for people, such as `Monthly invoice`.")
    status: InvoiceStatus = strawberry.field(description="Where it stands.")
    status_display_name: str = strawberry.field(description="The status for people, such as `Paid`.")
    account_name: str = strawberry.field(description="The name of the account at the time it was issued.")
    period: Period = strawberry.field(
        description="The month that a monthly invoice opens: its base price is for this month. Any other invoice falls "
        "in it."
    )
    corrects: strawberry.ID | None = strawberry.field(
        description="The id of the invoice that a credit note gives back charges of, or that a later one replaced."
    )
    issued_at: datetime = strawberry.field(description="When it was issued.")
    due_on: date = strawberry.field(description="When it is due: on receipt.")
    paid_at: datetime | None = strawberry.field(description="When nothing was left to pay; null while something is.")
    subtotal: Money = strawberry.field(description="The sum of the lines before tax.")
    tax: Money = strawberry.field(description="The tax in the total; zero where none is charged.")
    total: Money = strawberry.field(description="The sum of the lines; negative when more is given back than charged.")
    credit_applied: Money = strawberry.field(description="How much credit of the account it used when it was issued.")
    credit_created: Money = strawberry.field(description="What a total below zero left to the account as credit.")
    amount_due: Money = strawberry.field(description="What was to be paid when it was issued: the total less credit.")
    balance: Money = strawberry.field(
        description="What is still to be paid now: zero once it is void; on an uncollectible one, what is written off, "
        "less what was paid of it since."
    )
    hash: str = strawberry.field(
        description="Stands for everything that is billed; a preview with the same hash bills exactly the same."
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

    @computed(description="What is charged, in the order of the invoice.")
    def lines(self) -> list[InvoiceLine]:
        """Return the lines; those of one month share the reading of its usage."""
        return lines_of(self.invoice)

    @computed(description="Its taxes, one by one: they add up to `tax`. Empty where none is charged.")
    def taxes(self) -> list[InvoiceTax]:
        """Return the taxes."""
        lines = (placed.line for placed in self.invoice.lines)
        return [InvoiceTax.of(line) for line in lines if line.kind is LineKind.TAX]

    @computed(description="What was paid on it, in the order in which it was recorded.")
    def payments(self) -> list[InvoicePayment]:
        """Return the payments."""
        return [InvoicePayment.of(payment) for payment in self.invoice.payments]

    @computed(description="What went back of the payments, in the order in which it did: given back, or by a bank.")
    def money_back(self) -> list[InvoiceMoneyBack]:
        """Return what went back."""
        return [InvoiceMoneyBack.of(back) for back in self.invoice.money_back]

    @computed(
        description="The credit that paid for a part of it, in the order in which it was used: first `creditApplied`, "
        "then what was put to it after it was issued."
    )
    def credits(self) -> list[InvoiceCredit]:
        """Return the uses of credit."""
        return [InvoiceCredit.of(credit) for credit in self.invoice.credits]

    @section(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="How it is collected: every charge, its answer, and the next date. Null where nothing was to be "
        "collected, or your role does not see payment details.",
    )
    def collection(self) -> InvoiceCollection | None:
        """Return the timeline."""
        collecting = self.invoice.collecting
        return None if collecting is None else InvoiceCollection.of(self.invoice, collecting)

    @computed(description="Documents to read, print and keep. Null where this installation hands out no documents.")
    def documents(self, info: Info) -> InvoiceDocuments | None:
        """Return links that are good from now on."""
        links = info.context.links
        return None if links is None else InvoiceDocuments.of(links, self.invoice)


@strawberry.input(description="Which invoices to list; what you leave out does not narrow the list.")
class InvoiceFilter:
    """What invoices can be narrowed by."""

    status: InvoiceStatus | None = strawberry.field(default=None, description="Only invoices with this status.")
    month: str | None = strawberry.field(default=None, description="Only invoices of this month, written `YYYY-MM`.")


FilterArgument = Annotated[InvoiceFilter | None, strawberry.argument(description="Narrows the list.")]
