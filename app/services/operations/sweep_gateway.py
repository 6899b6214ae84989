"""Once a night: the outcome of charges that were not settled, and whether the vault has what we believe it has.

Card settlement is told by nobody, so it is asked for. An unknown transaction is reported, never recorded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

import structlog

from app.domain.events.operations import GatewaySwept
from app.domain.events.payment_methods import PaymentMethodMissing
from app.domain.payment_gateway import GatewayUnavailable
from app.domain.payment_methods import MethodStatus, VaultTask
from app.domain.periods import billing_date, billing_instant
from app.repositories import unit_of_work
from app.services.operations.ask_each import ask_each
from app.services.payment_methods.vault_methods import flag_method, follow_vault
from app.services.payments.settlements import Settlement, record_settlement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.domain.collection import Attempt
    from app.domain.payment_gateway import VaultedMethod
    from app.repositories.payment_methods import StoredMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

log = structlog.get_logger("sweep")

SWEPT, FAILED = "gateway-sweep", "gateway-sweep.failed"
SWEEPS_AT = time(3)
"""Wall-clock time in the billing zone."""

TRIES_AGAIN_AFTER = timedelta(minutes=10)
GONE = frozenset({MethodStatus.REMOVED, MethodStatus.FAILED})


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep found. `waiting` charges are not settled yet; `findings` are what staff should look at."""

    settled: int
    returned: int
    voided: int
    waiting: int
    updated: int
    findings: tuple[str, ...]


async def sweep_if_due(services: Services) -> SweepReport | None:
    """Sweep once for each day, from three in the morning on; None when nothing is due.

    A gateway that cannot be asked is asked again after a while.
    """
    now = services.clock.now()
    due_at = billing_instant(billing_date(now), SWEEPS_AT)
    if now < due_at or await unit_of_work.read(services.database, lambda uow: uow.schedule.is_done(SWEPT, due_at)):
        return None
    failed_at = await unit_of_work.read(services.database, lambda uow: uow.schedule.last_at(FAILED))
    if failed_at is not None and now < failed_at + TRIES_AGAIN_AFTER:
        return None
    try:
        report = await sweep_gateway(services)
    except GatewayUnavailable as error:
        log.warning("sweep put off", reason=error.reason)
        await unit_of_work.write(services.database, lambda uow: uow.schedule.mark_done(FAILED, now, at=now))
        return None
    await unit_of_work.write(
        services.database, lambda uow: uow.schedule.mark_done(SWEPT, due_at, at=services.clock.now())
    )
    return report


async def sweep_gateway(services: Services) -> SweepReport:
    """Ask the gateway about every charge that is not known to be settled, and about every customer's methods.

    Doing it again finds what is still so, and changes nothing more.
    :raises GatewayUnavailable: when the gateway cannot be asked.
    """
    sweep = _Sweep(services)
    attempts = await unit_of_work.read(
        services.database, lambda uow: uow.settlements.missing(services.clock.now() + timedelta(microseconds=1))
    )
    await ask_each(attempts, sweep.look_at_charge)
    await ask_each(
        await unit_of_work.read(services.database, lambda uow: uow.vault_records.account_ids()), sweep.compare
    )
    report = sweep.report()
    if report.findings:
        await unit_of_work.write(services.database, lambda uow: _tell(uow, services, report))
    return report


async def _tell(uow: UnitOfWork, services: Services, report: SweepReport) -> None:
    event = GatewaySwept(findings=report.findings)
    await uow.events.record(event, ids=services.ids, actor="system", at=services.clock.now())


class _Sweep:
    """One sweep, and what it has found so far."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._counts: Counter[Settlement] = Counter()
        self._updated = 0
        self._findings: list[str] = []

    def report(self) -> SweepReport:
        counts = self._counts
        return SweepReport(
            settled=counts[Settlement.SETTLED],
            returned=counts[Settlement.RETURNED],
            voided=counts[Settlement.VOIDED],
            waiting=counts[Settlement.NOTHING_NEW],
            updated=self._updated,
            findings=tuple(sorted(self._findings)),
        )

    async def look_at_charge(self, attempt: Attempt) -> None:
        services = self._services
        transaction = await services.payments.find_transaction(attempt.transaction_id or "")
        if transaction is None:
            self._findings.append(f"Charge {attempt.id}: the gateway has no transaction {attempt.transaction_id}.")
            return
        settlement = await unit_of_work.write(
            services.database, lambda uow: record_settlement(uow, services, attempt.id, transaction)
        )
        self._counts[settlement] += 1
        if settlement is Settlement.VOIDED:
            self._findings.append(f"Charge {attempt.id}: transaction {transaction.id} was voided at the gateway.")

    async def compare(self, account_id: str) -> None:
        """Compare an account's methods with those that the vault has of its customer."""
        services = self._services
        vaulted = {method.token: method for method in await services.payments.list_methods(account_id)}
        stored = await unit_of_work.read(services.database, lambda uow: uow.vault_records.list_all(account_id))
        known = {each.method.id for each in stored}
        self._findings += [
            f"Account {account_id}: the vault has a payment method {token} that is none of ours."
            for token in vaulted
            if token not in known
        ]
        for each in stored:
            await self._compare_method(each, vaulted.get(each.method.id))
        await self._plan(list(_tasks(stored, vaulted)))

    async def _compare_method(self, stored: StoredMethod, vaulted: VaultedMethod | None) -> None:
        services, method = self._services, stored.method
        if vaulted is not None:
            self._updated += await unit_of_work.write(
                services.database, lambda uow: follow_vault(uow, services, vaulted)
            )
        elif method.status is MethodStatus.ACTIVE:
            self._findings.append(f"Account {method.account_id}: the vault has no payment method {method.id} any more.")
            await unit_of_work.write(
                services.database, lambda uow: flag_method(uow, services, method.id, PaymentMethodMissing)
            )

    async def _plan(self, tasks: Sequence[tuple[str, VaultTask]]) -> None:
        """Let the vault be told what it does not know of our methods."""
        now = self._services.clock.now()

        async def work(uow: UnitOfWork) -> None:
            for method_id, task in tasks:
                await uow.vault_tasks.plan(method_id, task, at=now)

        if tasks:
            await unit_of_work.write(self._services.database, work)


def _tasks(stored: Sequence[StoredMethod], vaulted: dict[str, VaultedMethod]) -> Iterator[tuple[str, VaultTask]]:
    """Yield what the vault is to be told: what was removed here is deleted there, and the default is mirrored."""
    for each in stored:
        method = each.method
        if method.id not in vaulted or each.vault_task is not None:
            continue
        if method.status in GONE:
            yield method.id, VaultTask.DELETE
        elif method.is_default and not vaulted[method.id].is_default:
            yield method.id, VaultTask.MAKE_DEFAULT
