"""The worlds that the contract's examples are told in: the same accounts, calls and ids, every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta

from app.domain.accounts import Role
from app.domain.ledger import PaymentKind
from app.domain.periods import billing_instant
from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.domain.usage import CallReport
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.unit_of_work import UnitOfWork
from app.services.adjustments.record_payment import record_payment
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.cycle.close_account import close_account
from app.services.cycle.close_periods import close_periods
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.services.usage.record_calls import Item, record_calls

DENTIST = "AA0101"
LAWYER = "BB0202"

PERSONAS = {
    "admin": ("user-admin", DENTIST),
    "billing": ("user-billing", DENTIST),
    "member": ("user-member", DENTIST),
    "other_admin": ("user-other", LAWYER),
    "stranger": ("user-stranger", DENTIST),
}
"""Subject and account of the tokens that examples are asked with; the stranger is no member of the account."""


class SeedClock:
    """Stands where it was set."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


class SeedIds:
    """Counts each kind by itself, so that one more event does not rename an invoice."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}_{self.counts[prefix]:026d}"


class LaterIds(SeedIds):
    """Counts on from where no seed gets to; the ids of requests begin anew, for they are in no seed."""

    def __init__(self) -> None:
        super().__init__()
        prefixes = ("adj", "evt", "inv", "ntf", "pay", "pct", "quo", "rfd", "snd", "sub")
        self.counts.update(dict.fromkeys(prefixes, 900000))


class Builder:
    """Tells a world's history to the real services, one moment after the other."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SeedClock(datetime(2026, 6, 1, tzinfo=UTC))
        self.ids = SeedIds()
        self.services = Services(database, self.clock, self.ids)

    def at(self, on: date, hour: int) -> None:
        self.clock.instant = billing_instant(on, time(hour))

    async def account(self, particulars: AccountParticulars) -> None:
        await put_account(self.services, particulars=particulars, actor="service:sas-flex")

    async def calls(self, *calls: CallReport) -> None:
        items = [Item(position, call) for position, call in enumerate(calls, start=1)]
        results = await record_calls(self.services, source="call-centre", items=items, actor="ingest")
        refused = [metered for metered in results if metered.reason is not None]
        if refused:
            raise ValueError(f"A seed's call was refused: {refused[0].reason}.")

    async def check(self, account: str, amount_cents: int, reference: str, received_on: date) -> None:
        await record_payment(
            self.services,
            Caller(account, "staff:office"),
            kind=PaymentKind.CHECK,
            amount_cents=amount_cents,
            reference=reference,
            received_on=received_on,
            reason="Check received by mail",
        )

    async def end(self, account: str) -> None:
        await close_account(self.services, Caller(account, "staff:office"), reason="The customer has given notice")

    async def close(self) -> None:
        await close_periods(self.services)


def call(account: str, on: date, number: int, **figures: object) -> CallReport:
    """One call of ten minutes past nine in the morning and later, unless the figures say otherwise."""
    started_at = billing_instant(on, time(9)) + timedelta(minutes=10 * number)
    usual = {"script_seconds": 540, "recording_seconds": 600, "disposition": "MESSAGE"}
    event_id = f"{account}/{on:%y%m%d}/{number}"
    return CallReport("call-centre", event_id, account, started_at, **(usual | figures))


async def load_catalogue(uow: UnitOfWork) -> None:
    """The plans and add-ons of the demonstration."""
    await uow.plans.add_all(SEED_CATALOGUE.versions)
    await uow.add_ons.add_versions(SEED_ADD_ONS)


async def empty(builder: Builder) -> None:
    """Two accounts that were made this morning: nothing has been called, and nothing billed."""
    await unit_of_work.write(builder.database, load_catalogue)
    builder.at(date(2026, 6, 1), 5)
    people = (
        Member("user-admin", "ann@harbor-dental.example", "Ann Ames", Role.ADMIN),
        Member("user-billing", "ben@harbor-dental.example", "Ben Burke", Role.BILLING),
        Member("user-member", "mia@harbor-dental.example", "Mia Moss", Role.MEMBER),
    )
    await builder.account(
        AccountParticulars(
            external_id=DENTIST,
            name="Harbor Dental Group",
            plan_code="100",
            paid_since_on=date(2026, 6, 1),
            members=people,
        )
    )
    other = (Member("user-other", "olga@quiet-law.example", "Olga Ott", Role.ADMIN),)
    await builder.account(
        AccountParticulars(
            external_id=LAWYER,
            name="Quiet Law Office",
            plan_code="economy",
            trial_ends_on=date(2026, 6, 14),
            members=other,
        )
    )


async def summer(builder: Builder) -> None:
    """June to August 2026: paid and open invoices, one paid by credit, a late call and a corrected one, each billed
    as an adjustment.
    """
    await empty(builder)
    builder.at(date(2026, 6, 1), 7)
    await builder.close()
    builder.at(date(2026, 6, 15), 7)
    await builder.close()
    builder.at(date(2026, 6, 18), 11)
    await builder.check(LAWYER, 50_00, "77", date(2026, 6, 18))
    builder.at(date(2026, 6, 30), 20)
    june = [call(DENTIST, date(2026, 6, 2 * day), 1) for day in range(1, 13)]
    await builder.calls(
        *june,
        call(DENTIST, date(2026, 6, 9), 2, patch_seconds=95, ivr_seconds=40),
        call(DENTIST, date(2026, 6, 10), 2, disposition="WRONG_NUMBER", is_billable=False),
        call(LAWYER, date(2026, 6, 20), 1, script_seconds=61, recording_seconds=45),
    )
    builder.at(date(2026, 7, 1), 7)
    await builder.close()
    builder.at(date(2026, 7, 6), 11)
    await builder.check(DENTIST, 139_00, "1001", date(2026, 7, 6))
    await builder.calls(call(DENTIST, date(2026, 6, 28), 5, script_seconds=300, recording_seconds=310))
    builder.at(date(2026, 7, 31), 20)
    await builder.calls(*(call(DENTIST, date(2026, 7, 2 * day), 1) for day in range(1, 13)))
    builder.at(date(2026, 8, 1), 7)
    await builder.close()
    builder.at(date(2026, 8, 5), 9)
    corrected = f"{DENTIST}/260724/1"
    await builder.calls(
        call(DENTIST, date(2026, 7, 24), 9, script_seconds=120, recording_seconds=60, corrects=corrected),
        call(DENTIST, date(2026, 8, 3), 1, patch_seconds=30),
        call(DENTIST, date(2026, 8, 4), 1, ivr_seconds=75),
        call(LAWYER, date(2026, 8, 4), 1),
    )
    builder.at(date(2026, 8, 19), 18)
    await builder.calls(*(call(DENTIST, date(2026, 8, day), 1) for day in range(10, 20)))


async def ended(builder: Builder) -> None:
    """The first days of June 2026, after which the dentist's account is closed."""
    await empty(builder)
    builder.at(date(2026, 6, 1), 7)
    await builder.close()
    builder.at(date(2026, 6, 10), 12)
    await builder.end(DENTIST)


SEEDS: dict[str, Callable[[Builder], Awaitable[None]]] = {"empty": empty, "summer": summer, "ended": ended}
