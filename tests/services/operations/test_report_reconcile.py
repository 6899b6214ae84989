"""The gateway's month against ours, by the real adapter and the local gateway: each difference is found and named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.gateway_month import DifferenceKind, Flow, GatewayMonth
from app.domain.payment_gateway import ChargeReason, ChargeRequest, GatewayUnavailable
from app.domain.reports import MonthNotBegun
from app.services.adjustments.refund_payment import refund_payment
from app.services.operations.process_webhook_events import process_webhook_events
from app.services.operations.report_reconcile import csv_text, report_reconcile
from app.services.operations.sweep_gateway import sweep_gateway
from tests.inbox import Inbox
from tests.services.accountant import rows, tamper
from tests.services.staff import WHY, by_ann
from tests.till import Till
from tests.trips import counted_trips
from tests.world import ACCOUNT, pacific

FULL = 139_00
AT_GATEWAY, HERE = DifferenceKind.UNKNOWN_AT_GATEWAY, DifferenceKind.UNKNOWN_HERE


@pytest.fixture
async def july(till: Till) -> Till:
    """An account whose July was paid by its card and is settled, and 39.00 of it refunded on the 10th."""
    await till.world.add_account()
    await till.add_card()
    await till.advance_to(pacific(2026, 7, 2))
    till.gateway.settle()
    await till.advance_to(pacific(2026, 7, 10))
    await refund(till, 39_00)
    return till


async def refund(till: Till, cents: int, number: int = 100_001) -> None:
    reference = till.world.ids.new("ref")
    await refund_payment(
        till.world.services, by_ann(), invoice_number=number, amount_cents=cents, reference=reference, **WHY
    )


async def reconcile(till: Till, month: str = "2026-07") -> GatewayMonth:
    return await report_reconcile(till.world.services, month=month)


def totals(found: GatewayMonth) -> dict[Flow, tuple[int, int, int]]:
    """Cents at the gateway, here and in the journal, of flows that have any."""
    sums = {each.flow: (each.theirs_cents, each.ours_cents, each.posted_cents) for each in found.totals}
    return {flow: cents for flow, cents in sums.items() if any(cents)}


def named(found: GatewayMonth) -> list[tuple[Flow, DifferenceKind]]:
    return [(each.flow, each.kind) for each in found.differences]


class TestAgreement:
    async def test_sales_and_refunds_are_the_same_on_all_sides(self, july):
        found = await reconcile(july)

        assert found.differences == ()
        assert totals(found) == {Flow.SALE: (FULL, FULL, FULL), Flow.REFUND: (39_00, 39_00, 39_00)}

    async def test_a_void_a_return_and_a_lost_dispute_count_in_their_months(self, july):
        """July's charge is disputed in August and lost in September, where August's is returned and its own voided."""
        inbox, (first,) = Inbox(july), await july.attempts()
        await july.advance_to(pacific(2026, 8, 1, 12))
        (second,) = await july.attempts()
        opened = july.gateway.dispute(transaction_id=first.transaction_id, amount_cents=50_00)
        await inbox.take(opened["webhook_id"])
        await july.advance_to(pacific(2026, 9, 1, 12))
        await refund(july, FULL, (await july.world.issued())[-1].number)
        told = july.gateway.dispute(dispute_id=opened["dispute_id"], status="lost")["webhook_id"]
        await inbox.take(told)
        july.gateway.settle(second.transaction_id, status="settlement_declined")
        await sweep_gateway(july.world.services)

        months = {month: await reconcile(july, f"2026-{month}") for month in ("07", "08", "09")}

        assert {month: found.differences for month, found in months.items() if found.differences} == {}
        assert totals(months["07"]) == {Flow.SALE: (FULL, FULL, FULL), Flow.REFUND: (39_00, 39_00, 39_00)}
        assert totals(months["08"]) == {Flow.SALE: (FULL, FULL, FULL), Flow.DISPUTE: (50_00, 50_00, 0)}
        assert totals(months["09"]) == {
            Flow.SALE: (FULL, FULL, FULL),
            Flow.TAKEN_BACK: (2 * FULL, 2 * FULL, 2 * FULL),
            Flow.CHARGEBACK: (50_00, 50_00, 50_00),
        }

    async def test_a_month_is_searched_page_by_page(self, till, monkeypatch):
        monkeypatch.setattr("app.gateways.braintree.PAGE", 2)
        monkeypatch.setattr("app.gateways.braintree_calls.MOST_FOUND", 4)
        for number in range(5):
            await till.world.add_account(f"AA010{number}")
            await till.add_card(account=f"AA010{number}")
            await till.world.close_now()
            await till.collect()
            till.world.clock.instant += timedelta(hours=1)
        till.world.clock.instant = pacific(2026, 8, 1, 1)

        found = await reconcile(till)

        assert (found.differences, found.totals[0].theirs_count, found.month.is_closed) == ((), 5, True)


class TestDifferences:
    async def test_a_sale_and_a_refund_that_nobody_here_knows(self, july):
        method = (await july.methods())[0]
        stray = ChargeRequest("order_9", 12_00, method.account_id, method.id, ChargeReason.UNSCHEDULED)
        sold = await july.world.services.payments.charge(stray)
        july.gateway.settle()
        charge = (await july.attempts())[0]
        await july.world.services.payments.refund(charge.transaction_id, 5_00, "order_10")

        found = await reconcile(july)

        assert named(found) == [(Flow.SALE, HERE), (Flow.REFUND, HERE)]
        assert (found.differences[0].id, found.differences[0].theirs.cents) == (sold.transaction.id, 12_00)
        assert totals(found) == {Flow.SALE: (151_00, FULL, FULL), Flow.REFUND: (44_00, 39_00, 39_00)}

    async def test_a_sale_whose_charge_is_open_here_says_so(self, july):
        await july.advance_to(pacific(2026, 7, 31))
        july.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        await july.advance_to(pacific(2026, 8, 1, 12))
        newest = (await july.attempts())[-1].id
        tamper(july.world.database, f"UPDATE payment_attempt SET state = 'UNKNOWN' WHERE id = '{newest}'")

        found = await reconcile(july, "2026-08")

        assert (Flow.SALE, HERE) in named(found)
        assert found.differences[0].note.endswith("is UNKNOWN here")

    async def test_a_charge_and_a_refund_that_the_gateway_does_not_have(self, july):
        tamper(july.world.database, "UPDATE payment_attempt SET transaction_id = 'gone'")
        tamper(july.world.database, "UPDATE refund SET transaction_id = 'gone_too'")

        found = await reconcile(july)

        assert named(found) == [(Flow.SALE, AT_GATEWAY), (Flow.SALE, HERE), (Flow.REFUND, AT_GATEWAY),
                                (Flow.REFUND, HERE)]  # fmt: skip
        assert [(each.id, each.account) for each in found.differences[::2]] == [
            ("gone", ACCOUNT),
            ("gone_too", ACCOUNT),
        ]

    async def test_another_amount_here_and_in_the_journal(self, july):
        tamper(july.world.database, "UPDATE payment_attempt SET amount_cents = amount_cents + 100")

        found = await reconcile(july)

        assert named(found) == [
            (Flow.SALE, DifferenceKind.OTHER_AMOUNT),
            (Flow.SALE, DifferenceKind.NOT_POSTED),
            (Flow.SALE, DifferenceKind.ONLY_POSTED),
        ]

    async def test_another_month_here(self, july):
        """The answer came after midnight: both months have a difference, and the same."""
        tamper(july.world.database, "UPDATE payment_attempt SET resolved_at = '2026-08-01 08:00:00.000000'")
        july.world.clock.instant = pacific(2026, 8, 2)
        sold, posted = (Flow.SALE, DifferenceKind.OTHER_MONTH), (Flow.SALE, DifferenceKind.ONLY_POSTED)

        assert named(await reconcile(july)) == [sold, posted]
        assert named(await reconcile(july, "2026-08")) == [sold, (Flow.SALE, DifferenceKind.NOT_POSTED)]

    async def test_a_sale_that_was_voided_at_the_gateway_behind_our_back(self, july):
        await july.advance_to(pacific(2026, 8, 1, 12))
        (*_, charge) = await july.attempts()
        await july.world.services.payments.void(charge.transaction_id, "by-hand")

        found = await reconcile(july, "2026-08")

        assert named(found) == [(Flow.TAKEN_BACK, HERE)]
        assert found.differences[0].note == "the transaction is VOIDED there"
        await sweep_gateway(july.world.services)
        assert named(await reconcile(july, "2026-08")) == []

    async def test_a_dispute_that_nobody_told_us_of(self, july):
        (charge,) = await july.attempts()
        july.gateway.dispute(transaction_id=charge.transaction_id, status="lost")

        found = await reconcile(july)

        assert named(found) == [(Flow.CHARGEBACK, HERE), (Flow.DISPUTE, HERE)]
        assert found.differences[0].note == "the dispute is LOST there, unknown here"

    async def test_a_dispute_that_the_gateway_does_not_have_and_one_it_has_won(self, july):
        inbox, (charge,) = Inbox(july), await july.attempts()
        lost = july.gateway.dispute(transaction_id=charge.transaction_id, amount_cents=10_00, status="lost")
        await inbox.take(lost["webhook_id"])
        july.gateway.dispute(dispute_id=lost["dispute_id"], status="won")
        won = await reconcile(july)
        tamper(july.world.database, "UPDATE dispute SET id = 'gone'")
        gone = await reconcile(july)

        assert named(won) == [(Flow.CHARGEBACK, AT_GATEWAY)]
        assert won.differences[0].note == "the dispute is WON there, LOST here"
        assert [kind for kind in named(gone) if kind[0] is Flow.DISPUTE] == [
            (Flow.DISPUTE, AT_GATEWAY),
            (Flow.DISPUTE, HERE),
        ]

    async def test_money_that_came_back_after_it_had_gone_stands_in_the_journal_alone(self, july):
        refunded = next(
            each
            for order in july.gateway.ledger().values()
            for each in order["transactions"]
            if each["type"] == "credit"
        )
        july.gateway.settle(refunded["id"], status="failed")
        webhook = july.gateway.webhook("refund_failed", transaction_id=refunded["id"])
        await Inbox(july).post(webhook)
        await process_webhook_events(july.world.services)

        found = await reconcile(july)

        assert named(found) == [(Flow.SALE, DifferenceKind.ONLY_POSTED), (Flow.REFUND, DifferenceKind.ONLY_POSTED)]
        assert totals(found) == {Flow.SALE: (FULL, FULL, FULL + 39_00), Flow.REFUND: (0, 0, 39_00)}


class TestForm:
    async def test_csv_has_totals_of_each_flow_then_the_differences(self, july):
        tamper(july.world.database, "UPDATE payment_attempt SET amount_cents = amount_cents + 100")
        (charge,) = await july.attempts()
        header, *lines = csv_text(await reconcile(july)).splitlines()

        assert header == (
            "month,flow,what,id,account,gateway_amount,our_amount,journal_amount,gateway_at,our_at,note,is_closed"
        )
        assert lines[:2] == [
            '2026-07,sales,total,,,139.00,140.00,139.00,,,"1 at the gateway, 1 here",no',
            '2026-07,sales voided or returned,total,,,0.00,0.00,0.00,,,"0 at the gateway, 0 here",no',
        ]
        assert lines[5] == (
            f"2026-07,sales,other amount,{charge.transaction_id},AA0101,139.00,140.00,,"
            "2026-07-01 12:00:00,2026-07-01 12:00:00,,no"
        )

    async def test_a_sale_with_an_order_of_somebody_else_s_is_guarded(self, july):
        tamper(july.world.database, "UPDATE payment SET reference = '=1+1'")
        tamper(july.world.database, "UPDATE account SET external_id = '+AA0101'")
        tamper(july.world.database, "UPDATE payment_attempt SET amount_cents = amount_cents + 100")

        found = rows(csv_text(await reconcile(july)))

        assert {row["account"] for row in found} == {"", "'+AA0101"}
        assert "'=1+1" in {row["id"] for row in found}

    async def test_a_month_in_the_future_is_refused_before_anybody_is_asked(self, july):
        july.gateway.faults({"match": "*", "action": "reset", "times": 99})
        with pytest.raises(MonthNotBegun):
            await reconcile(july, "2026-08")

    async def test_a_gateway_that_cannot_be_asked_is_said(self, july):
        july.gateway.faults({"match": "*", "action": "reset", "times": 99})
        with pytest.raises(GatewayUnavailable):
            await reconcile(july)

    async def test_statements_do_not_grow_with_the_data(self, july):
        async with counted_trips() as few:
            await reconcile(july, "2026-06")
        async with counted_trips() as many:
            await reconcile(july)
        assert few.count == many.count == 5
