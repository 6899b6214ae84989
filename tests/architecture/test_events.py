"""The audit log's kinds: each is written in one place, its class, and every class is written by a use case."""

from __future__ import annotations

import ast

from app.domain.events.kinds import EVENTS
from tests.architecture.source import APP, place, python_files, tree

# Nothing writes these any more, but rows of earlier releases have them.
OF_EARLIER_RELEASES = {"AccountTaxSet"}


class TestEvents:
    def test_no_kind_is_text_outside_its_class(self):
        texts = [
            place(path, node)
            for path in python_files(APP)
            if not path.is_relative_to(APP / "domain" / "events")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Constant) and node.value in EVENTS
        ]
        assert texts == []

    def test_every_kind_is_written_somewhere(self):
        named = {
            node.id
            for path in python_files(APP / "services")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Name)
        }
        assert {each.__name__ for each in EVENTS.values()} - named == OF_EARLIER_RELEASES
