"""A program of a portal developer's on another port works against the demo, without a setting."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.graphql.contract import FOLDER
from tests.browser.pages import needs_browser, opened, served

MODULES = FOLDER / "node_modules"
BUNDLER = MODULES / ".bin" / "esbuild"
SOURCE = Path(__file__).parent / "spa" / "main.js"
PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="main.js"></script>'
TRACING = {"apollographql-client-name", "apollographql-client-version", "baggage", "traceparent", "x-datadog-trace-id"}

pytestmark = [
    needs_browser,
    pytest.mark.skipif(not BUNDLER.exists(), reason="needs `npm ci` in frontend-contract, for esbuild"),
]


@pytest.fixture
def page(tmp_path):
    """The address of the program, bundled, on a port of its own."""
    command = [str(BUNDLER), str(SOURCE), "--bundle", "--format=esm", f"--outfile={tmp_path / 'main.js'}"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"NODE_PATH": str(MODULES)})
    (tmp_path / "index.html").write_text(PAGE)
    with served(tmp_path) as address:
        yield address


def test_apollo_client_with_the_headers_of_tracing_agents(demo, demo_folder, page):
    token = json.loads((demo_folder / "demo" / "personas.json").read_text())["admin"]["token"]
    with opened(page) as watched:
        with watched.page.expect_request(f"{demo}/graphql") as asked:
            watched.page.goto(f"{page}/index.html#{urlencode({'uri': f'{demo}/graphql', 'token': token})}")
        watched.page.wait_for_function("() => document.body.textContent.includes('Harbor Dental')")
        assert asked.value.all_headers().keys() >= TRACING
        assert [said for said in watched.complaints if said != f"{demo}/graphql"] == []
