"""Money in the reference model: checks, cards, refunds, write-offs and what comes of them later (`books.md`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from tests.scenarios.reference_bills import Entry, Position, Refused, Tax
from tests.scenarios.reference_books import Books, Invoice, Movement
from tests.scenarios.reference_prices import half_up, shared


@dataclass(eq=False)
class Share:
    """What is written off of a line, and not recovered yet: so much of it, and of its taxes."""

    entry: Entry
    net_cents: int
    taxes: dict[Tax, int]

    @property
    def cents(self) -> int:
        return self.net_cents + sum(self.taxes.values())

    def part(self, cents: int) -> tuple[int, dict[Tax, int]]:
        """So much of the share: how much of it is net, and the taxes that the rest is of."""
        whole = self.cents
        net = self.net_cents if cents == whole else half_up(Fraction(cents * self.net_cents, whole))
        taxes = shared(cents - net, list(self.taxes.values()))
        return net, dict(zip(self.taxes, taxes, strict=True))


@dataclass(eq=False)
class WriteOff:
    """A write-off with its shares in the order they were made; `lineless_cents` are those that no line has left."""

    invoice: Invoice
    cents: int
    shares: list[Share] = field(default_factory=list)
    steps: dict[Position, Movement] = field(default_factory=dict)
    lineless_cents: int = 0


@dataclass(eq=False)
class Charge:
    """A card's charge of an invoice; `back_cents` of it were given back, all of it where the bank returned it."""

    invoice: Invoice
    cents: int
    back_cents: int = 0
    is_settled: bool = False
    is_returned: bool = False


class Money(Books):
    """Books into which money comes, and out of which it goes again."""

    def __init__(self) -> None:
        super().__init__()
        self.write_offs: list[WriteOff] = []
        self.charges: list[Charge] = []
        self.cash_cents = 0
        self.goodwill_cents = 0

    # -- money that comes --

    def check(self, cents: int) -> None:
        """Money by check: invoices that are open, by hand or not, then those written off, the oldest first each time.

        The rest is credit.
        """
        self.cash_cents += cents
        for invoice in self.invoices:
            part = min(invoice.balance_cents, cents)
            self._receive(invoice, part)
            cents -= part
        for invoice in self.invoices:
            cents -= self._recover(invoice, cents)
        self.grant(cents)
        self.settle()

    def prepayment(self, cents: int) -> None:
        self.cash_cents += cents
        self.grant(cents)
        self.settle()

    def goodwill(self, cents: int) -> None:
        self.goodwill_cents += cents
        self.grant(cents)
        self.settle()

    def credit_first(self, invoice: Invoice) -> None:
        """Who pays an invoice by hand pays what credit leaves open."""
        self.apply(invoice, min(invoice.balance_cents, sum(self.grants)))

    def charge(self, invoice: Invoice) -> None:
        """A card pays all that is open on an invoice."""
        if invoice.balance_cents:
            self.cash_cents += invoice.balance_cents
            self.charges.append(Charge(invoice, invoice.balance_cents))
            self._receive(invoice, invoice.balance_cents)
            self.settle()

    def _receive(self, invoice: Invoice, cents: int) -> None:
        invoice.balance_cents -= cents
        invoice.received_cents += cents
        invoice.was_paid = invoice.was_paid or cents > 0

    # -- money that goes again --

    def refund(self, number: int, cents: int) -> Charge:
        """At most what the invoice received, off its latest charge that has so much left; it is open again, by hand.

        A charge that is not settled and goes back whole is as good as returned.
        """
        invoice = self.invoice(number)
        for charge in reversed(self.charges):
            left = min(invoice.received_cents, charge.cents - charge.back_cents)
            if charge.invoice is invoice and left >= cents:
                charge.back_cents += cents
                charge.is_returned = charge.is_returned or (cents == charge.cents and not charge.is_settled)
                self._go(invoice, cents)
                invoice.is_by_hand = True
                return charge
        raise Refused("NothingToRefund")

    def charges_settled(self) -> None:
        for charge in self.charges:
            charge.is_settled = True

    def bank_return(self, charge: Charge) -> None:
        """The bank did not pay after all, whatever was given back before: what was paid is collected again."""
        if charge.is_returned:
            return
        if not charge.invoice.balance_cents:
            charge.invoice.is_by_hand = False
        charge.back_cents, charge.is_returned = charge.cents, True
        self._go(charge.invoice, charge.cents)
        self.settle()

    def _go(self, invoice: Invoice, cents: int) -> None:
        self.cash_cents -= cents
        invoice.received_cents -= cents
        invoice.balance_cents += cents

    # -- write-offs --

    def write_off(self, number: int) -> WriteOff | None:
        """Write off all that is open: over what is billed of the invoice's lines, then of others of their positions."""
        invoice = self.invoice(number)
        if invoice.status == "UNCOLLECTIBLE":
            return None
        if invoice.status != "OPEN":
            raise Refused("NothingToWriteOff")
        write_off = WriteOff(invoice, invoice.balance_cents)
        invoice.balance_cents, left = 0, write_off.cents
        invoice.lost_cents += left
        own = [entry for entry in invoice.entries if entry.left]
        weights = [entry.gross_left for entry in own]
        for entry, part in zip(own, shared(min(left, sum(weights)), weights), strict=True):
            self._lose(write_off, entry, part)
            left -= part
        charged = {entry.line.position for entry in invoice.entries if entry.line.cents > 0} - {None}
        others = [entry for _, entry in self.entries(*charged) if entry not in own] if charged else []
        for entry in reversed(others):
            part = min(left, entry.gross_left)
            self._lose(write_off, entry, part)
            left -= part
        write_off.lineless_cents = left
        self.write_offs.append(write_off)
        return write_off

    def _lose(self, write_off: WriteOff, entry: Entry, cents: int) -> None:
        if not cents:
            return
        net, taxes = Share(entry, entry.left, dict(entry.taxes_left)).part(cents)
        entry.take(net, taxes.items())
        write_off.shares.append(Share(entry, net, taxes))
        position = entry.line.position
        if position in write_off.steps:
            write_off.steps[position].cents += net
        elif position is not None:
            write_off.steps[position] = Movement(write_off.invoice, position, net)
            self.movements.append(write_off.steps[position])

    def _recover(self, invoice: Invoice, cents: int) -> int:
        """Refill the shares in their order; a position takes back at most what it would be billed without the step."""
        write_offs = [write_off for write_off in self.write_offs if write_off.invoice is invoice]
        left = cents
        for write_off in write_offs:
            for share in write_off.shares:
                left -= self._refill(write_off, share, min(left, self._recoverable(write_off, share)))
        for write_off in write_offs:
            lineless = min(left, write_off.lineless_cents)
            write_off.lineless_cents -= lineless
            left -= lineless
        invoice.lost_cents -= cents - left
        return cents - left

    def _refill(self, write_off: WriteOff, share: Share, cents: int) -> int:
        net, taxes = share.part(cents) if cents else (0, {})
        share.entry.take(-net, [(tax, -lost) for tax, lost in taxes.items()])
        share.net_cents -= net
        share.taxes = {tax: lost - taxes.get(tax, 0) for tax, lost in share.taxes.items()}
        step = write_off.steps.get(share.entry.line.position)
        if step is not None and net:
            self.movements.append(Movement(step.invoice, step.position, net, mends=step))
        return cents

    def _recoverable(self, write_off: WriteOff, share: Share) -> int:
        """Net first decides how much of a share its position takes back."""
        step = write_off.steps.get(share.entry.line.position)
        if step is None:
            return share.cents
        most = self.standing(step.position, whole=step).net_cents - self.standing(step.position).net_cents
        if most >= share.net_cents:
            return share.cents
        return half_up(Fraction(max(0, most) * share.cents, share.net_cents))

    # -- what always holds --

    @property
    def billed_cents(self) -> int:
        """What is still billed of all lines, with their tax."""
        return sum(entry.gross_left for _, entry in self.entries())

    @property
    def open_cents(self) -> int:
        return sum(invoice.balance_cents for invoice in self.invoices)

    @property
    def credit_cents(self) -> int:
        return sum(self.grants)

    def check_positions(self) -> None:
        """0 <= net <= gross of every position; its lines are its net; the taxes left are in proportion."""
        for position in {movement.position for movement in self.movements}:
            standing = self.standing(position)
            assert 0 <= standing.net_cents <= standing.gross_cents, (position, standing)
            assert standing.net_cents == standing.price(standing.gross_cents), (position, standing)
            assert standing.net_cents == sum(entry.left for _, entry in self.entries(position)), (position, standing)
        lost = {id(share.entry) for write_off in self.write_offs for share in write_off.shares}
        for invoice in self.invoices:
            for entry in invoice.entries:
                for tax, billed in entry.taxes.items():
                    apart = entry.taxes_left[tax] - Fraction(billed * entry.left, entry.line.cents)
                    # What is written off in part is shared between several taxes too, so that a second cent may differ.
                    assert abs(apart) <= 1 + (id(entry) in lost), (invoice.number, entry)

    def check_money(self) -> None:
        """All money and goodwill that came is still here: in what is billed and paid, or as credit."""
        lineless = sum(write_off.lineless_cents for write_off in self.write_offs)
        came = self.cash_cents + self.goodwill_cents + lineless
        assert came == self.billed_cents - self.open_cents + self.credit_cents
        beside = [i.number for i in self.invoices if i.balance_cents and not i.is_by_hand and self.grants]
        assert not beside, f"credit lies beside {beside}"

    def positions(self) -> Counter[Position]:
        return Counter({p: self.standing(p).net_cents for p in {movement.position for movement in self.movements}})
