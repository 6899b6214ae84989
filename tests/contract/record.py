"""`python -m tests.contract.record [NAME …]`: plays the examples, and writes down what came out.

A new example is a file with `as`, `at`, `seed` and `variables`; this adds `httpStatus` and `response`. An answer that
nobody meant, `INTERNAL` where the example has no `fault`, is not written: the log says what failed. An example that
has a `fault` may log it too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from app.graphql.execution import ExecutionMode
from tests.contract.examples import Example, Recorded, Stage, examples

RECORDED = {"httpStatus", "response", "events", "isComplete"}


def write(example: Example, answer: Recorded) -> bool:
    """Write the answer into the file, and tell whether that changed it."""
    before = example.path.read_text(encoding="utf-8")
    content = {key: value for key, value in example.content.items() if key not in RECORDED}
    text = json.dumps(content | answer.parts, indent=2, ensure_ascii=False) + "\n"
    example.path.write_text(text, encoding="utf-8")
    return text != before


def failed(example: Example, response: Any) -> bool:
    """Tell whether the application broke down, though the example brings no fault about."""
    errors = (response or {}).get("errors", ())
    return "fault" not in example.content and any(error["extensions"]["code"] == "INTERNAL" for error in errors)


async def record(names: list[str]) -> tuple[list[str], list[str]]:
    """Record the examples whose name begins with one of these, or all; returns those that changed and that failed."""
    changed, broken = [], []
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder), ExecutionMode.PLAIN)
        for example in examples():
            if names and not example.name.startswith(tuple(names)):
                continue
            answer = await stage.play(example)
            if failed(example, answer.response):
                broken.append(example.name)
            elif write(example, answer):
                changed.append(example.name)
        await stage.close()
    return changed, broken


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    changed, broken = asyncio.run(record(sys.argv[1:]))
    sys.stdout.writelines(f"{name}\n" for name in changed)
    if broken:
        sys.exit(f"Not written, for the answer is INTERNAL: {', '.join(broken)}. The log above says what failed.")
