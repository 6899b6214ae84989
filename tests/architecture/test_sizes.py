"""Outer bounds of size: what is larger has a second thing in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.source import APP, SCRIPTS, TESTS, functions, place, python_files

APP_FILE_LINES = 400
TEST_FILE_LINES = 700
FUNCTION_LINES = 50
RESOLVER_LINES = 12
PARAMETERS = 7
PUBLIC_METHODS = 12
EXCEPTIONS_TO_RULES = 90

_EXCEPTION = re.compile(r"#\s*(?:ruff:\s*)?noqa\b", re.IGNORECASE)


def is_revision(path: Path) -> bool:
    """A revision lists tables, however many there are."""
    return path.parent.name == "versions"


def lines_of_file(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many a caller has to know of; the object of a method is none."""
    named = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return sum(each.arg not in {"self", "cls"} for each in named)


def public_methods(node: ast.ClassDef) -> int:
    methods = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return sum(not method.name.startswith("_") for method in methods)


def is_resolver(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    declaring = ("strawberry.", "root_field", "section", "computed")
    return any(ast.unparse(decorator).startswith(declaring) for decorator in function.decorator_list)


class TestSizes:
    def test_files_of_the_product_and_the_tools_are_short(self):
        long = {place(path): lines_of_file(path) for path in python_files(APP, SCRIPTS) if not is_revision(path)}
        assert {name: lines for name, lines in long.items() if lines > APP_FILE_LINES} == {}

    def test_test_files_are_short(self):
        long = {place(path): lines_of_file(path) for path in python_files(TESTS)}
        assert {name: lines for name, lines in long.items() if lines > TEST_FILE_LINES} == {}

    def test_functions_are_short(self):
        long = {
            place(path, function): lines
            for path in python_files(APP, SCRIPTS)
            if not is_revision(path)
            for function in functions(path)
            if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
        }
        assert long == {}

    def test_functions_take_few_parameters(self):
        many = {
            place(path, function): count
            for path in python_files(APP)
            for function in functions(path)
            if (count := parameters(function)) > PARAMETERS
        }
        assert many == {}, f"Group what belongs together; more than {PARAMETERS} parameters in: {', '.join(many)}"

    def test_classes_have_few_public_methods(self):
        large = {
            f"{place(path)}: {node.name}": count
            for path in python_files(APP)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ClassDef) and (count := public_methods(node)) > PUBLIC_METHODS
        }
        assert large == {}, f"Split by question; more than {PUBLIC_METHODS} public methods in: {', '.join(large)}"

    def test_resolvers_only_translate(self):
        long = {
            place(path, function): lines
            for path in python_files(APP / "graphql")
            for function in functions(path)
            if is_resolver(function) and (lines := body_lines(function)) > RESOLVER_LINES
        }
        assert long == {}

    def test_exceptions_to_the_rules_of_the_linter_are_few(self):
        """A rule that a whole file cannot keep is named in `pyproject.toml`, with the reason."""
        lines = [
            f"{place(path)}:{number}"
            for path in python_files(APP, SCRIPTS, TESTS)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if _EXCEPTION.search(line)
        ]
        assert len(lines) <= EXCEPTIONS_TO_RULES, f"{len(lines)} lines are exempt from a rule; the last: {lines[-5:]}"
