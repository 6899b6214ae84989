"""How a command fails: its exit codes, a refusal of its own, and the details of a fault of ours."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path

BAD_INPUT = 2
FOUND_PROBLEMS = 1
BROKEN = 70
"""Exit codes, beside 130 for an interruption. 70 is what other programs too say when they are at fault themselves."""


class Refused(Exception):
    """The command cannot be carried out as given; the message says what to do."""


def keep_details(error: BaseException) -> Path:
    """Write the traceback of a fault of ours where it can be picked up, and return the place."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="flex-billing-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(traceback.format_exception(error))
    return Path(file.name)
