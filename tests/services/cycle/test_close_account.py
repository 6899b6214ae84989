"""An account closes: its usage is billed, no base, its credit is settled, and nothing comes after (rules 7, 25, 35)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.accounts import AccountStatus
from app.domain.add_ons import AddOnSubscription
from app.domain.metering import MeteringResult, Outcome
from app.domain.seed_catalogue import SEED_ADD_ONS
from app.domain.taxes import TaxRate
from app.domain.usage import RefusalReason
from app.repositories import unit_of_work
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.set_taxes import set_taxes
from app.services.common.staff_actions import ActorMissing, ReasonMissing
from app.services.cycle.close_account import InvoicesDue, close_account
from app.services.plans.upgrade_plans import upgrade_plans
from app.services.usage.put_account import AccountAlreadyBilled
from tests.factories.calls import a_call
from tests.services.books import dump, events, invoices, lines, postings, rows
from tests.services.staff import (
    WHY,
    balances,
    book,
    by_ann,
    by_staff,
    check_books,
    credit,
    last_event,
    leave_to_customer,
)
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


@pytest.fixture
async def august(world: World) -> World:
    """Two open invoices of $139.00; it is noon of 10 August."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 10, 12))
    return world


async def close(world: World, **changes):
    return await by_staff(world, close_account, **changes)


async def goodwill(world: World, cents: int) -> None:
    await grant_goodwill(world.services, by_ann(), amount_cents=cents, reference=world.ids.new("ref"), **WHY)


class TestFinalInvoice:
    async def test_the_month_to_date_is_billed_by_line_and_no_base(self, august):
        await august.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 8, 3), script_seconds=110 * MINUTE),
            a_call(
                event_id="2",
                started_at=pacific(2026, 8, 4),
                script_seconds=0,
                recording_seconds=0,
                patch_seconds=450,
            ),
        )

        closing = await close(august)

        assert (closing.number, closing.amount_due_cents, closing.is_new) == (100_003, 12_90 + 75, True)
        final = (await invoices(august.database))[-1]
        assert (final.kind, final.period.month, final.id) == ("FINAL", "2026-08", closing.invoice_id)
        assert (await lines(august.database))[-1] == [("OVERAGE", "2026-08", 12_90), ("PATCH", "2026-08", 75)]
        check_books(august.database)

    async def test_rule_25_late_calls_of_closed_months_are_adjusted_not_billed_again(self, august):
        await august.add_calls(a_call(event_id="1", started_at=pacific(2026, 7, 20), script_seconds=110 * MINUTE))
        await august.advance_to(pacific(2026, 9, 2, 12))
        await august.add_calls(a_call(event_id="2", started_at=pacific(2026, 8, 20), script_seconds=105 * MINUTE))
        await august.add_calls(a_call(event_id="3", started_at=pacific(2026, 9, 1), script_seconds=101 * MINUTE))

        await close(august)

        assert (await lines(august.database))[2:] == [
            [("BASE", "2026-09", 139_00), ("ADJUSTMENT", "2026-07", 12_90)],
            [("OVERAGE", "2026-09", 1_29), ("ADJUSTMENT", "2026-08", 6_45)],
        ]
        check_books(august.database)

    async def test_waiting_charges_and_tax_are_on_it(self, august):
        await add_charge(august.services, by_ann(), title="Programming", amount_cents=30_00, reference="C-1", **WHY)
        await set_taxes(
            august.services, by_ann(), taxes=[TaxRate("Sales tax", 65_000)], valid_from=date(2026, 8, 5), **WHY
        )

        await close(august)

        assert (await lines(august.database))[-1] == [("CHARGE", "2026-08", 30_00), ("TAX", "2026-08", 1_95)]
        final = (await invoices(august.database))[-1]
        assert rows(august.database, "SELECT invoice_id FROM extra_charge") == [(final.id,)]
        check_books(august.database)

    async def test_rule_19_an_outgrown_month_is_upgraded_first(self, august):
        await august.add_calls(a_call(started_at=pacific(2026, 8, 3), script_seconds=230 * MINUTE))

        await close(august)

        assert (await lines(august.database))[2:] == [
            [("BASE", "2026-08", 239_00), ("BASE_REVERSAL", "2026-08", -139_00)],
            [("OVERAGE", "2026-08", 11_90)],
        ]
        check_books(august.database)

    async def test_an_account_that_used_nothing_gets_none(self, august):
        closing = await close(august)

        assert (closing.invoice_id, closing.number, closing.amount_due_cents) == (None, None, 0)
        assert len(await invoices(august.database)) == 2

    async def test_rule_10_no_call_of_the_trial_is_billed(self, world):
        """Twenty hours of July are the trial's; the 16 paid days allow 52 minutes, and an hour was used in them."""
        await world.add_account(trial_ends_on=date(2026, 7, 15))
        await world.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 7, 1, 9), script_seconds=1_200 * MINUTE, recording_seconds=0)
        )
        await world.advance_to(pacific(2026, 7, 20, 12))
        await world.add_calls(
            a_call(event_id="2", started_at=pacific(2026, 7, 20, 9), script_seconds=60 * MINUTE, recording_seconds=0)
        )

        await close(world)

        assert (await lines(world.database))[-1] == [("OVERAGE", "2026-07", 10_32)]
        check_books(world.database)

    async def test_before_the_month_s_invoice_the_month_before_is_the_last(self, august):
        await august.advance_to(pacific(2026, 9, 1, 0, 30))
        await august.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 8, 20), script_seconds=101 * MINUTE),
            a_call(event_id="2", started_at=pacific(2026, 9, 1), script_seconds=101 * MINUTE),
        )

        closing = await close(august)
        await august.advance_to(pacific(2026, 10, 2))

        assert closing.amount_due_cents == 1_29
        assert (await lines(august.database))[2:] == [[("OVERAGE", "2026-08", 1_29)]]
        check_books(august.database)

    async def test_a_trial_ends_without_an_invoice(self, world):
        await world.add_account(trial_ends_on=date(2026, 7, 20))
        await world.add_calls(a_call(started_at=pacific(2026, 7, 1), script_seconds=90 * MINUTE))

        closing = await close(world)
        await world.advance_to(pacific(2026, 9, 2))

        assert (closing.number, await invoices(world.database)) == (None, [])


class TestCredit:
    async def test_rule_35_credit_pays_the_final_invoice_then_open_ones_and_the_rest_is_paid_out(self, august):
        """$313.00 waits beside two invoices that are paid by hand: 12.90 of it, 278.00, and 22.10."""
        await august.add_calls(a_call(started_at=pacific(2026, 8, 3), script_seconds=110 * MINUTE))
        for number in (100_001, 100_002):
            await leave_to_customer(august, number)
        await goodwill(august, 200_00)
        await goodwill(august, 113_00)
        assert credit(august.database) == 313_00

        closing = await close(august)

        assert (closing.amount_due_cents, closing.applied_cents, closing.paid_out_cents) == (0, 278_00, 22_10)
        assert [status for status, _ in balances(august.database).values()] == ["PAID"] * 3
        assert (credit(august.database), book(august.database, "CASH")) == (0, -22_10)
        posted = [(str(p.posting.kind), p.posting.amount_cents) for p in await postings(august.database)][-5:]
        assert posted == [
            ("CREDIT_APPLIED", 12_90),
            ("CREDIT_APPLIED", 139_00),
            ("CREDIT_APPLIED", 48_10),
            ("CREDIT_APPLIED", 90_90),
            ("CREDIT_PAID_OUT", 22_10),
        ]
        check_books(august.database)

    async def test_rule_35_credit_has_paid_what_is_collected_before_and_only_the_rest_is_paid_out(self, august):
        await goodwill(august, 300_00)

        closing = await close(august)

        assert (closing.amount_due_cents, closing.applied_cents, closing.paid_out_cents) == (0, 0, 22_00)
        assert balances(august.database) == {100_001: ("PAID", 0), 100_002: ("PAID", 0)}
        check_books(august.database)

    async def test_credit_that_is_not_enough_leaves_the_rest_open(self, august):
        for number in (100_001, 100_002):
            await leave_to_customer(august, number)
        await goodwill(august, 150_00)

        closing = await close(august)

        assert (closing.applied_cents, closing.paid_out_cents) == (150_00, 0)
        assert balances(august.database) == {100_001: ("PAID", 0), 100_002: ("OPEN", 128_00)}
        check_books(august.database)

    async def test_closing_again_settles_credit_that_came_since(self, august):
        await close(august)
        await august.pay(300_00)

        again = await close(august)

        assert (again.invoice_id, again.paid_out_cents, again.is_new) == (None, 22_00, True)
        assert credit(august.database) == 0
        event = await last_event(august)
        assert (event.kind, event.data["paid_out_cents"]) == ("credit.settled", 22_00)
        check_books(august.database)

    async def test_closing_twice_writes_nothing_more(self, august):
        await goodwill(august, 300_00)
        await close(august)
        before = dump(august.database)

        again = await close(august)

        assert not again.is_new
        assert dump(august.database) == before


class TestAfterwards:
    async def test_no_month_is_opened_any_more(self, august):
        await close(august)

        assert await august.advance_to(pacific(2027, 1, 2)) == 0
        assert rows(august.database, "SELECT status, next_close_at FROM account") == [("CLOSED", None)]

    async def test_later_calls_wait_in_quarantine_and_known_ones_are_known(self, august):
        known = a_call(event_id="1", started_at=pacific(2026, 8, 3))
        await august.add_calls(known)
        await close(august)

        results = await august.add_calls(known, a_call(event_id="2", started_at=pacific(2026, 8, 4)))

        assert results == [
            MeteringResult(Outcome.DUPLICATE),
            MeteringResult(Outcome.QUARANTINED, RefusalReason.ACCOUNT_CLOSED),
        ]
        assert rows(august.database, "SELECT reason, message FROM quarantined_call") == [
            ("ACCOUNT_CLOSED", "The account is closed and has had its last invoice.")
        ]

    async def test_add_ons_end_with_the_day(self, august):
        async def buy(uow):
            owner = await uow.accounts.get_by_external_id(ACCOUNT)
            await uow.add_ons.add_versions(SEED_ADD_ONS)
            for place, ends_before in enumerate([None, date(2026, 9, 1), date(2026, 8, 5)]):
                version = SEED_ADD_ONS[place]
                subscription = AddOnSubscription(f"sub_{place}", version, date(2026, 8, 1), ends_before)
                now = august.clock.now()
                await uow.add_ons.subscribe(subscription, owner.id, accepted_by="user:1", accepted_at=now)

        await unit_of_work.write(august.database, buy)

        await close(august)

        found = rows(august.database, "SELECT ends_before FROM add_on_subscription ORDER BY id")
        assert found == [("2026-08-11",), ("2026-08-11",), ("2026-08-05",)]

    async def test_nothing_is_left_for_the_automatic_upgrade_to_look_at(self, august):
        await august.add_calls(a_call(started_at=pacific(2026, 8, 3), script_seconds=1_000 * MINUTE))
        await close(august)
        before = dump(august.database)

        assert await upgrade_plans(august.services) == 0
        assert dump(august.database) == before

    async def test_a_closed_trial_is_not_brought_back_by_other_particulars(self, world):
        await world.add_account(trial_ends_on=date(2026, 7, 20))
        await close(world)
        before = dump(world.database)

        with pytest.raises(AccountAlreadyBilled):
            await world.add_account(trial_ends_on=date(2026, 7, 25))

        assert dump(world.database) == before

    async def test_the_trail_says_what_closing_did(self, august):
        for number in (100_001, 100_002):
            await leave_to_customer(august, number)
        await goodwill(august, 10_00)
        await close(august)

        event = await last_event(august)
        assert (event.kind, event.actor) == ("account.closed", "staff:ann")
        assert event.data == {
            "status": [AccountStatus.ACTIVE, AccountStatus.CLOSED],
            "final_invoice": None,
            "applied_cents": 10_00,
            "paid_out_cents": 0,
            "reason": "Ticket 4711.",
        }
        assert [each.kind for each in await events(august.database)].count("account.closed") == 1


class TestRefusals:
    async def test_what_is_due_is_issued_first(self, august):
        august.clock.instant = pacific(2026, 9, 1, 6)
        before = dump(august.database)

        with pytest.raises(InvoicesDue, match="An invoice of account 'AA0101' is due and not issued yet"):
            await close(august)

        assert dump(august.database) == before

    @pytest.mark.parametrize(("changes", "error"), [({"actor": ""}, ActorMissing), ({"reason": ""}, ReasonMissing)])
    async def test_a_refusal_writes_nothing(self, august, changes, error):
        before = dump(august.database)

        with pytest.raises(error):
            await close(august, **changes)

        assert dump(august.database) == before
