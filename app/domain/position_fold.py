"""The fold over issued documents, oldest first, to what is still billed of every line, and to the positions of months.

Void invoices are in none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.domain.billed_lines import BilledLine, GiveBack, LineRef, WriteOffEntry, WriteOffShare
from app.domain.invoice_lines import BASE_LINE_KINDS, USAGE_KINDS, USAGE_LINE_KINDS, InvoiceLine, LineKind
from app.domain.money import price_of
from app.domain.plans import SECONDS_PER_MINUTE
from app.domain.policies import policies_on
from app.domain.positions import NOTHING_BILLED, CreditStep, Position, PositionKey, UsagePositions, usage_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date


@dataclass(frozen=True, slots=True)
class Document:
    """An issued invoice or credit note, or as much of it as a reader needs: its lines by position, tax lines left out.

    `ledger_watermark` is the last posting that it saw.
    """

    number: int
    ledger_watermark: int
    lines: tuple[tuple[int, InvoiceLine], ...]


def position_key(line: InvoiceLine) -> PositionKey | None:
    """Return the position that a line bills; None for one whose own limit is enough."""
    if line.kind in BASE_LINE_KINDS:
        return PositionKey(line.period.starts_on, LineKind.BASE)
    if line.kind in USAGE_LINE_KINDS:
        return PositionKey(line.period.starts_on, line.usage_kind)
    return None


def fold(documents: Iterable[Document], write_offs: Iterable[WriteOffEntry] = ()) -> Books:
    """Return what is still billed after all documents and write-offs, in the order in which they came about."""
    books = Books()
    entries: list[tuple[tuple[int, int], Document | WriteOffEntry]] = [
        *(((document.ledger_watermark, document.number), document) for document in documents),
        *(((entry.seq, -1), entry) for entry in write_offs),
    ]
    for _, entry in sorted(entries, key=lambda entry: entry[0]):
        if isinstance(entry, Document):
            books.add(entry)
        else:
            books.write_off(entry)
    return books


def position_after(position: Position, key: PositionKey, lines: Sequence[InvoiceLine]) -> Position:
    """Return a position after one more invoice, which is yet to come, with lines of this position alone."""
    books = Books.begin({key: position})
    books.add(Document(books.next_number, 0, tuple(enumerate(lines, start=1))))
    return books.position(*key)


@dataclass(slots=True)
class Books:
    """The fold under way: what is still billed of every line of one account, and of every position of its months.

    `written_off` holds what is not recovered of each write-off, by its posting and the lines that stand for it;
    `reasons` says of each line, in words, what took something off it.
    """

    lines: dict[LineRef, BilledLine] = field(default_factory=dict)
    written_off: dict[int, dict[LineRef, WriteOffShare]] = field(default_factory=dict)
    reasons: dict[LineRef, list[str]] = field(default_factory=dict)
    _keys: dict[LineRef, PositionKey] = field(default_factory=dict)
    _refs: dict[PositionKey, list[LineRef]] = field(default_factory=dict)
    _steps: dict[PositionKey, list[CreditStep]] = field(default_factory=dict)
    _gross: dict[PositionKey, int] = field(default_factory=dict)
    _excess: dict[PositionKey, int] = field(default_factory=dict)
    _moved: dict[PositionKey, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, positions: Mapping[PositionKey, Position]) -> Books:
        """Return the fold that goes on from some positions."""
        books = cls()
        for key, position in positions.items():
            books.lines |= {line.ref: line for line in position.lines}
            books._refs[key] = [line.ref for line in position.lines]
            books._keys |= dict.fromkeys(books._refs[key], key)
            books._steps[key], books._gross[key] = list(position.steps), position.gross_cents
            books._excess[key], books._moved[key] = position.excess_cents, position.moved_cents
        return books

    @property
    def next_number(self) -> int:
        """A number below zero for a document yet to come, whose own is not known."""
        return min((ref.number for ref in self.lines if ref.number < 0), default=0) - 1

    def position(self, month: date, kind: LineKind) -> Position:
        """Return a position; an empty one where nothing was billed."""
        key = PositionKey(month, kind)
        refs = self._refs.get(key)
        if refs is None:
            return NOTHING_BILLED
        return Position(
            tuple(self.lines[ref] for ref in refs),
            tuple(self._steps.get(key, ())),
            self._gross.get(key, 0),
            self._excess.get(key, 0),
            self._moved.get(key, 0),
        )

    def usage(self, month: date) -> UsagePositions:
        """Return the positions of a month's usage."""
        return UsagePositions(*(self.position(month, kind) for kind in USAGE_KINDS))

    def positions(self) -> Iterator[tuple[PositionKey, Position]]:
        """Yield every position that something was billed for."""
        for key in self._refs:
            yield key, self.position(*key)

    def of_invoice(self, number: int) -> Iterator[BilledLine]:
        """Yield the lines of an invoice that charged something, in their order."""
        return (line for ref, line in self.lines.items() if ref.number == number)

    def add(self, document: Document) -> None:
        """Take a document in: its charges are billed, and what it gives back is off the lines that had billed it."""
        credited: dict[PositionKey, int] = {}
        for position, line in document.lines:
            if line.kind is LineKind.CORRECTION:
                for key, cents in self._credit(line, f"credited by credit note {document.number}"):
                    credited[key] = credited.get(key, 0) + cents
            elif line.kind is not LineKind.TAX:
                self._bill(LineRef(document.number, position), line)
        for key, cents in credited.items():
            self._step(key, cents, f"credit note {document.number}")

    def adjust(self, line: InvoiceLine) -> tuple[GiveBack, ...]:
        """Take in an adjustment of an invoice yet to come; return what it gives back of earlier lines."""
        before = dict(self.lines)
        self.add(Document(self.next_number, 0, ((1, line),)))
        taken = ((each, each.left_cents - self.lines[ref].left_cents) for ref, each in before.items())
        return tuple(each.give_back(cents) for each, cents in taken if cents)

    def write_off(self, entry: WriteOffEntry) -> None:
        """Take the shares of a write-off, or of what is recovered of one, off the lines they stand for."""
        off: dict[PositionKey, int] = {}
        for share in entry.shares:
            self._add_share(share)
            if share.ref not in self.lines:
                continue
            self.lines[share.ref] = self.lines[share.ref].written_off(share.cents, share.taxes)
            self._give_reason(share)
            key = self._keys.get(share.ref)
            if key is None:
                continue
            if entry.seq != share.seq:
                self._steps[key] = list(self.position(*key).recovered(share.seq, -share.cents).steps)
            else:
                off[key] = off.get(key, 0) + share.cents
        for key, cents in off.items():
            self._step(key, cents, f"the write-off of invoice {entry.shares[0].number}", entry.seq)

    def key_of(self, ref: LineRef) -> PositionKey | None:
        """Return the position that a line was billed in; None for one whose own limit is enough."""
        return self._keys.get(ref)

    def _add_share(self, share: WriteOffShare) -> None:
        known = self.written_off.setdefault(share.seq, {})
        before = known.get(share.ref)
        known[share.ref] = share if before is None else before.plus(share)

    def _give_reason(self, share: WriteOffShare) -> None:
        """Name a write-off among what took something off a line, until all of it is recovered."""
        reasons, why = self.reasons.setdefault(share.ref, []), f"written off with invoice {share.number}"
        if share.cents > 0:
            reasons.append(why)
        elif share.cents < 0 and not self.written_off[share.seq][share.ref].cents:
            reasons.remove(why)

    def _step(self, key: PositionKey, cents: int, source: str, seq: int | None = None) -> None:
        position = self.position(*key)
        step = CreditStep(position.net_cents, cents, position.gross_cents, source, seq)
        self._steps.setdefault(key, []).append(step)

    def _credit(self, line: InvoiceLine, why: str) -> Iterator[tuple[PositionKey, int]]:
        """Take a line of a credit note off the line that it names; yield what it credits of which position."""
        ref = LineRef(int(line.inputs["invoice"]), int(line.inputs["line"]))
        found = self.lines.get(ref)
        if found is None:
            return
        key, cents = self._keys.get(ref), -line.amount_cents
        own_cents = min(cents, found.left_cents)
        if own_cents:
            self._take(found, own_cents, why)
        if key is None:
            return
        # Engine 1 credited lines that a change of plan had taken back already.
        left = self._take_from(self._refs[key][::-1], cents - own_cents, why)
        self._excess[key] = self._excess.get(key, 0) + left
        for other in usage_keys(key.month):
            part = self._move_back(other, key, -self.position(*key).net_cents)
            if part:
                yield other, part
                cents -= part
        if cents:
            yield key, cents

    def _bill(self, ref: LineRef, line: InvoiceLine) -> None:
        key = position_key(line)
        if key is None:
            if line.amount_cents > 0:
                self.lines[ref] = BilledLine.issued(ref, line)
        elif line.kind is LineKind.ADJUSTMENT and "usage" not in line.inputs:
            self._bill_old_adjustment(ref, line)
        else:
            self._bill_in(key, ref, line)
            if line.kind is LineKind.ADJUSTMENT:
                self._gross[key] = int(line.inputs["rated_cents"])
            elif line.amount_cents >= 0:
                self._gross[key] = line.amount_cents

    def _bill_in(self, key: PositionKey, ref: LineRef, line: InvoiceLine) -> None:
        refs, why = self._refs.setdefault(key, []), f"taken back by invoice {ref.number}"
        if line.amount_cents >= 0:
            self.lines[ref], self._keys[ref] = BilledLine.issued(ref, line), key
            refs.append(ref)
        elif line.kind is LineKind.BASE_REVERSAL and "line" in line.inputs:
            found = self.lines.get(LineRef(int(line.inputs["invoice"]), int(line.inputs["line"])))
            if found is not None:
                self._take(found, -line.amount_cents, why)
        elif line.kind is LineKind.BASE_REVERSAL:
            # Engine 1 gave back the sum of what had been charged, whatever notes had credited of it.
            self._excess[key] = self._excess.get(key, 0) + self._take_from(refs, -line.amount_cents, why)
        else:
            left = self._take_from(refs[::-1], -line.amount_cents, why)
            for other in usage_keys(key.month):
                part = self._move_back(key, other, left)
                left += self._take_from(self._refs.get(other, [])[::-1], part, why) - part
            self._excess[key] = self._excess.get(key, 0) + left

    def _move_back(self, key: PositionKey, other: PositionKey, cents: int) -> int:
        """Bill up to `cents` of one kind of usage, which engine 1 billed in a line of another, of that one again."""
        part = max(0, min(cents, self._moved.get(key, 0), -self._moved.get(other, 0)))
        if part:
            self._moved[key] -= part
            self._moved[other] += part
        return part

    def _bill_old_adjustment(self, ref: LineRef, line: InvoiceLine) -> None:
        """Take in an adjustment of engine 1, one line for all kinds; each kind moves to what it was rated at.

        A charge lies with overage, and what it gives back is off overage first, then patch and IVR.
        """
        rated = _rated_by_kind(line)
        keys = usage_keys(line.period.starts_on)
        before = {key: self.position(*key).net_cents for key in keys}
        moves = {key: rated[key.kind] - self._gross.get(key, 0) for key in keys}
        refs = [known for key in keys for known in reversed(self._refs.setdefault(key, []))]
        if line.amount_cents >= 0:
            self._bill_in(keys[0], ref, line)
        else:
            left = self._take_from(refs, -line.amount_cents, f"taken back by invoice {ref.number}")
            self._excess[keys[0]] = self._excess.get(keys[0], 0) + left
            moves[keys[0]] += left
        for key in keys:
            self._gross[key] = rated[key.kind]
            moved_cents = before[key] + moves[key] - self.position(*key).net_cents
            self._moved[key] = self._moved.get(key, 0) + moved_cents

    def _take_from(self, refs: Sequence[LineRef], cents: int, why: str) -> int:
        """Take cents off lines in the order given; return what they had not."""
        for ref in refs:
            part = min(cents, self.lines[ref].left_cents)
            if part > 0:
                self._take(self.lines[ref], part, why)
                cents -= part
        return cents

    def _take(self, billed: BilledLine, cents: int, why: str) -> None:
        self.lines[billed.ref] = billed.less(cents)
        self.reasons.setdefault(billed.ref, []).append(why)


def _rated_by_kind(line: InvoiceLine) -> dict[LineKind, int]:
    """Return what an adjustment of engine 1 rated each kind of usage at, from its inputs and its month's policies."""
    policies = policies_on(line.period.starts_on)
    patch, ivr = (
        price_of(int(line.inputs[name]), rate, SECONDS_PER_MINUTE)
        for name, rate in (("patch_seconds", policies.patch_rate), ("ivr_seconds", policies.ivr_rate))
    )
    return {
        LineKind.OVERAGE: int(line.inputs["rated_cents"]) - patch - ivr,
        LineKind.PATCH: patch,
        LineKind.IVR: ivr,
    }
