"""One account with its customer, its staff and its books: whatever is done goes through the edges of the product.

The customer acts over GraphQL, whoever knows tax law over HTTP, staff by the services behind the command line or by
the command line itself. Amounts are texts, as everybody reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from app.cli.running import parse_cents
from app.domain.agreements import PAYMENT_AGREEMENT
from app.domain.invoice_lines import LineKind
from app.repositories import unit_of_work
from app.sandbox.braintree_gateway.process import GatewayAddress, _write_address
from app.sandbox.clock import OffsetClock
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.write_off import write_off_invoice
from app.services.invoices.still_billed import load_books
from tests.command_line import CommandLine
from tests.http.service import ACCOUNTS, Service, a_service
from tests.services.staff import WHY, by_ann
from tests.till import VISA, Till
from tests.world import ACCOUNT, pacific

PLANS = {
    "Economy": "plan_economy_1990",
    "100": "plan_100_2020",
    "220": "plan_220_2020",
    "500": "plan_500_1990",
    "1,000": "plan_1000_1990",
}
LINES = "lines { kind displayName amount { amount } }"
PREVIEW = f"""query ($planId: ID!) {{ planChangePreview(planId: $planId, when: NOW) {{
  __typename
  ... on PlanChangeQuote {{ id total {{ amount }} creditApplied {{ amount }} amountDueNow {{ amount }} {LINES} }}
  ... on UserError {{ code message }}
}} }}"""
CHANGE = f"""mutation ($quoteId: ID!, $key: String!) {{
  changePlan(input: {{quoteId: $quoteId, idempotencyKey: $key}}) {{
    __typename
    ... on PlanChanged {{
      status invoice {{ number total {{ amount }} creditApplied {{ amount }} amountDue {{ amount }} {LINES} }}
    }}
    ... on UserError {{ code message }}
  }}
}}"""
PAY = """mutation ($key: String!) { payOpenBalance(input: {idempotencyKey: $key}) {
  __typename ... on OpenBalancePaid { outcomes { result } } ... on UserError { code message }
} }"""
ADD_CARD = """mutation ($input: AddPaymentMethodInput!) { addPaymentMethod(input: $input) {
  __typename ... on PaymentMethodAdded { status } ... on UserError { code message }
} }"""
NEXT = f"{{ billingSummary {{ nextInvoice {{ hash total {{ amount }} {LINES} }} }} }}"
SHOW = f"""{{
  billingSummary {{ openBalance {{ amount }} creditBalance {{ amount }} }}
  invoices(first: 50) {{ nodes {{ number kind status hash balance {{ amount }} total {{ amount }} {LINES} }} }}
}}"""

Line = tuple[str, str]


class Books(NamedTuple):
    """What the customer sees of them: status and open balance of each invoice by its number, and both sums."""

    invoices: dict[int, tuple[str, str]]
    open_balance: str
    credit: str


class Staff(Protocol):
    """What staff do by hand in these stories; amounts and lines as they are written on the command line."""

    async def note(self, number: int, lines: Sequence[str] = ()) -> None: ...
    async def refuse_note(self, number: int, lines: Sequence[str] = ()) -> str: ...
    async def write_off(self, number: int) -> None: ...
    async def check(self, amount: str) -> None: ...
    async def refund(self, number: int, amount: str) -> None: ...
    async def taxes(self, valid_from: date, taxes: Mapping[str, str]) -> None: ...
    async def run_due(self) -> None: ...
    async def verify(self) -> None: ...


class StaffAtServices:
    """Staff whose command line is the test: they call what its commands call. Taxes are told by the port."""

    def __init__(self, till: Till) -> None:
        self.till, self.world = till, till.world
        self._service: Service | None = None

    async def note(self, number: int, lines: Sequence[str] = ()) -> None:
        given = {int(line.partition("=")[0]): line.partition("=")[2] for line in lines}
        await issue_credit_note(
            self.world.services,
            by_ann(),
            invoice_number=number,
            cents_by_line={place: parse_cents(amount) if amount else None for place, amount in given.items()},
            reference=self.world.ids.new("note"),
            **WHY,
        )

    async def refuse_note(self, number: int, lines: Sequence[str] = ()) -> str:
        try:
            await self.note(number, lines)
        except ValueError as refusal:
            return str(refusal)
        raise AssertionError(f"a note over {lines} of {number} was written")

    async def write_off(self, number: int) -> None:
        await write_off_invoice(self.world.services, by_ann(), invoice_number=number, **WHY)

    async def check(self, amount: str) -> None:
        await self.world.pay(parse_cents(amount))

    async def refund(self, number: int, amount: str) -> None:
        refunded = await refund_payment(
            self.world.services,
            by_ann(),
            invoice_number=number,
            amount_cents=parse_cents(amount),
            reference=self.world.ids.new("refund"),
            **WHY,
        )
        assert refunded.is_known

    async def taxes(self, valid_from: date, taxes: Mapping[str, str]) -> None:
        if self._service is None:
            self._service = await a_service(self.world)
        told = [{"name": name, "percent": percent} for name, percent in taxes.items()]
        body = {"validFrom": valid_from.isoformat(), "taxes": told}
        answer = await self._service.send(body, key="flex", path=f"{ACCOUNTS}/{ACCOUNT}/taxes", method="PUT")
        assert answer.status_code == 201, answer.text

    async def run_due(self) -> None:
        await self.world.close_now()
        await self.till.collect()

    async def verify(self) -> None:
        found = await self.world.differences()
        assert found == [], found


class StaffAtCommandLine:
    """Staff who type `flex-billing …`, on a clock that is set to the world's before each command."""

    def __init__(self, till: Till, command_line: CommandLine) -> None:
        self.till, self.world = till, till.world
        self._command_line = command_line
        server = till.gateway.server
        _write_address(command_line.data, GatewayAddress(server.server_port, server.gateway.instance))

    async def note(self, number: int, lines: Sequence[str] = ()) -> None:
        said = await self._note(number, lines)
        assert said.startswith("Credit note ")

    async def refuse_note(self, number: int, lines: Sequence[str] = ()) -> str:
        return (await self._note(number, lines, expect=2)).strip()

    async def write_off(self, number: int) -> None:
        await self._act("write-off", ACCOUNT, str(number))

    async def check(self, amount: str) -> None:
        today = self.world.clock.now().date().isoformat()
        reference = self.world.ids.new("check")
        await self._act("record-payment", ACCOUNT, amount, "--reference", reference, "--received-on", today)

    async def refund(self, number: int, amount: str) -> None:
        reference = self.world.ids.new("refund")
        named = ("--invoice", str(number), "--amount", amount, "--reference", reference)
        assert "was given back" in await self._act("refund", ACCOUNT, *named)

    async def taxes(self, valid_from: date, taxes: Mapping[str, str]) -> None:
        named = [word for name, percent in taxes.items() for word in ("--tax", f"{name}={percent}")]
        await self._act("set-taxes", ACCOUNT, "--from", valid_from.isoformat(), *named)

    async def run_due(self) -> None:
        await self._run("run-due")

    async def verify(self) -> None:
        assert "Everything agrees: 1 account checked." in await self._run("verify")

    async def _note(self, number: int, lines: Sequence[str], **options: Any) -> str:
        named = [word for line in lines for word in ("--line", line)]
        reference = self.world.ids.new("note")
        return await self._act("credit-note", ACCOUNT, str(number), "--reference", reference, *named, **options)

    async def _act(self, command: str, *arguments: str, **options: Any) -> str:
        by = ("--actor", "ann", "--reason", "Ticket 4711.")
        return await self._run("staff", command, *arguments, *by, **options)

    async def _run(self, *arguments: str, **options: Any) -> str:
        clock = OffsetClock(self._command_line.data)
        clock.start(self.world.clock.now())
        said = await asyncio.to_thread(self._command_line.run, *arguments, **options)
        self.world.clock.instant = clock.now()
        return said.stderr if said.returncode else said.stdout


class Office:
    """The account on a plan since a day, and everybody who has to do with it."""

    def __init__(self, till: Till, staff: Staff) -> None:
        self.till, self.world, self.staff = till, till.world, staff
        self._presses = 0

    async def begin(self, plan: str, *, card: bool = False, taxes: Mapping[str, str] | None = None) -> None:
        """A new account pays since 1 August 2026, noon of which it is; its first invoice is issued, and paid by card
        if it has one.
        """
        await self.world.add_account(plan=plan.replace(",", "").lower(), paid_since_on=date(2026, 8, 1))
        if card:
            await self.add_card()
        if taxes is not None:
            await self.staff.taxes(date(2026, 8, 1), taxes)
        await self.staff.run_due()

    async def go_on_to(self, instant: datetime) -> None:
        """Let time pass; months close and are collected, each at its own instant."""
        await self.till.advance_to(instant)

    async def close_month(self, month: int) -> list[Line]:
        """Let a month of 2026 begin; its invoice is what the customer was shown just before. Returns its lines."""
        await self.till.advance_to(pacific(2026, month, 1))
        shown = (await self.world.data(NEXT))["billingSummary"]["nextInvoice"]
        await self.till.advance_to(pacific(2026, month, 1, 12))
        issued = (await self._show())["invoices"]["nodes"][0]
        assert {name: issued[name] for name in shown} == shown
        return _lines(issued)

    async def change_to(self, plan: str) -> list[Line]:
        """Change the plan at once, as previewed; what was shown is what is billed. Returns the lines of the invoice."""
        quote = (await self.world.data(PREVIEW, variables={"planId": PLANS[plan]}))["planChangePreview"]
        assert quote["__typename"] == "PlanChangeQuote", quote
        confirmed = {"quoteId": quote["id"], "key": self._press()}
        changed = (await self.world.data(CHANGE, variables=confirmed))["changePlan"]
        assert (changed["__typename"], changed.get("status")) == ("PlanChanged", "APPLIED"), changed
        invoice = changed["invoice"]
        for shown, billed in (("total",) * 2, ("lines",) * 2, ("creditApplied",) * 2, ("amountDueNow", "amountDue")):
            assert quote[shown] == invoice[billed]
        return _lines(invoice)

    async def pay(self) -> None:
        """Press the button that pays all that is open."""
        answer = (await self.world.data(PAY, variables={"key": self._press()}))["payOpenBalance"]
        assert {outcome["result"] for outcome in answer["outcomes"]} == {"PAID"}, answer

    async def add_card(self, nonce: str = VISA) -> None:
        """Add a card and agree to its being charged."""
        agreed = {"authorize": True, "agreementVersion": PAYMENT_AGREEMENT.version}
        wanted = {"input": {"idempotencyKey": self._press(), "nonce": nonce, **agreed}}
        answer = (await self.world.data(ADD_CARD, variables=wanted))["addPaymentMethod"]
        assert answer.get("status") == "ADDED", answer

    async def books(self) -> Books:
        """What the customer sees of the books; once staff's own check finds no fault with them."""
        await self.staff.verify()
        shown = await self._show()
        found = {int(each["number"]): (each["status"], _amount(each["balance"])) for each in shown["invoices"]["nodes"]}
        summary = shown["billingSummary"]
        return Books(dict(sorted(found.items())), _amount(summary["openBalance"]), _amount(summary["creditBalance"]))

    async def lines(self, number: int) -> list[Line]:
        """What an invoice charges: kind and amount of each line."""
        shown = (await self._show())["invoices"]["nodes"]
        return _lines(next(each for each in shown if int(each["number"]) == number))

    async def words(self, number: int) -> list[str]:
        """How the lines of an invoice read."""
        shown = (await self._show())["invoices"]["nodes"]
        return [line["displayName"] for each in shown if int(each["number"]) == number for line in each["lines"]]

    async def total(self, number: int) -> str:
        shown = (await self._show())["invoices"]["nodes"]
        return next(_amount(each["total"]) for each in shown if int(each["number"]) == number)

    async def net(self, month: int = 8, kind: LineKind = LineKind.BASE) -> int:
        """The cents that are still billed of a month's base, or of one kind of its usage."""

        async def read(uow: unit_of_work.UnitOfWork) -> int:
            owner = await uow.accounts.get_by_external_id(ACCOUNT)
            return (await load_books(uow, owner.id)).position(date(2026, month, 1), kind).net_cents

        return await unit_of_work.read(self.world.database, read)

    def charged(self) -> list[int]:
        """What the gateway took, in cents, the oldest first."""
        orders = self.till.gateway.ledger().values()
        return [order["captured_cents"] for order in orders if order["captured_cents"]]

    async def _show(self) -> dict[str, Any]:
        return await self.world.data(SHOW)

    def _press(self) -> str:
        self._presses += 1
        return f"press-{self._presses}"


def _lines(invoice: dict[str, Any]) -> list[Line]:
    return [(line["kind"], _amount(line["amount"])) for line in invoice["lines"]]


def _amount(money: dict[str, str]) -> str:
    return money["amount"]
