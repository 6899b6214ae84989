"""The pages that a newcomer opens: what they link to and which files they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import APP, ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        *(ROOT / ".github").rglob("*.md"),
        APP / "README.md",
        APP / "domain" / "RULES.md",
        *(APP / "decisions").glob("*.md"),
        *(ROOT / "frontend-contract").glob("*.md"),
    ]
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)")
FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.py)`")


def headings(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as they are made of their words."""
    words = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPages:
    def test_every_link_leads_somewhere(self, page):
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            linked = (page.parent / target).resolve() if target else page
            assert linked.exists(), target
            assert not anchor or anchor in headings(linked), f"{target}#{anchor}"

    def test_every_file_that_it_names_is_there(self, page):
        named = FILE.findall(page.read_text(encoding="utf-8"))
        places = (ROOT, APP, APP / "services", page.parent)
        assert [name for name in named if not any((place / name).exists() for place in places)] == []


class TestDecisions:
    def test_the_index_names_each(self):
        index = (APP / "decisions" / "README.md").read_text(encoding="utf-8")
        assert [page.name for page in (APP / "decisions").glob("0*.md") if f"({page.name})" not in index] == []
