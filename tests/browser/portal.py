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
from app.http.static_files import FOLDER as STATIC
from tests.browser.pages import BROWSER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, Request

AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
LOCAL = "127.0.0.1"
LACKING = next(
    (
        reason
        for is_lacking, reason in (
            (BROWSER is None, "needs Debian's chromium, or another Chromium, on the path"),
            (
                not (STATIC / "vendor").is_dir(),
                "needs the pages' files: `python3 scripts/dev.py demo` copies them with npm",
            ),
            (not AXE.is_file(), "needs `npm ci` in frontend-contract, for axe-core"),
        )
        if is_lacking
    ),
    None,
)
EXPECTED = re.compile(r"Failed to load resource: .*(401|429|503|ERR_FAILED|ERR_INTERNET_DISCONNECTED)")
"""What a browser says of an answer that a test has asked for."""

LET_FRAMES_ANSWER = ";axe.configure({ allowedOrigins: ['<unsafe_all_origins>'] })"
RUN_AXE = "async () => (await axe.run()).violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])"


@dataclass
class Portal:
    """A page of the portal. `asked` are the operations that it sent, in order; streams are not among them.

    `excused` is what the browser itself said of requests that failed.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

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
        """Return what axe finds on the page as it is and in its frames, by all its rules."""
        for frame in self.page.frames:
            if not frame.evaluate("'axe' in window"):
                frame.evaluate(AXE.read_text(encoding="utf-8") + LET_FRAMES_ANSWER)
        return [f"{what}: {rule}: {node[:200]}" for rule, nodes in self.page.evaluate(RUN_AXE) for node in nodes]


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@contextmanager
def opened_portal(base: str, *, width: int = 1280, **options: Any) -> Iterator[Portal]:
    """Open a browser on the portal; at the end nothing may have been complained of."""
    with browser() as started, portal_in(started, base, width=width, **options) as portal:
        yield portal


@contextmanager
def portal_in(started: Browser, base: str, *, width: int = 1280, **options: Any) -> Iterator[Portal]:
    """Open the portal in a browser, as somebody who was never there; at the end nothing may have been complained of."""
    context = started.new_context(viewport={"width": width, "height": 900}, base_url=base, **options)
    context.set_default_timeout(60_000)
    portal = Portal(context.new_page())

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            (portal.excused if EXPECTED.match(said.text) else portal.complaints).append(said.text)

    portal.page.on("console", hear)
    portal.page.on("pageerror", lambda error: portal.complaints.append(str(error)))
    portal.page.on("request", portal.note)
    yield portal
    context.close()
    assert portal.complaints == []


def card_fields(portal: Portal) -> FrameLocator:
    """Return the frame of the card form."""
    return portal.page.frame_locator("iframe.card-frame")


def fill_card(portal: Portal, number: str) -> None:
    """Type a card into its frame."""
    for label, value in (
        ("Card number", number),
        ("Expires", "12/30"),
        ("Security code", "123"),
        ("Postal code", "94107"),
    ):
        card_fields(portal).get_by_label(label).fill(value)
