"""The countries of the world by their codes of two letters (ISO 3166-1), as the time zone database lists them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def country_codes() -> frozenset[str]:
    """Return every code, in capitals."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line.partition("\t")[0] for line in table.splitlines() if line and not line.startswith("#"))


def is_country(code: str) -> bool:
    """Tell whether a code is that of a country; in small letters it is the same."""
    return code.isascii() and code.upper() in country_codes()
