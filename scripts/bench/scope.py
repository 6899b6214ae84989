"""How much a bench does: in full, quickly, or as little as shows that it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.bench.import_facts import sample_file
from scripts.bench.measure import ROOT

if TYPE_CHECKING:
    from pathlib import Path

REAL_FILE = ROOT.parent / "shared" / "data" / "calls-1999-01.tsv.gz"
SAMPLE_LINES = 27


@dataclass(frozen=True, slots=True)
class Scope:
    """`folder` is an empty one for databases. `few` and `many` are numbers of accounts; `call_file` None makes one."""

    folder: Path
    rounds: int = 5
    few: int = 1_000
    many: int = 10_000
    copies: int = 5
    sample_lines: int = SAMPLE_LINES
    call_file: Path | None = REAL_FILE if REAL_FILE.is_file() else None

    def calls(self) -> tuple[Path, str]:
        """Return the call file and where it comes from, in words."""
        if self.call_file is not None:
            return self.call_file, "Call file: the real month."
        made = sample_file(self.folder / "sample.tsv.gz", self.sample_lines)
        return made, "Call file: a made month (app/sandbox/sample_calls.py), for the real one is not here."


def quick(folder: Path) -> Scope:
    """Return a scope for a first impression, with fewer rounds and accounts."""
    return Scope(folder, rounds=3, few=500, many=2_000, copies=3)
