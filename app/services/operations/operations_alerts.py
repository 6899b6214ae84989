"""What only a person of ours can settle: looked for by the program, shown as figures, and mailed once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.announcements import OPERATOR_ALERT, OperatorAlert, write_facts
from app.domain.contacts import Channel
from app.domain.periods import billing_date
from app.repositories import unit_of_work
from app.repositories.notifications import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from app.domain.deliveries import DeliveryState
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

LATE_CLOSE = timedelta(hours=1)
LATE_COLLECTION = timedelta(hours=1)
UNKNOWN_FOR = timedelta(hours=1)
FAILED_WITHIN = timedelta(days=7)
"""How long a refund or a message that failed is listed."""

MAIL_WAITS_FOR = timedelta(hours=1)
QUARANTINE_GROWTH = 25
LOOK = " Look at them with `flex-billing queue list`."


@dataclass(frozen=True, slots=True)
class OperationsFigures:
    """The figures that an operator on call goes by; counts, and the instants of what has waited longest.

    `unknown_charges` and `unknown_refunds` have had no known outcome for over an hour, `parked` are collections that
    broke off, `disputes` wait for an answer, `failed_refunds` came back to us within a week, and `notices` of the
    payment gateway are in quarantine. `unreached` are suspensions whose warning reached nobody. `collects_at` is when
    collecting falls due next, or did long ago.
    """

    messages: Mapping[tuple[Channel, DeliveryState], int]
    unknown_calls: int
    oldest_unsent_at: datetime | None
    refusing_addresses: int
    quarantined: int
    quarantined_today: int
    oldest_close_due_at: datetime | None
    unknown_charges: int = 0
    unknown_refunds: int = 0
    parked: int = 0
    disputes: int = 0
    failed_refunds: int = 0
    notices: int = 0
    unreached: int = 0
    collects_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OperationsAlert:
    """One thing to settle: its name, and what to do in a sentence."""

    name: str
    sentence: str


async def read_operations_figures(services: Services) -> OperationsFigures:
    """Return the figures of now."""
    now = services.clock.now()
    return await unit_of_work.read(services.database, lambda uow: _watched(uow, now))


def operations_alerts(figures: OperationsFigures, now: datetime) -> Iterator[OperationsAlert]:
    """Yield what the figures say a person has to settle."""
    if figures.oldest_close_due_at is not None and now - figures.oldest_close_due_at > LATE_CLOSE:
        since = f"{figures.oldest_close_due_at:%Y-%m-%d %H:%M} UTC"
        yield OperationsAlert(
            "LATE_CLOSE", f"Invoices are due since {since} and are not issued. Look at /health/ready and the log."
        )
    if figures.unknown_calls:
        yield OperationsAlert(
            "UNKNOWN_OUTCOME",
            f"Phone calls whose outcome is unknown for over an hour: {figures.unknown_calls}. "
            "Ask the operators, and report each by `flex-billing queue call-outcome`.",
        )
    if figures.unreached:
        yield OperationsAlert(
            "WARNING_UNREACHED", f"Suspensions whose warning reached nobody: {figures.unreached}.{LOOK}"
        )
    yield from _money_alerts(figures, now)
    if figures.oldest_unsent_at is not None and now - figures.oldest_unsent_at > MAIL_WAITS_FOR:
        since = f"{figures.oldest_unsent_at:%Y-%m-%d %H:%M} UTC"
        yield OperationsAlert("MAIL_REFUSED", f"Mail waits since {since}: the mail server does not take it.")
    if figures.quarantined_today >= QUARANTINE_GROWTH:
        yield OperationsAlert(
            "QUARANTINE_GROWTH",
            f"{figures.quarantined_today} calls went into quarantine within a day; {figures.quarantined} wait there. "
            "Look at them with `flex-billing quarantine list`.",
        )


def _money_alerts(figures: OperationsFigures, now: datetime) -> Iterator[OperationsAlert]:
    if figures.collects_at is not None and now - figures.collects_at > LATE_COLLECTION:
        since = f"{figures.collects_at:%Y-%m-%d %H:%M} UTC"
        yield OperationsAlert(
            "LATE_COLLECTION",
            f"Collecting is due since {since} and does not go on. Look at /health/ready and the log; after a restore, "
            "`flex-billing reconcile` lets it go on.",
        )
    if figures.unknown_charges:
        count = figures.unknown_charges
        yield OperationsAlert("UNKNOWN_CHARGE", f"Charges whose outcome is unknown for over an hour: {count}.{LOOK}")
    if figures.unknown_refunds:
        count = figures.unknown_refunds
        yield OperationsAlert("UNKNOWN_REFUND", f"Refunds whose outcome is unknown for over an hour: {count}.{LOOK}")
    if figures.failed_refunds:
        count = figures.failed_refunds
        yield OperationsAlert("FAILED_REFUND", f"Refunds that did not reach their customers: {count}.{LOOK}")
    if figures.notices:
        yield OperationsAlert(
            "NOTICE", f"Webhook events of the payment gateway that nobody understood: {figures.notices}.{LOOK}"
        )
    if figures.parked:
        yield OperationsAlert("PARKED", f"Collections that broke off and wait for a person: {figures.parked}.{LOOK}")
    if figures.disputes:
        yield OperationsAlert("DISPUTE", f"Disputed payments that wait for an answer: {figures.disputes}.{LOOK}")


async def notify_operators(services: Services, *, address: str) -> int:
    """Queue a mail for each trouble that was not told today, and return how many are new."""
    now = services.clock.now()
    found = list(operations_alerts(await read_operations_figures(services), now))
    if not found:
        return 0
    return await unit_of_work.write(
        services.database,
        lambda uow: uow.notifications.add_many(
            [operator_message(trouble, services.ids.new("ntf"), address, now) for trouble in found]
        ),
    )


def operator_message(trouble: OperationsAlert, message_id: str, address: str, now: datetime) -> Message:
    """Return the mail about a trouble; one of its name is sent a day."""
    on = billing_date(now)
    return Message(
        id=message_id,
        account_id=None,
        kind=OPERATOR_ALERT,
        channel=Channel.EMAIL,
        user_id=None,
        contact_id=None,
        recipient="",
        address=address,
        dedupe_key=f"{OPERATOR_ALERT}:{trouble.name}:{on}",
        facts=write_facts(OPERATOR_ALERT, OperatorAlert(trouble.name, trouble.sentence, on)),
        created_at=now,
        next_action_at=now,
    )


async def _watched(uow: UnitOfWork, now: datetime) -> OperationsFigures:
    money = await uow.on_call_queue.money_waiting(now - UNKNOWN_FOR, now - FAILED_WITHIN)
    return OperationsFigures(
        messages=await uow.outbox_figures.count_by_state(),
        unknown_calls=await uow.outbox_figures.count_unknown_before(now - UNKNOWN_FOR),
        oldest_unsent_at=await uow.outbox_figures.oldest_unsent_at(),
        refusing_addresses=await uow.mail_addresses.count_refusing(),
        quarantined=await uow.quarantine.count_open(),
        quarantined_today=await uow.quarantine.count_open_since(now - timedelta(days=1)),
        oldest_close_due_at=await uow.cycles.oldest_due_at(),
        unreached=len(await uow.on_call_queue.list_unreached()),
        **money._asdict(),
    )
