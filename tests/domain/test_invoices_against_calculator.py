"""Random billing histories, month after month: the product's invoices against an independent calculator's.

Rules 1, 3, 4, 5, 6, 7, 9, 10, 11 and 25 in one.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

from hypothesis import example, given, settings

from app.domain.invoice_lines import LineKind
from app.domain.invoices import BillingFacts, UsedPeriod, compute_invoice
from app.domain.periods import Period
from app.domain.policies import POLICY_VERSIONS
from app.domain.position_fold import fold
from tests import calculator
from tests.factories.calls import a_call, usage_of
from tests.factories.plans import a_plan
from tests.factories.positions import FIRST, a_document
from tests.factories.strategies import HistoricCall, History, histories

POLICIES = POLICY_VERSIONS[-1]


def product_bills(history):
    """The invoice of every month, each computed from the calls known by then; lines of no money left out."""
    months = sorted(history.plans)
    documents = []
    bills = []
    for number, opening in enumerate(months, start=FIRST):
        books = fold(documents)
        known = history.known_before(opening)
        used = tuple(
            UsedPeriod(
                month,
                history.plans[month],
                POLICIES,
                usage_of(known, month, paid_starts_on=history.paid_starts_on),
                books.usage(month.starts_on),
            )
            for month in reversed(months)
            if month < opening
        )
        draft = compute_invoice(BillingFacts(opening, history.paid_starts_on, history.plans[opening], POLICIES, used))
        documents.append(a_document(number, *draft.lines))
        lines = [(name_of(line), line.period.month, line.amount_cents) for line in draft.lines if line.amount_cents]
        bills.append((lines, draft.total_cents))
    return bills


def name_of(line):
    """What the calculator calls such a line."""
    kind = line.usage_kind.lower()
    return f"{kind} adjustment" if line.kind is LineKind.ADJUSTMENT else kind


def calculated_bills(history):
    """The same from plain figures, by the calculator, which also keeps its own account of what was billed."""
    plans = {as_pair(month): figures_of(plan) for month, plan in history.plans.items()}
    billed = Counter()
    bills = []
    for opening in sorted(history.plans):
        bill = calculator.bill_month(
            as_pair(opening),
            paid_from=history.paid_starts_on,
            plans={month: plan for month, plan in plans.items() if month <= as_pair(opening)},
            calls=[plain(call) for call in history.known_before(opening)],
            already_billed=billed,
        )
        for kind, month, cents in bill.lines:
            billed[month, kind.removesuffix(" adjustment")] += cents
        lines = [(kind, f"{year:04d}-{month:02d}", cents) for kind, (year, month), cents in bill.lines]
        bills.append((lines, bill.total_cents))
    return bills


def as_pair(period):
    return period.starts_on.year, period.starts_on.month


def figures_of(plan):
    return calculator.PlanFigures(
        base_cents=plan.base_cents, included_minutes=plan.included_minutes, overage_rate=plan.overage_rate
    )


def plain(call):
    return calculator.Call(
        started_at=call.started_at,
        script_seconds=call.script_seconds,
        recording_seconds=call.recording_seconds,
        patch_seconds=call.patch_seconds,
        ivr_seconds=call.ivr_seconds,
        billable=call.is_billable,
    )


def in_one_order(bills):
    """Corrections of several months stand in any order; everything else in that of the invoice."""
    return [
        (
            [line for line in lines if "adjustment" not in line[0]]
            + sorted(line for line in lines if "adjustment" in line[0]),
            total,
        )
        for lines, total in bills
    ]


SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = (Period.parse(f"2026-{month}") for month in ("09", "10", "11", "12"))
CORRECTED_LATER = History(
    date(2026, 9, 11),
    {month: a_plan() for month in (SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER)},
    [
        HistoricCall(a_call(started_at=datetime(2026, 9, 14, 17, tzinfo=UTC), script_seconds=77 * 60), SEPTEMBER),
        HistoricCall(
            a_call(started_at=datetime(2026, 9, 30, 23, tzinfo=UTC), patch_seconds=450, ivr_seconds=200), OCTOBER
        ),
        HistoricCall(a_call(started_at=datetime(2026, 10, 7, 17, tzinfo=UTC), ivr_seconds=200), OCTOBER, NOVEMBER),
    ],
)


class TestInvoices:
    @settings(max_examples=200)
    @given(histories())
    @example(CORRECTED_LATER)
    def test_equal_the_calculators_in_every_month_of_any_history(self, history):
        assert in_one_order(product_bills(history)) == in_one_order(calculated_bills(history))

    def test_of_a_known_history_with_late_news(self):
        """Rule 25: a September call comes in late and is billed in November; an October call turns out to be none."""
        assert [lines for lines, _ in calculated_bills(CORRECTED_LATER)] == [
            [("base", "2026-09", 92_60)],
            [("base", "2026-10", 139_00), ("overage", "2026-09", 12_90)],
            [
                ("base", "2026-11", 139_00),
                ("ivr", "2026-10", 50),
                ("overage adjustment", "2026-09", 3_23),
                ("patch adjustment", "2026-09", 75),
                ("ivr adjustment", "2026-09", 50),
            ],
            [("base", "2026-12", 139_00), ("ivr adjustment", "2026-10", -50)],
        ]
