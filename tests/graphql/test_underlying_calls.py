"""The usage that lines of one invoice share: read once, and handed to all who ask."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from app.domain.invoice_lines import LineKind
from app.graphql.types.underlying_calls import MonthUsage
from app.views.calls import UnderlyingCalls

BEHIND = UnderlyingCalls(LineKind.OVERAGE, date(2026, 7, 1), date(2026, 8, 1), 43, 0)


class FakeContext:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future = asyncio.get_running_loop().create_future()

    async def load(self, page, **parameters):
        self.asked += 1
        return await self.answer


async def ask(month: MonthUsage, context: FakeContext, times: int) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(month.load(context)) for _ in range(times)]
    await asyncio.sleep(0)
    return tasks


class TestMonthUsage:
    async def test_is_read_once_however_many_lines_ask(self):
        month, context = MonthUsage(BEHIND), FakeContext()
        tasks = await ask(month, context, 3)
        context.answer.set_result(["days"])
        assert await asyncio.gather(*tasks) == [["days"]] * 3
        assert (await month.load(context), context.asked) == (["days"], 1)

    async def test_a_failure_reaches_everyone_who_asked(self):
        month, context = MonthUsage(BEHIND), FakeContext()
        tasks = await ask(month, context, 3)
        context.answer.set_exception(RuntimeError("down"))
        assert [str(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == ["down"] * 3

    async def test_when_the_reading_line_is_cancelled_nobody_waits_for_ever(self):
        month, context = MonthUsage(BEHIND), FakeContext()
        reading, waiting = await ask(month, context, 2)
        reading.cancel()
        for task in (reading, waiting):
            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_a_waiting_line_that_is_cancelled_takes_the_answer_from_nobody(self):
        month, context = MonthUsage(BEHIND), FakeContext()
        reading, waiting, other = await ask(month, context, 3)
        waiting.cancel()
        context.answer.set_result(["days"])
        assert await asyncio.gather(reading, other) == [["days"]] * 2
