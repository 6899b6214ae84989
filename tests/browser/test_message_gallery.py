"""Mails in a real browser: light, dark and narrow. Without one this is skipped; the gallery is at /sandbox/gallery."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image, ImageStat

from app.domain.announcements import write_facts
from app.messages.compose import Addressee, Composer
from tests.browser.pages import BROWSER, needs_browser
from tests.factories.announcements import LONG, USUAL, extreme

ANN = Addressee("Ann Ames", "Harbor Dental Group", "harbor-dental", is_contact=False)
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")

pytestmark = needs_browser


def screenshot(folder: Path, html: str, *options: str, width: int = 700) -> Image.Image:
    page, picture = folder / "mail.html", folder / f"mail-{width}-{len(options)}.png"
    page.write_text(html, encoding="utf-8")
    command = [
        str(BROWSER),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder}/profile",
        f"--window-size={width},1200",
        f"--screenshot={picture}",
        *options,
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return Image.open(picture).convert("L")


def brightness(picture: Image.Image) -> float:
    return ImageStat.Stat(picture).mean[0]


class TestMail:
    def test_it_is_light_in_the_light_and_dark_in_the_dark(self, tmp_path):
        kind = "INVOICE_READY"
        html = Composer("https://portal.example").mail(kind, write_facts(kind, USUAL[kind]), ANN).html
        assert brightness(screenshot(tmp_path, html)) > 200
        assert brightness(screenshot(tmp_path, html, *DARK)) < 60

    def test_long_names_do_not_widen_it_on_a_phone(self, tmp_path):
        """The margin at the right edge stays empty: nothing runs out of the sheet."""
        kind = "PAYMENT_FAILED"
        facts = extreme(USUAL[kind], 10**12, LONG.replace(" ", "_"))
        html = Composer("https://portal.example").mail(kind, write_facts(kind, facts), ANN).html
        picture = screenshot(tmp_path, html, width=500)
        edge = picture.crop((picture.width - 8, 0, picture.width, picture.height))
        assert len(set(edge.tobytes())) == 1
