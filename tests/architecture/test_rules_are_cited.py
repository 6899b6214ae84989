"""Each rule of billing that is built has a test that names it: "rule 7" in a test's docstring, comment or name."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.source import APP, TESTS, python_files

BUILT_RULES = frozenset(range(1, 41))

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


class TestRules:
    def test_every_built_rule_is_named_by_a_test(self):
        tests = [path for path in python_files(TESTS) if TESTS / "architecture" not in path.parents]
        assert sorted(BUILT_RULES - rules_cited_in(*tests)) == []

    def test_every_rule_that_the_domain_names_is_named_by_a_test(self):
        tests = [path for path in python_files(TESTS) if TESTS / "architecture" not in path.parents]
        named = rules_cited_in(*python_files(APP / "domain"))
        assert sorted(named - rules_cited_in(*tests)) == []

    def test_citations_are_read_one_by_one_in_lists_and_in_ranges(self):
        assert cited_rules("rule 7; Rules 3, 6 and 24; rules 9-11; test_rule_13_holds") == {3, 6, 7, 9, 10, 11, 13, 24}
