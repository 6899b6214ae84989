"""Takes money while a customer waits: a mutation starts the charge, and answers within eight seconds (rules 17, 30)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from app.repositories import unit_of_work
from app.services.common.bounded_wait import ANSWERS_WITHIN_SECONDS, BoundedWait
from app.services.common.failures import contained
from app.services.payments.collect_invoice import collect_invoice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.services.common.services import Services

log = structlog.get_logger("payment_runner")

LOOKS_AGAIN_AFTER_SECONDS = 0.05


class PaymentRunner:
    """Charges in tasks of its own, which go on when the customer who started them is gone."""

    def __init__(self, services: Services, *, answers_within_seconds: float = ANSWERS_WITHIN_SECONDS) -> None:
        self.services = services
        self._wait = BoundedWait(answers_within_seconds)

    @property
    def charges_first(self) -> bool:
        """Tell whether a change that the customer starts takes effect when it is paid (rule 17)."""
        return self.services.policies.charges_first

    async def collect_now(self, invoice_ids: Sequence[str]) -> None:
        """Collect the invoices, one after the other, and wait for it as long as a customer may be kept waiting.

        Where somebody else is collecting one of them, that is waited for instead.
        """
        await self._wait.start(self._collect(invoice_ids), name="payment_runner")

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._wait.close()

    async def _collect(self, invoice_ids: Sequence[str]) -> None:
        for invoice_id in invoice_ids:
            with contained(log, "collecting failed", invoice=invoice_id):  # the ticker goes on from the rows
                while not await collect_invoice(self.services, invoice_id):
                    if not await self._is_under_way(invoice_id):
                        break
                    await asyncio.sleep(LOOKS_AGAIN_AFTER_SECONDS)

    async def _is_under_way(self, invoice_id: str) -> bool:
        real_now = self.services.real_now()
        return await unit_of_work.read(
            self.services.database, lambda uow: uow.collections.is_claimed(invoice_id, real_now)
        )
