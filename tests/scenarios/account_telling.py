"""What telling a story needs: the product and the reference model side by side, and what must hold after every step."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from app.domain.plan_changes import AlreadyOnPlan, DowngradeNotCostEffective
from app.gateways.clock import SystemClock
from app.repositories.database import Database
from app.services.adjustments.credit_note import CreditNoteRefused
from app.services.adjustments.refund_payment import NothingToRefund
from app.services.adjustments.set_taxes import TaxBackdated
from app.services.adjustments.void_invoice import InvoiceNotVoidable
from app.services.adjustments.waive_charge import ChargeAlreadyInvoiced
from app.services.adjustments.write_off import NothingToWriteOff
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.operations.verify import verify
from app.services.payments.customer_charges import PaymentDeclined
from app.services.payments.pay_invoice import NothingToPay
from app.services.payments.payment_runner import PaymentRunner
from app.services.plans.change_plan import NoScheduledChange
from app.services.plans.quotes import QuoteSigner, QuoteStale
from app.services.plans.switch_add_on import AddOnAlreadyActive, AddOnNotActive
from tests.fakes.edge import CountingIds
from tests.scenarios.account_stories import ZONE, Clock
from tests.scenarios.card_on_file import PaymentsDouble
from tests.scenarios.reference_bills import Bill, Line, Refused
from tests.scenarios.reference_books import Invoice
from tests.scenarios.reference_model import ReferenceAccount
from tests.scenarios.reference_prices import month_of

ACCOUNT = "AA0101"
BY = Caller(ACCOUNT, "test")
WHY = {"reason": "A story."}
REFUSALS = (
    AlreadyOnPlan,
    DowngradeNotCostEffective,
    NoScheduledChange,
    AddOnAlreadyActive,
    AddOnNotActive,
    PaymentDeclined,
    QuoteStale,
    CreditNoteRefused,
    NothingToWriteOff,
    InvoiceNotVoidable,
    NothingToRefund,
    NothingToPay,
    TaxBackdated,
    ChargeAlreadyInvoiced,
)
INVOICES = """
    SELECT id, account_id, number, kind, period_on, total_cents, credit_applied_cents, content_hash, facts_hash,
        issued_at
    FROM invoice ORDER BY number
"""
BALANCES = """
    SELECT invoice_id, SUM(amount_cents * ((debit = 'RECEIVABLE') - (credit = 'RECEIVABLE')))
    FROM ledger_posting WHERE invoice_id IS NOT NULL GROUP BY invoice_id
"""
GRANTS = """
    SELECT granted.seq, granted.amount_cents - COALESCE(SUM(used.amount_cents), 0)
    FROM ledger_posting AS granted LEFT JOIN ledger_posting AS used ON used.grant_seq = granted.seq
    WHERE granted.credit = 'CUSTOMER_CREDIT' GROUP BY granted.seq ORDER BY granted.seq
"""
Result = TypeVar("Result")


@dataclass
class Telling:
    """One story under way.

    `told` counts what really happened, so that a run shows what it covered; `acts` are the kinds of act that did, in
    their order, and `deeds` what they did to the model, so that it can be told again without one of them.
    """

    database: Database
    sql: sqlite3.Connection
    clock: Clock
    model: ReferenceAccount
    paid_from: date
    has_card: bool = False
    account_id: str = ""
    known: dict[str, list[Any]] = field(default_factory=dict)
    places: dict[int, list[int]] = field(default_factory=dict)
    postings: int = 0
    told: Counter[str] = field(default_factory=Counter)
    acts: list[str] = field(default_factory=list)
    deeds: list[tuple[str, Callable[[ReferenceAccount], object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = CountingIds()
        self.signer = QuoteSigner("x" * 32, self.clock, self.ids)
        self.payments = PaymentsDouble()
        self.services = Services(self.database, self.clock, self.ids, self.payments, SystemClock())
        # Outcomes are compared, so a busy machine is waited for.
        self.payment_runner = PaymentRunner(self.services, answers_within_seconds=600) if self.has_card else None

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZONE).date()

    def did(self, kind: str, what: str = "") -> None:
        """Note that an act of the kind has happened."""
        self.acts.append(kind)
        self.told[what or kind] += 1

    def deed(self, do: Callable[[ReferenceAccount], Result], kind: str = "") -> Result:
        """Let the model do something, and remember it; what the rules forbid is raised."""
        result = do(self.model)
        self.deeds.append((kind, do))
        return result

    async def attempt(self, by_rules: Callable[[], Result], work: Awaitable[Any]) -> tuple[Any, Any]:
        """Do it in the model and in the product; both do it, or both refuse for the same reason."""
        try:
            expected, refusal = by_rules(), None
        except Refused as refused:
            expected, refusal = None, str(refused)
        try:
            result, found = await work, None
        except REFUSALS as refused:
            result, found = None, type(refused).__name__.replace("AddOnQuote", "Quote")
        assert found == refusal, f"refused for {found}, by the rules for {refusal}"
        return (expected, result) if refusal is None else (refusal, None)

    # -- what was issued --

    def invoice_rows(self) -> list[dict[str, Any]]:
        return self.rows(INVOICES)

    def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        cursor = self.sql.execute(statement, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def expect(self, *bills: Bill) -> list[dict[str, Any]]:
        """Look at what was issued since the last look: exactly these bills, line by line, tax by tax."""
        new = [row for row in self.invoice_rows() if row["id"] not in self.known]
        assert len(new) == len(bills), f"{len(new)} invoices issued, by the rules {len(bills)}"
        for row, bill in zip(new, bills, strict=True):
            lines = self.rows("SELECT * FROM invoice_line WHERE invoice_id = ? ORDER BY position", row["id"])
            self.known[row["id"]] = [tuple(row.values()), *(tuple(line.values()) for line in lines)]
            for line in lines:
                line["inputs"], line["taxes"] = json.loads(line["inputs"]), json.loads(line["taxes"] or "[]")
            assert row["kind"] == bill.kind
            self.places[row["number"]] = self.compare_lines(bill, [line for line in lines if line["kind"] != "TAX"])
            taxes = [told_tax(line) for line in lines if line["kind"] == "TAX"]
            assert sorted(tax for tax in taxes if tax[-1]) == bill.tax_lines
            assert sum(line["amount_cents"] for line in lines) == row["total_cents"] == bill.total_cents
            assert row["credit_applied_cents"] == bill.credit_applied_cents
        return new

    @staticmethod
    def compare_lines(bill: Bill, lines: list[dict[str, Any]]) -> list[int]:
        """Compare kind, month, cents and taxes of each line; return where the product has the model's lines."""
        told = [line for line in lines if line["amount_cents"]]
        ours = [
            (
                line.kind,
                line.usage,
                line.month,
                line.cents,
                sorted([(*tax, 0, cents) for tax, cents in taxes if cents] + taken_taxes(line)),
            )
            for line, taxes in zip(bill.lines, bill.taxes, strict=True)
        ]
        theirs = [
            (
                line["kind"],
                line["inputs"].get("usage", ""),
                month_of(date.fromisoformat(line["period_on"])),
                line["amount_cents"],
                sorted((name, rate, number or 0, cents) for name, rate, cents, number in line["taxes"] if cents),
            )
            for line in told
        ]
        assert theirs == ours
        return [line["position"] for line in told]

    # -- what must hold --

    def check(self) -> None:
        rows = self.invoice_rows()
        assert [row["id"] for row in rows] == list(self.known), "nothing is issued that the rules do not call for"
        lines: dict[str, list[Any]] = {row["id"]: [tuple(row.values())] for row in rows}
        for line in self.rows("SELECT * FROM invoice_line ORDER BY invoice_id, position"):
            lines[line["invoice_id"]].append(tuple(line.values()))
        assert lines == self.known, "nothing issued ever changes"
        opened = self.sql.execute(
            "SELECT period_on, code FROM billing_cycle JOIN plan_version ON plan_version.id = plan_version_id"
        ).fetchall()
        assert {month_of(date.fromisoformat(on)): code for on, code in opened} == {
            month: plan.code for month, plan in self.model.months.items()
        }
        if self.check_books():
            self.model.books.check_positions()
            self.model.books.check_money()
            self.check_invoices([row["id"] for row in rows])
            self.check_credit()

    def check_books(self) -> bool:
        """Add the postings up; tell whether there are new ones."""
        books: Counter[str] = Counter()
        postings = self.sql.execute("SELECT debit, credit, amount_cents FROM ledger_posting ORDER BY seq").fetchall()
        for debit, credit, cents in postings:
            assert cents > 0
            books[debit] += cents
            books[credit] -= cents
            assert books["CUSTOMER_CREDIT"] <= 0, "credit is never negative"
        assert sum(books.values()) == 0
        ours = self.model.books
        assert (books["RECEIVABLE"], -books["CUSTOMER_CREDIT"]) == (ours.open_cents, ours.credit_cents)
        assert (books["CASH"], books["GOODWILL"]) == (ours.cash_cents, ours.goodwill_cents)
        self.check_identity(books)
        is_new, self.postings = len(postings) > self.postings, len(postings)
        return is_new

    def check_identity(self, books: Counter[str]) -> None:
        """Cash in = cash out + what is billed and paid + credit, in the product's own figures.

        Of the lines of all invoices that stand is still billed what no write-off stands on. What is not open of it is
        paid: by cash or goodwill, or it was lost without a line that lost it.
        """
        billed = sum(row["total_cents"] for row in self.rows("SELECT total_cents FROM invoice WHERE status <> 'VOID'"))
        lost = sum(
            row["cents"] + sum(json.loads(row["tax_cents"]))
            for row in self.rows("SELECT cents, tax_cents FROM write_off_share")
        )
        paid = billed - lost - books["RECEIVABLE"]
        assert billed - lost == self.model.books.billed_cents
        assert books["CASH"] + books["GOODWILL"] + books["BAD_DEBT"] - lost == paid - books["CUSTOMER_CREDIT"]

    def check_invoices(self, ids: list[str]) -> None:
        """The open balance and the status of every invoice, the oldest first."""
        balances = dict(self.sql.execute(BALANCES).fetchall())
        stored = dict(self.sql.execute("SELECT id, status FROM invoice").fetchall())
        theirs = [(stored[each], balances.get(each, 0)) for each in ids]
        ours = [(invoice.status, invoice.balance_cents) for invoice in self.model.books.invoices]
        assert theirs == ours

    def check_credit(self) -> None:
        left = [cents for _, cents in self.sql.execute(GRANTS) if cents]
        assert left == self.model.books.grants, "the oldest credit is used first"

    async def verify(self) -> None:
        """The product's own check; each invoice is computed again from raw calls."""
        differences = [each async for each in verify(database=self.database)]
        assert not differences, differences

    def creditable(self) -> list[Invoice]:
        """Invoices of which a credit note can give something back."""
        standing = (invoice for invoice in self.model.books.invoices if invoice.status in {"OPEN", "PAID"})
        return [invoice for invoice in standing if any(entry.left for entry in invoice.entries)]


def told_tax(line: dict[str, Any]) -> tuple[str, int, int, int]:
    inputs = line["inputs"]
    return inputs["tax_name"], line["unit_price"], int(inputs.get("reverses", 0)), line["amount_cents"]


def taken_taxes(line: Line) -> list[tuple[str, int, int, int]]:
    """The taxes that a line gives back, by the invoices that had billed them."""
    taken: Counter[tuple[str, int, int]] = Counter()
    for take in line.takes:
        taken.update({(*tax, take.place.number): cents for tax, cents in take.taxes})
    return [(*tax, -cents) for tax, cents in taken.items() if cents]
