"""The contract with front ends' own tools and clients: `npm test` in its folder, which counts its checks.

Without Node, or before `npm ci`, this is skipped; with FLEX_REQUIRE_NODE=1, which continuous integration sets, it fails
then.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import orjson
import pytest

from app.graphql.contract import FOLDER

LEAST_CHECKS = 39
PACKAGE = orjson.loads((FOLDER / "package.json").read_bytes())


def lacking() -> str | None:
    """Say what there has to be first, or None."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "needs Node 20 or newer with npm"
    missing = [name for name in PACKAGE["devDependencies"] if not (FOLDER / "node_modules" / name).is_dir()]
    return f"needs `npm ci` in frontend-contract, for {missing[0]}" if missing else None


def test_front_ends_can_be_built_on_the_contract(record_property):
    reason = lacking()
    if reason is not None and os.environ.get("FLEX_REQUIRE_NODE"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)
    environment = os.environ | {"FLEX_PYTHON": sys.executable}
    ran = subprocess.run(["npm", "test"], cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    counted = re.search(r"^(\d+) checks ran, 0 failed\.$", ran.stdout, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) >= LEAST_CHECKS
    record_property("checks ran", int(counted[1]))
