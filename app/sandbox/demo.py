"""Makes the demo's data the way it would have come about: a clock moves through eighteen months, and on the way
accounts sign up, calls come in, months are closed and checks arrive, all by the real use cases.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from app.domain.accounts import cycle_runs_at
from app.domain.agreements import PAYMENT_AGREEMENT
from app.domain.ledger import PaymentKind
from app.domain.periods import Period, billing_date, billing_instant, day_starts_at
from app.domain.policies import COLLECTION_POLICIES, policies_on
from app.messages.compose import Composer
from app.messages.invoice_words import ISSUER
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.sandbox.catcher import FOLDER as MESSAGES
from app.sandbox.catcher import CallCatcher, MailCatcher
from app.sandbox.clock import SeedingClock
from app.sandbox.demo_acts import ADD_ONS, DemoActs
from app.sandbox.demo_company import (
    CEDAR,
    CONTACTS,
    DECLINING_DIGITS,
    HARBOR,
    MONTHS_OF_HISTORY,
    NEW_CONTACT,
    VISA_DIGITS,
    demo_accounts,
)
from app.sandbox.sample_calls import write_sample_calls
from app.sandbox.tokens import open_secret
from app.services.adjustments.record_payment import record_payment
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from app.services.notifications.confirmation_links import ConfirmationLinks
from app.services.notifications.confirmations import Answer, record_answer
from app.services.notifications.deliver_messages import Delivery, deliver_messages
from app.services.notifications.payment_contacts import add_contact
from app.services.notifications.unsubscribe_links import UnsubscribeLinks
from app.services.payment_methods.add_payment_method import NewMethod, add_payment_method
from app.services.payment_methods.vault_service import VaultService
from app.services.payments.collect_due import collect_due
from app.services.plans.load_catalogue import load_catalogue
from app.services.usage.call_items import Unreadable
from app.services.usage.import_calls import read_items
from app.services.usage.put_account import put_account
from app.services.usage.record_calls import BATCH_SIZE, Item, record_calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from app.ports import Clock, Ids, PaymentGateway
    from app.repositories.unit_of_work import UnitOfWork
    from app.sandbox.demo_company import DemoAccount

DRAFT = "seeding"
SOURCE = "phone-system"
ACTOR = "demo"
FAULTS = 3
SOFT_DECLINE = "2001"
DEMO_SENDER = "notifications@sasdesk.com"

_LATER = timedelta(minutes=5)
_CHECK_TAKES = timedelta(days=4, hours=4)
_MONTHS_SINCE_A_DECLINE = 3
_DAYS_A_BATCH = 7


@dataclass(frozen=True, slots=True)
class DemoGateway:
    """The sandbox's payment gateway, and who makes it decline: a card's last digits, a code, and how often."""

    payments: PaymentGateway
    decline: Callable[[str, str, int | None], object]


def seed(
    *,
    database_file: Path,
    address: str,
    clock: Clock,
    ids: Ids,
    gateway: DemoGateway,
    on_progress: Callable[[int], None],
) -> bool:
    """Make the demo's database, unless it is there; tells whether it made it. `on_progress` hears of each month.

    `address` is where the demo will be reached, for the links in its mails.

    It comes to be under another name and is renamed at the end, so that an interrupted start leaves nothing half made.
    """
    if database_file.exists():
        return False
    draft_folder = database_file.parent / DRAFT
    shutil.rmtree(draft_folder, ignore_errors=True)
    draft_folder.mkdir()
    draft = draft_folder / database_file.name
    url = f"sqlite:///{draft}"
    upgrade(url)
    asyncio.run(_live_through(url, address, clock, ids, gateway, on_progress, draft_folder))
    _move_messages(draft_folder / MESSAGES, database_file.parent / MESSAGES)
    draft.replace(database_file)
    shutil.rmtree(draft_folder)
    return True


def _move_messages(caught: Path, target: Path) -> None:
    """Let what was caught take the place of what an earlier demo left."""
    caught.mkdir(exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    caught.replace(target)


async def _live_through(
    url: str,
    address: str,
    clock: Clock,
    ids: Ids,
    gateway: DemoGateway,
    on_progress: Callable[[int], None],
    outbox: Path,
) -> None:
    database = Database.open(url)
    try:
        await _History(database, address, ids, gateway, clock.now(), outbox).play(on_progress)
    finally:
        await database.close()


def months_to_seed() -> int:
    """Return how many months `seed` will report."""
    return MONTHS_OF_HISTORY + 1


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at an instant of the history."""

    at: datetime
    act: Callable[[], Awaitable[object]]


class _History:
    """The steps of the demo's history and what they need."""

    def __init__(
        self, database: Database, address: str, ids: Ids, gateway: DemoGateway, now: datetime, outbox: Path
    ) -> None:
        self._gateway = gateway
        self._now = now
        self._today = billing_date(now)
        self._accounts = demo_accounts(self._today)
        first = min(account.created_on for account in self._accounts)
        self._clock = SeedingClock(day_starts_at(first))
        self._month = Period.containing(first)
        self._checks = 1041
        self._services = Services(database, self._clock, ids, gateway.payments, SeedingClock(now))
        self._vault = VaultService(self._services)
        secret = open_secret(outbox.parent).encode()
        self._delivery = Delivery(
            services=Services(database, self._clock, ids),
            mailer=MailCatcher(outbox, sender=DEMO_SENDER, sender_name=ISSUER),
            caller=CallCatcher(outbox),
            composer=Composer(address),
            links=UnsubscribeLinks(secret=secret, base_url=address),
            confirmation_links=ConfirmationLinks(secret=secret, base_url=address),
        )

    async def play(self, on_progress: Callable[[int], None]) -> None:
        """Run every step in the order of time, month by month."""
        await load_catalogue(self._services, actor=ACTOR)
        self._gateway.decline(DECLINING_DIGITS, SOFT_DECLINE, None)
        planned = [
            *self._sign_ups(),
            *self._closings(),
            *self._checks_received(),
            *self._collections(),
            *self._declines(),
            *self._acts(),
        ]
        with TemporaryDirectory(prefix="flex-billing-") as folder:
            while self._month.starts_on <= self._today:
                begins, ends = day_starts_at(self._month.starts_on), day_starts_at(self._month.ends_before)
                steps = [step for step in planned if begins <= step.at < ends]
                steps += self._calls(Path(folder), self._month)
                for step in sorted(steps, key=attrgetter("at")):
                    self._clock.move_to(step.at)
                    await step.act()
                await self._deliver()
                self._month = self._month.shifted(1)
                on_progress(1)

    def _sign_ups(self) -> Iterator[Step]:
        for account in self._accounts:
            signs_up_at = min(billing_instant(account.created_on, time(0, 1)), self._now)
            yield Step(signs_up_at, lambda account=account: self._sign_up(account))  # type: ignore[misc]

    async def _sign_up(self, account: DemoAccount) -> None:
        put = await put_account(self._services, particulars=account.particulars, actor=ACTOR)
        if account.is_taxed:
            acts = DemoActs(self._services, account.external_id)
            await acts.set_taxes(account.created_on)
        await self._add_cards(account)
        contact = CONTACTS.get(account.external_id)
        if contact is not None:
            await add_contact(self._services, Caller(account.external_id, f"staff:{ACTOR}"), contact)
            for channel in contact.channels:
                agreed = Answer(put.account.id, channel, contact.address(channel) or "", agrees=True, actor="contact")
                await record_answer(self._services, agreed)

    async def _add_new_contact(self) -> None:
        await add_contact(self._services, Caller(HARBOR, f"staff:{ACTOR}"), NEW_CONTACT)
        await self._deliver_all()

    async def _add_cards(self, account: DemoAccount) -> None:
        """Let somebody of the account add its cards on the day that it signs up."""
        for place, nonce in enumerate(account.cards):
            await add_payment_method(
                self._vault,
                Caller(account.external_id, ACTOR, address="127.0.0.1", user_agent="Demo"),
                new=NewMethod(nonce, PAYMENT_AGREEMENT.version, is_authorized=True),
                idempotency_key=f"card-{place}",
            )

    def _issues(self, account: DemoAccount) -> list[datetime]:
        """Return when the account's invoices are issued up to now, a little after they fall due (rule 12)."""
        months = [month for month in account.months(self._today) if month.ends_before > account.paid_starts_on]
        due = [cycle_runs_at(month.starts_on, account.paid_starts_on, policies_on(month.starts_on)) for month in months]
        return [at + _LATER for at in due if at + _LATER <= self._now]

    def _closings(self) -> Iterator[Step]:
        for at in {at for account in self._accounts for at in self._issues(account)}:
            yield Step(at, self._close)

    async def _close(self) -> None:
        await close_periods(self._services)
        await self._collect()

    async def _collect(self) -> None:
        await collect_due(self._services)

    def _collections(self) -> Iterator[Step]:
        """Yield a look at what is to be collected on every morning, for second tries and the outcome of not paying."""
        day = self._month.starts_on
        while day <= self._today:
            at = billing_instant(day, COLLECTION_POLICIES.collects_at) + _LATER
            if at <= self._now:
                yield Step(at, self._collect)
            day += timedelta(days=1)

    def _declines(self) -> Iterator[Step]:
        """Yield when the default of the first account is declined once, so that a back-up pays."""
        month = Period.containing(self._today).shifted(-_MONTHS_SINCE_A_DECLINE)

        async def decline() -> None:
            self._gateway.decline(VISA_DIGITS, SOFT_DECLINE, 1)

        yield Step(day_starts_at(month.starts_on), decline)

    def _acts(self) -> Iterator[Step]:
        """Yield what was done beside paying: last month by the second account and by the first, and by the first today.

        The first is the one that people try first: whatever they press finds something to work on.
        """
        acts = DemoActs(self._services, CEDAR)
        month = Period.containing(self._today).shifted(-1).starts_on
        yield Step(billing_instant(month + timedelta(days=2), time(12)), acts.credit_a_week)
        yield Step(billing_instant(month + timedelta(days=11), time(12)), acts.move_down)
        acts = DemoActs(self._services, HARBOR)
        for days, code in enumerate(ADD_ONS, start=3):
            yield Step(billing_instant(month + timedelta(days=days), time(12)), partial(acts.buy, code))
        yield Step(self._now - timedelta(days=2), self._add_new_contact)
        for act in (acts.cancel_add_on, acts.schedule_larger_plan, acts.refund_two_invoices):
            yield Step(self._now, act)

    def _checks_received(self) -> Iterator[Step]:
        """Yield the payment of every invoice but the last of each account that pays."""
        for account in self._accounts:
            issues = self._issues(account) if account.is_paying and not account.cards else []
            for issued_at, next_at in pairwise(issues):
                paid_at = min(issued_at + _CHECK_TAKES, next_at - timedelta(hours=1))
                yield Step(paid_at, lambda account=account: self._pay(account))  # type: ignore[misc]

    async def _pay(self, account: DemoAccount) -> None:
        async def balance(uow: UnitOfWork) -> int:
            owner = await uow.accounts.get_by_external_id(account.external_id)
            return sum(invoice.balance_cents for invoice in await uow.ledger.open_invoices(owner.id))

        owed_cents = await unit_of_work.read(self._services.database, balance)
        if owed_cents == 0:
            return
        self._checks += 1
        await record_payment(
            self._services,
            Caller(account.external_id, "staff:front-office"),
            kind=PaymentKind.CHECK,
            amount_cents=owed_cents,
            reference=f"Check {self._checks}",
            received_on=billing_date(self._clock.now()),
            reason="Check received by mail",
        )

    async def _deliver(self) -> None:
        """Send what the month had to tell; what is newest is left for the server, to be seen on its way."""
        if self._month.ends_before <= self._today:
            await self._deliver_all()

    async def _deliver_all(self) -> None:
        while await deliver_messages(self._delivery):
            pass

    def _calls(self, folder: Path, month: Period) -> Iterator[Step]:
        """Yield the calls of a month, a week at a time, each week's when it is over."""
        items = [item for item in self._items(folder, month) if _begins_at(item, month) < self._now - _LATER]
        for week, group in groupby(
            sorted(items, key=lambda item: _begins_at(item, month)), key=lambda item: _week(item, month)
        ):
            comes_at = day_starts_at(
                min(month.starts_on + timedelta(days=_DAYS_A_BATCH * (week + 1)), month.ends_before)
            )
            batch = list(group)
            yield Step(min(comes_at - _LATER, self._now), lambda batch=batch: self._record(batch))  # type: ignore[misc]

    async def _record(self, items: Sequence[Item]) -> None:
        for start in range(0, len(items), BATCH_SIZE):
            await record_calls(
                self._services, source=SOURCE, items=items[start : start + BATCH_SIZE], actor=f"key:{SOURCE}"
            )

    def _items(self, folder: Path, month: Period) -> Iterator[Item]:
        """Yield so many calls of a made month as each account has, and last month's faulty rows."""
        active = [account for account in self._accounts if account.calls_in(month, self._today)]
        if not active:
            return
        seed_of_month = month.starts_on.year * 12 + month.starts_on.month
        random = Random(seed_of_month)
        path = folder / f"{month.month}.tsv"
        is_last_month = month.contains(Period.containing(self._today).shifted(-1).starts_on)
        write_sample_calls(
            path, month=month, lines=len(active), seed=seed_of_month, faults=FAULTS if is_last_month else 0
        )
        by_line: dict[str, list[Item]] = {}
        for item in read_items(path, SOURCE):
            by_line.setdefault("" if isinstance(item.call, Unreadable) else item.call.account, []).append(item)
        path.unlink()
        yield from by_line.pop("", [])
        for account, (_, items) in zip(active, sorted(by_line.items()), strict=True):
            wanted = round(account.calls_in(month, self._today) * random.uniform(0.92, 1.08))
            since = day_starts_at(account.created_on) + _LATER
            for item in random.sample(items, min(wanted, len(items))):
                if _begins_at(item, month) >= since:
                    yield _of_account(item, account)


def _begins_at(item: Item, month: Period) -> datetime:
    """Return when the call of an item began; what cannot be read comes in at the month's beginning."""
    return day_starts_at(month.starts_on) if isinstance(item.call, Unreadable) else item.call.started_at


def _week(item: Item, month: Period) -> int:
    return (billing_date(_begins_at(item, month)) - month.starts_on).days // _DAYS_A_BATCH


def _of_account(item: Item, account: DemoAccount) -> Item:
    if isinstance(item.call, Unreadable):
        return item
    call = item.call._replace(
        account=account.external_id, event_id=f"{account.external_id}/{item.call.event_id.partition('/')[2]}"
    )
    return Item(item.position, call)
