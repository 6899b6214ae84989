"""A line that charged something, what is still billed of it, and what a part of it gives back with its tax."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from app.domain.invoice_lines import InvoiceLine, TaxShare
from app.domain.money import round_half_up

if TYPE_CHECKING:
    from collections.abc import Sequence


class LineRef(NamedTuple):
    """A line by the number of its invoice and its position there, from 1 on; in the order of issue."""

    number: int
    position: int


class GiveBack(NamedTuple):
    """A part of an earlier charge that a line gives back: cents, and the taxes that they had been billed, above zero.

    `reverses` is the number of the invoice that had charged it, None where it is the same invoice.
    """

    reverses: int | None
    cents: int
    taxes: tuple[TaxShare, ...] = ()

    @property
    def total_cents(self) -> int:
        """What is given back, tax and all."""
        return self.cents + sum(share.cents for share in self.taxes)

    @property
    def negated_taxes(self) -> tuple[TaxShare, ...]:
        """The shares of a line that gives this back."""
        return tuple(TaxShare(share.name, share.rate, -share.cents, self.reverses) for share in self.taxes)


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line that charged something, and what is still billed of it: before tax, and of each of its taxes."""

    ref: LineRef
    line: InvoiceLine
    left_cents: int
    taxes_left: tuple[int, ...]

    @classmethod
    def issued(cls, ref: LineRef, line: InvoiceLine) -> BilledLine:
        """Return a line as its invoice billed it."""
        return cls(ref, line, line.amount_cents, tuple(share.cents for share in line.taxes))

    @property
    def weight_cents(self) -> int:
        """What is still billed of it, tax and all."""
        return self.left_cents + sum(self.taxes_left)

    def less(self, cents: int) -> BilledLine:
        """Return the line with `cents` less billed; its taxes stay in proportion, and end with the last cent.

        Of a tax of t on a line of a, of which x in all is off, t - round half up(t * x / a) is left; never more than
        before.
        """
        amount_cents, left_cents = self.line.amount_cents, self.left_cents - cents
        off_cents = amount_cents - left_cents
        return replace(
            self,
            left_cents=left_cents,
            taxes_left=tuple(
                min(left, share.cents - round_half_up(share.cents * off_cents, amount_cents))
                for share, left in zip(self.line.taxes, self.taxes_left, strict=True)
            ),
        )

    def give_back(self, cents: int) -> GiveBack:
        """Return what taking `cents` off it gives back, with the tax that they had been billed."""
        after = self.less(cents).taxes_left
        shares = (
            TaxShare(share.name, share.rate, before - left)
            for share, before, left in zip(self.line.taxes, self.taxes_left, after, strict=True)
        )
        return GiveBack(self.ref.number, cents, tuple(share for share in shares if share.cents))

    def written_off(self, cents: int, taxes: Sequence[int]) -> BilledLine:
        """Return the line with a share of a write-off less billed; a share below zero is billed again."""
        left = tuple(left - part for left, part in zip(self.taxes_left, taxes, strict=True))
        return replace(self, left_cents=self.left_cents - cents, taxes_left=left)


class WriteOffShare(NamedTuple):
    """The part of a write-off that one line stands for, before tax and of each of its taxes; below zero: recovered.

    `seq` is the posting that wrote it off, also for what is recovered of it; `number` the invoice that was written off.
    """

    seq: int
    number: int
    ref: LineRef
    cents: int
    taxes: tuple[int, ...] = ()

    @property
    def total_cents(self) -> int:
        """The share, tax and all."""
        return self.cents + sum(self.taxes)

    def plus(self, other: WriteOffShare) -> WriteOffShare:
        """Return the share with another of the same line added, such as what is recovered of it."""
        taxes = tuple(one + more for one, more in zip(self.taxes, other.taxes, strict=True))
        return self._replace(cents=self.cents + other.cents, taxes=taxes)


@dataclass(frozen=True, slots=True)
class WriteOffEntry:
    """The shares of one posting that wrote off, or recovered, what was open on an invoice; `seq` is its number."""

    seq: int
    shares: tuple[WriteOffShare, ...]
