"""A warning of suspension reaches somebody, contacts of before rule 41 too; or else the operator hears of it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.domain.accounts import Role
from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.domain.deliveries import CallOutcome, MailAnswer, MailProblem, MailReport, MailResult
from app.migrations.upgrade import downgrade, upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.notifications.report_call import report_call
from app.services.notifications.report_mail import report_mail
from app.services.operations.on_call_queue import list_waiting
from app.services.operations.operations_alerts import notify_operators, operations_alerts, read_operations_figures
from tests.graphql.test_alerts import add
from tests.services.post import Post
from tests.till import VISA, Till
from tests.world import ACCOUNT, BEGINNING, World, pacific

CONTACT_OF_BEFORE = text("""
    INSERT INTO payment_contact
    VALUES ('pct_before', :account, 'Carla Coe', 'Bookkeeper', 'Carla@Books.example', '+12025550143',
            '["EMAIL", "PHONE_CALL"]', '["PAYMENT_FAILED", "SUSPENSION_SCHEDULED", "SUSPENDED", "REACTIVATED"]',
            'America/New_York', '09:00', '17:00', true, '2026-06-01 12:00:00', NULL)
""")
WARNED, SUSPENDED = pacific(2026, 7, 5, 9), pacific(2026, 7, 9, 9)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path):
    """An empty database on each engine."""
    from tests.postgres import fresh_database

    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/before.db"
        upgrade(url)
        yield url
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        upgrade(url)
        yield url


class TestContactOfBefore:
    async def add_old_contact(self, url: str) -> int:
        """An account with a contact of the revision before confirmations, upgraded; returns how many ids are taken."""
        database = Database.open(url)
        world = await World.create(database)
        account = await world.add_account()
        await database.close()
        await asyncio.to_thread(downgrade, url, "0006")

        async def add_old(uow) -> None:
            await uow.session.exec(CONTACT_OF_BEFORE.bindparams(account=account.id))

        database = Database.open(url)
        await unit_of_work.write(database, add_old)
        await database.close()
        await asyncio.to_thread(upgrade, url)
        return world.ids.count

    async def test_dunning_reaches_it_from_the_first_decline_to_the_end(self, empty_url, gateway):
        taken = await self.add_old_contact(empty_url)
        database = Database.open(empty_url)
        try:
            world = World(database, BEGINNING, payments=gateway.payments())
            world.ids.count = taken
            till, post = Till(world, gateway), Post(world)
            await till.add_card(VISA)
            gateway.force("*", "2001")
            for day in range(1, 10):
                await till.advance_to(pacific(2026, 7, day, 10))
                await post.deliver()
                for call in post.caller.calls:
                    await report_call(
                        world.services, call_id=call.id, outcome=CallOutcome.ANSWERED, note="", actor="key:ops"
                    )
            await world.pay(139_00)
            await post.deliver()
            mails = [mail.subject for mail in post.mailer.sent if mail.to_address == "Carla@Books.example"]
            assert mails == [
                "Invoice 100001 could not be paid",
                "Invoice 100001 could not be paid",
                "Service will be suspended on July 8, 2026",
                "Invoice 100001 could not be paid",
                "Service is suspended",
                "Service is back",
            ]
            assert [call.kind for call in post.caller.calls] == [
                "PAYMENT_FAILED",
                "PAYMENT_FAILED",
                "SUSPENSION_SCHEDULED",
                "PAYMENT_FAILED",
                "SUSPENDED",
                "REACTIVATED",
            ]
            found = await world.data("{ paymentContacts { emailState phoneState } }")
            assert found["paymentContacts"] == [{"emailState": "CONFIRMED", "phoneState": "CONFIRMED"}]
        finally:
            await database.close()


class TestUnreached:
    @pytest.fixture
    async def post(self, world: World) -> Post:
        await world.add_account()
        return Post(world)

    @staticmethod
    async def silence_admin(post: Post) -> None:
        async def work(uow) -> None:
            account = await uow.accounts.get_by_external_id(ACCOUNT)
            for user, role in await uow.users.members(account.id):
                if role is Role.ADMIN:
                    await uow.alerts.switch(account.id, user.id, AlertKind.SUSPENSION_SCHEDULED, is_on=False)

        await unit_of_work.write(post.world.database, work)

    @staticmethod
    async def warn(post: Post, until=WARNED) -> None:
        await post.world.close_now()
        await Till(post.world, _NoGateway()).advance_to(until)
        await post.deliver()

    @staticmethod
    async def found(post: Post) -> list[str]:
        """Names of the operations alerts; what is listed agrees with them."""
        world = post.world
        names = [
            each.name for each in operations_alerts(await read_operations_figures(world.services), world.clock.now())
        ]
        listed = [each for each in await list_waiting(world.services, limit=9) if each.kind == "UNREACHED"]
        assert [(each.id, each.account, each.why) for each in listed] == (
            [("100001", ACCOUNT, "Service is suspended on 2026-07-08.")] * ("WARNING_UNREACHED" in names)
        )
        return names

    async def test_an_admin_or_a_confirmed_contact_is_enough(self, post):
        await self.warn(post)
        assert await self.found(post) == []

    async def test_where_the_admin_has_it_off_and_the_contact_never_agreed_the_operator_hears_once_a_day(self, post):
        await self.silence_admin(post)
        await add(post.world, channels=["EMAIL"], kinds=["SUSPENSION_SCHEDULED"])
        await self.warn(post)
        assert await self.found(post) == ["WARNING_UNREACHED"]
        for new in (1, 0):
            assert await notify_operators(post.world.services, address="ops@sas.example") == new
        await post.deliver()
        assert "Suspensions whose warning reached nobody: 1." in post.mailer.sent[-1].text

    async def test_a_confirmed_contact_is_enough_by_itself(self, post):
        await self.silence_admin(post)
        await add(post.world, channels=["EMAIL"], kinds=["SUSPENSION_SCHEDULED"])
        await post.agree("carla@example.com")
        await self.warn(post)
        assert await self.found(post) == []

    async def test_a_mail_that_was_refused_or_came_back_reached_nobody(self, post):
        post.mailer.answer = lambda _mail: MailAnswer(MailResult.REFUSED, "550 no such user")
        await self.warn(post)
        assert await self.found(post) == ["WARNING_UNREACHED"]
        assert await self.bounced(post) == ["WARNING_UNREACHED"]

    async def bounced(self, post: Post) -> list[str]:
        gone = MailReport(MailProblem.BOUNCE, "Admin@example.com", "mailbox gone")
        await report_mail(post.world.services, [gone])
        return await self.found(post)

    async def test_one_that_is_not_sent_for_its_reader_complained_of_our_mail_neither(self, post):
        spam = MailReport(MailProblem.COMPLAINT, "admin@EXAMPLE.com", "spam")
        await report_mail(post.world.services, [spam])
        await self.warn(post)
        assert await self.found(post) == ["WARNING_UNREACHED"]

    async def test_one_that_came_back_later_neither(self, post):
        await self.warn(post)
        assert await self.found(post) == []
        assert await self.bounced(post) == ["WARNING_UNREACHED"]

    @pytest.mark.parametrize(
        ("outcome", "names"),
        [
            (CallOutcome.ANSWERED, []),
            (CallOutcome.VOICEMAIL, []),
            (CallOutcome.NO_ANSWER, ["WARNING_UNREACHED"]),
            (CallOutcome.WRONG_NUMBER, ["WARNING_UNREACHED"]),
        ],
    )
    async def test_a_call_reached_somebody_if_somebody_took_it(self, post, outcome, names):
        await self.silence_admin(post)
        await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
        await self.warn(post)
        (call,) = [call for call in post.caller.calls if call.kind == "SUSPENSION_SCHEDULED"]
        await report_call(post.world.services, call_id=call.id, outcome=outcome, note="", actor="key:ops")
        assert await self.found(post) == names

    async def test_it_is_over_with_the_payment_or_the_suspension(self, post):
        await self.silence_admin(post)
        await self.warn(post)
        assert await self.found(post) == ["WARNING_UNREACHED"]
        await self.warn(post, SUSPENDED)
        assert await self.found(post) == []


class _NoGateway:
    """A world without cards has nothing to charge; only its clock is looked at."""

    class clock:  # noqa: N801
        @staticmethod
        def follow(_now) -> None: ...
