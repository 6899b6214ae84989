"""Random histories of an account, told to the whole product: the preview that a customer sees at the moment of closing
has the hash of the invoice then issued, and both are what an independent calculator makes of the calls (rules 25, 28).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.metering import Outcome
from app.domain.periods import Period, day_starts_at
from app.domain.plans import Catalogue, PlanVersion
from app.domain.usage import CallReport
from app.models.accounts import AccountRow
from tests import calculator
from tests.database import copied_database
from tests.factories.calls import a_call
from tests.factories.strategies import DAYS, SECONDS, plans
from tests.world import ACCOUNT, World

QUERY = """{
  nextInvoice {
    hash period { startsOn } total { amount } creditApplied { amount } amountDue { amount }
    lines { kind amount { amount } period { startsOn } }
  }
  billingSummary { openBalance { amount } creditBalance { amount } nextInvoice { hash } }
}"""

ONE_MONTH = 31 * 86_400
HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Step:
    """What happens at an instant: a report of a call begun `ago_seconds` earlier, a correction, a check, a plan."""

    at: datetime
    kind: str
    number: int
    ago_seconds: int
    call: CallReport


@dataclass(frozen=True, slots=True)
class Story:
    paid_starts_on: date
    plans: list[PlanVersion]
    steps: list[Step]
    ends_at: datetime


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Up to five months; half of all steps lie within hours of a month's turn, and half of all calls come in late."""
    paid_starts_on = draw(DAYS)
    first = Period.containing(paid_starts_on)
    months = [first.shifted(index) for index in range(draw(st.integers(1, 5)))]
    turns = [day_starts_at(month.starts_on) for month in months]
    steps = [
        Step(
            at=draw(st.sampled_from(turns)) + timedelta(seconds=draw(NEAR | ANY_TIME)),
            kind=draw(st.sampled_from(["report", "report", "report", "correction", "check", "plan"])),
            number=number,
            ago_seconds=draw(st.integers(0, HOUR)) + 86_400 * draw(st.just(0) | st.integers(1, 40)),
            call=draw(CALLS),
        )
        for number in range(draw(st.integers(0, 14)))
    ]
    ends_at = day_starts_at(months[-1].ends_before) + timedelta(hours=7)
    return Story(paid_starts_on, draw(PLANS), sorted(steps, key=lambda step: step.at), ends_at)


def on_sale(plan: PlanVersion) -> PlanVersion:
    """A plan that few calls use up, at a price that the tables take, sold in every year of a story."""
    included_minutes, rate = plan.included_minutes % 600, max(1, plan.overage_rate)
    return replace(plan, valid_from=date(2000, 1, 1), included_minutes=included_minutes, overage_rate=rate)


NEAR = st.integers(-8 * HOUR, 8 * HOUR)
ANY_TIME = st.integers(0, ONE_MONTH)


def of_one_size(several: list[PlanVersion]) -> list[PlanVersion]:
    """Plans of which none is a step up from another: automatic upgrades have stories of their own."""
    return [replace(plan, included_minutes=several[0].included_minutes) for plan in several]


PLANS = st.lists(plans().map(on_sale), min_size=1, max_size=3, unique_by=lambda plan: plan.id).map(of_one_size)
CALLS = st.builds(
    a_call,
    script_seconds=SECONDS,
    recording_seconds=SECONDS,
    patch_seconds=SECONDS,
    ivr_seconds=SECONDS,
    is_billable=st.integers(0, 5).map(bool),
)


@dataclass
class Books:
    """What a clerk with the calculator keeps: the calls that stand, what was billed, what is open, and credit."""

    paid_starts_on: date
    plan: PlanVersion
    calls: dict[str, CallReport] = field(default_factory=dict)
    plans: dict[calculator.Month, calculator.PlanFigures] = field(default_factory=dict)
    billed: Counter[tuple[calculator.Month, str]] = field(default_factory=Counter)
    open_cents: int = 0
    credit_cents: int = 0

    def open_month(self, period: Period) -> tuple[list[calculator.Line], int, int]:
        """The lines, the total and the credit applied of the month's invoice, entered into the books."""
        month = period.starts_on.year, period.starts_on.month
        self.plans[month] = calculator.PlanFigures(
            base_cents=self.plan.base_cents,
            included_minutes=self.plan.included_minutes,
            overage_rate=self.plan.overage_rate,
        )
        bill = calculator.bill_month(
            month,
            paid_from=self.paid_starts_on,
            plans=self.plans,
            calls=[plain(call) for call in self.calls.values()],
            already_billed=self.billed,
        )
        for kind, earlier, cents in bill.lines:
            self.billed[earlier, kind.removesuffix(" adjustment")] += cents
        applied = min(self.credit_cents, max(0, bill.total_cents))
        self.credit_cents += max(0, -bill.total_cents) - applied
        self.open_cents += max(0, bill.total_cents) - applied
        return bill.lines, bill.total_cents, applied

    def receive(self, cents: int) -> None:
        paid = min(cents, self.open_cents)
        self.open_cents -= paid
        self.credit_cents += cents - paid


def plain(call: CallReport) -> calculator.Call:
    return calculator.Call(
        started_at=call.started_at,
        script_seconds=call.script_seconds,
        recording_seconds=call.recording_seconds,
        patch_seconds=call.patch_seconds,
        ivr_seconds=call.ivr_seconds,
        billable=call.is_billable,
    )


@dataclass
class Telling:
    """A story while it is told to the product and to the clerk; every invoice on the way is compared three ways."""

    world: World
    books: Books
    account_id: str
    compared: int = 0

    async def tell(self, story: Story) -> None:
        for step in story.steps:
            await self.pass_time(step.at)
            await self.take(step, story)
        await self.pass_time(story.ends_at)

    async def pass_time(self, until: datetime) -> None:
        while (due_at := await self.world.next_due_at()) is not None and due_at <= until:
            self.world.clock.instant = max(due_at, self.world.clock.now())
            await self.compare()
        self.world.clock.instant = max(until, self.world.clock.now())

    async def take(self, step: Step, story: Story) -> None:
        match step.kind:
            case "report":
                started_at = step.at - timedelta(seconds=step.ago_seconds)
                await self.report(step.call._replace(event_id=str(step.number), started_at=started_at))
            case "correction" if self.books.calls:
                snapshot = sorted(self.books.calls)
                original = self.books.calls[snapshot[step.number % len(snapshot)]]
                corrected = {"event_id": str(step.number), "started_at": original.started_at}
                await self.report(step.call._replace(**corrected, corrects=original.event_id))
            case "check":
                await self.world.pay(step.ago_seconds + 1)
                self.books.receive(step.ago_seconds + 1)
            case "plan":
                self.books.plan = story.plans[step.number % len(story.plans)]
                await self.choose(self.books.plan)

    async def report(self, call: CallReport) -> None:
        (metered,) = await self.world.add_calls(call)
        if metered.outcome is Outcome.ACCEPTED:
            self.books.calls[call.event_id] = call
            if call.corrects is not None:
                del self.books.calls[call.corrects]

    async def choose(self, plan: PlanVersion) -> None:
        """What a change of plan for the next month will do: the chosen plan is another one."""

        async def work(session):
            account = await session.get(AccountRow, self.account_id)
            account.plan_version_id = plan.id

        await self.world.database.run_tx(work)

    async def compare(self) -> None:
        data = await self.world.data(QUERY)
        preview, summary = data["nextInvoice"], data["billingSummary"]
        assert summary == {
            "openBalance": {"amount": dollars(self.books.open_cents)},
            "creditBalance": {"amount": dollars(self.books.credit_cents)},
            "nextInvoice": {"hash": preview["hash"]},
        }
        assert await self.world.close_now() == 1
        issued = (await self.world.issued())[-1]
        lines, total_cents, applied_cents = self.books.open_month(issued.period)

        assert preview["hash"] == issued.content_hash
        assert preview["period"] == {"startsOn": issued.period.starts_on.isoformat()}
        assert shown_lines(preview) == calculated_lines(lines) == issued_lines(issued)
        amounts = (total_cents, applied_cents, max(0, total_cents) - applied_cents)
        assert [preview[name]["amount"] for name in ("total", "creditApplied", "amountDue")] == [*map(dollars, amounts)]
        assert (issued.total_cents, issued.credit_applied_cents, issued.amount_due_cents) == amounts
        self.compared += 1


def dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def shown_lines(preview):
    return sorted(
        (line["kind"], line["period"]["startsOn"][:7], line["amount"]["amount"])
        for line in preview["lines"]
        if line["amount"]["amount"] != "0.00"
    )


def issued_lines(issued):
    return sorted(
        (line.kind.value, line.period.month, dollars(line.amount_cents)) for line in issued.lines if line.amount_cents
    )


def calculated_lines(lines):
    return sorted(
        (kind.split()[-1].upper(), f"{year:04d}-{month:02d}", dollars(cents)) for kind, (year, month), cents in lines
    )


class TestNextInvoice:
    @settings(max_examples=40)
    @given(story=stories())
    async def test_is_the_invoice_then_issued_and_the_calculators(self, migrated_file, story):
        with tempfile.TemporaryDirectory() as folder:
            async with copied_database(migrated_file, Path(folder)) as database:
                begins_at = day_starts_at(Period.containing(story.paid_starts_on).starts_on) - timedelta(days=1)
                world = await World.create(database, now=begins_at, catalogue=Catalogue(tuple(story.plans)))
                account = await world.add_account(ACCOUNT, plan=story.plans[0].code, paid_since_on=story.paid_starts_on)
                telling = Telling(world, Books(story.paid_starts_on, story.plans[0]), account.id)

                await telling.tell(story)

                assert telling.compared >= 1
