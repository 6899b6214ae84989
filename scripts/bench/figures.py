"""What a bench tells: ratios with the goal they aim at and the bound they must keep."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One ratio, lower being better, with the absolute values behind it in words."""

    name: str
    ratio: float
    goal: float
    must: float
    detail: str

    @property
    def verdict(self) -> str:
        """How the ratio stands to its bounds."""
        if self.ratio <= self.goal:
            return "goal met"
        return "within bounds" if self.ratio <= self.must else "MISSED"


@dataclass(slots=True)
class Report:
    """The figures of one bench, and what a reader has to know about how they came about."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
