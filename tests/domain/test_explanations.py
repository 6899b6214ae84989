"""Each line in words, from its stored inputs alone."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.explanations import Explanation, dollars, duration, explain, rate
from app.domain.invoices import LineKind, compute_invoice
from tests.factories.calls import usage
from tests.factories.invoices import a_line, a_used_month, facts


def explanations(invoice_facts):
    return [explain(line) for line in compute_invoice(invoice_facts).lines]


class TestExplain:
    def test_a_whole_month(self):
        assert explain(a_line()) == Explanation("100 Minutes plan, October 2026", "1 month at $139.00")

    def test_a_first_month_shows_the_day_rounded_first(self):
        """Rule 9: $4.63 a day, and not two thirds of $139.00."""
        assert explanations(facts("2026-09", paid_starts_on=date(2026, 9, 11))) == [
            Explanation(
                "100 Minutes plan, September 2026",
                "$139.00 / 30 days = $4.63 a day; 20 paid days × $4.63 = $92.60",
            )
        ]

    def test_the_usage_of_the_month_that_ended(self):
        used = usage(live_seconds=229_042, patch_seconds=450, ivr_seconds=200)
        assert explanations(facts(used=(a_used_month(usage=used),)))[1:] == [
            Explanation(
                "Minutes above the allowance of 100 Minutes, September 2026",
                "3,817 min 22 s live - 100 min included = 3,717 min 22 s × $1.29 a minute = $4,795.40",
            ),
            Explanation("Patched calls, September 2026", "7 min 30 s × $0.10 a minute = $0.75"),
            Explanation("Automated (IVR) time, September 2026", "3 min 20 s × $0.15 a minute = $0.50"),
        ]

    @pytest.mark.parametrize(
        ("billed_cents", "arithmetic"),
        [
            (10_00, "usage of the month $12.90 - already billed $10.00 = $2.90"),
            (25_80, "usage of the month $12.90 - already billed $25.80 = -$12.90"),
        ],
    )
    def test_a_correction_of_either_sign(self, billed_cents, arithmetic):
        late = a_used_month("2026-08", usage=usage(live_minutes=110), billed_cents=billed_cents)
        assert explanations(facts(used=(late,)))[1:] == [
            Explanation("Correction for August 2026: calls that reached us after its invoice", arithmetic)
        ]

    def test_has_words_for_every_kind_of_line(self):
        every = usage(live_minutes=110, patch_seconds=450, ivr_seconds=200)
        used = (a_used_month(usage=every), a_used_month("2026-08", usage=every))
        lines = compute_invoice(facts(used=used)).lines
        assert [line.kind for line in lines] == list(LineKind)
        assert all(explain(line).title and explain(line).arithmetic for line in lines)


class TestFigures:
    @pytest.mark.parametrize(
        ("cents", "text"),
        [(0, "$0.00"), (5, "$0.05"), (139_00, "$139.00"), (4_967_70, "$4,967.70"), (-91_05, "-$91.05")],
    )
    def test_dollars(self, cents, text):
        assert dollars(cents) == text

    @pytest.mark.parametrize(
        ("ten_thousandths", "text"), [(1_2900, "$1.29"), (1_000, "$0.10"), (1_2905, "$1.2905"), (9_905, "$0.9905")]
    )
    def test_unit_prices_have_more_decimals_only_where_needed(self, ten_thousandths, text):
        assert rate(ten_thousandths) == text

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0, "0 min"), (22, "0 min 22 s"), (6_000, "100 min"), (223_042, "3,717 min 22 s")]
    )
    def test_durations(self, seconds, text):
        assert duration(seconds) == text
