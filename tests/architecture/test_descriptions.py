"""Every module says what it is for; every public part of the rules and the use cases says which rule it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import APP, SCRIPTS, place, python_files, tree


def public_parts(path: Path) -> Iterator[ast.AST]:
    """Public functions and classes, and the public methods and properties of public classes."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in tree(path).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (part for part in node.body if isinstance(part, kinds) and not part.name.startswith("_"))


class TestDescriptions:
    def test_every_module_has_a_docstring(self):
        mute = [place(path) for path in python_files(APP, SCRIPTS) if not ast.get_docstring(tree(path))]
        assert mute == []

    def test_every_public_part_of_domain_and_services_has_a_docstring(self):
        mute = [
            f"{place(path, part)} {part.name}"
            for path in python_files(APP / "domain", APP / "services")
            for part in public_parts(path)
            if not ast.get_docstring(part)
        ]
        assert mute == []
