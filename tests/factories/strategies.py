"""Random months, plans, calls and billing histories for the property tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from app.domain.billing_items import OneTimeCharge, RecurringItem
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import TAXABLE_KINDS, USAGE_KINDS, LineKind
from app.domain.invoices import BillingFacts, UsedPeriod
from app.domain.periods import Period
from app.domain.plans import PlanVersion
from app.domain.policies import POLICY_VERSIONS
from app.domain.positions import NO_USAGE_BILLED, NOTHING_BILLED, Position, UsagePositions
from app.domain.taxes import TaxRate
from app.domain.usage import CallReport, UsageTotals
from tests.factories.calls import a_call
from tests.factories.invoices import billed_base
from tests.factories.plans import a_plan
from tests.factories.positions import FIRST, books_of, credited, used

POLICIES = POLICY_VERSIONS[-1]
CENTS = st.integers(0, 50_000)
TAX_KINDS = st.lists(st.sampled_from(TAXABLE_KINDS), max_size=3, unique=True).map(tuple)
TAX = st.builds(TaxRate, st.text(max_size=3), st.integers(1, 200_000), TAX_KINDS)
TAXES = st.lists(TAX, max_size=3, unique_by=lambda tax: tax.name).map(tuple)
"""The taxes of an account: each name once."""

# The law on summer time of today holds since 2007; the calculator of the tests knows no other.
DAYS = st.dates(date(2008, 1, 1), date(2036, 12, 31))
SECONDS = st.integers(0, 40_000)
TOTALS = st.builds(UsageTotals, SECONDS.map(lambda s: s * 40), SECONDS, SECONDS, st.integers(0, 5_000))


@st.composite
def plans(draw: st.DrawFn) -> PlanVersion:
    base_cents = draw(st.integers(0, 999_999))
    included_minutes = draw(st.integers(0, 12_000))
    overage_rate = draw(st.integers(0, 25_000))
    figures = f"{base_cents}_{included_minutes}_{overage_rate}"
    return a_plan(
        identifier=f"plan_{figures}",
        code=figures,
        base_cents=base_cents,
        included_minutes=included_minutes,
        overage_rate=overage_rate,
    )


@st.composite
def usage_billed(draw: st.DrawFn, month: str) -> UsagePositions:
    """What a month was billed for its usage, each kind with a credit note over some of it or without."""
    kinds = ((kind, draw(st.just(0) | CENTS)) for kind in USAGE_KINDS)
    lines = tuple(used(cents, kind, month=month) for kind, cents in kinds if cents)
    notes = [
        credited(cents, (FIRST, place))
        for place, line in enumerate(lines, start=1)
        if (cents := draw(st.just(0) | st.integers(0, line.amount_cents)))
    ]
    return books_of(lines, *notes).usage(lines[0].period.starts_on) if lines else NO_USAGE_BILLED


@st.composite
def base_billed(draw: st.DrawFn, plan: PlanVersion, month: str) -> Position:
    """What a month was billed for its base on the plan or another, less a credit note or not."""
    cents, taxes = draw(st.integers(0, 500_000)), draw(TAXES)
    credited_cents = draw(st.just(0) | st.integers(0, cents))
    billed_plan = draw(st.none() | st.just(plan))
    return billed_base(cents, billed_plan, month=month, credited_cents=credited_cents, taxes=taxes)


@st.composite
def billing_facts(draw: st.DrawFn) -> BillingFacts:
    """Facts of one invoice with up to four months of usage before it, newest first."""
    paid_starts_on = draw(DAYS)
    months = draw(st.integers(0, 4))
    first = Period.containing(paid_starts_on)
    months_used = [
        UsedPeriod(period, draw(plans()), POLICIES, draw(TOTALS), draw(usage_billed(period.month)))
        for period in (first.shifted(index) for index in reversed(range(months)))
    ]
    credit = draw(st.integers(0, 1_000_000))
    return BillingFacts(first.shifted(months), paid_starts_on, draw(plans()), POLICIES, tuple(months_used), credit)


ITEM_KINDS = st.sampled_from([LineKind.ADD_ON, LineKind.ADDITIONAL_LINE])
CHARGE_KINDS = st.sampled_from([LineKind.CHARGE, LineKind.LATE_FEE])
CHARGES = st.lists(st.builds(OneTimeCharge, CHARGE_KINDS, st.text(max_size=3), st.text(max_size=5), CENTS), max_size=3)


@st.composite
def any_facts(draw: st.DrawFn) -> BillingFacts:
    """Facts of an invoice of any kind: with a base billed before, add-ons, single charges and taxes, or without."""
    known = draw(billing_facts())
    first_days = st.none() | st.integers(0, 27).map(lambda day: known.period.starts_on + timedelta(days=day))
    item = st.builds(
        RecurringItem, ITEM_KINDS, st.text(max_size=3), st.text(max_size=3), CENTS, st.booleans(), first_days
    )
    return replace(
        known,
        kind=draw(st.sampled_from([InvoiceKind.CYCLE, InvoiceKind.PLAN_CHANGE, InvoiceKind.ADD_ON])),
        bills_base=draw(st.booleans()),
        billed_base=draw(st.just(NOTHING_BILLED) | base_billed(known.plan, known.period.month)),
        recurring=tuple(draw(st.lists(item, max_size=3))),
        charges=tuple(draw(CHARGES)),
        taxes=draw(TAXES),
    )


@dataclass(frozen=True, slots=True)
class HistoricCall:
    """A call, the month in which its report came in, and the month in which a correction took it away, if any."""

    call: CallReport
    arrives_in: Period
    replaced_in: Period | None = None


@dataclass(frozen=True, slots=True)
class History:
    """An account's months from the first paid one: a plan for each, and its calls."""

    paid_starts_on: date
    plans: dict[Period, PlanVersion]
    calls: list[HistoricCall]

    def known_before(self, opening: Period) -> list[CallReport]:
        """The calls that stand when the invoice of a month is computed."""
        return [
            historic.call
            for historic in self.calls
            if historic.arrives_in < opening and (historic.replaced_in is None or historic.replaced_in >= opening)
        ]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to five months; every second call lies close to the turn of a day, many come in late or are taken away."""
    paid_starts_on = draw(DAYS)
    first = Period.containing(paid_starts_on)
    months = [first.shifted(index) for index in range(draw(st.integers(1, 5)))]
    calls = []
    for number in range(draw(st.integers(0, 12))):
        turn = draw(st.sampled_from([*(month.starts_on for month in months), paid_starts_on]))
        call = _call(draw, number, turn)
        begins = Period.containing(call.on)
        arrives_in = draw(st.sampled_from([month for month in months if month >= begins] or months[-1:]))
        replaced_in = draw(st.none() | st.sampled_from([month for month in months if month >= arrives_in]))
        calls.append(HistoricCall(call, arrives_in, replaced_in))
    return History(paid_starts_on, {month: draw(plans()) for month in months}, calls)


def _call(draw: st.DrawFn, number: int, turn: date) -> CallReport:
    # 07:00 and 08:00 UTC are midnight in Los Angeles in summer and in winter.
    midnight = datetime(turn.year, turn.month, turn.day, draw(st.sampled_from([7, 8])), tzinfo=UTC)
    away_seconds = draw(st.integers(-2, 2) | st.integers(-3 * 86_400, 32 * 86_400))
    return a_call(
        event_id=f"AA0101/{number}",
        started_at=midnight + timedelta(seconds=away_seconds),
        script_seconds=draw(SECONDS),
        recording_seconds=draw(SECONDS),
        patch_seconds=draw(SECONDS),
        ivr_seconds=draw(SECONDS),
        is_billable=draw(st.integers(0, 5)) > 0,
    )
