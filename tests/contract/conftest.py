"""The stage that examples are played on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.examples import Stage


@pytest.fixture(scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("contract"))
    yield stage
    await stage.close()
