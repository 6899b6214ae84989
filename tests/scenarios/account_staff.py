"""What staff do in a story: money, notes, write-offs, refunds, voids, charges and taxes."""

from __future__ import annotations

import random
from datetime import timedelta

from app.domain.ledger import PaymentKind
from app.domain.taxes import TaxRate
from app.repositories import unit_of_work
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill, record_prepayment
from app.services.adjustments.record_payment import record_payment
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.waive_charge import waive_charge
from app.services.adjustments.write_off import write_off_invoice
from app.services.payments.settlements import record_settlement
from tests.scenarios.account_telling import BY, WHY, Telling
from tests.scenarios.reference_bills import Rate
from tests.scenarios.reference_books import Invoice
from tests.scenarios.reference_money import Charge

NAMES = ("State tax", "City tax", "District tax")
RATES = (65_000, 12_500, 88_750, 92_500, 100_000, 1_234)
TAXED = ((), (), (), ("BASE",), ("OVERAGE", "PATCH", "IVR"), ("BASE", "ADD_ON", "CHARGE"), ("OVERAGE",))


class Staff(Telling):
    """The acts of staff, and of the bank; `number` decides about the details of each."""

    # -- money that comes --

    async def pay(self, number: int) -> None:
        """A check over any amount: less than is open, all of it, or more, so that write-offs are recovered too."""
        dice, books = random.Random(number), self.model.books
        lost = sum(write_off.invoice.lost_cents for write_off in books.write_offs)
        amounts = (dice.randint(1, 60_000), books.open_cents, books.open_cents + dice.randint(1, lost + 2_000))
        await self.receive(dice.choice(amounts) or 100, dice)

    async def recover(self, number: int) -> None:
        """A check that reaches what was written off."""
        dice, books = random.Random(number), self.model.books
        lost = [write_off.invoice.lost_cents for write_off in books.write_offs if write_off.invoice.lost_cents]
        if lost:
            whole = books.open_cents + dice.choice((sum(lost), lost[0], lost[0] + 3_000))
            await self.receive(dice.choice((whole, books.open_cents + dice.randint(1, lost[0]))), dice)

    async def receive(self, cents: int, dice: random.Random) -> None:
        lost = [write_off.invoice.lost_cents for write_off in self.model.books.write_offs]
        payment = {"reference": self.ids.new("check"), "received_on": self.today, "amount_cents": cents}
        for _ in range(dice.choice((1, 1, 2))):
            await record_payment(self.services, BY, kind=PaymentKind.CHECK, **payment, **WHY)
        self.deed(lambda model: model.books.check(cents))
        is_recovery = lost != [write_off.invoice.lost_cents for write_off in self.model.books.write_offs]
        self.did("recover" if is_recovery else "pay")

    async def goodwill(self, number: int) -> None:
        cents = 1 + number % 30_000
        await grant_goodwill(self.services, BY, amount_cents=cents, reference=self.ids.new("ref"), **WHY)
        self.deed(lambda model: model.books.goodwill(cents))
        self.did("goodwill")

    async def prepay(self, number: int) -> None:
        cents, reference = 1 + number % 60_000, self.ids.new("check")
        await record_prepayment(
            self.services, BY, amount_cents=cents, reference=reference, received_on=self.today, **WHY
        )
        self.deed(lambda model: model.books.prepayment(cents))
        self.did("prepay")

    # -- money that goes --

    async def refund(self, number: int) -> None:
        """All that is left of a charge."""
        charge = self.some_charge(number)
        if charge is not None:
            await self.give_back(charge, charge.cents - charge.back_cents, number, "refund")

    async def refund_part(self, number: int) -> None:
        """A part of a charge, now and then more than is left of it."""
        charge = self.some_charge(number)
        if charge is not None:
            left = charge.cents - charge.back_cents
            cents = left + 1 if number % 13 == 0 else 1 + number * 7 % left
            await self.give_back(charge, cents, number, "refund_part")

    def some_charge(self, number: int) -> Charge | None:
        charges = [charge for charge in self.model.books.charges if charge.cents > charge.back_cents]
        return charges[number % len(charges)] if charges else None

    async def give_back(self, charge: Charge, cents: int, number: int, kind: str) -> None:
        """A charge that is not settled and goes back whole is voided; both are money that went back."""
        if number % 2 or cents != charge.cents:
            self.payments.settle()
            self.deed(lambda model: model.books.charges_settled())
        invoice_number = charge.invoice.number
        asked = {"invoice_number": invoice_number, "amount_cents": cents, "reference": self.ids.new("ref")}
        outcome, refunded = await self.attempt(
            lambda: self.deed(lambda model: model.books.refund(invoice_number, cents)),
            refund_payment(self.services, BY, **asked, **WHY),
        )
        if refunded is None:
            self.told[f"refund: {outcome}"] += 1
        else:
            assert refunded.is_known
            self.did(kind)

    async def bank_return(self, number: int) -> None:
        """A charge that the bank does not pay after all."""
        charges = [place for place, charge in enumerate(self.model.books.charges) if not charge.is_returned]
        if not charges:
            return
        place = charges[number % len(charges)]
        sale = self.payments.decline_at_settlement(place)
        attempt_id = sale.order_id
        await unit_of_work.write(self.database, lambda uow: record_settlement(uow, self.services, attempt_id, sale))
        self.deed(lambda model: model.books.bank_return(model.books.charges[place]))
        self.did("bank_return")

    # -- invoices --

    async def note_all(self, number: int) -> None:
        invoice = self.some_invoice(number)
        if invoice is not None:
            await self.write_note(invoice, {}, "note_all")

    async def note_line(self, number: int) -> None:
        """One line or two, whole."""
        invoice, dice = self.some_invoice(number), random.Random(number)
        if invoice is not None:
            lines = dice.sample(range(len(invoice.entries)), min(len(invoice.entries), dice.choice((1, 1, 2))))
            by_line = {place: dice.choice((None, invoice.entries[place].left or None)) for place in lines}
            await self.write_note(invoice, by_line, "note_line")

    async def note_part(self, number: int) -> None:
        """A part of a line or two, now and then more than is left of one."""
        invoice, dice = self.some_invoice(number), random.Random(number)
        if invoice is not None:
            charging = [place for place, entry in enumerate(invoice.entries) if entry.left] or [0]
            lines = dice.sample(charging, min(len(charging), dice.choice((1, 1, 2))))
            by_line: dict[int, int | None] = {
                place: dice.randint(1, max(1, invoice.entries[place].left)) + (dice.randrange(8) == 0) * 60_000
                for place in lines
            }
            await self.write_note(invoice, by_line, "note_part")

    def some_invoice(self, number: int) -> Invoice | None:
        """Mostly one with something left to credit, and of these more often a newer one."""
        dice, books = random.Random(f"invoice {number}"), self.model.books
        invoices = (self.creditable() if dice.randrange(6) else books.invoices) or books.invoices
        invoices = [invoice for invoice in invoices if invoice.entries]
        return dice.choice((*invoices, *invoices[-3:])) if invoices else None

    async def write_note(self, invoice: Invoice, by_line: dict[int, int | None], kind: str) -> None:
        places, today = self.places[invoice.number], self.today
        note = {
            "invoice_number": invoice.number,
            "cents_by_line": {places[place]: cents for place, cents in by_line.items()},
            "reference": self.ids.new("ref"),
        }
        number = invoice.number
        outcome, written = await self.attempt(
            lambda: self.deed(lambda model: model.credit_note(number, by_line, today), kind="note"),
            issue_credit_note(self.services, BY, **note, **WHY),
        )
        if written is None:
            self.told[f"note: {outcome}"] += 1
        else:
            self.expect(outcome)
            self.did(kind)

    async def write_off(self, number: int) -> None:
        dice, books = random.Random(number), self.model.books
        owed = [invoice for invoice in books.invoices if invoice.balance_cents] if dice.randrange(8) else books.invoices
        if not owed:
            return
        chosen = dice.choice(owed)
        invoice_number = chosen.number
        is_again = chosen.status == "UNCOLLECTIBLE"
        outcome, written = await self.attempt(
            lambda: self.deed(lambda model: model.books.write_off(invoice_number)),
            write_off_invoice(self.services, BY, invoice_number=invoice_number, **WHY),
        )
        if written is None:
            self.told[f"write-off: {outcome}"] += 1
        else:
            assert written.is_new != is_again
            if written.is_new:
                self.did("write_off")

    async def void(self, number: int) -> None:
        """Mostly the newest cycle invoice."""
        books, today = self.model.books, self.today
        cycles = [each.number for each in books.invoices if each.bill.kind == "CYCLE" and not each.is_void]
        others = [each.number for each in books.invoices if not each.is_void]
        if cycles:
            chosen = others[number % len(others)] if number % 10 == 0 else cycles[-1]
            outcome, voided = await self.attempt(
                lambda: self.deed(lambda model: model.void(chosen, today)),
                void_invoice(self.services, BY, invoice_number=chosen, **WHY),
            )
            if voided is None:
                self.told[f"void: {outcome}"] += 1
            else:
                self.expect(outcome)
                self.did("void")

    # -- charges and taxes --

    async def charge(self, number: int) -> None:
        cents = 1 + number % 5_000
        added = await add_charge(
            self.services, BY, title="Programming", amount_cents=cents, reference=self.ids.new("ref"), **WHY
        )
        self.charge_ids.append(added.charge_id)
        self.deed(lambda model: model.add_charge(cents))
        self.did("charge")

    async def waive(self, number: int) -> None:
        """Mostly one that waits."""
        waiting = list(self.model.waiting) if number % 6 else range(len(self.charge_ids))
        if waiting:
            chosen = waiting[number // 6 % len(waiting)]
            outcome, waived = await self.attempt(
                lambda: self.deed(lambda model: model.waive(chosen)),
                waive_charge(self.services, BY, charge_id=self.charge_ids[chosen], **WHY),
            )
            if waived is None:
                self.told[f"waive: {outcome}"] += 1
            elif waived.is_new:
                self.did("waive")

    async def tax(self, number: int) -> None:
        """A list of one to three taxes; two may well have the same rate, and each its own kinds of lines."""
        dice = random.Random(number)
        names = dice.sample(NAMES, dice.choice((1, 1, 2, 3)))
        rates = tuple(Rate(name, dice.choice(RATES), dice.choice(TAXED)) for name in names)
        await self.list_taxes(rates, dice.choice((0, 1, 1, 2, 9, 20)), "tax")

    async def end_tax(self, number: int) -> None:
        await self.list_taxes((), (1, 1, 2, 6)[number % 4], "end_tax")

    async def list_taxes(self, rates: tuple[Rate, ...], in_days: int, kind: str) -> None:
        valid_from = self.today + timedelta(days=in_days)
        taxes = [TaxRate(rate.name, rate.rate, rate.kinds) for rate in rates]
        outcome, listed = await self.attempt(
            lambda: self.deed(lambda model: model.set_taxes(valid_from, rates)),
            set_taxes(self.services, BY, taxes=taxes, valid_from=valid_from, **WHY),
        )
        if listed is None:
            self.told[f"tax: {outcome}"] += 1
        elif listed.is_new:
            self.did(kind)
