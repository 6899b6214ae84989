"""The reference portal in a real browser: what it asked, what it complained of, and what axe finds on it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from app.graphql.contract import FOLDER
from tests.browser.pages import BROWSER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, Request

AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
LOCAL = "127.0.0.1"
EXPECTED = re.compile(r"Failed to load resource: .*(401|429|503|ERR_FAILED|ERR_INTERNET_DISCONNECTED)")
"""What a browser says of an answer that a test has asked for."""

RUN_AXE = "async () => (await axe.run()).violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])"


@dataclass
class Portal:
    """A page of the portal. `asked` are the operations that it sent, in order; streams are not among them."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Keep what was sent to the API, and complain of what leaves this machine."""
        if request.url.startswith("http") and urlsplit(request.url).hostname != LOCAL:
            self.complaints.append(f"foreign: {request.url}")
        if request.method == "POST" and urlsplit(request.url).path == "/graphql":
            self.sent.append(request.post_data or "")
            name = json.loads(request.post_data or "{}").get("operationName")
            if name != "SummaryWatch":
                self.asked.append(name)

    def open(self, path: str) -> None:
        """Load a screen, and wait until its first view is there."""
        self.page.goto(path)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loading."""
        self.page.wait_for_selector("main section, main .failure")
        self.page.wait_for_function("() => !document.querySelector('.skeleton')")

    def go(self, tab: str) -> None:
        """Change the screen by its tab."""
        self.page.get_by_role("navigation", name="Billing").get_by_role("link", name=tab, exact=True).click()
        self.settle()

    def press(self, name: str, *, exact: bool = True) -> None:
        """Press a button, in the pop-up if one is open."""
        dialog = self.page.locator("dialog[open]")
        place = dialog if dialog.count() else self.page.locator("main")
        place.get_by_role("button", name=name, exact=exact).click()

    def done(self) -> str:
        """What the page says was done."""
        return self.page.locator("main > .done, .portal main > .done").first.inner_text()

    def check(self, what: str) -> list[str]:
        """Return what axe finds on the page as it is, by all its rules."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        return [f"{what}: {rule}: {node[:200]}" for rule, nodes in self.page.evaluate(RUN_AXE) for node in nodes]


@contextmanager
def opened_portal(base: str, *, width: int = 1280, **options: Any) -> Iterator[Portal]:
    """Open a browser on the portal; at the end nothing may have been complained of."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=base, **options)
        context.set_default_timeout(60_000)
        portal = Portal(context.new_page())
        page, complain = portal.page, portal.complaints.append
        page.on(
            "console", lambda said: None if said.type != "error" or EXPECTED.match(said.text) else complain(said.text)
        )
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("request", portal.note)
        yield portal
        browser.close()
    assert portal.complaints == []
