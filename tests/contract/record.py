"""`python -m tests.contract.record [NAME …]`: plays the examples, and writes down what came out.

A new example is a file with `as`, `at`, `seed` and `variables`; this adds `httpStatus` and `response`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from tests.contract.examples import Example, Stage, examples


def write(example: Example, status: int, response: object) -> bool:
    """Write the answer into the file, and tell whether that changed it."""
    before = example.path.read_text(encoding="utf-8")
    content = {key: value for key, value in example.content.items() if key not in {"httpStatus", "response"}}
    text = json.dumps(content | {"httpStatus": status, "response": response}, indent=2, ensure_ascii=False) + "\n"
    example.path.write_text(text, encoding="utf-8")
    return text != before


async def record(names: list[str]) -> list[str]:
    """Record the examples whose name begins with one of these, or all; returns the names of those that changed."""
    changed = []
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        for example in examples():
            if names and not example.name.startswith(tuple(names)):
                continue
            if write(example, *await stage.play(example)):
                changed.append(example.name)
        await stage.close()
    return changed


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for name in asyncio.run(record(sys.argv[1:])):
        sys.stdout.write(f"{name}\n")
