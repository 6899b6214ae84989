"""Every CSV of the product goes through the one guard against formulas: nobody else writes one, or says it is one."""

from __future__ import annotations

import ast
import re

from app.messages.tables import guarded
from tests.architecture.source import APP, place, python_files, tree

WRITER = "app/messages/tables.py"
LIBRARIES = {"csv", "pandas", "polars", "openpyxl", "xlsxwriter", "tablib", "petl", "agate"}
SAYS_SO = re.compile(r"text/(?:csv|tab-separated-values)|application/vnd\.ms-excel|spreadsheetml", re.IGNORECASE)


def imported(node: ast.AST) -> set[str]:
    """The libraries that a statement imports."""
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {(node.module or "").partition(".")[0]}
    return set()


def joins_cells(node: ast.AST) -> bool:
    """Whether an expression puts cells together by hand: `",".join(…)` or with a semicolon or a tab."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "join"
        and isinstance(node.func.value, ast.Constant)
        and node.func.value.value in {",", ";", "\t"}
    )


class TestTablesForSpreadsheets:
    def test_one_module_writes_them(self):
        writers = {
            place(path) for path in python_files(APP) for node in ast.walk(tree(path)) if imported(node) & LIBRARIES
        }
        assert writers == {WRITER}

    def test_one_module_says_that_something_is_one(self):
        assert {place(path) for path in python_files(APP) if SAYS_SO.search(path.read_text("utf-8"))} == {WRITER}

    def test_no_module_puts_cells_together_by_hand(self):
        by_hand = {place(path) for path in python_files(APP) for node in ast.walk(tree(path)) if joins_cells(node)}
        # Parameters of the payment gateway, and the call centre's own form of files: no spreadsheet opens them.
        of_others = {name for name in by_hand if name.startswith("app/gateways/")} | {"app/sandbox/sample_calls.py"}
        assert by_hand - of_others == set()

    def test_the_guard_sees_a_formula_behind_blanks_of_every_kind(self):
        for blank in (" ", "   ", "\t", "\r", "\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufeff", "\u202e", "\0"):
            for formula in ("=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1"):
                assert guarded(blank + formula) == f"'{blank}{formula}"
