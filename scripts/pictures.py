"""Pictures of every screen of the portal: `python3 scripts/dev.py pictures`, while the demo runs."""

from __future__ import annotations

import argparse
import shutil
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error, sync_playwright
from rich.progress import track

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENS = {
    "summary": "/billing/summary",
    "plan": "/billing/plan",
    "invoices": "/billing/invoices",
    "payment-methods": "/billing/payment-methods",
    "contacts": "/billing/contacts",
    "add-ons": "/billing/add-ons",
    "alerts": "/settings/alerts",
}
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Take the pictures, and say where they are; exits with 2 when there is no browser or no demo."""
    parser = argparse.ArgumentParser(prog="dev.py pictures", description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="where the demo runs")
    parser.add_argument("--to", type=Path, default=Path("build/pictures"), help="the folder for the pictures")
    options = parser.parse_args()
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        parser.error("there is no Chromium on the path: on Debian and Ubuntu, apt install chromium")
    options.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            for (name, path), scheme, width in track(list(product(SCREENS.items(), SCHEMES, WIDTHS)), "Pictures"):
                _take(browser, f"{options.address}{path}", options.to / f"{name}-{scheme}-{width}.png", scheme, width)
        except Error as error:
            parser.error(f"the demo does not answer at {options.address}: {error.message.splitlines()[0]}")
        finally:
            browser.close()
    print(options.to)


def _take(browser: Browser, address: str, picture: Path, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("main section, main .failure")
    page.wait_for_function("() => !document.querySelector('.skeleton')")
    page.screenshot(path=picture, full_page=True)
    context.close()


if __name__ == "__main__":
    main()
