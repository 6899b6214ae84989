"""The values that rules and use cases pass on cannot be changed by whoever holds one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import APP, last_name, place, python_files, tree

ROOMS = [APP / "domain", APP / "services"]

# What is filled or counted step by step while documents, calls or a file are read.
FILLED_STEP_BY_STEP = {"Books", "DayDelta", "ImportCounts", "MeteredAccount", "Metering", "Replay"}


def data_classes(path: Path) -> Iterator[tuple[ast.ClassDef, dict[str, object]]]:
    """Yield each data class of a file with the options that it is made with."""
    for node in ast.walk(tree(path)):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
            if last_name(call.func) == "dataclass":
                yield node, {option.arg: ast.literal_eval(option.value) for option in call.keywords}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_data_classes_are_frozen_and_take_no_further_attributes(room):
    loose = [
        f"{place(path, node)} {node.name}"
        for path in python_files(room)
        for node, options in data_classes(path)
        if not options.get("slots") or (not options.get("frozen") and node.name not in FILLED_STEP_BY_STEP)
    ]
    assert loose == [], "give them `frozen=True, slots=True`; a changed one is made by `replace`"
