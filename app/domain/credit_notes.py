"""Credit notes: what an invoice charged too much is given back, line by line, with its share of the tax (rule 27)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.explanations import dollars, explain
from app.domain.invoices import ENGINE_VERSION, InvoiceDraft, InvoiceKind, InvoiceLine, LineKind, digest
from app.domain.money import UnitPrice, round_half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.domain.periods import Period


class CreditNoteRefused(ValueError):
    """The credit note cannot be written as asked; the message says what is possible."""


class NothingLeftToCredit(CreditNoteRefused):
    """Credit notes have given back all that the invoice charged, or it charged nothing."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Invoice {number} has nothing left to credit.")
        self.number = number


class LineNotCreditable(CreditNoteRefused):
    """The invoice has no such line, or one that charges nothing; tax follows the lines by itself."""

    def __init__(self, number: int, position: int) -> None:
        super().__init__(
            f"Invoice {number} has no line {position} that charges something. Tax follows the lines by itself."
        )
        self.number = number
        self.position = position


class CreditTooHigh(CreditNoteRefused):
    """More is to be given back than a line charged, or than the invoice did, less earlier credit notes."""

    def __init__(self, place: str, asked_cents: int, left_cents: int) -> None:
        super().__init__(f"{dollars(asked_cents)} cannot be credited: {dollars(left_cents)} is left of {place}.")
        self.asked_cents = asked_cents
        self.left_cents = left_cents


@dataclass(frozen=True, slots=True)
class Creditable:
    """An issued invoice with all that earlier credit notes gave back of it.

    `lines` in the order of the invoice, whose first has position 1; `earlier` are the lines of its credit notes.
    """

    number: int
    lines: Sequence[InvoiceLine]
    earlier: Sequence[InvoiceLine] = ()

    @property
    def given_cents(self) -> Counter[int]:
        """What earlier notes gave back, before tax, by the position of the line."""
        given: Counter[int] = Counter()
        for line in self.earlier:
            if line.kind is LineKind.CORRECTION:
                given[int(line.inputs["line"])] -= line.amount_cents
        return given

    @property
    def left_cents(self) -> int:
        """What the invoice charged before tax, less earlier notes: never more is given back."""
        charged = sum(line.amount_cents for line in self.lines if line.kind is not LineKind.TAX)
        return max(0, charged - self.given_cents.total())

    def charges(self, position: int) -> bool:
        """Tell whether there is such a line and it charges something; tax is not credited alone."""
        if not 1 <= position <= len(self.lines):
            return False
        line = self.lines[position - 1]
        return line.kind is not LineKind.TAX and line.amount_cents > 0

    def left_of_line(self, position: int) -> int:
        """Return what a line charged, less earlier notes; zero where it charged nothing."""
        if not self.charges(position):
            return 0
        return self.lines[position - 1].amount_cents - self.given_cents[position]


def credit_note_draft(creditable: Creditable, cents_by_line: Mapping[int, int | None], period: Period) -> InvoiceDraft:
    """Return the credit note over lines of an invoice, by position; None credits what is left of the line.

    Without any line, all that is left of the invoice. `period` is the month the note is written in. The tax share is
    that of the rate then charged: after the last cent, exactly the tax of the invoice has been given back.
    :raises LineNotCreditable: for a position that charges nothing.
    :raises CreditTooHigh: for more than is left of a line or of the invoice.
    :raises NothingLeftToCredit: when nothing would be credited.
    """
    given = _given(creditable, cents_by_line) if cents_by_line else _all_left(creditable)
    total_cents = sum(given.values())
    if total_cents == 0:
        raise NothingLeftToCredit(creditable.number)
    if total_cents > creditable.left_cents:
        raise CreditTooHigh(f"invoice {creditable.number}", total_cents, creditable.left_cents)
    corrections = (_correction(creditable, position, cents) for position, cents in sorted(given.items()) if cents)
    return InvoiceDraft(InvoiceKind.CREDIT_NOTE, period, (*corrections, *_tax(creditable, total_cents)), 0)


def recompute_credit_note(creditable: Creditable, note_lines: Iterable[InvoiceLine], period: Period) -> InvoiceDraft:
    """Return the credit note that its own lines call for, computed again from the invoice (rule 28)."""
    corrections = (line for line in note_lines if line.kind is LineKind.CORRECTION)
    return credit_note_draft(creditable, {int(line.inputs["line"]): -line.amount_cents for line in corrections}, period)


def credit_note_facts_hash(creditable: Creditable, draft: InvoiceDraft) -> str:
    """Return a hash of all inputs of a credit note (rule 28): the invoice, earlier notes, and what is given back."""
    charged = [line.amount_cents for line in creditable.lines]
    given = [[int(line.inputs["line"]), line.amount_cents] for line in draft.lines if line.kind is LineKind.CORRECTION]
    earlier = sorted(creditable.given_cents.items())
    return digest(ENGINE_VERSION, "credit note", draft.period.month, creditable.number, charged, earlier, given)


def _given(creditable: Creditable, cents_by_line: Mapping[int, int | None]) -> dict[int, int]:
    given = {}
    for position, asked_cents in cents_by_line.items():
        if not creditable.charges(position):
            raise LineNotCreditable(creditable.number, position)
        left_cents = creditable.left_of_line(position)
        cents = left_cents if asked_cents is None else asked_cents
        if not 0 <= cents <= left_cents:
            raise CreditTooHigh(f"line {position} of invoice {creditable.number}", cents, left_cents)
        given[position] = cents
    return given


def _all_left(creditable: Creditable) -> dict[int, int]:
    left, given = creditable.left_cents, {}
    for position in range(1, len(creditable.lines) + 1):
        given[position] = min(left, creditable.left_of_line(position))
        left -= given[position]
    return given


def _correction(creditable: Creditable, position: int, cents: int) -> InvoiceLine:
    line = creditable.lines[position - 1]
    inputs: dict[str, int | str] = {
        "title": f"Credit on invoice {creditable.number}: {explain(line).title}",
        "invoice": str(creditable.number),
        "line": position,
        "charged_cents": line.amount_cents,
        "credited_before_cents": creditable.given_cents[position],
    }
    return InvoiceLine(LineKind.CORRECTION, line.period, 1, "correction", UnitPrice(-cents * 100), -cents, 27, inputs)


def _tax(creditable: Creditable, total_cents: int) -> Iterator[InvoiceLine]:
    """Give back the tax on all that notes have given back by now, less what they gave back of it before."""
    for line in creditable.lines:
        if line.kind is LineKind.TAX:
            before = sum(note.amount_cents for note in creditable.earlier if note.kind is LineKind.TAX)
            credited_cents = creditable.given_cents.total() + total_cents
            amount = -round_half_up(credited_cents * line.unit_price, 10_000) - before
            inputs: dict[str, int | str] = {"tax_name": line.inputs["tax_name"], "taxed_cents": -total_cents}
            if amount:
                yield InvoiceLine(LineKind.TAX, line.period, 1, line.unit, line.unit_price, amount, 27, inputs)
