"""The stage that examples are played on."""

from __future__ import annotations

import pytest

from tests.contract.examples import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("contract"))
