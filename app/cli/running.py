"""What commands share: the surroundings of a job, and how texts of the command line become values."""

from __future__ import annotations

import gc
import getpass
import re
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from app.cli.failures import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.settings import Settings
    from app.surroundings import Surroundings

T = TypeVar("T")

COMMAND_LINE = "command line"
"""From where what is done by a command was done, as the audit log says it."""

_AMOUNT = re.compile(r"\$?(?P<dollars>\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(?P<cents>\d{2}))?", re.ASCII)


def run(job: Callable[[Surroundings], Awaitable[T]], settings: Settings | None = None) -> T:
    """Run a job on a database that answers and is up to date, and close it whatever comes.

    :raises DatabaseProblem: when it does not or is not; the message says what to do.
    """
    import asyncio

    from app.ports import ORIGIN
    from app.settings import read_settings
    from app.surroundings import open_surroundings

    async def work() -> T:
        ORIGIN.set(COMMAND_LINE)
        surroundings = open_surroundings(settings or read_settings())
        try:
            await surroundings.database.check()
            return await job(surroundings)
        finally:
            await surroundings.close()

    # What is loaded by now stays: the collector need not look at it again with every batch.
    gc.freeze()
    return asyncio.run(work())


def sandbox_settings(what: str) -> Settings:
    """Return the settings for something that only the sandbox has.

    :raises Refused: in production.
    """
    from app.settings import read_settings

    settings = read_settings()
    if not settings.is_sandbox:
        raise Refused(f"{what} is for the sandbox, and this is production. Set FLEX_ENV=sandbox to use it.")
    return settings


def actor() -> str:
    """Return who is at the keyboard, as the audit log names them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def parse_date(text: str) -> date:
    """Read a calendar date.

    :raises Refused: when the text is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not a date. Write it as YYYY-MM-DD, for example 2026-08-31.") from None


def parse_cents(text: str) -> int:
    """Read an amount in dollars and return it in cents: 4967.70, $4,967.70 or 4967.

    :raises Refused: when the text is no amount, or finer than a cent.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise Refused(f"{text!r} is not an amount in dollars. Write it as 4967.70, with two digits for the cents.")
    return int(match["dollars"].replace(",", "")) * 100 + int(match["cents"] or 0)
