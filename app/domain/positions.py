"""The four positions of a month, base, overage, patch and IVR: what each is still billed, and which credits it keeps.

Plan change, upgrade, late usage, final invoice, credit note, write-off, reports and `verify` all ask them; nothing else
sums what was billed (rules 13, 18, 25). `position_fold.py` folds them over what was issued.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from app.domain.invoice_lines import USAGE_KINDS, LineKind

if TYPE_CHECKING:
    from datetime import date

    from app.domain.billed_lines import BilledLine


class PositionKey(NamedTuple):
    """The position of a month: its first day, and base, overage, patch or IVR."""

    month: date
    kind: LineKind


@dataclass(frozen=True, slots=True)
class CreditStep:
    """One credit note or write-off over a position: what it credited of it, and what it left billed.

    `gross_cents` is what the price list called for then. `source` names it to the customer. `seq` is the posting of a
    write-off, whose credit shrinks as it is recovered.
    """

    net_cents: int
    cents: int
    gross_cents: int
    source: str
    seq: int | None = None

    def apply(self, cents: int) -> int:
        """Return what is to be paid of `cents`: all of it up to what was left billed, above that less the credit."""
        return max(min(cents, self.net_cents), cents - self.cents)


@dataclass(frozen=True, slots=True)
class Position:
    """What a month was billed for its base or one kind of usage.

    `gross_cents` is what the price list called for when it was billed last. Two figures are zero but in books of engine
    1: `moved_cents` were billed of this kind in a line of another, `excess_cents` given back beyond what was billed.
    """

    lines: tuple[BilledLine, ...] = ()
    steps: tuple[CreditStep, ...] = ()
    gross_cents: int = 0
    excess_cents: int = 0
    moved_cents: int = 0

    @property
    def net_cents(self) -> int:
        """What is still billed: charges less reversals, credit notes, and what is written off and not recovered."""
        return sum(line.left_cents for line in self.lines) + self.moved_cents

    def target(self, gross_cents: int) -> int:
        """Return what is to be billed in all where the price list calls for `gross_cents`: every credit is kept.

        A credit is kept when the bill goes up; when it goes down, the smaller of the new price and of what is still
        billed is paid. One more credit never makes anything dearer.
        """
        return reduce(lambda cents, step: step.apply(cents), self.steps, gross_cents)

    def kept_from(self, gross_cents: int) -> tuple[str, ...]:
        """Return the names of the credits that `target` keeps."""
        kept, cents = [], gross_cents
        for step in self.steps:
            after = step.apply(cents)
            if after < cents:
                kept.append(step.source)
            cents = after
        return tuple(kept)

    def recoverable_cents(self, seq: int) -> int:
        """Return how much of a write-off can be billed again: no more than without it, and no more than it took."""
        written_off = next(step for step in self.steps if step.seq == seq)
        whole = self.recovered(seq, written_off.cents)
        return min(written_off.cents, max(0, whole.target(self.gross_cents) - self.net_cents))

    def recovered(self, seq: int, cents: int) -> Position:
        """Return the position with a part of a write-off recovered; the lines are the caller's to fill again.

        Each later credit left as much more billed as had been billed then without that part, so that a write-off that
        is recovered in full is as none.
        """
        before, after = Position(), Position()
        for step in self.steps:
            more_cents = after.target(step.gross_cents) - before.target(step.gross_cents)
            part_cents = cents if step.seq == seq else 0
            less = replace(step, net_cents=step.net_cents + more_cents + part_cents, cents=step.cents - part_cents)
            before, after = Position(steps=(*before.steps, step)), Position(steps=(*after.steps, less))
        return replace(self, steps=after.steps)

    @property
    def content(self) -> list[object]:
        """All that a bill depends on, for the hash of its facts (rule 28)."""
        return [
            [[*line.ref, line.left_cents, *line.taxes_left] for line in self.lines],
            [[step.net_cents, step.cents, step.source] for step in self.steps],
            self.moved_cents,
        ]


NOTHING_BILLED = Position()


def usage_keys(month: date) -> list[PositionKey]:
    """Return the keys of a month's usage positions, in the order of `UsagePositions`."""
    return [PositionKey(month, kind) for kind in USAGE_KINDS]


class UsagePositions(NamedTuple):
    """What a month was billed for its usage."""

    overage: Position = NOTHING_BILLED
    patch: Position = NOTHING_BILLED
    ivr: Position = NOTHING_BILLED

    def by_key(self, month: date) -> dict[PositionKey, Position]:
        """Return the positions under the keys that they have in the month."""
        return dict(zip(usage_keys(month), self, strict=True))


NO_USAGE_BILLED = UsagePositions()
