"""Credit notes: what an invoice charged too much is given back, line by line, with the tax of each (rule 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.explanations import dollars, explain
from app.domain.invoice_drafts import DraftLine, InvoiceDraft, InvoiceKind, digest, draft_of
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.invoices import ENGINE_VERSION
from app.domain.money import UnitPrice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.domain.billed_lines import BilledLine
    from app.domain.periods import Period
    from app.domain.position_fold import Books


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
    """More is to be given back than is still billed of a line; the message says what took the rest off it."""

    def __init__(self, creditable: Creditable, asked: Mapping[int, int]) -> None:
        too_high = {place: cents for place, cents in asked.items() if cents > creditable.left_of_line(place)}
        told = " ".join(_too_high(creditable, place, cents) for place, cents in too_high.items())
        super().__init__(told)
        self.number = creditable.number
        self.asked_cents = dict(asked)
        self.left_cents = {place: creditable.left_of_line(place) for place in asked}


@dataclass(frozen=True, slots=True)
class Creditable:
    """An issued invoice with what is still billed of its lines, by position.

    `billed` are those that charged something, and `reasons` says in words what took something off them.
    """

    number: int
    billed: Mapping[int, BilledLine]
    reasons: Mapping[int, Sequence[str]]

    @classmethod
    def of(cls, number: int, books: Books) -> Creditable:
        """Return an invoice with what the books say is still billed of it."""
        billed = {line.ref.position: line for line in books.of_invoice(number) if line.line.amount_cents > 0}
        reasons = {place: books.reasons.get(line.ref, ()) for place, line in billed.items()}
        return cls(number, billed, reasons)

    def charges(self, position: int) -> bool:
        """Tell whether there is such a line and it charges something; tax is not credited alone."""
        return position in self.billed

    def left_of_line(self, position: int) -> int:
        """Return what is still billed of a line: its amount less credit notes and what later lines took back of it."""
        return self.billed[position].left_cents if position in self.billed else 0


def credit_note_draft(creditable: Creditable, cents_by_line: Mapping[int, int | None], period: Period) -> InvoiceDraft:
    """Return the credit note over lines of an invoice, by position; None credits what is left of the line.

    Without any line, all that is left of the invoice. `period` is the month the note is written in. The tax that the
    line was billed is given back in proportion, at the rates of then: with its last cent exactly all of it.
    :raises LineNotCreditable: for a position that charges nothing.
    :raises CreditTooHigh: for more than is still billed of a line.
    :raises NothingLeftToCredit: when nothing would be credited.
    """
    given = _given(creditable, cents_by_line or dict.fromkeys(creditable.billed))
    if not any(given.values()):
        raise NothingLeftToCredit(creditable.number)
    items = [_correction(creditable, position, cents) for position, cents in sorted(given.items()) if cents]
    return draft_of(InvoiceKind.CREDIT_NOTE, period, items)


def recompute_credit_note(creditable: Creditable, note_lines: Iterable[InvoiceLine], period: Period) -> InvoiceDraft:
    """Return an issued note computed again from the invoice (rule 28)."""
    corrections = (line for line in note_lines if line.kind is LineKind.CORRECTION)
    return credit_note_draft(creditable, {int(line.inputs["line"]): -line.amount_cents for line in corrections}, period)


def credit_note_facts_hash(creditable: Creditable, draft: InvoiceDraft) -> str:
    """Return a hash of all inputs of a credit note (rule 28): what was still billed, and what is given back."""
    billed = [[place, line.left_cents, *line.taxes_left] for place, line in sorted(creditable.billed.items())]
    given = [[int(line.inputs["line"]), line.amount_cents] for line in draft.lines if line.kind is LineKind.CORRECTION]
    return digest(ENGINE_VERSION, "credit note", draft.period.month, creditable.number, billed, given)


def _given(creditable: Creditable, cents_by_line: Mapping[int, int | None]) -> dict[int, int]:
    for position in cents_by_line:
        if not creditable.charges(position):
            raise LineNotCreditable(creditable.number, position)
    given = {
        position: creditable.left_of_line(position) if cents is None else cents
        for position, cents in cents_by_line.items()
    }
    if any(not 0 <= cents <= creditable.left_of_line(position) for position, cents in given.items()):
        raise CreditTooHigh(creditable, given)
    return given


def _correction(creditable: Creditable, position: int, cents: int) -> DraftLine:
    billed = creditable.billed[position]
    inputs: dict[str, int | str] = {
        "title": f"Credit on invoice {creditable.number}: {explain(billed.line).title}",
        "invoice": str(creditable.number),
        "line": position,
        "charged_cents": billed.line.amount_cents,
        "credited_before_cents": billed.line.amount_cents - billed.left_cents,
    }
    price, period = UnitPrice(-cents * 100), billed.line.period
    line = InvoiceLine(LineKind.CORRECTION, period, 1, "correction", price, -cents, 27, inputs)
    return DraftLine(line, (billed.give_back(cents),))


def _too_high(creditable: Creditable, position: int, cents: int) -> str:
    left = dollars(creditable.left_of_line(position))
    why = ", ".join(dict.fromkeys(creditable.reasons.get(position, ())))
    said = f" ({why})" if why else ""
    return (
        f"{dollars(cents)} cannot be credited: {left} is left of line {position} of invoice {creditable.number}{said}."
    )
