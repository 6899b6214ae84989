"""Each rule of `domain/RULES.md` has a test that names it, "rule 7" in its docstring, comment or name; and each that is
cited anywhere stands there.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.source import APP, SCRIPTS, TESTS, python_files

RULES = APP / "domain" / "RULES.md"

CITATION = re.compile(r"(?<![a-z])rules?(?:\s+|_)((?:\d+)(?:(?:, | and |,? or |-|_and_)\d+)*)", re.IGNORECASE)
RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def cited_rules(text: str) -> set[int]:
    """Give the numbers named by "rule 7", "rules 3, 6 and 24" or "rules 9-12"."""
    return {
        rule
        for citation in CITATION.finditer(text)
        for first, last in RANGE.findall(citation.group(1))
        for rule in range(int(first), int(last or first) + 1)
    }


def rules_cited_in(*paths: Path) -> set[int]:
    return set().union(*(cited_rules(path.read_text(encoding="utf-8")) for path in paths))


def stated_rules() -> list[int]:
    """Give the numbers of the rules that the page states, in its order."""
    return [int(number) for number in re.findall(r"^(\d+)\. \*\*", RULES.read_text(encoding="utf-8"), re.MULTILINE)]


def product_tests() -> list[Path]:
    return [path for path in python_files(TESTS) if TESTS / "architecture" not in path.parents]


class TestRules:
    def test_are_numbered_without_a_gap(self):
        assert stated_rules() == list(range(1, 43))

    def test_every_rule_is_named_by_a_test(self):
        assert sorted(set(stated_rules()) - rules_cited_in(*product_tests())) == []

    def test_every_rule_that_is_cited_is_stated(self):
        cited = rules_cited_in(*python_files(APP, TESTS, SCRIPTS), *(APP / "decisions").glob("*.md"))
        assert sorted(cited - set(stated_rules())) == []

    def test_every_golden_vector_of_the_books_is_on_the_page(self):
        names = {*(f"P{number}" for number in range(1, 15)), *(f"T{number}" for number in range(1, 7))}
        assert set(re.findall(r"^\| ([PT]\d+) \|", RULES.read_text(encoding="utf-8"), re.MULTILINE)) == names

    def test_citations_are_read_one_by_one_in_lists_and_in_ranges(self):
        assert cited_rules("rule 7; Rules 3, 6 and 24; rules 9-11; test_rule_13_holds") == {3, 6, 7, 9, 10, 11, 13, 24}
