"""The stage that examples are played on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.graphql import documents
from app.graphql.execution import ExecutionMode
from tests.contract.examples import Stage


@pytest.fixture(scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("contract"), ExecutionMode.COMPILED)
    yield stage
    await stage.close()


@pytest.fixture(autouse=True)
def _compiled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples are recorded by graphql-core and played compiled: each says that both agree."""
    monkeypatch.setattr(documents, "COMPILED_AT_RUN", 1)
