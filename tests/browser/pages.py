"""A real browser on pages of ours, which notes everything that a page should not do."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs Debian's chromium, or another Chromium, on the path")

OWN = ("data:", "blob:", "about:")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on a port of its own, and tell the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@dataclass
class Watched:
    """A page, and its complaints: errors on its console, exceptions, and requests that leave this machine."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@contextmanager
def opened(base: str, *, width: int = 1280, height: int = 900, **options: Any) -> Iterator[Watched]:
    """Open an empty page in a browser of its own; the pages of `base` are ours."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=base, **options)
        context.set_default_timeout(120_000)
        watched = Watched(context.new_page())
        page, complain = watched.page, watched.complaints.append
        page.on("console", lambda said: complain(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("request", lambda sent: None if sent.url.startswith((base, *OWN)) else complain(sent.url))
        yield watched
        browser.close()
