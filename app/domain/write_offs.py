"""Writing off what is open on an invoice: which lines stand for it, and what money that comes later bills again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.billed_lines import WriteOffEntry, WriteOffShare
from app.domain.money import round_half_up, share_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.billed_lines import BilledLine
    from app.domain.position_fold import Books


def write_off_shares(books: Books, number: int, cents: int, seq: int) -> tuple[WriteOffShare, ...]:
    """Return the lines that stand for a write-off of `cents`, tax and all, of the invoice with that number.

    It is shared by largest remainder over what is still billed of the invoice's lines; the rest goes to other lines of
    their positions, the newest first. What then is left has no line: it is bad debt all the same. `seq` is the posting.
    """
    own = [line for line in books.of_invoice(number) if line.weight_cents > 0]
    weights = [line.weight_cents for line in own]
    first_cents = min(cents, sum(weights))
    parts = dict(zip((line.ref for line in own), share_out(first_cents, weights), strict=True))
    left = cents - first_cents
    for line in _others(books, number):
        part = min(left, line.weight_cents)
        if part > 0:
            parts[line.ref] = part
            left -= part
    return tuple(_share(books.lines[ref], part, number, seq) for ref, part in parts.items() if part)


def _others(books: Books, number: int) -> Iterator[BilledLine]:
    """Yield the lines of other invoices that bill the positions of this one's lines, the newest first."""
    keys = dict.fromkeys(books.key_of(line.ref) for line in books.of_invoice(number))
    found = [line for key in keys if key is not None for line in books.position(*key).lines]
    return (line for line in sorted(found, key=lambda line: line.ref, reverse=True) if line.ref.number != number)


def _share(line: BilledLine, cents: int, number: int, seq: int) -> WriteOffShare:
    net_cents = line.left_cents
    if cents < line.weight_cents:
        net_cents = round_half_up(cents * line.left_cents, line.weight_cents)
    taxes = tuple(share_out(cents - net_cents, line.taxes_left))
    return WriteOffShare(seq, number, line.ref, net_cents, taxes)


def unrecovered_shares(books: Books, number: int) -> list[WriteOffShare]:
    """Return what is not recovered of the lines that stand for write-offs of an invoice, in the order made."""
    shares = (share for by_ref in books.written_off.values() for share in by_ref.values())
    return [share for share in shares if share.number == number and share.total_cents > 0]


def recover(
    books: Books, number: int, cents: int, *, unrecovered_cents: int, seq: int
) -> tuple[int, tuple[WriteOffShare, ...]]:
    """Return how much of `cents` recovers write-offs of an invoice, and the shares, below zero, that are billed again.

    `unrecovered_cents` is what is written off of it and not recovered, `seq` the posting to come. A position takes back
    no more than would be billed had there been no write-off; what is beyond is credit of the customer. The lines of
    `books` are filled again.
    """
    shares = unrecovered_shares(books, number)
    left, recovered = cents, []
    for share in shares:
        part = _recovered(books, share, left)
        if part is not None:
            books.write_off(WriteOffEntry(seq, (part,)))
            recovered.append(part)
            left += part.total_cents
    without_line = unrecovered_cents - sum(share.total_cents for share in shares)
    return cents - left + min(left, without_line), tuple(recovered)


def _recovered(books: Books, share: WriteOffShare, cents: int) -> WriteOffShare | None:
    """Return the part of a share that `cents`, tax and all, bill again, negated; None where there is none."""
    tax_cents, total_cents = sum(share.taxes), share.total_cents
    net_cents, whole = share.cents, min(cents, total_cents)
    if whole < total_cents:
        net_cents = round_half_up(whole * share.cents, total_cents)
    key = books.key_of(share.ref)
    limit_cents = share.cents if key is None else books.position(*key).recoverable_cents(share.seq)
    if net_cents > limit_cents:
        net_cents, whole = limit_cents, limit_cents + round_half_up(tax_cents * limit_cents, share.cents)
    if whole <= 0:
        return None
    taxes = tuple(-part for part in share_out(whole - net_cents, share.taxes))
    return share._replace(cents=-net_cents, taxes=taxes)
