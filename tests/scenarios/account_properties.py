"""What holds of whole stories without knowing how anything is computed: a credit never makes anything dearer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tests.scenarios.account_telling import Telling
from tests.scenarios.reference_bills import Bill, Refused
from tests.scenarios.reference_books import Movement, fold
from tests.scenarios.reference_model import ReferenceAccount
from tests.scenarios.reference_prices import Plan

NO_NOTE = Bill("CREDIT_NOTE", (2026, 1), (), (), ())
"""Takes the number of a note that is left out."""


def check_notes_never_cost(telling: Telling, paid_from: date, plan: Plan) -> int:
    """Leave out one credit note after the other: what is billed at the end is never less; tells how many there were.

    In each position by its own movements; and where nothing was written off, in the whole story told again. (A
    write-off is of what is open just then, so that without a note another amount is written off.)
    """
    books = telling.model.books
    notes = [place for place, (kind, _) in enumerate(telling.deeds) if kind == "note"]
    for position in books.positions():
        moved = [m for m in books.movements if m.position == position and not m.invoice.is_void]
        for movement in moved:
            if movement.invoice.bill.kind == "CREDIT_NOTE":
                assert net_without(moved, movement) >= net_without(moved, None), (position, movement)
    if not books.write_offs:
        for note in notes:
            other = told_without(telling, note, paid_from, plan)
            if other is not None:
                dearer = {p: cents for p, cents in books.positions().items() if cents > other.books.positions()[p]}
                assert not dearer, f"with the note of deed {note} more is billed: {dearer}"
    return len(notes)


def net_without(moved: Sequence[Movement], left_out: Movement | None) -> int:
    """What the same prices, credits and recoveries come to without one of the credits, each as it came."""
    return fold([movement for movement in moved if movement is not left_out]).net_cents


def told_without(telling: Telling, note: int, paid_from: date, plan: Plan) -> ReferenceAccount | None:
    """The same story in the model alone, without one note; None where it cannot be told so."""
    model = ReferenceAccount(paid_from, plan)
    for place, (kind, do) in enumerate(telling.deeds):
        try:
            if place == note:
                model.books.issue(NO_NOTE)
            else:
                do(model)
        except Refused:
            if kind != "note":
                return None
            model.books.issue(NO_NOTE)
    return model
