"""What customers do in a story: change their plan, buy and end add-ons, pay by card."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from app.domain.plan_changes import AlreadyOnPlan, When
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.repositories import unit_of_work
from app.services.common.account_snapshot import load_snapshot
from app.services.common.idempotency import IdempotencyConflict
from app.services.payments.customer_charges import PaymentDeclined
from app.services.payments.pay_invoice import pay_open_balance
from app.services.plans.change_plan import (
    PlanChangeQuote,
    cancel_scheduled_plan_change,
    change_plan,
    preview_plan_change,
)
from app.services.plans.switch_add_on import activate_add_on, cancel_add_on, keep_add_on, preview_add_on
from tests.scenarios.account_telling import ACCOUNT, BY, Telling
from tests.scenarios.reference_bills import Bill, Refused
from tests.scenarios.reference_model import ReferenceAccount
from tests.scenarios.reference_prices import ADD_ONS, PLANS, Plan


class Customers(Telling):
    """The acts of customers; `number` decides about the details of each."""

    declined: Bill | None = None

    async def advance(self, target: Any, *, is_late: bool) -> None:
        raise NotImplementedError

    async def meanwhile(self, number: int) -> None:
        raise NotImplementedError

    async def quote(self, target: Plan, when: str) -> PlanChangeQuote:
        async def work(uow: Any) -> PlanChangeQuote:
            version = SEED_CATALOGUE.get(target.code, self.today)
            snapshot = await load_snapshot(uow, ACCOUNT, self.clock.now())
            return preview_plan_change(snapshot, version.id, When(when), self.signer)

        return await unit_of_work.read(self.database, work)

    async def change(self, number: int, when: str = "NOW") -> None:
        target = PLANS[number % 7]
        outcome, quote = await self.attempt(
            lambda: self.model.offer(target, when, self.today), self.quote(target, when)
        )
        if quote is None:
            self.told[f"preview: {outcome}"] += 1
            return
        covered, _ = outcome
        assert quote.offer.effective_on == covered[2]
        if number // 14 % 6 == 0:
            await self.meanwhile(number // 42)
        minutes = (0, 0, 5, 20)[number // 14 % 4]
        await self.advance(self.clock.now() + timedelta(minutes=minutes), is_late=False)
        await self.confirm(quote, target, when, covered, minutes >= 15, number)
        if number // 3 % 8 == 0:
            await self.confirm(quote, target, when, covered, True, number)

    async def change_later(self, number: int) -> None:
        await self.change(number, "NEXT_CYCLE")

    async def decline(self, number: int) -> None:
        """Upgrade at once with a card that is declined, where anything is to be paid."""
        place = PLANS.index(self.model.coming_plan) + 1 + number % 3
        await self.change(min(place, 6) + 7 * 5, "NOW")

    async def confirm(self, quote: Any, target: Plan, when: str, covered: object, is_over: bool, number: int) -> None:
        send = {
            "signer": self.signer,
            "payment_runner": self.payment_runner,
            "quote_token": quote.quote.token,
            "idempotency_key": self.ids.new("key"),
        }
        self.payments.declines = number // 7 % 5 == 0
        today = self.today

        def by_rules() -> Bill | None:
            now_covered, bill = self.model.offer(target, when, today)
            if is_over or now_covered != covered:
                raise Refused("QuoteStale")
            self.take_effect(
                bill,
                lambda model: model.change(target, when, today),
                lambda model: model.offer(target, when, today)[1],
            )
            return bill

        outcome, changed = await self.attempt(by_rules, change_plan(self.services, BY, **send))
        if changed is None:
            self.told[f"confirm: {outcome}"] += 1
            await self.expect_in_vain(outcome, quote.offer.draft, lambda: change_plan(self.services, BY, **send))
            return
        self.did("change" if when == "NOW" else "change_later")
        issued = self.expect(*([] if outcome is None else [outcome]))
        previewed = quote.offer.draft.content_hash if quote.offer.draft else None
        assert previewed == (issued[0]["content_hash"] if issued else None), "the previewed change is the issued one"
        if number % 4 == 0:
            await self.send_again(send, changed, target)

    async def send_again(self, send: dict[str, Any], changed: object, target: Plan) -> None:
        assert await change_plan(self.services, BY, **send) == changed, "the same key has the same answer"
        try:
            other = await self.quote(PLANS[-1], "NEXT_CYCLE") if target != PLANS[-1] else None
        except AlreadyOnPlan:
            return
        if other is not None:
            try:
                await change_plan(self.services, BY, **{**send, "quote_token": other.quote.token})
            except IdempotencyConflict:
                self.told["same key, other body"] += 1
            else:
                raise AssertionError("A key was taken for two requests.")

    def take_effect(
        self,
        bill: Bill | None,
        effect: Callable[[ReferenceAccount], None],
        again: Callable[[ReferenceAccount], Bill | None],
    ) -> None:
        """Let a change take effect in the model once it is paid, where there is a card and something to pay."""
        is_due = self.has_card and bill is not None and bill.total_cents > bill.credit_applied_cents
        has_card, today = self.has_card, self.today
        if is_due and self.payments.declines:
            self.declined = bill
            self.deed(lambda model: model.decline(again(model), today))
            self.did("decline")
            raise Refused("PaymentDeclined")

        def pay_first(model: ReferenceAccount) -> None:
            effect(model)
            if has_card and bill is not None:
                model.books.charge(model.books.invoices[-1])

        self.deed(pay_first)
        self.told["charged"] += is_due

    async def expect_in_vain(self, outcome: str, draft: Any, again: Callable[[], Awaitable[object]]) -> None:
        """After a decline: the invoice was the previewed one and is void, and the same key is declined again."""
        if outcome != "PaymentDeclined":
            return
        assert self.expect(self.declined)[0]["content_hash"] == draft.content_hash
        charges = len(self.payments.charges)
        try:
            await again()
        except PaymentDeclined:
            assert len(self.payments.charges) == charges
        else:
            raise AssertionError("The same press was answered otherwise.")

    async def cancel_change(self, number: int) -> None:
        version = SEED_CATALOGUE.get((self.model.pending or PLANS[0]).code, self.today)
        outcome, _ = await self.attempt(
            lambda: self.deed(ReferenceAccount.cancel_change),
            cancel_scheduled_plan_change(self.services, BY, plan_version_id=version.id),
        )
        if outcome is None:
            self.did("cancel_change")

    async def buy(self, number: int) -> None:
        code = tuple(ADD_ONS)[number % len(ADD_ONS)]

        async def preview(uow: Any) -> Any:
            return preview_add_on(await load_snapshot(uow, ACCOUNT, self.clock.now()), code, self.signer)

        covered, quote = await self.attempt(
            lambda: self.model.add_on_bill(code, self.today), unit_of_work.read(self.database, preview)
        )
        if quote is None:
            return
        day = self.today
        if number // 5 % 6 == 0:
            await self.meanwhile(number // 5)
        if number // 5 % 8 == 0:
            await self.advance(self.clock.now() + timedelta(minutes=number % 20), is_late=False)
        is_over = self.clock.now() >= quote.quote.expires_at

        def by_rules() -> Bill:
            bill = self.model.add_on_bill(code, self.today)
            if is_over or bill != covered or day != self.today:
                raise Refused("QuoteStale")
            self.take_effect(bill, lambda model: model.buy(code, day), lambda model: model.add_on_bill(code, day))
            return bill

        self.payments.declines = number // 7 % 5 == 0
        send = {"quote_token": quote.quote.token, "terms_version": quote.version.terms_version}
        send |= {"signer": self.signer, "payment_runner": self.payment_runner, "idempotency_key": self.ids.new("key")}
        outcome, bought = await self.attempt(by_rules, activate_add_on(self.services, BY, **send))
        if bought is None:
            self.told[f"buy: {outcome}"] += 1
            await self.expect_in_vain(outcome, quote.draft, lambda: activate_add_on(self.services, BY, **send))
        else:
            self.did("buy")
            assert self.expect(outcome)[0]["content_hash"] == quote.draft.content_hash
            assert await activate_add_on(self.services, BY, **send) == bought

    async def cancel_add_on(self, number: int) -> None:
        code, today = tuple(ADD_ONS)[number % len(ADD_ONS)], self.today
        outcome, _ = await self.attempt(
            lambda: self.deed(lambda model: model.end_add_on(code, today)),
            cancel_add_on(self.services, BY, code=code),
        )
        if outcome is None:
            self.did("cancel_add_on")

    async def keep_add_on(self, number: int) -> None:
        code, today = tuple(ADD_ONS)[number % len(ADD_ONS)], self.today
        outcome, _ = await self.attempt(
            lambda: self.deed(lambda model: model.keep_add_on(code, today)),
            keep_add_on(self.services, BY, code=code),
        )
        if outcome is None:
            self.did("keep_add_on")

    async def pay_now(self, number: int) -> None:
        """Pay all that is open by card; declined only where all is paid by hand, which no fee follows."""
        if self.payment_runner is None:
            return
        owed = [invoice for invoice in self.model.books.invoices if invoice.balance_cents]
        declines = self.payments.declines = number % 3 == 0 and all(invoice.is_by_hand for invoice in owed)

        def by_rules(model: ReferenceAccount) -> None:
            if not model.books.open_cents:
                raise Refused("NothingToPay")
            for invoice in model.books.invoices:
                if invoice.is_by_hand:
                    model.books.credit_first(invoice)
                if not declines:
                    model.books.charge(invoice)

        send = {"payment_runner": self.payment_runner, "idempotency_key": self.ids.new("key")}
        charges = len(self.payments.charges)
        outcome, paid = await self.attempt(lambda: self.deed(by_rules), pay_open_balance(self.services, BY, **send))
        if paid is None:
            self.told[f"pay now: {outcome}"] += 1
        elif len(self.payments.charges) > charges and not declines:
            self.did("pay_now")
        else:
            self.told["paid by hand out of credit alone" if not declines else "pay now: declined"] += 1
