"""Which room may know which: the contracts of pyproject.toml, and the two things they cannot say."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import APP, ROOT, place, python_files, tree

# What would let the pure core read the time, the machine or the world.
WORLDLY = {
    "asyncio", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess", "threading", "time",
}  # fmt: skip


def imported_modules(path: Path) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""


class TestImports:
    def test_the_contracts_of_pyproject_hold(self):
        program = (
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
        )
        result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr

    def test_the_domain_imports_itself_and_the_unworldly_standard_library(self):
        allowed = (sys.stdlib_module_names | {"app"}) - WORLDLY
        foreign = [
            f"{place(path, node)} imports {module}"
            for path in python_files(APP / "domain")
            for node, module in imported_modules(path)
            if module.split(".")[0] not in allowed or (module.startswith("app") and not module.startswith("app.domain"))
        ]
        assert foreign == []

    def test_rows_have_no_relationships(self):
        related = [
            place(path, node)
            for path in python_files(APP / "models")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Name) and node.id in {"Relationship", "relationship"}
        ]
        assert related == []

    def test_one_module_writes_csv(self):
        writers = [
            place(path, node)
            for path in python_files(APP)
            for node, module in imported_modules(path)
            if module == "csv" and path != APP / "messages" / "tables.py"
        ]
        assert writers == []
