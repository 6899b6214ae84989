"""The on-call queue: what waits is listed, and each can go on or be settled, once and with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.alerts import AlertKind
from app.domain.collection import CollectionStatus
from app.domain.contacts import Channel, PaymentContact
from app.domain.deliveries import CallAnswer, CallOutcome, CallResult, MailAnswer, MailResult
from app.domain.invoice_drafts import InvoiceStatus
from app.repositories import unit_of_work
from app.services.adjustments.refund_payment import refund_payment
from app.services.common.staff_actions import ReasonMissing
from app.services.notifications.deliver_messages import deliver_messages
from app.services.notifications.report_call import report_call
from app.services.operations.on_call_queue import (
    NothingWaits,
    RecipientGone,
    dismiss_webhook_event,
    list_waiting,
    try_again,
)
from app.services.operations.operations_alerts import operations_alerts, read_operations_figures
from app.services.operations.process_webhook_events import process_webhook_events
from tests.inbox import Inbox
from tests.services.books import dump, rows
from tests.services.post import OK, TAKEN, Post
from tests.services.staff import ANN, WHY, by_ann, last_event
from tests.till import Till
from tests.world import World, pacific

REFUSED = MailAnswer(MailResult.REFUSED, "550 no such user")


async def waiting(world: World) -> list[tuple[str, str, str | None, str]]:
    found = await list_waiting(world.services, limit=10)
    return [(each.kind.value, each.id, each.account, each.why) for each in found]


async def retry(world: World, waiting_id: str, **changes) -> None:
    await try_again(world.services, **{"waiting_id": waiting_id, **ANN, **changes})


class TestMoney:
    @pytest.fixture
    async def july(self, till: Till) -> Till:
        """An account with a card whose first invoice is to be collected."""
        await till.world.add_account()
        await till.add_card()
        await till.world.close_now()
        return till

    async def test_what_broke_off_goes_on_where_it_was(self, july):
        july.gateway.faults({"match": "sale", "when": "before", "action": "status", "status": 403, "times": 1_000})
        await july.advance_to(pacific(2026, 7, 1, 18))
        assert await waiting(july.world) == [("PARKED", "100001", "AA0101", "The payment gateway refuses to charge.")]
        slots = (await july.collection()).slots_used

        july.gateway.faults()
        await retry(july.world, "100001")
        await july.collect()

        assert (await july.world.issued())[0].status is InvoiceStatus.PAID
        assert (await july.collection()).slots_used == slots
        assert await waiting(july.world) == []
        assert "collection.resumed" in await july.kinds()

    async def test_what_is_collected_already_is_left_alone(self, july):
        before = dump(july.world.database)
        for nothing in ("100001", "100099", "ntf_nobody"):
            with pytest.raises(NothingWaits):
                await retry(july.world, nothing)
        with pytest.raises(ReasonMissing):
            await retry(july.world, "100001", reason="")
        assert dump(july.world.database) == before

    async def test_a_charge_whose_outcome_stays_unknown_is_listed_by_its_order_id(self, july):
        july.gateway.faults(
            {"match": "sale", "when": "after", "action": "reset"}, {"match": "*", "action": "reset", "times": 1_000}
        )
        await july.collect()
        assert await waiting(july.world) == []
        july.world.clock.instant += timedelta(hours=2)
        (attempt,) = await july.attempts()
        assert [each[:3] for each in await waiting(july.world)] == [("UNKNOWN_CHARGE", attempt.id, "AA0101")]
        assert (await july.collection()).status is CollectionStatus.UNKNOWN


class TestRefunds:
    @pytest.fixture
    async def paid(self, till: Till) -> Till:
        """July is paid by card, and settled."""
        await till.world.add_account()
        await till.add_card()
        await till.world.close_now()
        await till.collect()
        till.gateway.settle()
        return till

    async def give_back(self, till: Till) -> None:
        given = {"invoice_number": 100_001, "amount_cents": 39_00, "reference": "R1", **WHY}
        await refund_payment(till.world.services, by_ann(), **given)

    async def operations_alerts(self, world: World) -> list[str]:
        figures = await read_operations_figures(world.services)
        return [trouble.name for trouble in operations_alerts(figures, world.clock.now())]

    async def test_one_whose_outcome_stays_unknown_is_listed_and_told(self, paid):
        paid.gateway.faults({"match": "refund", "when": "after", "action": "reset"})
        await self.give_back(paid)
        assert (await waiting(paid.world), await self.operations_alerts(paid.world)) == ([], [])
        paid.world.clock.instant += timedelta(hours=2)
        ((kind, _, account, why),) = await waiting(paid.world)
        assert (kind, account, why) == ("UNKNOWN_REFUND", "AA0101", "Ticket 4711.")
        assert await self.operations_alerts(paid.world) == ["UNKNOWN_REFUND"]

    async def test_one_that_did_not_reach_the_customer_is_listed_for_a_week(self, paid):
        await self.give_back(paid)
        (transaction,) = rows(paid.world.database, "SELECT transaction_id FROM refund")[0]
        paid.gateway.settle(transaction, status="settlement_declined")
        told = paid.gateway.webhook("refund_failed", transaction_id=transaction)
        await Inbox(paid).take(told)
        assert [each[0] for each in await waiting(paid.world)] == ["FAILED_REFUND"]
        assert await self.operations_alerts(paid.world) == ["FAILED_REFUND"]
        paid.world.clock.instant += timedelta(days=8)
        assert await waiting(paid.world) == []


class TestNotices:
    @pytest.fixture
    async def inbox(self, till: Till) -> Inbox:
        """An account that has paid its first invoice, and a notice about a charge that nobody knows."""
        await till.world.add_account()
        await till.add_card()
        await till.world.close_now()
        await till.collect()
        inbox = Inbox(till)
        stranger = {"transaction": {"id": "nobody", "amount": "1.00"}}
        await inbox.take(till.gateway.webhook("transaction_settled", subject=stranger))
        return inbox

    async def test_one_in_quarantine_is_listed_and_tried_again(self, inbox):
        ((kind, notice_id, account, why),) = await waiting(inbox.world)
        assert (kind, account, why) == ("NOTICE", None, "the gateway has no such transaction")
        await retry(inbox.world, notice_id)
        assert await waiting(inbox.world) == []
        assert await process_webhook_events(inbox.world.services) == 1
        assert [each[:2] for each in await waiting(inbox.world)] == [("NOTICE", notice_id)]

    async def test_one_that_is_nothing_of_ours_is_dismissed_and_kept_with_the_reason(self, inbox):
        ((_, notice_id, *_),) = await waiting(inbox.world)
        await dismiss_webhook_event(inbox.world.services, waiting_id=notice_id, **ANN)
        assert await waiting(inbox.world) == []
        assert rows(inbox.world.database, "SELECT state, reason FROM gateway_notice") == [
            ("DONE", "dismissed: Ticket 4711.")
        ]
        with pytest.raises(NothingWaits):
            await dismiss_webhook_event(inbox.world.services, waiting_id=notice_id, **ANN)
        with pytest.raises(NothingWaits):
            await retry(inbox.world, notice_id)

    async def test_an_open_dispute_is_listed(self, inbox):
        inbox.till.gateway.settle()
        (attempt,) = await inbox.till.attempts()
        told = inbox.till.gateway.dispute(transaction_id=attempt.transaction_id)
        await inbox.take(told["webhook_id"])
        assert ("DISPUTE", told["dispute_id"], "AA0101", attempt.id) in await waiting(inbox.world)


async def change(post: Post, contact: PaymentContact, **changes) -> None:
    changed = replace(contact, details=replace(contact.details, **changes))
    await unit_of_work.write(post.world.database, lambda uow: uow.contacts.save(changed))


class TestMessages:
    @pytest.fixture
    async def post(self, world: World) -> Post:
        """An account whose bookkeeper is told by mail and by phone, in July."""
        await world.add_account()
        world.clock.instant = pacific(2026, 7, 2, 12)
        return Post(world)

    async def test_a_refused_mail_is_sent_again_to_where_its_recipient_is_now(self, post):
        contact = await post.add_contact()
        post.mailer.answer = lambda mail: REFUSED if mail.to_address == "carla@example.com" else OK
        await post.announce(AlertKind.PAYMENT_FAILED)
        await post.deliver()
        ((kind, message_id, account, why),) = await waiting(post.world)
        assert (kind, account, why) == ("MESSAGE", "AA0101", "550 no such user")

        await change(post, contact, email="carla@example.org")
        await retry(post.world, message_id)
        await deliver_messages(post.delivery)

        assert await waiting(post.world) == []
        assert [mail.to_address for mail in post.mailer.sent if mail.id == message_id] == ["carla@example.org"]
        event = await last_event(post.world)
        assert (event.kind, event.data["sent_to"]) == ("message.queued_again", "carla@example.org")

    async def test_nobody_is_told_who_is_a_recipient_no_more(self, post):
        contact = await post.add_contact()
        post.mailer.answer = lambda mail: REFUSED if mail.to_address == "carla@example.com" else OK
        await post.announce(AlertKind.PAYMENT_FAILED)
        await post.deliver()
        ((_, message_id, *_),) = await waiting(post.world)
        await change(post, contact, is_active=False)
        with pytest.raises(RecipientGone):
            await retry(post.world, message_id)

    async def test_what_was_given_up_long_ago_is_not_listed(self, post):
        await post.add_contact()
        post.mailer.answer = lambda _: REFUSED
        await post.announce(AlertKind.PAYMENT_FAILED)
        await post.deliver()
        post.world.clock.instant += timedelta(days=8)
        assert await waiting(post.world) == []

    async def test_a_call_of_unknown_outcome_is_settled_by_a_person_and_never_made_again(self, post):
        await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
        post.caller.answer = CallAnswer(CallResult.UNKNOWN, "timed out")
        await post.announce(AlertKind.PAYMENT_FAILED)
        await post.deliver()
        ((kind, call_id, account, why),) = await waiting(post.world)
        assert (kind, account, why) == ("PHONE_CALL", "AA0101", "timed out")
        with pytest.raises(NothingWaits):
            await retry(post.world, call_id)

        await report_call(
            post.world.services, call_id=call_id, outcome=CallOutcome.NOT_MADE, note="Asked.", actor="staff:ann"
        )
        post.caller.answer = TAKEN
        await post.deliver()
        assert (await waiting(post.world), len(post.caller.calls)) == ([], 1)
