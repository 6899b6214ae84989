"""One demo is lived through for all browsers of a worker; each module starts a copy of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.demo import running_demo
from tests.browser.portal import LACKING


@pytest.fixture(scope="session")
def seeded_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that has run once."""
    folder = tmp_path_factory.mktemp("seeded")
    with running_demo(folder):
        return folder / "demo"


@pytest.fixture(scope="module")
def demo_folder(seeded_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this module's own demo."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(seeded_demo, folder / "demo")
    return folder


@pytest.fixture(scope="module")
def demo(demo_folder: Path) -> Iterator[str]:
    """The address of this module's own demo."""
    with running_demo(demo_folder) as address:
        yield address


@pytest.fixture
def all_is_there() -> None:
    """Skip, or fail where nothing may be left out, without what the portal's tests need."""
    if LACKING and os.environ.get("FLEX_REQUIRE_NODE"):
        pytest.fail(LACKING)
    if LACKING:
        pytest.skip(LACKING)
