"""The books of the reference model: what is billed of every line and month, what is open, and the credit there is.

Kept by the published rules (`books.md`) in integers and fractions, and sharing nothing with the product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from tests.scenarios.reference_bills import Bill, Entry, Line, Place, Position, Rate, Refused, Take, Tax
from tests.scenarios.reference_prices import Month, half_up, shared

FIRST_NUMBER = 100_001
WHOLE = 1_000_000
"""A rate is in ten-thousandths of a per cent of what it applies to."""


@dataclass(eq=False)
class Invoice:
    number: int
    bill: Bill
    entries: list[Entry]
    balance_cents: int = 0
    credited_cents: int = 0
    received_cents: int = 0
    lost_cents: int = 0
    was_paid: bool = False
    is_void: bool = False
    is_by_hand: bool = False
    corrects: int = 0

    @property
    def status(self) -> str:
        if self.is_void:
            return "VOID"
        if self.balance_cents:
            return "OPEN"
        return "UNCOLLECTIBLE" if self.lost_cents else "PAID"


@dataclass(eq=False)
class Movement:
    """What moved a position: `cents` were billed at a new price, or credited or written off where there is none.

    `mends` is the movement that a recovery takes so much of back.
    """

    invoice: Invoice
    position: Position
    cents: int
    gross_cents: int | None = None
    mends: Movement | None = None


class Step(NamedTuple):
    """A credit of some cents that left the net at that height."""

    net_cents: int
    cents: int

    def price(self, gross_cents: int) -> int:
        """A credit is kept when the price goes up; when it goes down, the smaller of it and the net is paid."""
        return max(min(gross_cents, self.net_cents), gross_cents - self.cents)


class Standing(NamedTuple):
    """A position as it stands: what is billed, the price that was billed last, and the credits, oldest first."""

    net_cents: int = 0
    gross_cents: int = 0
    steps: tuple[Step, ...] = ()

    def price(self, gross_cents: int) -> int:
        for step in self.steps:
            gross_cents = step.price(gross_cents)
        return gross_cents


def fold(moved: Sequence[Movement], whole: Movement | None = None) -> Standing:
    """Replay the movements of a position with every write-off less what was recovered of it since, all of `whole`."""
    mended: Counter[int] = Counter()
    for movement in moved:
        if movement.mends is not None:
            mended[id(movement.mends)] += movement.cents
    standing = Standing()
    for movement in moved:
        if movement.gross_cents is not None:
            standing = Standing(standing.price(movement.gross_cents), movement.gross_cents, standing.steps)
        elif movement.mends is None:
            cents = 0 if movement is whole else movement.cents - mended[id(movement)]
            net = standing.net_cents - cents
            standing = Standing(net, standing.gross_cents, (*standing.steps, Step(net, cents)))
    return standing


class Books:
    """All invoices of an account. `grants`: what is left of each credit, oldest first."""

    def __init__(self) -> None:
        self.invoices: list[Invoice] = []
        self.movements: list[Movement] = []
        self.grants: list[int] = []

    # -- what is billed --

    def invoice(self, number: int) -> Invoice:
        return self.invoices[number - FIRST_NUMBER]

    def entry(self, place: Place) -> Entry:
        return self.invoice(place.number).entries[place.line]

    def entries(self, *positions: Position) -> Iterator[tuple[Place, Entry]]:
        """Every line with something left, oldest first; those of the positions, where any is named."""
        for invoice in self.invoices:
            for place, entry in enumerate(invoice.entries):
                if entry.left and not invoice.is_void and (not positions or entry.line.position in positions):
                    yield Place(invoice.number, place), entry

    def standing(self, position: Position, whole: Movement | None = None) -> Standing:
        """Fold the movements of a position; void invoices are in none. `whole` is a write-off as if recovered whole."""
        return fold([m for m in self.movements if m.position == position and not m.invoice.is_void], whole)

    def take(self, place: Place, cents: int) -> Take:
        return Take(place, cents, self.entry(place).given_back(cents))

    # -- bills --

    def base_lines(self, month: Month, gross_cents: int) -> list[Line]:
        """The new base, minus what is billed of each earlier one, minus the credit that is kept."""
        position = Position(month, "BASE")
        lines = [Line("BASE", month, gross_cents)]
        for place, entry in self.entries(position):
            lines.append(Line("BASE_REVERSAL", month, -entry.left, takes=(self.take(place, entry.left),)))
        kept = gross_cents - self.standing(position).price(gross_cents)
        if kept:
            lines.append(Line("CREDIT_KEPT", month, -kept, takes=(Take(Place(0, 0), kept),)))
        return lines

    def adjustment_lines(self, position: Position, gross_cents: int) -> list[Line]:
        """What usage of a closed month is billed beyond what it was; what is given back goes off the newest lines."""
        standing = self.standing(position)
        change = left = standing.price(gross_cents) - standing.net_cents
        takes = []
        for place, entry in reversed(list(self.entries(position))):
            part = min(entry.left, -left)
            if part > 0:
                takes.append(self.take(place, part))
                left += part
        return [Line("ADJUSTMENT", position.month, change, position.kind, tuple(takes))] if change else []

    def bill(
        self,
        kind: str,
        month: Month,
        lines: Sequence[Line],
        rates: Sequence[Rate] = (),
        gross: Iterable[tuple[Position, int]] = (),
    ) -> Bill:
        """Add the taxes: those of charges round once for each rate; what is given back has the tax of its own line."""
        taxes: list[dict[Tax, int]] = [{} for _ in lines]
        for rate in rates:
            taxed = [
                place
                for place, line in enumerate(lines)
                if line.cents > 0 and (not rate.kinds or (line.usage or line.kind) in rate.kinds)
            ]
            amounts = [lines[place].cents for place in taxed]
            if amounts:
                cents = half_up(Fraction(sum(amounts) * rate.rate, WHOLE))
                for place, part in zip(taxed, shared(cents, amounts), strict=True):
                    taxes[place][rate.name, rate.rate] = part
        own = [Entry(line, taxes[place]) for place, line in enumerate(lines)]
        whole = tuple(
            line._replace(
                takes=tuple(
                    take if take.place.number else take._replace(taxes=own[take.place.line].given_back(take.cents))
                    for take in line.takes
                )
            )
            for line in lines
        )
        billed = {line.position for line in lines}
        drawn = Bill(
            kind,
            month,
            whole,
            tuple(tuple(each.items()) for each in taxes),
            tuple((position, cents) for position, cents in gross if position in billed),
        )
        applied = min(max(0, drawn.total_cents), sum(self.grants))
        return Bill(kind, month, whole, drawn.taxes, drawn.gross, applied)

    def note(self, number: int, cents_by_line: dict[int, int | None], month: Month) -> Bill:
        """A credit note: at most what is still billed of each line; no line named means all of all."""
        invoice = self.invoice(number)
        if invoice.bill.kind == "CREDIT_NOTE" or invoice.status not in {"OPEN", "PAID"}:
            raise Refused("InvoiceNotCreditable")
        asked = cents_by_line or {place: None for place, entry in enumerate(invoice.entries) if entry.left}
        lines = []
        for place, wanted in sorted(asked.items()):
            entry = invoice.entries[place]
            if entry.line.cents <= 0:
                raise Refused("LineNotCreditable")
            cents = entry.left if wanted is None else wanted
            if cents > entry.left:
                raise Refused("CreditTooHigh")
            if cents:
                take = self.take(Place(number, place), cents)
                lines.append(Line("CORRECTION", entry.line.month, -cents, takes=(take,)))
        if not lines:
            raise Refused("NothingLeftToCredit")
        return self.bill("CREDIT_NOTE", month, lines)

    # -- issuing and voiding --

    def issue(self, bill: Bill, *, corrects: int = 0) -> Invoice:
        """Rule 35: below zero it is credit, which pays first what the invoice takes lines back of."""
        entries = [Entry(line, dict(taxes)) for line, taxes in zip(bill.lines, bill.taxes, strict=True)]
        invoice = Invoice(FIRST_NUMBER + len(self.invoices), bill, entries, max(0, bill.total_cents), corrects=corrects)
        self.invoices.append(invoice)
        self._take(invoice)
        for position, gross_cents in bill.gross:
            cents = sum(line.cents for line in bill.lines if line.position == position)
            self.movements.append(Movement(invoice, position, cents, gross_cents))
        if bill.kind == "CREDIT_NOTE":
            self._credit(invoice)
        if bill.total_cents < 0:
            self._grant_back(bill)
            self._settle_corrected(bill)
        else:
            self.apply(invoice, bill.credit_applied_cents)
        self.settle()
        return invoice

    def withdraw(self, invoice: Invoice) -> None:
        """Void an invoice: it takes nothing back any more, and all credit that paid it is credit again, the newest."""
        self._take(invoice, -1)
        invoice.is_void, invoice.balance_cents = True, 0
        self.grant(invoice.credited_cents)

    def _take(self, invoice: Invoice, sign: int = 1) -> None:
        for take in invoice.bill.takes:
            place = Place(take.place.number or invoice.number, take.place.line)
            self.entry(place).take(sign * take.cents, [(tax, sign * cents) for tax, cents in take.taxes])

    def _credit(self, note: Invoice) -> None:
        """One credit note is one step of a position, with the sum of its cents there."""
        sums: Counter[Position] = Counter()
        for take in note.bill.takes:
            position = self.entry(take.place).line.position
            if position is not None:
                sums[position] += take.cents
        self.movements += [Movement(note, position, cents) for position, cents in sums.items()]

    # -- credit --

    def grant(self, *cents: int) -> None:
        self.grants += [each for each in cents if each]

    def _grant_back(self, bill: Bill) -> None:
        """Net and tax of a total below zero; where one of them is charged, the other is set against it first."""
        net, tax = -bill.net_cents, -bill.tax_cents
        self.grant(*((net, tax) if min(net, tax) >= 0 else (net + tax,)))

    def apply(self, invoice: Invoice, cents: int) -> None:
        """Set credit against an invoice, the oldest first."""
        invoice.balance_cents -= cents
        invoice.credited_cents += cents
        for place, left in enumerate(self.grants):
            part = min(left, cents)
            self.grants[place] -= part
            cents -= part
        assert cents == 0
        assert invoice.balance_cents >= 0
        self.grants = [left for left in self.grants if left]

    def settle(self) -> None:
        """No credit lies beside an open invoice, unless that is to be paid by hand."""
        for invoice in self.invoices:
            if not invoice.is_by_hand:
                self.apply(invoice, min(invoice.balance_cents, sum(self.grants)))

    def _settle_corrected(self, bill: Bill) -> None:
        """First the invoices that lines are taken back of, up to what is taken back, by hand or not."""
        taken: Counter[int] = Counter()
        for take in bill.takes:
            if take.place.number:
                taken[take.place.number] += take.gross_cents
        left = -bill.total_cents
        for number, cents in sorted(taken.items()):
            invoice = self.invoice(number)
            part = min(invoice.balance_cents, cents, left)
            self.apply(invoice, part)
            left -= part
