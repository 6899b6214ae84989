"""Single calls are committed in groups, and the process is killed with -9 in the middle of them: every call that was
answered is there, and no call counts twice when all are sent again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from pathlib import Path

from app.domain.metering import Outcome
from tests.database import copied_database
from tests.factories.calls import a_call
from tests.scenarios import ingest_run
from tests.services.books import differences, rows
from tests.world import World, pacific

NOW = pacific(2026, 7, 14, 12)
ANSWERS_BEFORE_A_KILL = (1, 30, 41, 77, 160)

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([ingest_run.__name__])


async def test_every_call_that_was_answered_is_there(migrated_file: Path, tmp_path: Path):
    async with copied_database(migrated_file, tmp_path) as database:
        world = await World.create(database)
        await world.add_account()
        await world.advance_to(NOW)
        answered: set[str] = set()
        for answers in ANSWERS_BEFORE_A_KILL:
            answered |= killed_after(answers, str(database._url.render_as_string(hide_password=False)), answered)
            recorded = {name for (name,) in rows(database, "SELECT event_id FROM call")}
            assert answered <= recorded
            assert await differences(database) == []
        again = await world.add_calls(
            *(a_call(event_id=name, started_at=NOW, script_seconds=60) for name in sorted(recorded))
        )
        assert {result.outcome for result in again} == {Outcome.DUPLICATE}
        assert rows(database, "SELECT sum(call_count) FROM usage_day") == [(len(recorded),)]


def killed_after(answers: int, url: str, before: set[str]) -> set[str]:
    """Let the process work until so many calls are answered that were not before, kill it; all that was answered."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=ingest_run.run, args=(url, NOW, theirs))
    process.start()
    theirs.close()
    told: set[str] = set()
    while len(told - before) < answers:
        told.add(_accepted(*ours.recv()))
    os.kill(process.pid or 0, signal.SIGKILL)
    with suppress(EOFError):  # what was answered before it died
        while True:
            told.add(_accepted(*ours.recv()))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    process.close()
    return told


def _accepted(name: str, outcome: str) -> str:
    assert outcome in {"ACCEPTED", "DUPLICATE"}
    return name
