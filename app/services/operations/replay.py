"""The facts of issued invoices as they stood, rebuilt from raw calls, lines and postings in order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.domain import engine_1
from app.domain.add_ons import purchase_facts, recurring_items
from app.domain.checkouts import AddOnDetails
from app.domain.credit_notes import Creditable, credit_note_facts_hash, recompute_credit_note
from app.domain.engine_1 import BilledBase, OldCreditable, OldFacts, OldTax
from app.domain.explanations import OLD_RATE_SCALE
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import BASE_LINE_KINDS, USAGE_LINE_KINDS, LineKind
from app.domain.invoices import ENGINE_VERSION, BillingFacts, UsedPeriod, compute_invoice, facts_hash
from app.domain.ledger import Book, PostingKind, moved_cents
from app.domain.periods import Period, billing_date, day_before
from app.domain.policies import policies_on, policies_version
from app.domain.position_fold import Books, fold
from app.domain.positions import NOTHING_BILLED
from app.domain.taxes import taxes_in_force
from app.domain.usage import UsageTotals
from app.repositories.accounts import ADJUSTABLE_MONTHS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from app.domain.accounts import Account
    from app.domain.add_ons import AddOnSubscription, AddOnVersion
    from app.domain.billed_lines import WriteOffEntry
    from app.domain.billing_items import OneTimeCharge, RecurringItem
    from app.domain.invoice_drafts import InvoiceDraft
    from app.domain.invoice_lines import InvoiceLine
    from app.domain.plans import PlanVersion
    from app.domain.position_fold import Document
    from app.domain.taxes import TaxList, TaxRate
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import PostedPosting
    from app.repositories.unit_of_work import UnitOfWork

CHANGING_PLAN = frozenset({InvoiceKind.PLAN_CHANGE, InvoiceKind.PLAN_UPGRADE})
BILLING_BASE = CHANGING_PLAN | {InvoiceKind.CYCLE}
VOIDING = frozenset(
    {
        PostingKind.VOIDED,
        PostingKind.TAX_VOIDED,
        PostingKind.REVERSAL_VOIDED,
        PostingKind.TAX_REVERSAL_VOIDED,
    }
)
ENGINES = (engine_1.ENGINE_VERSION, ENGINE_VERSION)
"""The engines that this release can compute an invoice with again."""


class FactsMissing(LookupError):
    """The books no longer hold what the invoice was computed from."""


@dataclass(slots=True)
class Replay:
    """One account's invoices, taken in order; what earlier ones billed collects as they pass.

    `month_plans` is the plan that each month stands on so far, `books` what is still billed; `write_offs` are those to
    come. `void_since` is the posting from which on an invoice, by its id, bills nothing any more: what was issued
    before saw it. `purchases` are the add-ons that had to be paid first, by invoice, whether or not they were.
    `old_usage` and `old_base` are the sums that engine 1 went by.
    """

    account: Account
    postings: Sequence[PostedPosting]
    plans: Mapping[str, PlanVersion]
    subscriptions: Sequence[AddOnSubscription]
    charges: Mapping[str, tuple[OneTimeCharge, ...]]
    taxes: Sequence[TaxList]
    purchases: Mapping[str, AddOnVersion]
    write_offs: list[WriteOffEntry]
    void_since: Mapping[str, int]
    month_plans: dict[date, PlanVersion] = field(default_factory=dict)
    books: Books = field(default_factory=Books)
    old_usage: Counter[date] = field(default_factory=Counter)
    old_base: dict[date, BilledBase] = field(default_factory=dict)
    _documents: dict[str, Document] = field(default_factory=dict)
    _seen_write_offs: list[WriteOffEntry] = field(default_factory=list)

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
                checkout.invoice_id: versions[checkout.details.version]
                for checkout in checkouts
                if isinstance(checkout.details, AddOnDetails)
            },
            write_offs=await uow.write_offs.list_for_account(account.id),
            void_since=void_since(invoices, postings),
        )

    async def compute(self, uow: UnitOfWork, invoice: StoredInvoice) -> tuple[InvoiceDraft, str, BillingFacts]:
        """Return an invoice computed again by its own engine, the hash of its facts, and the facts.

        :raises UnknownPolicies: when this release does not have the invoice's policies.
        :raises FactsMissing: when the books do not hold the facts any more.
        """
        facts = await self.facts(uow, invoice)
        if invoice.engine_version == ENGINE_VERSION:
            return compute_invoice(facts), facts_hash(facts), facts
        base = self.old_base.get(invoice.period.starts_on) if invoice.kind in CHANGING_PLAN else None
        old = OldFacts(facts, base, dict(self.old_usage), _old_tax(facts.taxes))
        return engine_1.compute_invoice(old), engine_1.facts_hash(old), facts

    def compute_credit_note(
        self, note: StoredInvoice, corrected: StoredInvoice, earlier: Sequence[InvoiceLine]
    ) -> tuple[InvoiceDraft, str]:
        """Return a credit note computed again by its own engine, and the hash of its facts.

        `earlier` are the lines of the credit notes written over the same invoice before.
        :raises CreditNoteRefused: when the invoice has not that much to give back.
        """
        self._catch_up(note.ledger_watermark)
        if note.engine_version == ENGINE_VERSION:
            creditable = Creditable.of(corrected.number, self.books)
            draft = recompute_credit_note(creditable, note.lines, note.period)
            return draft, credit_note_facts_hash(creditable, draft)
        old = OldCreditable(corrected.number, corrected.lines, earlier)
        draft = engine_1.recompute_credit_note(old, note.lines, note.period)
        return draft, engine_1.credit_note_facts_hash(old, draft)

    async def facts(self, uow: UnitOfWork, invoice: StoredInvoice) -> BillingFacts:
        """Return the facts that an invoice was computed from; `passed` has been told of every earlier one.

        :raises UnknownPolicies: when this release does not have the invoice's policies.
        :raises FactsMissing: when the books do not hold the facts any more.
        """
        self._catch_up(invoice.ledger_watermark)
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
            billed_base=self.books.position(month, LineKind.BASE) if invoice.kind in CHANGING_PLAN else NOTHING_BILLED,
            recurring=self._recurring(invoice),
            charges=self.charges.get(invoice.id, ()),
            taxes=self._taxes(invoice),
        )

    def passed(self, invoice: StoredInvoice) -> None:
        """Take an invoice into what was billed; a void one leaves nothing behind, once it is void."""
        self._catch_up(invoice.ledger_watermark)
        is_void = invoice.status is InvoiceStatus.VOID
        if not is_void or invoice.id in self.void_since:
            self._documents[invoice.id] = invoice.document
            self.books.add(invoice.document)
        if is_void:
            return
        month = invoice.period.starts_on
        if invoice.kind in BILLING_BASE:
            self.month_plans[month] = self.plans[invoice.plan_version_id]
        for line in invoice.lines:
            if line.kind in USAGE_LINE_KINDS:
                self.old_usage[line.period.starts_on] += line.amount_cents
            elif line.kind in BASE_LINE_KINDS:
                self._bill_old_base(line)

    def end(self) -> None:
        """Take in what was written off, recovered and made void after the last invoice."""
        if self.postings:
            self._catch_up(self.postings[-1].seq)

    def _catch_up(self, ledger_watermark: int) -> None:
        """Take in the write-offs that an invoice saw, and leave out what was void by then."""
        while self.write_offs and self.write_offs[0].seq <= ledger_watermark:
            self._seen_write_offs.append(self.write_offs[0])
            self.books.write_off(self.write_offs.pop(0))
        void = [each for each in self._documents if self.void_since.get(each, ledger_watermark + 1) <= ledger_watermark]
        if void:
            for each in void:
                del self._documents[each]
            self.books = fold(self._documents.values(), self._seen_write_offs)

    def _bill_old_base(self, line: InvoiceLine) -> None:
        month = line.period.starts_on
        known = self.old_base.get(month, BilledBase("", "", 0))
        if line.kind is LineKind.BASE:
            known = replace(known, plan_code=str(line.inputs["plan"]), plan_name=str(line.inputs["plan_name"]))
        self.old_base[month] = replace(known, amount_cents=known.amount_cents + line.amount_cents)

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
                self.books.usage(period.starts_on),
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
            self._taxes(invoice),
        )

    def _subscribed(self, invoice: StoredInvoice, bought_on: date) -> AddOnVersion:
        codes = {line.inputs.get("item") for line in invoice.lines}
        for subscription in self.subscriptions:
            if subscription.starts_on == bought_on and subscription.version.code in codes:
                return subscription.version
        raise FactsMissing(f"no add-on was bought on {bought_on}")

    def _taxes(self, invoice: StoredInvoice) -> tuple[TaxRate, ...]:
        """Return the taxes in force when the month began, for a cycle invoice, or on the day of issue for any other."""
        on = invoice.period.starts_on
        if invoice.kind is not InvoiceKind.CYCLE:
            on = min(billing_date(invoice.issued_at), day_before(invoice.period.ends_before))
        return taxes_in_force(self.taxes, on)

    def _credit_before(self, invoice: StoredInvoice) -> int:
        """Return the credit that the invoice found."""
        seen = self.postings[: invoice.ledger_watermark]
        return -sum(moved_cents(posted.posting, Book.CUSTOMER_CREDIT) for posted in seen)


def void_since(invoices: Iterable[StoredInvoice], postings: Sequence[PostedPosting]) -> dict[str, int]:
    """Return the posting from which on each void invoice bills nothing any more, by its id.

    One whose lines came to nothing has no such posting: it is void where the invoice in its place begins.
    """
    since: dict[str, int] = {}
    for invoice in invoices:
        if invoice.kind is not InvoiceKind.CREDIT_NOTE and invoice.corrects_invoice_id is not None:
            since[invoice.corrects_invoice_id] = invoice.ledger_watermark
    for _, seq, posting in reversed(postings):
        if posting.invoice_id is not None and posting.kind in VOIDING:
            since[posting.invoice_id] = seq
    return since


def _old_tax(taxes: Sequence[TaxRate]) -> OldTax | None:
    """Return the one tax that engine 1 knew, at its scale."""
    return OldTax(taxes[0].name, taxes[0].rate // OLD_RATE_SCALE) if taxes else None
