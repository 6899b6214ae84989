"""Without request keys or the gateway's own guard, two answers lost in a row are still one charge (rule 31)."""

from __future__ import annotations

from datetime import timedelta

from app.domain.collection import AttemptState
from tests.till import Till


async def test_a_second_sending_whose_answer_is_lost_is_looked_for_before_a_third(till: Till):
    await till.world.add_account()
    await till.add_card()
    await till.world.close_now()
    till.gateway.settings(request_keys=False, duplicate_window_seconds=0)
    # The request under a key is refused; the one without is lost on its way there, and the next one on its way back.
    till.gateway.faults(
        {"match": "sale", "when": "before", "action": "reset", "skip": 1},
        {"match": "sale", "when": "after", "action": "reset", "skip": 1},
    )
    await till.collect()
    await till.advance_to(till.world.clock.now() + timedelta(hours=2))
    (attempt,) = await till.attempts()
    assert (attempt.state, till.gateway.captured(attempt.id)) == (AttemptState.SUCCEEDED, (1, 139_00))
    assert await till.disagreements() == []
