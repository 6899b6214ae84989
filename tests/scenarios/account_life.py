"""One life of an account, told to the product and to the reference model at once, and compared after every step."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from app.domain.invoices import compute_invoice
from app.domain.metering import Outcome
from app.domain.usage import CallReport
from app.repositories import unit_of_work
from app.services.cycle.close_periods import close_periods
from app.services.plans.upgrade_plans import upgrade_plans
from app.services.usage.put_account import AccountParticulars, put_account
from app.services.usage.record_calls import Item, record_calls
from tests.scenarios.account_customers import Customers
from tests.scenarios.account_staff import Staff
from tests.scenarios.account_stories import ZONE, Action, wall
from tests.scenarios.account_telling import ACCOUNT
from tests.scenarios.card_on_file import put_card_on_file
from tests.scenarios.reference_bills import Bill
from tests.scenarios.reference_prices import Call, Month, Plan, month_of, shift


class Life(Customers, Staff):
    """Customers, staff and systems in one story."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.charge_ids: list[str] = []
        self.started: dict[str, datetime] = {}
        self.corrected: set[str] = set()

    async def begin(self, plan: Plan, paid_day: int) -> None:
        trial = (
            {"trial_ends_on": self.paid_from - timedelta(days=1)} if paid_day > 1 else {"paid_since_on": self.paid_from}
        )
        put = await put_account(
            self.services, particulars=AccountParticulars(ACCOUNT, "Harbor Dental", plan.code, **trial), actor="test"
        )
        self.account_id = put.account.id
        if self.has_card:
            await unit_of_work.write(self.database, lambda uow: put_card_on_file(uow, put.account.id))

    async def tell(self, action: Action) -> None:
        try:
            await self.advance(self.target(action), is_late=action.number % 8 == 0)
            await getattr(self, action.kind)(action.number)
            self.check()
        except AssertionError as error:
            error.add_note(f"at {action}, {self.clock.now():%Y-%m-%d %H:%M}, after {self.acts}")
            raise

    # -- time --

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
            await self.close_due()
        self.clock.instant = target

    def due_at(self) -> datetime:
        first = date(*self.model.next_month, 1)
        return wall(max(first, self.paid_from), 6)

    async def turn(self, number: int) -> None:
        """Go on until the next month is opened."""
        await self.advance(max(self.due_at(), self.clock.now()) + timedelta(hours=number % 30), is_late=False)

    async def close_due(self) -> None:
        bills: list[Bill] = []
        today = self.today
        while self.due_at() <= self.clock.now():
            ending = shift(self.model.next_month, -1)
            last_day = date(*self.model.next_month, 1) - timedelta(days=1)
            upgraded = self.upgrade_by_rules(ending, last_day)
            if upgraded is not None:
                self.told["upgraded at close"] += 1
                bills.append(upgraded)
            bills.append(self.deed(lambda model: model.open_month(today)))
        previewed = None
        if len(bills) == 1:
            facts = await unit_of_work.read(self.database, lambda uow: uow.cycles.facts([self.account_id]))
            previewed = compute_invoice(facts[self.account_id]).content_hash
        assert await close_periods(self.services) == sum(bill.kind == "CYCLE" for bill in bills)
        issued = self.expect(*bills)
        if previewed is not None:
            assert issued[0]["content_hash"] == previewed, "the previewed cycle invoice is the issued one"
        self.did("turn", "closed")
        self.check()

    # -- what systems do --

    async def calls(self, number: int) -> None:
        age = timedelta(seconds=number * 7 % 7_200)
        if number % 3 == 0:
            age += timedelta(days=number // 3 % 40)
        elif number % 11 == 0:
            age = -timedelta(minutes=number % 10)
        live = (number % 600, number * 3 % 9_000, number * 7 % 86_000)[number % 3]
        taken = [
            await self.report(
                self.clock.now() - age, live, number % 700 * (place % 2), number % 211, number % 9 != 0, None
            )
            for place in range(1 + number % 3)
        ]
        if any(taken):
            self.did("calls", "calls taken")

    async def correct_up(self, number: int) -> None:
        await self.correct(number, 2)

    async def correct_down(self, number: int) -> None:
        await self.correct(number, 0)

    async def correct(self, number: int, halves: int) -> None:
        """Twice the time, or half of it, or none; of an open month or of one that has closed."""
        standing = [event for event in self.started if event not in self.corrected]
        if not standing:
            return
        event = standing[-1 - number % min(len(standing), 6)]
        call = self.model.calls[event]
        live = call.live_seconds * 2 if halves else call.live_seconds * (number % 2) // 2
        other = (number % 400, number % 90) if halves else (0, 0)
        is_late = month_of(call.on) < shift(self.model.next_month, -1)
        is_billable = call.is_billable if halves else number % 7 != 0
        patch, ivr = call.patch_seconds * (halves > 0) + other[0], call.ivr_seconds * (halves > 0) + other[1]
        if await self.report(self.started[event], live, patch, ivr, is_billable, event):
            self.did("correct_up" if halves else "correct_down")
            self.told["corrected in a closed month"] += is_late

    async def report(
        self, started_at: datetime, live: int, patch: int, ivr: int, is_billable: bool, corrects: str | None
    ) -> bool:
        event, on = self.ids.new("event"), started_at.astimezone(ZONE).date()
        figures = {"script_seconds": live // 2, "recording_seconds": live, "patch_seconds": patch, "ivr_seconds": ivr}
        report = CallReport("centre", event, ACCOUNT, started_at, **figures, is_billable=is_billable, corrects=corrects)
        item = [Item(0, report)]
        (metered,) = await record_calls(self.services, source="centre", items=item, actor="test")
        is_taken = metered.outcome is Outcome.ACCEPTED
        assert is_taken == self.model.takes(on, self.clock.now() - started_at), metered
        self.told["call" if is_taken else "call refused"] += 1
        if is_taken:
            if live % 4 == 0:
                (again,) = await record_calls(self.services, source="centre", items=item, actor="test")
                assert again.outcome is Outcome.DUPLICATE
            self.started[event] = started_at
            call = Call(on, live, patch, ivr, is_billable)
            self.deed(lambda model: model.record(event, call, corrects))
            if corrects is not None:
                self.corrected.add(corrects)
        return is_taken

    def upgrade_by_rules(self, month: Month, on: date) -> Bill | None:
        before, today = self.model.chosen, self.today
        bill = self.deed(lambda model: model.upgrade(month, on, today))
        if self.model.chosen != before:
            self.told["upgraded for good"] += 1
        return bill

    async def upgrade(self, number: int) -> None:
        # The month that is open: in the first hours of a month still the one before.
        last_day = date(*self.model.next_month, 1) - timedelta(days=1)
        open_month = shift(self.model.next_month, -1)
        bill = self.upgrade_by_rules(open_month, min(self.today, last_day))
        assert await upgrade_plans(self.services) == (bill is not None)
        self.expect(*([] if bill is None else [bill]))
        if bill is not None:
            self.did("upgrade")
            assert await upgrade_plans(self.services) == 0

    async def talk(self, number: int) -> None:
        """Long calls of today, which outgrow most plans."""
        for place in range(2):
            seconds = 20_000 + number * 7 % 60_000
            await self.report(self.clock.now(), seconds, number % 300 * place, number % 211, True, None)
        self.did("calls", "long calls")

    async def meanwhile(self, number: int) -> None:
        """What may happen between a preview and its confirmation."""
        kinds = ("calls", "pay", "upgrade", "goodwill", "note_part", "tax", "prepay", "recover")
        await getattr(self, kinds[number % len(kinds)])(number // len(kinds))
