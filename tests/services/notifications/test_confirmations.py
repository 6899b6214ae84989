"""Nobody uses us to reach strangers: an address hears one question until it has agreed (rule 41)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.accounts import Role
from app.domain.alerts import CONTACT_KINDS, AlertKind
from app.domain.contacts import Channel, ContactDetails
from app.domain.deliveries import CallOutcome, MailAnswer, MailResult
from app.repositories import unit_of_work
from app.repositories.unit_of_work import UnitOfWork
from app.services.common.caller import Caller
from app.services.notifications.payment_contacts import add_contact, remove_contact
from app.services.notifications.report_call import report_call
from app.services.operations.on_call_queue import RecipientGone, list_waiting, try_again
from tests.graphql.test_alerts import ADD, CARLA, REMOVE, UPDATE, add
from tests.services.post import Post
from tests.services.staff import ANN
from tests.world import ACCOUNT, World, pacific

BOOKKEEPER = ContactDetails(
    name="Carla Coe",
    title="",
    email="carla@example.com",
    phone="+12025550143",
    channels=frozenset({Channel.EMAIL}),
    kinds=CONTACT_KINDS,
)
STRANGER = "victim@stranger.example"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGAIN = """mutation Again($id: ID!, $channel: ContactChannel!) {
  resendContactConfirmation(input: {contactId: $id, channel: $channel}) { __typename
  ... on ContactConfirmationResent { contact { id } } ... on RateLimited { retryAfter }
  ... on UserError { code message } } }"""
STATES = "{ paymentContacts { emailState phoneState } }"


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account(name="Harbor Dental")
    await world.advance_to(pacific(2026, 7, 2, 12))
    post = Post(world)
    await post.clear()
    return post


async def change(post: Post, query: str, **variables):
    (result,) = (await post.world.data(query, variables=variables)).values()
    return result


async def add_stranger(post: Post, **changes) -> dict:
    return await add(
        post.world, **{"name": "You have won", "email": STRANGER, "channels": ["EMAIL"], "phone": None, **changes}
    )


async def ask_again(post: Post, contact_id: str, channel: str = "EMAIL") -> dict:
    return await change(post, AGAIN, id=contact_id, channel=channel)


async def states(post: Post, **options) -> list[tuple[str | None, str | None]]:
    found = (await post.world.data(STATES, **options))["paymentContacts"]
    return [(contact["emailState"], contact["phoneState"]) for contact in found]


async def quiet_admin(post: Post) -> None:
    """Let the admin be told nothing: what they get takes most of the time, and is not what a test is about."""

    async def work(uow: UnitOfWork) -> None:
        account = await uow.accounts.get_by_external_id(ACCOUNT)
        for user, _ in await uow.users.members(account.id):
            for kind in (AlertKind.CONTACT_CHANGED, AlertKind.INVOICE_READY):
                await uow.alerts.switch(account.id, user.id, kind, is_on=False)

    await unit_of_work.write(post.world.database, work)


def sent_to(post: Post, address: str) -> list:
    return [mail for mail in post.mailer.sent if mail.to_address == address]


class TestTheStranger:
    async def test_of_forty_pairs_they_get_one_mail_without_a_word_of_the_adder(self, post):
        admin, services = Caller(ACCOUNT, "user:usr_admin"), post.world.services
        await quiet_admin(post)
        details = replace(BOOKKEEPER, title="Claim it", email=STRANGER)
        for at in range(40):
            added = await add_contact(services, admin, replace(details, name=f"You have won {at}"))
            await post.announce(AlertKind.INVOICE_READY, subject=str(at))
            await remove_contact(services, admin, added)
            await post.deliver()
            post.world.clock.instant += 2 * HOUR
        (mail,) = sent_to(post, STRANGER)
        assert (mail.to_name, mail.subject) == ("", "Please confirm: billing messages of Harbor Dental")
        for part in (mail.text, mail.html):
            assert "Harbor Dental" in part
            assert not any(word in part for word in ("won", "Claim", "Admin", STRANGER))
        assert "https://flex.example/contacts/confirm/" in mail.text
        assert "Please answer by: July 9, 2026" in mail.text
        assert mail.unsubscribe_url is None

    async def test_forty_pairs_at_once_end_at_ten_changes(self, post):
        results = []
        for _ in range(40):
            added = await add_stranger(post)
            results.append(added["__typename"])
            if added["__typename"] == "PaymentContactAdded":
                results.append((await change(post, REMOVE, id=added["contact"]["id"]))["__typename"])
        await post.deliver()
        assert results == ["PaymentContactAdded", "PaymentContactRemoved"] * 5 + ["RateLimited"] * 35
        assert len(sent_to(post, STRANGER)) == 1

    async def test_they_hear_nothing_else_until_they_confirm_and_nothing_at_all_when_they_decline(self, post):
        await add_stranger(post)
        await post.announce(AlertKind.PAYMENT_FAILED, subject="1")
        await post.agree(STRANGER.upper())
        await post.announce(AlertKind.PAYMENT_FAILED, subject="2")
        await post.announce(AlertKind.PAYMENT_FAILED, subject="3")
        assert await states(post) == [("CONFIRMED", None)]
        await post.agree(STRANGER, agrees=False)
        await post.announce(AlertKind.PAYMENT_FAILED, subject="4")
        rows = [row for row in await post.rows() if row[2] == STRANGER]
        assert rows == [
            ("CONTACT_CONFIRMATION", "EMAIL", STRANGER, "FAILED"),
            ("PAYMENT_FAILED", "EMAIL", STRANGER, "FAILED"),
            ("PAYMENT_FAILED", "EMAIL", STRANGER, "FAILED"),
        ]
        assert await states(post) == [("DECLINED", None)]

    async def test_who_declined_is_not_asked_anew_in_another_case_or_another_contact(self, post):
        added = await add_stranger(post)
        await post.agree(STRANGER, agrees=False)
        await change(post, REMOVE, id=added["contact"]["id"])
        await add_stranger(post, email="VICTIM@stranger.example")
        assert await states(post) == [("DECLINED", None)]
        assert len(await post.told("CONTACT_CONFIRMATION")) == 1

    async def test_an_answer_is_for_one_account(self, post):
        await post.world.add_account("BB0202", name="Spark Electric")
        await add_stranger(post)
        await post.agree(STRANGER)
        await post.world.data(
            ADD, variables={"contact": {**CARLA, "email": STRANGER, "channels": ["EMAIL"]}}, account="BB0202"
        )
        assert (await states(post, account="BB0202"))[0][0] == "UNCONFIRMED"
        await post.deliver()
        subjects = [mail.subject.rpartition(" of ")[2] for mail in sent_to(post, STRANGER)]
        assert subjects == ["Harbor Dental", "Spark Electric"]

    async def test_five_accounts_may_ask_an_address_in_a_day_and_the_sixth_is_told_when(self, post):
        contact = {**CARLA, "email": STRANGER, "channels": ["EMAIL"]}
        for at in range(6):
            await post.world.add_account(f"CC{at:04d}")
            added = await post.world.data(
                ADD.replace("InvalidContact { field }", "RateLimited { retryAfter }"),
                variables={"contact": contact},
                account=f"CC{at:04d}",
            )
            post.world.clock.instant += HOUR
        assert added["addPaymentContact"]["code"] == "RATE_LIMITED"
        assert added["addPaymentContact"]["retryAfter"] == "2026-07-03T19:00:00.000Z"
        assert await states(post, account="CC0005") == []
        assert len(await post.told("CONTACT_CONFIRMATION")) == 5


class TestChanges:
    async def test_ten_an_hour_and_thirty_a_day_are_told_with_when_to_retry(self, post):
        add_limited = ADD.replace("InvalidContact { field }", "RateLimited { retryAfter }")
        contact = {**CARLA, "channels": ["EMAIL"]}
        added = await change(post, add_limited, contact=contact)
        done, refused = 1, []
        while done < 30:
            details = {**contact, "title": f"No {done} {post.world.clock.instant.hour}"}
            changed = await change(post, UPDATE, id=added["contact"]["id"], contact=details)
            if changed["__typename"] == "RateLimited":
                refused.append(done)
                post.world.clock.instant += HOUR
            else:
                done += 1
        assert refused == [10, 20]
        post.world.clock.instant += HOUR
        last = await change(post, add_limited, contact={**contact, "email": "d@example.com"})
        assert (last["code"], last["retryAfter"]) == ("RATE_LIMITED", "2026-07-03T19:00:00.000Z")
        assert (await change(post, REMOVE, id=added["contact"]["id"]))["code"] == "RATE_LIMITED"
        assert len(await states(post)) == 1

    async def test_a_new_address_of_a_contact_is_asked_and_the_old_one_told_goodbye_if_it_had_agreed(self, post):
        added = await add(post.world, channels=["EMAIL"])
        await post.agree("carla@example.com")
        await post.deliver()
        changed = {**CARLA, "channels": ["EMAIL"], "email": "new@example.com"}
        await change(post, UPDATE, id=added["contact"]["id"], contact=changed)
        assert (await states(post))[0][0] == "UNCONFIRMED"
        rows = [row[:3] for row in await post.rows() if row[3] == "QUEUED"]
        assert rows == [
            ("CONTACT_CONFIRMATION", "EMAIL", "new@example.com"),
            ("CONTACT_REMOVED", "EMAIL", "Carla@example.com"),
            ("CONTACT_CHANGED", "EMAIL", "admin@example.com"),
        ]

    async def test_a_confirmed_contact_that_is_removed_gets_one_mail_a_day_and_is_not_asked_again(self, post):
        for _ in range(3):
            added = await add(post.world, channels=["EMAIL"])
            await post.agree("carla@example.com")
            await change(post, REMOVE, id=added["contact"]["id"])
        await post.deliver()
        assert [mail.subject for mail in sent_to(post, "Carla@example.com")] == [
            "Please confirm: billing messages of Harbor Dental",
            "No more billing messages of Harbor Dental",
        ]

    async def test_where_another_contact_has_the_address_nobody_is_told_goodbye(self, post):
        added = await add(post.world, channels=["EMAIL"])
        await add(post.world, name="Carla at home", channels=["EMAIL"])
        await post.agree("carla@example.com")
        await change(post, REMOVE, id=added["contact"]["id"])
        assert await post.told("CONTACT_REMOVED") == []
        assert len(await post.told("CONTACT_CONFIRMATION")) == 1

    async def test_an_admins_own_address_needs_no_question(self, post):
        await add(post.world, email="Admin@Example.com", channels=["EMAIL"])
        await add(post.world, email="billing@example.com", channels=["EMAIL"])
        assert [each[0] for each in await states(post)] == ["CONFIRMED", "UNCONFIRMED"]
        assert await post.told("CONTACT_CONFIRMATION") == [("CONTACT_CONFIRMATION", "billing@example.com")]

    async def test_an_address_that_is_not_used_is_asked_once_it_is(self, post):
        added = await add(post.world, channels=["EMAIL"], isActive=False)
        assert await post.told("CONTACT_CONFIRMATION") == []
        for channels, asked in ((["EMAIL"], ["EMAIL"]), (["EMAIL", "PHONE_CALL"], ["EMAIL", "PHONE_CALL"])):
            await change(post, UPDATE, id=added["contact"]["id"], contact={**CARLA, "channels": channels})
            rows = await post.rows("kind, channel")
            assert [channel for kind, channel in rows if kind == "CONTACT_CONFIRMATION"] == asked

    async def test_the_log_of_messages_holds_alerts_alone(self, post):
        await add(post.world, channels=["EMAIL"])
        found = await post.world.data("{ notifications(first: 9) { totalCount nodes { kind } } }")
        assert found["notifications"] == {"totalCount": 1, "nodes": [{"kind": "CONTACT_CHANGED"}]}


class TestAskingAgain:
    async def test_twice_a_day_apart_and_never_more(self, post):
        id_ = (await add_stranger(post))["contact"]["id"]
        refused = await ask_again(post, id_)
        assert (refused["code"], refused["retryAfter"]) == ("RATE_LIMITED", "2026-07-03T19:00:00.000Z")
        for _ in range(2):
            post.world.clock.instant += DAY
            assert (await ask_again(post, id_))["__typename"] == "ContactConfirmationResent"
        assert (await ask_again(post, id_))["code"] == "CONFIRMATIONS_USED_UP"
        post.world.clock.instant += 30 * DAY
        assert (await ask_again(post, id_))["code"] == "CONFIRMATIONS_USED_UP"
        await change(post, REMOVE, id=id_)
        await add_stranger(post)
        await post.deliver()
        assert len(sent_to(post, STRANGER)) == 3
        assert [event.kind for event in await post.world.trail()].count("contact.requested") == 2

    async def test_not_where_there_is_nothing_to_ask(self, post):
        id_ = (await add_stranger(post))["contact"]["id"]
        post.world.clock.instant += DAY
        assert (await ask_again(post, id_, "PHONE_CALL"))["code"] == "NOTHING_TO_CONFIRM"
        for agrees in (True, False):
            await post.agree(STRANGER, agrees=agrees)
            assert (await ask_again(post, id_))["code"] == "NOTHING_TO_CONFIRM"
        assert (await ask_again(post, "pct_nobody"))["code"] == "NOT_FOUND"
        await post.world.add_account("BB0202")
        foreign = await post.world.data(AGAIN, variables={"id": id_, "channel": "EMAIL"}, account="BB0202")
        assert foreign["resendContactConfirmation"]["code"] == "NOT_FOUND"
        assert len(await post.told("CONTACT_CONFIRMATION")) == 1

    async def test_admins_alone_may(self, post):
        id_ = (await add_stranger(post))["contact"]["id"]
        answer = await post.world.graphql(AGAIN, by=Role.BILLING, variables={"id": id_, "channel": "EMAIL"})
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    async def test_a_question_that_failed_can_be_sent_again_by_the_operator(self, post):
        await add_stranger(post)
        post.mailer.answer = lambda _mail: MailAnswer(MailResult.REFUSED, "550 not now")
        await post.deliver()
        waiting = [each for each in await list_waiting(post.world.services, limit=9) if each.kind == "MESSAGE"]
        post.mailer.answer = lambda _mail: MailAnswer(MailResult.ACCEPTED, "250 OK")
        for each in waiting:
            await try_again(post.world.services, waiting_id=each.id, **ANN)
        await post.deliver()
        assert len(sent_to(post, STRANGER)) == 1

    async def test_an_alert_that_failed_is_not_sent_to_who_has_declined_since(self, post):
        await add_stranger(post)
        await post.agree(STRANGER)
        await post.announce(AlertKind.INVOICE_READY)
        post.mailer.answer = lambda _mail: MailAnswer(MailResult.REFUSED, "550 not now")
        await post.deliver()
        await post.agree(STRANGER, agrees=False)
        ids = [id_ for id_, kind, address in await post.rows("id, kind, address") if address == STRANGER]
        with pytest.raises(RecipientGone):
            await try_again(post.world.services, waiting_id=ids[-1], **ANN)


class TestCalls:
    @pytest.fixture
    async def nine(self, post: Post) -> Post:
        """Within the hours of Carla, whose number was asked just now."""
        post.world.clock.instant = pacific(2026, 7, 2, 9)
        await add(post.world, channels=["PHONE_CALL"])
        await post.deliver()
        return post

    @staticmethod
    async def report(post: Post, outcome: CallOutcome, place: int = -1) -> None:
        call = post.caller.calls[place]
        await report_call(post.world.services, call_id=call.id, outcome=outcome, note="", actor="key:ops")

    async def call(self, post: Post, kind: AlertKind, subject: str) -> int:
        """Announce and deliver, and return how many calls that made."""
        before = len(post.caller.calls)
        await post.announce(kind, subject=subject)
        await post.deliver()
        return len(post.caller.calls) - before

    async def test_the_first_call_asks_without_a_word_of_the_adder_and_nothing_else_is_called(self, nine):
        (call,) = nine.caller.calls
        assert (call.kind, call.name, call.number) == ("CONTACT_CONFIRMATION", "", "+12025550143")
        assert "Harbor Dental" in call.script
        assert "Carla" not in call.script
        assert await self.call(nine, AlertKind.PAYMENT_FAILED, "1") == 0

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            (CallOutcome.ANSWERED, "CONFIRMED"),
            (CallOutcome.DECLINED, "DECLINED"),
            (CallOutcome.WRONG_NUMBER, "DECLINED"),
            (CallOutcome.VOICEMAIL, "UNCONFIRMED"),
            (CallOutcome.NO_ANSWER, "UNCONFIRMED"),
        ],
    )
    async def test_the_operators_report_is_the_answer(self, nine, outcome, state):
        await self.report(nine, outcome)
        assert (await states(nine))[0][1] == state
        assert await self.call(nine, AlertKind.SUSPENDED, "1") == 0  # the account is not suspended: settled
        assert await self.call(nine, AlertKind.INVOICE_READY, "1") == (state == "CONFIRMED")

    async def test_a_wrong_number_of_a_later_call_ends_them(self, nine):
        await self.report(nine, CallOutcome.ANSWERED)
        assert await self.call(nine, AlertKind.INVOICE_READY, "1") == 1
        await self.report(nine, CallOutcome.WRONG_NUMBER)
        assert (await states(nine))[0][1] == "DECLINED"

    async def test_a_number_is_called_once_a_day_about_a_kind_and_five_times_a_week(self, nine):
        await self.report(nine, CallOutcome.ANSWERED)
        assert await self.call(nine, AlertKind.INVOICE_READY, "1") == 1
        assert await self.call(nine, AlertKind.INVOICE_READY, "2") == 0
        assert await self.call(nine, AlertKind.UPGRADE_DONE, "3") == 0  # Carla is not told about it
        made = []
        for day in range(1, 9):
            nine.world.clock.instant += DAY
            made.append(await self.call(nine, AlertKind.INVOICE_READY, f"day {day}"))
        assert made == [1, 1, 1, 0, 0, 0, 1, 1]
        outcomes = {outcome for kind, outcome in await nine.rows("kind, outcome") if kind == "INVOICE_READY"}
        assert "The number, or the account, has been called as often as may be." in outcomes
        assert [each for each in await list_waiting(nine.world.services, limit=9) if each.kind == "MESSAGE"] == []

    async def test_an_account_makes_twenty_calls_a_day(self, post):
        post.world.clock.instant = pacific(2026, 7, 2, 9)
        for at in range(10):
            await post.add_contact(phone=f"+120255501{at:02d}", channels=frozenset({Channel.PHONE_CALL}))
        made = [
            await self.call(post, kind, "1")
            for kind in (AlertKind.INVOICE_READY, AlertKind.REACTIVATED, AlertKind.UPGRADE_DONE)
        ]
        assert made == [10, 10, 0]

    async def test_another_account_asks_the_same_number_the_next_day_at_the_earliest(self, nine):
        await nine.world.add_account("BB0202")
        contact = {**CARLA, "channels": ["PHONE_CALL"]}
        await nine.world.data(ADD, variables={"contact": contact}, account="BB0202")
        await nine.deliver()
        assert len(nine.caller.calls) == 1
        (id_,) = [
            each["id"]
            for each in (await nine.world.data("{ paymentContacts { id } }", account="BB0202"))["paymentContacts"]
        ]
        nine.world.clock.instant += DAY
        again = await nine.world.data(AGAIN, variables={"id": id_, "channel": "PHONE_CALL"}, account="BB0202")
        assert again["resendContactConfirmation"]["__typename"] == "ContactConfirmationResent"
        await nine.deliver()
        assert len(nine.caller.calls) == 2

    async def test_who_was_removed_before_the_call_is_not_called_and_may_be_asked_when_added_again(self, post):
        post.world.clock.instant = pacific(2026, 7, 2, 20)  # after Carla's hours
        added = await add(post.world, channels=["PHONE_CALL"])
        await change(post, REMOVE, id=added["contact"]["id"])
        post.world.clock.instant = pacific(2026, 7, 3, 9)
        await post.deliver()
        assert post.caller.calls == []
        await add(post.world, channels=["PHONE_CALL"])
        await post.deliver()
        assert len(post.caller.calls) == 1

    async def test_twenty_pairs_make_one_call(self, post):
        post.world.clock.instant = pacific(2026, 7, 2, 9)
        admin, services = Caller(ACCOUNT, "user:usr_admin"), post.world.services
        await quiet_admin(post)
        for _ in range(20):
            details = replace(BOOKKEEPER, channels=frozenset({Channel.PHONE_CALL}))
            added = await add_contact(services, admin, details)
            await post.deliver()
            await remove_contact(services, admin, added)
            post.world.clock.instant += 2 * HOUR
        assert [call.kind for call in post.caller.calls] == ["CONTACT_CONFIRMATION"]

    @pytest.mark.parametrize("number", ["+19005550143", "+447911123456", "+18765550143"])
    async def test_no_call_goes_to_a_premium_or_foreign_number_of_before(self, post, number):
        await post.add_contact(phone=number, channels=frozenset({Channel.PHONE_CALL}))
        post.world.clock.instant = pacific(2026, 7, 3, 9)
        assert await self.call(post, AlertKind.INVOICE_READY, "1") == 0
        (waiting,) = [each for each in await list_waiting(post.world.services, limit=9) if each.kind == "MESSAGE"]
        assert "none that calls are made to" in waiting.why


class TestAtomicity:
    async def test_a_refused_addition_leaves_nothing_behind(self, post):
        for at in range(5):
            await post.world.add_account(f"CC{at:04d}")
            contact = {**CARLA, "email": STRANGER, "channels": ["EMAIL"]}
            await post.world.data(ADD, variables={"contact": contact}, account=f"CC{at:04d}")
        before = await post.rows()
        assert (await add_stranger(post))["__typename"] == "RateLimited"
        assert await post.rows() == before
        assert await states(post) == []

        async def spent(uow):
            account = await uow.accounts.get_by_external_id("AA0101")
            return await uow.contact_addresses.find(account.id, Channel.EMAIL, STRANGER)

        assert await unit_of_work.read(post.world.database, spent) is None
