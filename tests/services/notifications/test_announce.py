"""Who is told what: the right people, once, when it happens and only then (rules 21, 29, 33, 37-39)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.accounts import Role
from app.domain.alerts import CATALOGUE, CONTACT_KINDS, AlertKind
from app.domain.announcements import Reactivated, WrongFacts
from app.domain.contacts import Channel
from app.domain.plan_changes import When
from app.repositories import unit_of_work
from app.services.common.caller import Caller
from app.services.notifications.announce import Announcement, announce
from app.services.plans.change_plan import cancel_scheduled_plan_change
from app.services.plans.switch_add_on import cancel_add_on, keep_add_on
from app.services.usage.put_account import AccountParticulars, Member, put_account
from tests.every_kind import buy, give_back, move_to
from tests.services.post import Post
from tests.world import ACCOUNT, World, pacific

ANN = Member("ann", "ann@example.com", "Ann Ames", Role.ADMIN)
BOB = Member("bob", "bob@example.com", "Bob Byrd", Role.ADMIN)


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    post = Post(world)
    await post.clear()
    return post


class TestRecipients:
    @pytest.mark.parametrize("kind", AlertKind)
    async def test_admins_and_the_contacts_of_a_kind_are_told_and_nobody_else(self, post, kind):
        await post.add_contact()
        await post.add_contact(name="Idle", email="idle@example.com", is_active=False)
        other = CONTACT_KINDS - {kind}
        await post.add_contact(name="Other", email="other@example.com", kinds=other)
        await post.world.add_account("BB0202")
        await post.clear()
        await post.announce(kind)
        contacts = ["carla@example.com"] if CATALOGUE[kind].reaches_contacts else []
        assert await post.told() == [(kind, address) for address in ["admin@example.com", *contacts]]

    async def test_the_same_is_told_once(self, post):
        assert await post.announce(AlertKind.SUSPENDED) == 1
        assert await post.announce(AlertKind.SUSPENDED) == 0
        assert await post.announce(AlertKind.SUSPENDED, subject="again") == 1

    async def test_a_contact_who_is_an_admin_gets_one_mail(self, post):
        await post.add_contact(email="Admin@Example.com")
        await post.announce(AlertKind.INVOICE_READY)
        assert len(await post.told()) == 1

    async def test_facts_of_another_kind_are_refused_and_nothing_is_queued(self, post):
        async def work(uow):
            account = await uow.accounts.get_by_external_id(ACCOUNT)
            wrong = Announcement(AlertKind.SUSPENDED, account.id, "s", Reactivated(date(2026, 8, 1)))
            await announce(uow, ids=post.world.ids, now=post.world.clock.now(), announcements=[wrong])

        with pytest.raises(WrongFacts):
            await unit_of_work.write(post.world.database, work)
        assert await post.told() == []


class TestPeople:
    """A new address, a demotion and a removal take effect in the transaction that brings them."""

    @staticmethod
    async def put(post: Post, *members: Member, account: str = ACCOUNT) -> None:
        particulars = AccountParticulars(account, "Harbor Dental", "100", None, date(2026, 7, 1), members)
        await put_account(post.world.services, particulars=particulars, actor="key:flex")

    async def test_every_admin_is_sent_at_their_own_address(self, post):
        await self.put(post, ANN, BOB)
        await post.announce(AlertKind.SUSPENDED)
        assert await post.told() == [("SUSPENDED", "ann@example.com"), ("SUSPENDED", "bob@example.com")]

    async def test_a_new_address_gets_what_waits_even_when_another_account_brought_it(self, post):
        await self.put(post, ANN)
        await post.announce(AlertKind.SUSPENDED)
        await self.put(post, replace(ANN, email="new@example.com"), account="BB0202")
        assert await post.told() == [("SUSPENDED", "new@example.com")]

    @pytest.mark.parametrize("after", [(BOB,), (BOB, replace(ANN, role=Role.BILLING))])
    async def test_who_is_an_admin_no_more_is_told_nothing_more(self, post, after):
        await self.put(post, ANN, BOB)
        await post.announce(AlertKind.SUSPENDED)
        await self.put(post, *after)
        assert [row[2:] for row in await post.rows()] == [("ann@example.com", "FAILED"), ("bob@example.com", "QUEUED")]
        await post.announce(AlertKind.REACTIVATED)
        assert await post.told(AlertKind.REACTIVATED) == [("REACTIVATED", "bob@example.com")]

    async def test_who_becomes_one_again_begins_with_everything_on(self, post):
        await self.put(post, ANN, BOB)
        ann = (await post.world.data("{ viewer { user { id } } }", by="ann"))["viewer"]["user"]["id"]

        async def off(uow):
            account = await uow.accounts.get_by_external_id(ACCOUNT)
            await uow.alerts.switch(account.id, ann, AlertKind.SUSPENDED, is_on=False)

        await unit_of_work.write(post.world.database, off)
        await self.put(post, BOB)
        await self.put(post, ANN, BOB)
        await post.announce(AlertKind.SUSPENDED)
        assert ("SUSPENDED", "ann@example.com") in await post.told()

    async def test_the_same_people_again_change_no_choice(self, post):
        await self.put(post, ANN, BOB)
        ann = (await post.world.data("{ viewer { user { id } } }", by="ann"))["viewer"]["user"]["id"]

        async def off(uow):
            account = await uow.accounts.get_by_external_id(ACCOUNT)
            await uow.alerts.switch(account.id, ann, AlertKind.SUSPENDED, is_on=False)

        await unit_of_work.write(post.world.database, off)
        await self.put(post, replace(ANN, name="Ann A. Ames"), BOB)
        await post.announce(AlertKind.SUSPENDED)
        assert await post.told() == [("SUSPENDED", "bob@example.com")]


class TestTheBill:
    """What the use cases of the bill tell, with the figures of what they did."""

    @staticmethod
    async def texts(post: Post) -> dict[str, str]:
        await post.deliver()
        return {mail.subject: mail.text for mail in post.mailer.sent}

    async def test_every_cycle_invoice_is_told_once_to_admins_and_contacts(self, post):
        await post.add_contact(channels=frozenset(Channel))
        await post.world.advance_to(pacific(2026, 8, 2, 12))
        await post.world.close_now()
        assert await post.rows("kind, channel, address") == [
            ("INVOICE_READY", "EMAIL", "admin@example.com"),
            ("INVOICE_READY", "EMAIL", "carla@example.com"),
            ("INVOICE_READY", "PHONE_CALL", "+12025550143"),
        ]
        text = (await self.texts(post))["Invoice 100002: $139.00 due"]
        assert "Monthly invoice 100002 of Harbor Dental for August 2026 is ready." in text
        assert "Due on: August 1, 2026" in text
        assert "Invoice 1 0 0 0 0 2 is ready. $139.00 is due on receipt." in post.caller.calls[0].script

    async def test_a_change_of_plan_tells_itself_and_its_invoice(self, post):
        await move_to(post.world, "220")
        texts = await self.texts(post)
        assert set(texts) == {"The plan is now 220 Minutes", "Invoice 100002: $100.00 due"}
        assert "Due now: $100.00\nCredited: $0.00" in texts["The plan is now 220 Minutes"]

    async def test_a_scheduled_change_and_taking_it_back_are_told(self, post):
        await move_to(post.world, "220", When.NEXT_CYCLE)
        world = post.world
        admin = (await world.data("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        await cancel_scheduled_plan_change(
            world.services, Caller(ACCOUNT, f"user:{admin}"), plan_version_id="plan_220_2020"
        )
        texts = await self.texts(post)
        assert set(texts) == {
            "The plan changes to 220 Minutes on August 1, 2026",
            "The change to 220 Minutes was cancelled",
        }
        assert "Admin cancelled the change of Harbor Dental" in texts["The change to 220 Minutes was cancelled"]

    async def test_an_add_on_bought_cancelled_and_kept_is_told_each_time(self, post):
        await buy(post.world, "on_call")
        who = Caller(ACCOUNT, "user:nobody")
        await cancel_add_on(post.world.services, who, code="on_call")
        await keep_add_on(post.world.services, who, code="on_call")
        texts = await self.texts(post)
        assert "Due now: $17.82\nEach full month: $25.00" in texts["On-Call is active"]
        assert "a former user cancelled the add-on On-Call" in texts["On-Call ends on July 31, 2026"]
        assert "It continues." in texts["On-Call continues"]
        assert "Invoice 100002: $17.82 due" in texts

    async def test_a_payment_is_told_with_what_it_paid_and_what_is_left(self, post):
        await post.world.pay(150_00, reference="1041")
        await post.world.pay(150_00, reference="1041")
        text = (await self.texts(post))["We received your payment of $150.00"]
        assert "Paid by: Check 1041" in text
        assert "For invoices: 100001\nAccount credit: $11.00" in text
        assert len(await post.told()) == 1

    async def test_a_credit_note_says_what_is_credited(self, post):
        await give_back(post.world, 100001, {1: 39_00}, "ref-1")
        assert "Credit note 100002: $39.00 credited" in await self.texts(post)

    async def test_what_a_use_case_refuses_is_not_told(self, post):
        from app.domain.plan_changes import AlreadyOnPlan

        with pytest.raises(AlreadyOnPlan):
            await move_to(post.world, "100")
        assert await post.told() == []
