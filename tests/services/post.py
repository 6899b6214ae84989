"""The post office of a test: everything that delivers, over a world, with a mail server and a call system made up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text

from app.domain.alerts import CONTACT_KINDS, AlertKind
from app.domain.contacts import CallingHours, Channel, ConfirmationState, ContactDetails, PaymentContact
from app.domain.deliveries import CallAnswer, CallResult, CallTask, Mail, MailAnswer, MailResult
from app.messages.compose import Composer
from app.repositories import unit_of_work
from app.repositories.unit_of_work import UnitOfWork
from app.services.notifications.announce import Announcement, announce
from app.services.notifications.confirmation_links import ConfirmationLinks
from app.services.notifications.confirmations import Answer, record_answer
from app.services.notifications.deliver_messages import Delivery, deliver_messages
from app.services.notifications.unsubscribe_links import UnsubscribeLinks
from tests.factories.announcements import USUAL
from tests.world import ACCOUNT, SECRET, World

OK = MailAnswer(MailResult.ACCEPTED, "250 OK")
TAKEN = CallAnswer(CallResult.TAKEN, "HTTP 202")


@dataclass
class MailerDouble:
    """Answers by address; what it accepts is in `sent`, whatever it was asked in `tried`."""

    answer: Callable[[Mail], MailAnswer] = lambda _mail: OK
    sent: list[Mail] = field(default_factory=list)
    tried: list[Mail] = field(default_factory=list)
    sessions: int = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailerDouble]:
        self.sessions += 1
        yield self

    async def send(self, mail: Mail) -> MailAnswer:
        self.tried.append(mail)
        answer = self.answer(mail)
        if answer.result is MailResult.ACCEPTED:
            self.sent.append(mail)
        return answer


@dataclass
class CallerDouble:
    """Takes every call, or answers as told."""

    answer: CallAnswer = TAKEN
    calls: list[CallTask] = field(default_factory=list)

    async def hand_over(self, task: CallTask) -> CallAnswer:
        self.calls.append(task)
        return self.answer


class Post:
    """Delivers what a world has queued."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mailer = MailerDouble()
        self.caller: CallerDouble | None = CallerDouble()

    @property
    def delivery(self) -> Delivery:
        return Delivery(
            services=replace(self.world.services, real_clock=self.world.real_clock),
            mailer=self.mailer,
            caller=self.caller,
            composer=Composer("https://portal.example"),
            links=UnsubscribeLinks(secret=SECRET, base_url="https://flex.example"),
            confirmation_links=ConfirmationLinks(secret=SECRET, base_url="https://flex.example"),
        )

    async def deliver(self) -> int:
        return await deliver_messages(self.delivery)

    async def announce(self, kind: AlertKind, subject: str = "s", **changes: Any) -> int:
        """Tell something of the account with its usual figures."""

        async def work(uow: UnitOfWork) -> int:
            account = await uow.accounts.get_by_external_id(ACCOUNT)
            facts = replace(USUAL[kind], **changes)
            told = Announcement(kind, account.id, subject, facts)
            return await announce(uow, ids=self.world.ids, now=self.world.clock.now(), announcements=[told])

        return await unit_of_work.write(self.world.database, work)

    async def add_contact(self, **changes: Any) -> PaymentContact:
        """A confirmed bookkeeper who is told everything by mail, unless the changes say otherwise."""
        details = ContactDetails(
            **{
                "name": "Carla Coe",
                "title": "Bookkeeper",
                "email": "carla@example.com",
                "phone": "+12025550143",
                "channels": frozenset({Channel.EMAIL}),
                "kinds": CONTACT_KINDS,
                "hours": CallingHours("America/New_York"),
                **changes,
            }
        )

        async def work(uow: UnitOfWork) -> PaymentContact:
            account = await uow.accounts.get_by_external_id(ACCOUNT)
            state = ConfirmationState.CONFIRMED
            contact = PaymentContact(self.world.ids.new("pct"), account.id, details, state, state)
            await uow.contacts.add(contact, created_at=self.world.clock.now())
            return contact

        return await unit_of_work.write(self.world.database, work)

    async def agree(self, *addresses: str, agrees: bool = True) -> None:
        """Whoever is at these e-mail addresses confirms that the account's messages may go there, or declines."""
        account = await unit_of_work.read(self.world.database, lambda uow: uow.accounts.get_by_external_id(ACCOUNT))
        for address in addresses:
            await record_answer(self.world.services, Answer(account.id, Channel.EMAIL, address, agrees, "contact"))

    async def rows(self, columns: str = "kind, channel, address, state") -> list[tuple[Any, ...]]:
        """Columns of every message, in the order in which they were queued."""

        async def work(uow: UnitOfWork) -> Sequence[Any]:
            return (await uow.session.exec(text(f"SELECT {columns} FROM notification ORDER BY id"))).all()

        return [tuple(row) for row in await unit_of_work.read(self.world.database, work)]

    async def told(self, kind: AlertKind | None = None) -> list[tuple[str, str]]:
        """Kind and address of every message, or of those of one kind."""
        rows = await self.rows("kind, address")
        return [(k, address) for k, address in rows if kind is None or k == kind]

    async def clear(self) -> None:
        """Forget what was queued so far."""

        async def work(uow: UnitOfWork) -> None:
            await uow.session.exec(text("DELETE FROM notification"))

        await unit_of_work.write(self.world.database, work)
