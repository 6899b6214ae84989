"""Cents stay whole numbers, and only the clock knows the time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import APP, last_name, place, python_files, tree

CLOCKS = [APP / "gateways" / "clock.py", APP / "sandbox"]
NOW = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}, "time": {"time", "time_ns"}}


def operands(node: ast.AST) -> Iterator[ast.AST]:
    """The terms of an arithmetic expression; a call's result is its own matter."""
    if isinstance(node, ast.BinOp):
        yield from operands(node.left)
        yield from operands(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from operands(node.operand)
    else:
        yield node


def holds_cents(node: ast.AST) -> bool:
    return any(last_name(term).endswith("_cents") for term in operands(node))


def spoils_cents(node: ast.AST) -> bool:
    """Tell whether a node divides cents truly, or turns them into a float."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        parts = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        return any(holds_cents(part) for part in parts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        return any(holds_cents(argument) for argument in node.args)
    return False


def reads_the_time(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in NOW.get(last_name(node.func.value), set())
    )


def is_clock(path: Path) -> bool:
    return any(path == clock or clock in path.parents for clock in CLOCKS)


class TestMoney:
    def test_cents_are_never_divided_truly_nor_made_floats(self):
        spoilt = [
            place(path, node) for path in python_files(APP) for node in ast.walk(tree(path)) if spoils_cents(node)
        ]
        assert spoilt == [], "divide cents with `round_half_up` or `price_of` of app/domain/money.py"

    def test_the_domain_knows_no_float(self):
        floats = [
            place(path, node)
            for path in python_files(APP / "domain")
            for node in ast.walk(tree(path))
            if last_name(node) == "float" or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        ]
        assert floats == []

    def test_the_check_itself_sees_the_ways_to_spoil_cents(self):
        spoilt = ["fee_cents / 2", "float(line.fee_cents)", "(tax_cents + 1) / days", "x / row['a'].base_cents"]
        clean = ["fee_cents // 2", "Fraction(fee_cents) / 2", "float(usage_seconds)", "days / 2"]
        assert [any(map(spoils_cents, ast.walk(ast.parse(code)))) for code in spoilt] == [True] * 4
        assert [any(map(spoils_cents, ast.walk(ast.parse(code)))) for code in clean] == [False] * 4


class TestTime:
    def test_only_the_clock_reads_the_time(self):
        readers = [
            place(path, node)
            for path in python_files(APP)
            if not is_clock(path)
            for node in ast.walk(tree(path))
            if reads_the_time(node)
        ]
        assert readers == []

    def test_the_check_itself_sees_the_ways_to_read_the_time(self):
        codes = ["datetime.now(UTC)", "datetime.datetime.utcnow()", "dt.date.today()", "time.time()", "clock.now()"]
        seen = [any(map(reads_the_time, ast.walk(ast.parse(code)))) for code in codes]
        assert seen == [True, True, True, True, False]
