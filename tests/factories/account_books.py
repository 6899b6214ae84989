"""One account's books as the core alone keeps them: issued, credited, paid, written off and recovered, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.domain.billed_lines import WriteOffEntry
from app.domain.books import credit_postings, spread_credit
from app.domain.credit_notes import Creditable, credit_note_draft
from app.domain.invoice_drafts import InvoiceDraft, InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import BillingFacts, compute_invoice
from app.domain.ledger import (
    Book,
    CreditGrant,
    OpenInvoice,
    Posting,
    PostingKind,
    issue_postings,
    moved_cents,
    payment_postings,
)
from app.domain.periods import Period
from app.domain.position_fold import Books, Document, fold
from app.domain.positions import Position
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.taxes import TaxRate
from app.domain.usage import UsageTotals
from app.domain.write_offs import recover, write_off_shares
from tests.factories.invoices import a_used_month, facts
from tests.factories.positions import FIRST, a_document

MONTH = Period.parse("2026-10")
USAGE_MONTH = Period.parse("2026-09")


@dataclass
class AccountBooks:
    """An account that is billed the base of October 2026 and the usage of September on the plan 100.

    Invoices have the numbers from 100001 on. `by_hand` are those that are paid by hand.
    """

    taxes: tuple[TaxRate, ...] = ()
    drafts: dict[int, InvoiceDraft] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    write_offs: list[WriteOffEntry] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    by_hand: set[int] = field(default_factory=set)

    # -- what stands --

    @property
    def books(self) -> Books:
        return fold(self.documents, self.write_offs)

    @property
    def base(self) -> Position:
        return self.books.position(MONTH.starts_on, LineKind.BASE)

    @property
    def credit_cents(self) -> int:
        return -self.balance(Book.CUSTOMER_CREDIT)

    def balance(self, book: Book) -> int:
        return sum(moved_cents(posting, book) for posting in self.postings)

    def open_cents(self, number: int) -> int:
        return sum(moved_cents(each, Book.RECEIVABLE) for each in self.postings if each.invoice_id == str(number))

    def lost_cents(self, number: int) -> int:
        return sum(moved_cents(each, Book.BAD_DEBT) for each in self.postings if each.invoice_id == str(number))

    def left(self, number: int) -> list[int]:
        """What is still billed of each line of an invoice that charged something."""
        return [line.left_cents for line in self.books.of_invoice(number)]

    def open_invoices(self) -> list[OpenInvoice]:
        balances = {number: self.open_cents(number) for number in self.drafts}
        return [
            OpenInvoice(str(number), cents, number, is_by_hand=number in self.by_hand)
            for number, cents in balances.items()
            if cents > 0
        ]

    # -- what happens --

    def start(self, code: str) -> InvoiceDraft:
        """The month's own invoice."""
        return self.bill(facts(MONTH.month, plan=SEED_CATALOGUE.get(code, MONTH.starts_on)))

    def change(self, code: str) -> InvoiceDraft:
        """A change of plan within the month, at once."""
        plan = SEED_CATALOGUE.get(code, MONTH.starts_on)
        return self.bill(facts(MONTH.month, kind=InvoiceKind.PLAN_CHANGE, plan=plan, billed_base=self.base))

    def use(self, usage: UsageTotals) -> InvoiceDraft:
        """The usage of September, on the invoice of the month after it."""
        return self.bill(facts(MONTH.month, bills_base=False, used=(a_used_month(usage=usage),)))

    def adjust(self, usage: UsageTotals) -> InvoiceDraft:
        """What late calls make of it, a month later."""
        billed = self.books.usage(USAGE_MONTH.starts_on)
        late = a_used_month(USAGE_MONTH.month, usage=usage, billed=billed)
        return self.bill(facts(MONTH.shifted(1).month, bills_base=False, used=(late,)))

    def bill(self, known: BillingFacts) -> InvoiceDraft:
        return self._issue(compute_invoice(replace(known, taxes=self.taxes, credit_available_cents=self.credit_cents)))

    def note(self, number: int, cents_by_line: Mapping[int, int | None] | None = None) -> InvoiceDraft:
        creditable = Creditable.of(number, self.books)
        return self._issue(credit_note_draft(creditable, cents_by_line or {}, MONTH))

    def pay(self, cents: int) -> None:
        """A check: for what is open, then for what was written off, and the rest is credit."""
        spread = payment_postings(cents, "pay_1", self.open_invoices())
        self.postings += (posting for posting in spread if posting.kind is PostingKind.PAYMENT_RECEIVED)
        left = sum(posting.amount_cents for posting in spread if posting.kind is PostingKind.OVERPAID)
        for number in self.drafts:
            left -= self._recover(number, left)
        if left:
            self.postings.append(Posting(PostingKind.OVERPAID, left, None, "pay_1"))
        self._settle(0, {})

    def refund(self, number: int, cents: int) -> None:
        """Money goes back, so that the invoice is open again; nobody collects it by itself."""
        self.postings.append(Posting(PostingKind.REFUNDED, cents, str(number), "pay_1"))
        self.by_hand.add(number)

    def write_off(self, number: int) -> int:
        """Write off all that is open on an invoice; return that."""
        cents, seq = self.open_cents(number), len(self.postings) + 1
        shares = write_off_shares(self.books, number, cents, seq)
        self.postings.append(Posting(PostingKind.WRITTEN_OFF, cents, str(number)))
        self.write_offs.append(WriteOffEntry(seq, shares))
        return cents

    def _recover(self, number: int, cents: int) -> int:
        lost_cents, seq = self.lost_cents(number), len(self.postings) + 1
        if not cents or not lost_cents:
            return 0
        recovered, shares = recover(self.books, number, cents, unrecovered_cents=lost_cents, seq=seq)
        if recovered:
            self.postings.append(Posting(PostingKind.WRITE_OFF_RECOVERED, recovered, str(number), "pay_1"))
            self.write_offs.append(WriteOffEntry(seq, shares))
        return recovered

    def _issue(self, draft: InvoiceDraft) -> InvoiceDraft:
        number = FIRST + len(self.drafts)
        self.documents.append(a_document(number, *draft.lines, saw=len(self.postings)))
        self.drafts[number] = draft
        self.postings += issue_postings(draft, str(number), self._grants())
        self._settle(draft.credit_created_cents, draft.reversed_cents)
        return draft

    def _settle(self, arisen_cents: int, reversed_cents: Mapping[int, int]) -> None:
        open_invoices = self.open_invoices()
        paid = spread_credit(self.credit_cents, arisen_cents, reversed_cents, open_invoices)
        parts = [OpenInvoice(each.id, paid[each.id]) for each in open_invoices if each.id in paid]
        self.postings += credit_postings(self._grants(), parts)

    def _grants(self) -> list[CreditGrant]:
        used = {seq: 0 for seq, posting in enumerate(self.postings, start=1) if posting.credit is Book.CUSTOMER_CREDIT}
        for posting in self.postings:
            if posting.grant_seq is not None:
                used[posting.grant_seq] += posting.amount_cents
        return [CreditGrant(seq, self.postings[seq - 1].amount_cents - cents) for seq, cents in used.items()]
