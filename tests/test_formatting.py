"""Amounts and dates as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from app.formatting import find_locale, format_date, format_money, format_unit_price


class TestFormatting:
    @pytest.mark.parametrize(
        ("cents", "locale", "text"),
        [
            (496_770, "en_US", "$4,967.70"),
            (-5, "en-US", "-$0.05"),
            (123_456_789_012, "en-US", "$1,234,567,890.12"),
            (496_770, "es-MX", "USD4,967.70"),
            (496_770, "zh-Hans-CN", "US$4,967.70"),
        ],
    )
    def test_amounts_follow_the_locale(self, cents, locale, text):
        assert format_money(cents, "USD", locale).replace("\xa0", "") == text

    @pytest.mark.parametrize(
        "locale", ["", "xx", "xx-YY", "klingon", "../../etc/passwd", "en_US.UTF-8", "e\x00n", "de-DE-" + "x" * 5_000]
    )
    def test_an_unknown_locale_is_american_english(self, locale):
        assert str(find_locale(locale)) == "en_US"
        assert format_money(100, "USD", locale) == "$1.00"

    def test_dates_follow_the_locale_and_the_style(self):
        on = date(2026, 8, 31)
        assert format_date(on) == "August 31, 2026"
        assert format_date(on, "de-DE", "full") == "Montag, 31. August 2026"
        assert format_date(on, "nowhere", "short") == "8/31/26"


class TestFormatUnitPrice:
    @pytest.mark.parametrize(
        ("rate", "locale", "text"),
        [
            (1_2900, "en-US", "$1.29"),
            (1_2950, "en-US", "$1.2950"),
            (1_2900, "de-DE", "1,29\N{NO-BREAK SPACE}$"),
            (1_2955, "de-DE", "1,2955\N{NO-BREAK SPACE}$"),
            (1_000, "tlh", "$0.10"),
        ],
    )
    def test_has_two_decimals_or_four_when_finer_than_a_cent(self, rate, locale, text):
        assert format_unit_price(rate, "USD", locale) == text
