"""Amounts and dates as people write them, by locale; a locale that nobody knows is answered in American English."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.dates import format_date as babel_date
from babel.numbers import format_currency

if TYPE_CHECKING:
    from datetime import date

FALLBACK_LOCALE = "en_US"

# Locale data is found by file name, so the name is held to the letters of a locale before anything looks for it.
_LOCALE_NAME = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z]{4})?(_[A-Za-z]{2}|_\d{3})?")


@lru_cache(maxsize=256)
def find_locale(name: str) -> Locale:
    """Return the locale of a name such as `de-DE` or `de_DE`, else American English."""
    spelled = name.replace("-", "_")
    if _LOCALE_NAME.fullmatch(spelled) is None:
        return Locale.parse(FALLBACK_LOCALE)
    try:
        return Locale.parse(spelled)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK_LOCALE)


def format_money(cents: int, currency: str = "USD", locale: str = FALLBACK_LOCALE) -> str:
    """Return integer cents as people write them: `$4,967.70`, or `4.967,70 $` in Germany."""
    return _written_money(cents, currency, locale)


def format_unit_price(rate: int, currency: str = "USD", locale: str = FALLBACK_LOCALE) -> str:
    """Return ten-thousandths as people write a price: `$1.29`, or with four decimals when finer than a cent."""
    return _written_unit_price(rate, currency, find_locale(locale))


def format_date(on: date, locale: str = FALLBACK_LOCALE, style: str = "long") -> str:
    """Return a date as people write it: `August 31, 2026`; the styles are short, medium, long and full."""
    return _written_date(on, find_locale(locale), style)


@lru_cache(maxsize=8_192)
def _written_money(cents: int, currency: str, locale: str) -> str:
    return format_currency(Decimal(cents).scaleb(-2), currency, locale=find_locale(locale))


@lru_cache(maxsize=2_048)
def _written_unit_price(rate: int, currency: str, locale: Locale) -> str:
    decimals = "0.0000" if rate % 100 else "0.00"
    pattern = locale.currency_formats["standard"].pattern.replace("0.00", decimals)
    return format_currency(Decimal(rate).scaleb(-4), currency, pattern, locale, currency_digits=False)


@lru_cache(maxsize=2_048)
def _written_date(on: date, locale: Locale, style: str) -> str:
    return babel_date(on, format=style, locale=locale)
