"""Issued documents as the core folds them, and the positions they leave; by default the base of October 2026."""

from __future__ import annotations

from dataclasses import replace

from app.domain.billed_lines import LineRef, WriteOffEntry, WriteOffShare
from app.domain.invoice_lines import InvoiceLine, LineKind, TaxShare
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.position_fold import Books, Document, fold
from app.domain.positions import NO_USAGE_BILLED, Position, UsagePositions
from app.domain.taxes import TaxRate, with_taxes

MONTH = "2026-10"
FIRST = 100_001
"""The number of the first invoice of a story."""


def a_base(
    cents: int = 139_00, *, plan: str = "100", month: str = MONTH, taxes: tuple[TaxShare, ...] = ()
) -> InvoiceLine:
    inputs: dict[str, int | str] = {"plan": plan, "plan_name": f"{plan} Minutes"}
    return _line(LineKind.BASE, cents, "month", inputs, month=month, taxes=taxes)


def given_back(cents: int, of: tuple[int, int] | None = (FIRST, 1), *, plan: str = "100") -> InvoiceLine:
    """What a change of plan takes back of a line; without one as engine 1 wrote it, in sum."""
    inputs: dict[str, int | str] = {"plan": plan, "plan_name": f"{plan} Minutes"}
    if of is not None:
        inputs |= {"invoice": str(of[0]), "line": of[1]}
    return _line(LineKind.BASE_REVERSAL, -cents, "reversal", inputs)


def kept(cents: int) -> InvoiceLine:
    inputs: dict[str, int | str] = {"plan": "economy", "plan_name": "Economy", "kept_from": "credit note 100002"}
    return _line(LineKind.CREDIT_KEPT, -cents, "credit", inputs)


def used(
    cents: int, kind: LineKind = LineKind.OVERAGE, *, month: str = MONTH, taxes: tuple[TaxShare, ...] = ()
) -> InvoiceLine:
    """A line of a month that ended; its minutes do not matter here."""
    return _line(kind, cents, "second", {}, month=month, taxes=taxes)


def adjusted(cents: int, *, rated_cents: int, kind: LineKind = LineKind.OVERAGE, month: str = MONTH) -> InvoiceLine:
    """The difference that late calls made to one kind of usage."""
    inputs: dict[str, int | str] = {"usage": kind, "rated_cents": rated_cents}
    return _line(LineKind.ADJUSTMENT, cents, "correction", inputs, month=month)


def old_adjusted(cents: int, *, rated_cents: int, patch_seconds: int = 0, ivr_seconds: int = 0) -> InvoiceLine:
    """An adjustment of engine 1: one line for all kinds of usage."""
    inputs: dict[str, int | str] = {
        "rated_cents": rated_cents,
        "patch_seconds": patch_seconds,
        "ivr_seconds": ivr_seconds,
    }
    return _line(LineKind.ADJUSTMENT, cents, "correction", inputs)


def a_charge_line(cents: int = 40_00, *, taxes: tuple[TaxShare, ...] = ()) -> InvoiceLine:
    """A single charge: it is in no position."""
    return _line(LineKind.CHARGE, cents, "charge", {"charge": "chg_1", "title": "Script rewritten"}, taxes=taxes)


def credited(cents: int, of: tuple[int, int] = (FIRST, 1)) -> InvoiceLine:
    """A line of a credit note."""
    return _line(LineKind.CORRECTION, -cents, "correction", {"invoice": str(of[0]), "line": of[1]})


def a_document(number: int, *lines: InvoiceLine, saw: int = 0) -> Document:
    """An invoice or a credit note with these lines; `saw` is the last posting before it."""
    return Document(number, saw, tuple(enumerate(lines, start=1)))


def books_of(*issued: InvoiceLine | tuple[InvoiceLine, ...], write_offs: tuple[WriteOffEntry, ...] = ()) -> Books:
    """The books of documents from invoice 100001 on, each with one line or several; write-offs come after them."""
    lines = [each if isinstance(each, tuple) else (each,) for each in issued]
    return fold([a_document(number, *each) for number, each in enumerate(lines, start=FIRST)], write_offs)


def a_position(*issued: InvoiceLine | tuple[InvoiceLine, ...], write_offs: tuple[WriteOffEntry, ...] = ()) -> Position:
    """The one position that documents bill."""
    ((_, position),) = books_of(*issued, write_offs=write_offs).positions()
    return position


def a_write_off(
    seq: int, *parts: tuple[tuple[int, int], int], number: int = FIRST, of_seq: int | None = None
) -> WriteOffEntry:
    """A write-off without tax: each line by invoice and position with its cents, below zero where recovered.

    `of_seq` is the posting that wrote off what this one recovers.
    """
    shares = (WriteOffShare(seq if of_seq is None else of_seq, number, LineRef(*ref), cents) for ref, cents in parts)
    return WriteOffEntry(seq, tuple(shares))


def billed_usage(
    *, overage: int = 0, patch: int = 0, ivr: int = 0, month: str = MONTH, taxes: tuple[TaxRate, ...] = ()
) -> UsagePositions:
    """What invoice 100001 billed a month for its usage, each kind by one line; by none where it is zero."""
    kinds = ((LineKind.OVERAGE, overage), (LineKind.PATCH, patch), (LineKind.IVR, ivr))
    lines = tuple(with_taxes([used(cents, kind, month=month) for kind, cents in kinds if cents], taxes))
    return books_of(lines).usage(Period.parse(month).starts_on) if lines else NO_USAGE_BILLED


def taxed(line: InvoiceLine, *cents: int, rate: int = 65_000) -> InvoiceLine:
    """The line with a share of each of several taxes."""
    shares = (TaxShare(f"Tax {place}", rate, each) for place, each in enumerate(cents, start=1))
    return replace(line, taxes=tuple(shares))


def left(position: Position) -> list[tuple[tuple[int, int], int]]:
    """What is still billed of each line of a position."""
    return [(tuple(line.ref), line.left_cents) for line in position.lines]


def steps(position: Position) -> list[tuple[int, int]]:
    """The credits that a position keeps: what each left billed, and how much it was."""
    return [(step.net_cents, step.cents) for step in position.steps]


def _line(
    kind: LineKind,
    cents: int,
    unit: str,
    inputs: dict[str, int | str],
    *,
    month: str = MONTH,
    taxes: tuple[TaxShare, ...] = (),
) -> InvoiceLine:
    return InvoiceLine(kind, Period.parse(month), 1, unit, UnitPrice(cents * 100), cents, 11, inputs, taxes)
