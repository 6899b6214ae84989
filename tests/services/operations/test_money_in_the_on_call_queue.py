"""Money that waits for a person is counted for whoever is on duty: unknown charges, broken collections, disputes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from app.repositories import unit_of_work
from app.services.operations.operations_alerts import UNKNOWN_FOR, operations_alerts, read_operations_figures
from tests.till import VISA, Till

DISPUTE = """
INSERT INTO dispute (id, account_id, attempt_id, amount_cents, state, opened_at, changed_at)
SELECT 'dis_1', account_id, id, amount_cents, 'OPEN', sent_at, sent_at FROM payment_attempt
"""


async def change(till: Till, *statements: str) -> None:
    async def work(uow):
        for statement in statements:
            await uow.session.exec(text(statement))

    await unit_of_work.write(till.world.database, work)


async def names(till: Till) -> list[str]:
    world = till.world
    figures = await read_operations_figures(world.services)
    return [trouble.name for trouble in operations_alerts(figures, world.clock.now())]


class TestMoney:
    async def test_each_is_told_while_it_lasts(self, till: Till):
        await till.world.add_account()
        await till.add_card(VISA)
        await till.world.close_now()
        await till.collect()
        assert await names(till) == []

        await change(till, "UPDATE payment_attempt SET state = 'UNKNOWN'")
        till.world.clock.instant += UNKNOWN_FOR
        assert await names(till) == []
        till.world.clock.instant += timedelta(seconds=1)
        assert await names(till) == ["UNKNOWN_CHARGE"]

        await change(till, "UPDATE payment_attempt SET state = 'SUCCEEDED'", "UPDATE collection SET status = 'PARKED'")
        assert await names(till) == ["PARKED"]

        await change(till, "UPDATE collection SET status = 'DONE'", DISPUTE)
        assert await names(till) == ["DISPUTE"]
        await change(till, "UPDATE dispute SET state = 'WON'")
        assert await names(till) == []
