"""What was settled between queueing and sending is not told as if it were open; what is dropped keeps its reason."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.domain.payment_methods import MethodStatus
from app.repositories import unit_of_work
from app.repositories.notifications import OBSOLETE, REMOVED, SETTLED, SWITCHED_OFF
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import write_off_invoice
from app.services.common.caller import Caller
from app.services.invoices.resend_invoice import Requester, resend_invoice
from app.services.notifications.deliver_messages import LEASE
from app.services.notifications.payment_contacts import remove_contact, update_contact
from app.services.operations.on_call_queue import list_waiting
from app.services.payment_methods.warn_of_expiry import warn_of_expiry
from tests.every_kind import move_to, talk
from tests.services.post import Post
from tests.services.staff import WHY, by_ann, by_staff
from tests.till import VISA, Till
from tests.world import ACCOUNT, World, pacific

READY, FAILED, RECEIVED = AlertKind.INVOICE_READY, AlertKind.PAYMENT_FAILED, AlertKind.PAYMENT_RECEIVED
FIRST, FULL = 100_001, 139_00


@pytest.fixture
async def post(world: World) -> Post:
    """July's invoice of $139.00 is issued, and its mail is queued."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    return Post(world)


async def subjects(post: Post) -> list[str]:
    await post.deliver()
    return [mail.subject for mail in post.mailer.sent]


async def dropped(post: Post) -> list[tuple[str, str]]:
    """What was not sent, and why; nobody is asked to look at it."""
    rows = await post.rows("kind, state, outcome")
    assert {state for _, state, _ in rows} <= {"SENT", "FAILED"}
    assert await list_waiting(post.world.services, limit=9) == []
    return [(kind, outcome) for kind, state, outcome in rows if state == "FAILED"]


class TestInvoices:
    async def test_one_that_is_as_it_was_is_told_as_it_was(self, post):
        assert await subjects(post) == ["Invoice 100001: $139.00 due"]

    async def test_one_that_was_paid_meanwhile_is_told_as_paid(self, post):
        await post.world.pay(FULL)
        assert (await subjects(post))[0] == "Invoice 100001: paid"
        assert "It is paid." in post.mailer.sent[0].text
        assert await dropped(post) == []

    async def test_of_one_that_was_paid_in_part_the_rest_is_due(self, post):
        await post.world.pay(100_00)
        assert (await subjects(post))[0] == "Invoice 100001: $39.00 due"

    async def test_one_that_was_written_off_is_not_due(self, post):
        await by_staff(post.world, write_off_invoice, invoice_number=FIRST)
        assert (await subjects(post))[0] == "Invoice 100001: nothing is due"

    async def test_one_that_was_voided_is_not_told(self, post):
        await by_staff(post.world, void_invoice, invoice_number=FIRST)
        assert FIRST not in [int(each.split()[1][:-1]) for each in await subjects(post) if each.startswith("Invoice")]
        assert (READY, SETTLED) in await dropped(post)

    async def test_whoever_asks_for_it_gets_it_whatever_they_have_switched_off(self, post):
        await post.deliver()
        ((user_id,),) = await post.rows("user_id")
        await switch(post, user_id, READY, is_on=False)
        asking = Requester(user_id, "Ann Ames", "admin@example.com")
        invoice = (await post.world.issued())[0]
        await resend_invoice(post.world.services, Caller(ACCOUNT, "user:x"), requester=asking, invoice_id=invoice.id)
        assert await subjects(post) == ["Invoice 100001: $139.00 due"] * 2


class TestFailures:
    @pytest.mark.parametrize("kind", [FAILED, AlertKind.SUSPENSION_SCHEDULED, AlertKind.SUSPENDED])
    async def test_nobody_is_warned_of_what_was_paid_meanwhile(self, post, kind):
        await post.clear()
        await post.announce(kind)
        await post.world.pay(FULL)
        assert await subjects(post) == [f"We received your payment of ${FULL / 100:.2f}"]
        assert await dropped(post) == [(kind, SETTLED)]

    async def test_what_is_open_still_is_told(self, post):
        await post.clear()
        await post.announce(FAILED)
        await post.announce(AlertKind.SUSPENSION_SCHEDULED)
        assert len(await subjects(post)) == 2

    async def test_service_that_was_restored_and_suspended_again_is_not_told_as_restored(self, post):
        await post.clear()
        await post.announce(AlertKind.REACTIVATED)
        post.world.clock.instant = pacific(2026, 7, 2, 13)
        await set_status(post, "SUSPENDED")
        assert await subjects(post) == []
        assert await dropped(post) == [(AlertKind.REACTIVATED, SETTLED)]


class TestCards:
    @pytest.fixture
    async def card(self, till: Till) -> str:
        """A Visa that expires in December 2027, and its warning."""
        await till.world.add_account()
        card = await till.add_card(VISA)
        till.world.clock.instant = pacific(2027, 12, 10, 9)
        assert await warn_of_expiry(till.world.services) == 1
        return card

    async def test_one_on_file_is_told(self, till, card):
        assert len(await subjects(Post(till.world))) == 1

    async def test_one_that_was_removed_is_not(self, till, card):
        await unit_of_work.write(
            till.world.database,
            lambda uow: uow.payment_methods.set_status(card, MethodStatus.REMOVED, at=till.world.clock.now()),
        )
        post = Post(till.world)
        assert await subjects(post) == []
        assert await dropped(post) == [(AlertKind.CARD_EXPIRING, SETTLED)]

    async def test_one_that_was_renewed_is_not(self, till, card):
        await run(till.world, "UPDATE payment_method SET expiry_year = 2031")
        post = Post(till.world)
        assert await subjects(post) == []
        assert await dropped(post) == [(AlertKind.CARD_EXPIRING, SETTLED)]


class TestUsage:
    async def test_a_limit_that_a_higher_plan_lifted_is_not_told(self, post):
        await post.clear()
        await post.world.add_calls(talk("july", pacific(2026, 7, 2, 9), 90))
        assert [kind for kind, _ in await post.told()] == [AlertKind.ALLOWANCE_NEARLY_USED]
        await move_to(post.world, "500")
        assert not [each for each in await subjects(post) if "allowance" in each.lower()]
        assert await dropped(post) == [(AlertKind.ALLOWANCE_NEARLY_USED, OBSOLETE)]

    async def test_a_limit_that_is_passed_still_is_told(self, post):
        await post.clear()
        await post.world.add_calls(talk("july", pacific(2026, 7, 2, 9), 90))
        assert len(await subjects(post)) == 1

    @pytest.mark.parametrize("kind", [AlertKind.FORECAST_OVER_ALLOWANCE, AlertKind.UPGRADE_SCHEDULED])
    async def test_a_forecast_is_of_a_month_that_is_not_over(self, post, kind):
        await post.clear()
        await post.announce(kind, month_on=date(2026, 7, 1))
        await post.announce(kind, subject="x:x", month_on=date(2026, 6, 1))
        assert len(await subjects(post)) == 1
        assert await dropped(post) == [(kind, OBSOLETE)]


class TestRecipients:
    async def test_an_admin_who_switched_it_off_meanwhile_is_not_told(self, post):
        ((user_id,),) = await post.rows("user_id")
        await switch(post, user_id, READY, is_on=False)
        assert await subjects(post) == []
        assert await dropped(post) == [(READY, SWITCHED_OFF)]

    async def test_somebody_who_is_no_admin_any_more_is_not_told_by_whoever_takes_over_from_a_dead_worker(self, post):
        await claim(post)
        await run(post.world, "DELETE FROM alert_subscription")
        post.world.real_clock.instant += LEASE + timedelta(seconds=1)
        assert await subjects(post) == []
        assert await dropped(post) == [(READY, REMOVED)]

    async def test_a_contact_who_was_removed_while_a_worker_died_is_not_told(self, post):
        contact = await a_contact_alone(post)
        await claim(post)
        await remove_contact(post.world.services, Caller(ACCOUNT, "user:x"), contact.id)
        post.world.real_clock.instant += LEASE + timedelta(seconds=1)
        assert [each for each in await subjects(post) if each.startswith("Invoice")] == []
        assert (READY, REMOVED) in await dropped(post)

    @pytest.mark.parametrize(
        "change",
        [
            {"kinds": frozenset({FAILED})},
            {"is_active": False},
            {"channels": frozenset({Channel.PHONE_CALL})},
        ],
    )
    async def test_a_contact_who_is_not_to_hear_of_it_any_more_is_not_told(self, post, change):
        from dataclasses import replace

        contact = await a_contact_alone(post)
        await claim(post)
        details = replace(contact.details, **change)
        await update_contact(post.world.services, Caller(ACCOUNT, "user:x"), contact.id, details)
        post.world.real_clock.instant += LEASE + timedelta(seconds=1)
        assert [each for each in await subjects(post) if each.startswith("Invoice")] == []
        assert (READY, SWITCHED_OFF) in await dropped(post)


class TestRefunds:
    """A refund by staff is told to admins and to contacts who hear of payments."""

    @pytest.fixture
    async def paid(self, till: Till) -> Post:
        await till.world.add_account()
        await till.add_card(VISA)
        await till.world.close_now()
        await till.collect()
        till.gateway.settle()
        post = Post(till.world)
        await post.add_contact()
        await post.clear()
        return post

    async def refund(self, post: Post, cents: int, reference: str = "R1") -> None:
        await refund_payment(
            post.world.services, by_ann(), invoice_number=FIRST, amount_cents=cents, reference=reference, **WHY
        )

    async def test_it_is_told_once_with_what_is_open_again(self, paid):
        for _ in range(2):
            await self.refund(paid, 49_70)
        assert await paid.told() == [
            (AlertKind.PAYMENT_REFUNDED, "admin@example.com"),
            (AlertKind.PAYMENT_REFUNDED, "carla@example.com"),
        ]
        assert set(await subjects(paid)) == {"We refunded $49.70 to you"}
        text = " ".join(paid.mailer.sent[0].text.split())
        assert "Refunded: $49.70 To: Visa ending in 1881" in text
        assert "Of invoice: 100001 Open again: $49.70" in text

    async def test_what_was_credited_meanwhile_is_not_told_as_open(self, paid):
        await self.refund(paid, FULL)
        await issue_credit_note(
            paid.world.services, by_ann(), invoice_number=FIRST, cents_by_line={1: FULL}, reference="N1", **WHY
        )
        await paid.deliver()
        mail = next(mail for mail in paid.mailer.sent if "refunded" in mail.subject)
        assert "Open again" not in mail.text
        assert "You do not need to do anything." in mail.text

    async def test_each_refund_is_told(self, paid):
        await self.refund(paid, 10_00)
        await self.refund(paid, 20_00, "R2")
        assert sorted(set(await subjects(paid))) == ["We refunded $10.00 to you", "We refunded $20.00 to you"]


async def a_contact_alone(post: Post):
    """A contact who waits for the mail of an invoice; nobody else does."""
    contact = await post.add_contact()
    await post.clear()
    await post.announce(READY, subject="waiting")
    await run(post.world, "DELETE FROM notification WHERE contact_id IS NULL")
    return contact


async def claim(post: Post) -> None:
    """A worker takes what is due, and dies."""
    now, real_now = post.world.clock.now(), post.world.real_clock.now()
    await unit_of_work.write(
        post.world.database,
        lambda uow: uow.notifications.claim(
            Channel.EMAIL, now=now, real_now=real_now, lease_until=real_now + LEASE, limit=9
        ),
    )


async def switch(post: Post, user_id: str, kind: AlertKind, *, is_on: bool) -> None:
    async def work(uow) -> None:
        account = await uow.accounts.get_by_external_id(ACCOUNT)
        await uow.alerts.switch(account.id, user_id, kind, is_on=is_on)

    await unit_of_work.write(post.world.database, work)


async def set_status(post: Post, status: str) -> None:
    await run(post.world, f"UPDATE account SET status = '{status}'")


async def run(world: World, statement: str) -> None:
    from sqlalchemy import text

    async def work(uow) -> None:
        await uow.session.exec(text(statement))

    await unit_of_work.write(world.database, work)
