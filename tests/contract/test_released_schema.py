"""What apps in people's hands rely on: the schema may grow, but what was released stays."""

from __future__ import annotations

import re

from graphql import build_schema
from graphql.utilities import find_breaking_changes, find_dangerous_changes

from app.graphql.contract import FOLDER
from app.graphql.schema import graphql_schema, schema_text

RELEASED = (FOLDER / "schema.released.graphql").read_text(encoding="utf-8")
CHANGELOG = (FOLDER / "CHANGELOG.md").read_text(encoding="utf-8")

ENTRY = re.compile(r"^## (Unreleased|\d+\.\d+\.\d+, \d{4}-\d{2}-\d{2})$", re.MULTILINE)


def unreleased() -> str:
    """The changelog's text above its first release; empty when there is none."""
    parts = ENTRY.split(CHANGELOG)
    return parts[2].strip() if len(parts) > 2 and parts[1] == "Unreleased" else ""


class TestReleasedSchema:
    def test_nothing_released_was_broken(self):
        changes = find_breaking_changes(build_schema(RELEASED), graphql_schema)
        assert [change.description for change in changes] == []

    def test_what_may_surprise_an_app_is_in_the_changelog(self):
        changes = find_dangerous_changes(build_schema(RELEASED), graphql_schema)
        names = {name for change in changes for name in re.findall(r"'([\w.]+)", change.description)[:1]}
        assert {name for name in names if f"`{name}`" not in unreleased()} == set()

    def test_a_changed_schema_has_an_entry_in_the_changelog(self):
        is_changed = schema_text() != RELEASED
        assert not is_changed or unreleased(), "write it under `## Unreleased` in frontend-contract/CHANGELOG.md"

    def test_the_changelog_has_dated_entries_newest_first(self):
        dates = re.findall(r"^## \d+\.\d+\.\d+, (\d{4}-\d{2}-\d{2})$", CHANGELOG, re.MULTILINE)
        assert dates
        assert dates == sorted(dates, reverse=True)
        assert len(re.findall(r"^## ", CHANGELOG, re.MULTILINE)) == len(ENTRY.findall(CHANGELOG))
