"""One life of an account, told to the product and to the reference model at once, and compared after every step."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from app.domain.invoices import compute_invoice
from app.domain.ledger import PaymentKind
from app.domain.metering import Outcome
from app.domain.plan_changes import AlreadyOnPlan, DowngradeNotCostEffective, When
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.usage import CallReport
from app.gateways.clock import SystemClock
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.add_charge import add_charge
from app.services.cashier import Cashier
from app.services.change_plan import (
    NoScheduledChange,
    PlanChangeQuote,
    cancel_scheduled_plan_change,
    change_plan,
    preview_plan_change,
)
from app.services.close_periods import close_periods
from app.services.collecting import Collecting
from app.services.confirm_quote import PaymentDeclined
from app.services.credit_note import issue_credit_note
from app.services.grant_credit import grant_goodwill, record_prepayment
from app.services.once import IdempotencyConflict
from app.services.put_account import AccountParticulars, put_account
from app.services.quotes import QuoteDesk, QuoteStale
from app.services.record_calls import Item, record_calls
from app.services.record_payment import record_payment
from app.services.set_tax_rate import TaxBackdated, set_tax_rate
from app.services.standing import load_standing
from app.services.switch_add_on import (
    AddOnAlreadyActive,
    AddOnNotActive,
    activate_add_on,
    cancel_add_on,
    keep_add_on,
    preview_add_on,
)
from app.services.upgrade_plans import upgrade_plans
from app.services.verify import verify
from tests.fakes.edge import CountingIds
from tests.scenarios.account_stories import ZONE, Action, Clock, wall
from tests.scenarios.card_on_file import PaymentsDouble, put_card_on_file
from tests.scenarios.reference_model import (
    ADD_ONS,
    PLANS,
    Bill,
    Call,
    Line,
    Plan,
    ReferenceAccount,
    Refused,
    month_of,
    shift,
)

ACCOUNT = "AA0101"
BY = {"actor": "test", "reason": "A story."}
REFUSALS = (
    AlreadyOnPlan,
    DowngradeNotCostEffective,
    NoScheduledChange,
    AddOnAlreadyActive,
    AddOnNotActive,
    PaymentDeclined,
    QuoteStale,
)
INVOICES = """
    SELECT id, account_id, number, kind, period_on, total_cents, credit_applied_cents, content_hash, facts_hash,
        issued_at
    FROM invoice ORDER BY number
"""


@dataclass
class Life:
    """One story under way. `told` counts what really happened, so that a run shows what it covered."""

    database: Database
    sql: sqlite3.Connection
    clock: Clock
    model: ReferenceAccount
    paid_from: date
    has_card: bool = False
    account_id: str = ""
    known: dict[str, list[Any]] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)
    postings: int = 0
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.ids = CountingIds()
        self.desk = QuoteDesk("x" * 32, self.clock, self.ids)
        self.parts = {"database": self.database, "clock": self.clock, "ids": self.ids}
        self.mine = {**self.parts, "account": ACCOUNT}
        self.payments = PaymentsDouble()
        around = Collecting(self.database, self.clock, self.ids, self.payments, SystemClock())
        self.cashier = Cashier(around) if self.has_card else None
        self.declined: Bill | None = None

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZONE).date()

    async def begin(self, plan: Plan, paid_day: int) -> None:
        trial = (
            {"trial_ends_on": self.paid_from - timedelta(days=1)} if paid_day > 1 else {"paid_since_on": self.paid_from}
        )
        put = await put_account(
            **self.parts, particulars=AccountParticulars(ACCOUNT, "Harbor Dental", plan.code, **trial), actor="test"
        )
        self.account_id = put.account.id
        if self.has_card:
            await unit_of_work.write(self.database, lambda uow: put_card_on_file(uow, put.account.id))

    async def tell(self, action: Action) -> None:
        await self.advance(self.target(action), is_late=action.number % 8 == 0)
        await getattr(self, action.kind)(action.number)
        try:
            await self.check()
        except AssertionError as error:
            error.add_note(f"after {action} at {self.clock.now():%Y-%m-%d %H:%M}")
            raise

    def target(self, action: Action) -> datetime:
        if action.jump == "turn":
            turn = date(*shift(month_of(self.today), 1), 1)
            # Half of the turns lie within the hours in which the month is over and its bill not yet issued.
            hours = action.size % 6 if action.size % 2 else action.size % 15 - 8
            return max(self.clock.now(), wall(turn, hours))
        limit = {"none": 0, "minutes": 20, "hours": 30, "days": 12}[action.jump]
        unit = {"none": 0, "minutes": 60, "hours": 3_600, "days": 86_400}[action.jump]
        return self.clock.now() + timedelta(seconds=unit * (action.size % (limit + 1)))

    async def advance(self, target: datetime, *, is_late: bool) -> None:
        """Let every cycle invoice be issued at its instant, or late where the run was down."""
        while (due_at := self.due_at()) <= target:
            self.clock.instant = target if is_late else max(due_at, self.clock.instant)
            await self.close()
        self.clock.instant = target

    def due_at(self) -> datetime:
        first = date(*self.model.next_month, 1)
        return wall(max(first, self.paid_from), 6)

    async def close(self) -> None:
        bills = []
        while self.due_at() <= self.clock.now():
            ending = shift(self.model.next_month, -1)
            last_day = date(*self.model.next_month, 1) - timedelta(days=1)
            upgraded = self.upgrade_by_rules(ending, last_day)
            if upgraded is not None:
                self.told["upgraded at close"] += 1
                bills.append(upgraded)
            bills.append(self.model.open_month())
        previewed = None
        if len(bills) == 1:
            facts = await unit_of_work.read(self.database, lambda uow: uow.cycles.facts([self.account_id]))
            previewed = compute_invoice(facts[self.account_id]).content_hash
        assert await close_periods(**self.parts) == sum(bill.kind == "CYCLE" for bill in bills)
        issued = self.expect(*bills)
        if previewed is not None:
            assert issued[0]["content_hash"] == previewed, "the previewed cycle invoice is the issued one"
        self.told["closed"] += 1

    # -- what customers do --

    async def quote(self, target: Plan, when: str) -> PlanChangeQuote:
        async def work(uow: Any) -> PlanChangeQuote:
            version = SEED_CATALOGUE.get(target.code, self.today)
            standing = await load_standing(uow, ACCOUNT, self.clock.now())
            return preview_plan_change(standing, version.id, When(when), self.desk)

        return await unit_of_work.read(self.database, work)

    async def change(self, number: int) -> None:
        target, when = PLANS[number % 7], ("NOW", "NEXT_CYCLE")[number // 7 % 2]
        outcome, quote = await self.attempt(
            lambda: self.model.offer(target, when, self.today), self.quote(target, when)
        )
        if quote is None:
            self.told[f"preview: {outcome}"] += 1
            return
        covered, _ = outcome
        assert quote.offer.effective_on == covered[2]
        if number // 14 % 3 == 0:
            await getattr(self, ("calls", "pay", "upgrade", "goodwill")[number // 42 % 4])(number // 5)
        minutes = (0, 0, 5, 20)[number // 14 % 4]
        await self.advance(self.clock.now() + timedelta(minutes=minutes), is_late=False)
        await self.confirm(quote, target, when, covered, minutes >= 15, f"key {number}")
        if number // 3 % 4 == 0:
            await self.confirm(quote, target, when, covered, True, f"other {self.ids.new('key')}")

    async def confirm(self, quote: Any, target: Plan, when: str, covered: object, is_over: bool, key: str) -> None:
        key += self.ids.new("key")
        send = {
            **self.mine,
            "desk": self.desk,
            "cashier": self.cashier,
            "actor": "test",
            "quote_token": quote.quote.token,
            "idempotency_key": key,
        }
        self.payments.declines = len(self.payments.charges) % 2 == 1

        def by_rules() -> Bill | None:
            now_covered, bill = self.model.offer(target, when, self.today)
            if is_over or now_covered != covered:
                raise Refused("QuoteStale")
            self.pay_first(bill, lambda: self.model.change(target, when, self.today))
            return bill

        outcome, changed = await self.attempt(by_rules, change_plan(**send))
        if changed is None:
            self.told[f"confirm: {outcome}"] += 1
            await self.expect_in_vain(outcome, quote.offer.draft, lambda: change_plan(**send))
            return
        self.told[f"changed {when}"] += 1
        issued = self.expect(*([] if outcome is None else [outcome]))
        previewed = quote.offer.draft.content_hash if quote.offer.draft else None
        assert previewed == (issued[0]["content_hash"] if issued else None), "the previewed change is the issued one"
        assert await change_plan(**send) == changed, "the same key has the same answer"
        other = await self.any_other_quote(target)
        if other is not None:
            try:
                await change_plan(**{**send, "quote_token": other.quote.token})
            except IdempotencyConflict:
                self.told["same key, other body"] += 1
            else:
                raise AssertionError("A key was taken for two requests.")

    def pay_first(self, bill: Bill | None, take_effect: Callable[[], None]) -> None:
        """Let a change take effect in the model once it is paid, where there is a card and something to pay."""
        is_due = bill is not None and bill.total_cents > bill.credit_applied_cents
        if self.has_card and is_due and self.payments.declines:
            self.declined = bill
            self.model.issue_in_vain(bill)
            raise Refused("PaymentDeclined")
        take_effect()
        if self.has_card and is_due:
            self.told["charged"] += 1
            self.model.charge_last()

    async def expect_in_vain(self, outcome: str, draft: Any, again: Callable[[], Awaitable[object]]) -> None:
        """After a decline: the invoice was the previewed one and is void, and the same key is declined again."""
        if outcome != "PaymentDeclined":
            return
        assert self.expect(self.declined)[0]["content_hash"] == draft.content_hash
        charges = len(self.payments.charges)
        try:
            await again()
        except PaymentDeclined:
            assert len(self.payments.charges) == charges
        else:
            raise AssertionError("The same press was answered otherwise.")

    async def any_other_quote(self, than: Plan) -> PlanChangeQuote | None:
        try:
            return await self.quote(PLANS[-1], "NEXT_CYCLE") if than != PLANS[-1] else None
        except AlreadyOnPlan:
            return None

    async def attempt(self, by_rules: Any, work: Any) -> tuple[Any, Any]:
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

    async def cancel_change(self, number: int) -> None:
        pending = self.model.pending

        def by_rules() -> None:
            if pending is None:
                raise Refused("NoScheduledChange")
            self.model.pending = None

        version = SEED_CATALOGUE.get((pending or PLANS[0]).code, self.today)
        await self.attempt(
            by_rules, cancel_scheduled_plan_change(**self.mine, actor="test", plan_version_id=version.id)
        )
        self.told[f"cancelled change: {pending is not None}"] += 1

    async def buy(self, number: int) -> None:
        code = tuple(ADD_ONS)[number % len(ADD_ONS)]

        async def preview(uow: Any) -> Any:
            return preview_add_on(await load_standing(uow, ACCOUNT, self.clock.now()), code, self.desk)

        covered, quote = await self.attempt(
            lambda: self.model.add_on_bill(code, self.today), unit_of_work.read(self.database, preview)
        )
        if quote is None:
            return
        day = self.today
        if number // 5 % 3 == 0:
            await self.pay(number // 5)
        if number // 5 % 4 == 0:
            await self.advance(self.clock.now() + timedelta(minutes=number % 20), is_late=False)
        is_over = self.clock.now() >= quote.quote.expires_at

        def by_rules() -> Bill:
            bill = self.model.add_on_bill(code, self.today)
            if is_over or bill != covered or day != self.today:
                raise Refused("QuoteStale")
            self.pay_first(bill, lambda: self.model.buy(code, self.today))
            return bill

        self.payments.declines = len(self.payments.charges) % 2 == 1
        send = {"quote_token": quote.quote.token, "terms_version": quote.version.terms_version, "actor": "test"}
        send |= {**self.mine, "desk": self.desk, "cashier": self.cashier, "idempotency_key": self.ids.new("key")}
        outcome, bought = await self.attempt(by_rules, activate_add_on(**send))
        self.told["bought" if bought else f"buy: {outcome}"] += 1
        if bought is None:
            await self.expect_in_vain(outcome, quote.draft, lambda: activate_add_on(**send))
        else:
            assert self.expect(outcome)[0]["content_hash"] == quote.draft.content_hash
            assert await activate_add_on(**send) == bought

    async def cancel_add_on(self, number: int) -> None:
        code = tuple(ADD_ONS)[number % len(ADD_ONS)]
        await self.attempt(
            lambda: self.model.end_add_on(code, self.today), cancel_add_on(**self.mine, actor="test", code=code)
        )

    async def keep_add_on(self, number: int) -> None:
        code = tuple(ADD_ONS)[number % len(ADD_ONS)]
        await self.attempt(
            lambda: self.model.keep_add_on(code, self.today), keep_add_on(**self.mine, actor="test", code=code)
        )

    # -- what systems do --

    async def calls(self, number: int) -> None:
        age = timedelta(seconds=number * 7 % 7_200)
        if number % 3 == 0:
            age += timedelta(days=number // 3 % 40)
        elif number % 11 == 0:
            age = -timedelta(minutes=number % 10)
        live = (number % 600, number * 3 % 9_000, number * 7 % 86_000)[number % 3]
        for place in range(1 + number % 3):
            await self.report(
                self.clock.now() - age, live, number % 700 * (place % 2), number % 211, number % 9 != 0, None
            )

    async def correct(self, number: int) -> None:
        standing = [event for event in self.started if event not in self.corrected]
        if standing:
            event = standing[number % len(standing)]
            live = self.model.calls[event].live_seconds * (number % 3) // 2
            await self.report(self.started[event], live, number % 400, 0, number % 7 != 0, event)

    async def report(
        self, started_at: datetime, live: int, patch: int, ivr: int, is_billable: bool, corrects: str | None
    ) -> None:
        event, on = self.ids.new("event"), started_at.astimezone(ZONE).date()
        figures = {"script_seconds": live // 2, "recording_seconds": live, "patch_seconds": patch, "ivr_seconds": ivr}
        call = CallReport("centre", event, ACCOUNT, started_at, **figures, is_billable=is_billable, corrects=corrects)
        item = [Item(0, call)]
        (verdict,) = await record_calls(**self.parts, source="centre", items=item, actor="test")
        is_taken = verdict.outcome is Outcome.ACCEPTED
        assert is_taken == self.model.takes(on, self.clock.now() - started_at), verdict
        self.told["call" if is_taken else "call refused"] += 1
        if is_taken:
            (again,) = await record_calls(**self.parts, source="centre", items=item, actor="test")
            assert again.outcome is Outcome.DUPLICATE
            self.started[event] = started_at
            self.model.calls[event] = Call(on, live, patch, ivr, is_billable)
            if corrects is not None:
                self.corrected.add(corrects)
                del self.model.calls[corrects]

    def upgrade_by_rules(self, month: tuple[int, int], on: date) -> Bill | None:
        before, bill = self.model.chosen, self.model.upgrade(month, on)
        if self.model.chosen != before:
            self.told["upgraded for good"] += 1
        return bill

    async def upgrade(self, number: int) -> None:
        # The month that is open: in the first hours of a month still the one before.
        last_day = date(*self.model.next_month, 1) - timedelta(days=1)
        open_month = shift(self.model.next_month, -1)
        bill = self.upgrade_by_rules(open_month, min(self.today, last_day))
        assert await upgrade_plans(**self.parts) == (bill is not None)
        self.expect(*([] if bill is None else [bill]))
        assert await upgrade_plans(**self.parts) == 0
        self.told[f"upgraded: {bill is not None}"] += 1

    # -- what staff do --

    async def pay(self, number: int) -> None:
        cents = 1 + (number * 13 % 60_000 if number % 3 else self.model.open_cents + number % 2_000)
        payment = {"reference": self.ids.new("check"), "received_on": self.today, "amount_cents": cents}
        for _ in range(2):
            await record_payment(**self.mine, kind=PaymentKind.CHECK, **payment, **BY)
        self.model.pay(cents)

    async def goodwill(self, number: int) -> None:
        cents = 1 + number % 30_000
        await grant_goodwill(**self.mine, amount_cents=cents, reference=self.ids.new("ref"), **BY)
        self.model.grants.append(cents)

    async def prepay(self, number: int) -> None:
        cents, reference = 1 + number % 60_000, self.ids.new("check")
        await record_prepayment(**self.mine, amount_cents=cents, reference=reference, received_on=self.today, **BY)
        self.model.grants.append(cents)

    async def charge(self, number: int) -> None:
        cents = 1 + number % 5_000
        await add_charge(**self.mine, title="Programming", amount_cents=cents, reference=self.ids.new("ref"), **BY)
        self.model.charges.append(cents)

    async def tax(self, number: int) -> None:
        rate, valid_from = (0, 650, 825, 1_000)[number % 4], self.today + timedelta(days=number // 4 % 20)
        try:
            await set_tax_rate(**self.mine, name="Sales tax", ten_thousandths=rate, valid_from=valid_from, **BY)
        except TaxBackdated:
            return
        self.model.taxes = [dated for dated in self.model.taxes if dated[0] != valid_from] + [(valid_from, rate)]

    async def credit_note(self, number: int) -> None:
        whole = [
            place
            for place, issued in enumerate(self.model.invoices)
            if not issued.is_credited
            and all(line.cents > 0 for line in issued.bill.lines)
            and issued.bill.kind == "CYCLE"
        ]
        if whole:
            place = whole[number % len(whole)]
            invoice = self.invoice_rows()[place]
            note = {"invoice_number": invoice["number"], "cents_by_line": {}, "reference": self.ids.new("ref")}
            await issue_credit_note(**self.mine, **note, **BY)
            self.expect(self.model.credit_note(place, self.today))
            self.told["credit note"] += 1

    # -- what must hold --

    def invoice_rows(self) -> list[dict[str, Any]]:
        cursor = self.sql.execute(INVOICES)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def expect(self, *bills: Bill) -> list[dict[str, Any]]:
        """Look at what was issued since the last look: exactly these bills, line by line."""
        new = [row for row in self.invoice_rows() if row["id"] not in self.known]
        assert len(new) == len(bills), f"{len(new)} invoices issued, by the rules {len(bills)}"
        for row, bill in zip(new, bills, strict=True):
            lines = self.sql.execute("SELECT * FROM invoice_line WHERE invoice_id = ? ORDER BY position", (row["id"],))
            names = [column[0] for column in lines.description]
            found = lines.fetchall()
            self.known[row["id"]] = [row, *found]
            said = [dict(zip(names, line, strict=True)) for line in found]
            amounts = [
                Line(line["kind"], month_of(date.fromisoformat(line["period_on"])), line["amount_cents"])
                for line in said
                if line["amount_cents"]
            ]
            assert row["kind"] == bill.kind
            assert sorted(amounts) == sorted(line for line in bill.lines if line.cents)
            assert sum(line["amount_cents"] for line in said) == row["total_cents"] == bill.total_cents
            assert row["credit_applied_cents"] == bill.credit_applied_cents
        return new

    async def check(self) -> None:
        rows = self.invoice_rows()
        assert [row["id"] for row in rows] == list(self.known), "nothing is issued that the rules do not call for"
        lines: dict[str, list[Any]] = {row["id"]: [row] for row in rows}
        for line in self.sql.execute("SELECT * FROM invoice_line ORDER BY invoice_id, position"):
            lines[self.owner_of(line)].append(line)
        assert lines == self.known, "nothing issued ever changes"
        for month, plan in self.model.months.items():
            assert self.model.billed(month, "BASE", "BASE_REVERSAL") == self.model.base(plan, month)
        opened = self.sql.execute(
            "SELECT period_on, code FROM billing_cycle JOIN plan_version ON plan_version.id = plan_version_id"
        ).fetchall()
        assert {month_of(date.fromisoformat(on)): code for on, code in opened} == {
            month: plan.code for month, plan in self.model.months.items()
        }
        if self.check_books():
            await self.check_credit()

    def owner_of(self, line: tuple[Any, ...]) -> str:
        return next(value for value in line if value in self.known)

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
        assert (books["RECEIVABLE"], -books["CUSTOMER_CREDIT"]) == (self.model.open_cents, self.model.credit_cents)
        is_new, self.postings = len(postings) > self.postings, len(postings)
        return is_new

    async def check_credit(self) -> None:
        async def read(uow: Any) -> Any:
            credit = await uow.ledger.credit_grants([self.account_id])
            return credit.get(self.account_id, []), await uow.ledger.open_invoices(self.account_id)

        grants, open_invoices = await unit_of_work.read(self.database, read)
        assert [grant.remaining_cents for grant in grants] == self.model.grants, "the oldest credit is used first"
        owed = [issued.balance_cents for issued in self.model.invoices if issued.balance_cents]
        assert [invoice.balance_cents for invoice in open_invoices] == owed

    async def verify(self) -> None:
        """The product's own check; each invoice is computed again from raw calls."""
        differences = [each async for each in verify(database=self.database)]
        assert not differences, differences
