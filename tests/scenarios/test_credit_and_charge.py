"""Credit against a charge under way, in processes that are killed too: nothing is charged above what was owed.

`python -m tests.scenarios.credit_and_charge` is the long run, which says how often the two met.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.gateway import LocalGateway
from tests.postgres import fresh_database
from tests.scenarios.credit_and_charge import Race

RUNS = 12


async def race(url: str, gateway: LocalGateway) -> None:
    async with Race.begin(url, gateway, seed="suite") as race:
        for number in range(RUNS):
            await race.run(number)
        await race.check_all()
        assert race.told["met"] > 0
        assert race.told["killed"] > 0


async def test_credit_meets_charges_under_way(migrated_file: Path, tmp_path: Path, gateway: LocalGateway):
    path = tmp_path / "race.db"
    shutil.copyfile(migrated_file, path)
    await race(f"sqlite+aiosqlite:///{path}", gateway)


@pytest.mark.postgres
async def test_credit_meets_charges_under_way_on_postgresql(
    postgres_server: str, migrated_postgres: str, gateway: LocalGateway
):
    with fresh_database(postgres_server, migrated_postgres) as url:
        await race(url, gateway)
