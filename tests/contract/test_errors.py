"""The codes that clients may meet: all of them listed, explained, shown by an example, and really raised."""

from __future__ import annotations

import ast

import orjson
import pytest

from app.error_codes import RETRYABLE, ErrorCode
from app.graphql.contract import FOLDER
from tests.architecture.source import APP, python_files, tree
from tests.contract.examples import examples

LISTED = orjson.loads((FOLDER / "errors.json").read_bytes())
PARTS = {"meaning", "retryable", "whoCanAct", "suggestedCopy", "httpStatus"}


def is_code(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ErrorCode"


def raised() -> set[str]:
    """Codes that some line of the program names, the definition apart."""
    found = {node.attr for path in python_files(APP) for node in ast.walk(tree(path)) if is_code(node)}
    # A limit's error brings its code by name.
    limits = tree(APP / "graphql" / "limits.py")
    names = {node.value for node in ast.walk(limits) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found | (names & set(ErrorCode.__members__))


class TestErrors:
    def test_every_code_is_listed_in_alphabetical_order(self):
        assert list(LISTED) == sorted(ErrorCode.__members__)

    def test_every_listed_code_is_raised(self):
        assert raised() == set(LISTED)

    def test_every_listed_code_has_an_example(self):
        shown = {code for example in examples() for code in example.codes}
        assert set(LISTED) - shown == set(), "add frontend-contract/examples/<Operation>/<case>.json and record it"
        assert shown - set(LISTED) == set()

    @pytest.mark.parametrize("code", LISTED)
    def test_a_code_says_what_it_means_and_who_can_act(self, code):
        entry = LISTED[code]
        assert set(entry) == PARTS
        assert entry["retryable"] is (ErrorCode[code] in RETRYABLE)
        assert all(entry[part].endswith(".") for part in ("meaning", "whoCanAct", "suggestedCopy"))

    @pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
    def test_examples_show_a_code_with_a_listed_status(self, example):
        assert all(example.content["httpStatus"] in LISTED[code]["httpStatus"] for code in example.codes)
        for error in (example.content["response"] or {}).get("errors", ()):
            assert error["extensions"]["retryable"] is LISTED[error["extensions"]["code"]]["retryable"]
