"""The stage that examples are played on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.graphql import documents
from app.graphql.execution import ExecutionMode
from tests.contract.examples import Stage


@pytest.fixture(scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Operations are compiled at once here, and examples are recorded by graphql-core: each says that both agree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "COMPILED_AT_RUN", 1)
        stage = Stage(tmp_path_factory.mktemp("contract"), ExecutionMode.COMPILED)
        yield stage
        await stage.close()
