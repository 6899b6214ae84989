"""Takes payment methods to the vault while a customer waits, and answers within eight seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from app.domain.add_attempts import is_local
from app.domain.agreements import PAYMENT_AGREEMENT, PaymentAgreement
from app.domain.payment_methods import ATTEMPT_LIMITS, AttemptLimit
from app.repositories import unit_of_work
from app.services.common.bounded_wait import ANSWERS_WITHIN_SECONDS, BoundedWait
from app.services.common.failures import contained
from app.services.payment_methods.record_vaulting import record_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.payment_gateway import VaultRequest
    from app.services.common.services import Services

log = structlog.get_logger("vault")


class VaultService:
    """Sends methods in tasks of its own, which go on when the customer who started them is gone."""

    def __init__(
        self,
        services: Services,
        *,
        agreement: PaymentAgreement = PAYMENT_AGREEMENT,
        limits: Sequence[AttemptLimit] = ATTEMPT_LIMITS,
        counts_local_addresses: bool = True,
        answers_within_seconds: float = ANSWERS_WITHIN_SECONDS,
    ) -> None:
        """Take the agreement in force and the limits of adding.

        Where clients come from the internet, a local address is that of a proxy which nobody has named: counted, it
        would hold up all customers for one.
        """
        self.services = services
        self._counts_local_addresses = counts_local_addresses
        self.agreement = agreement
        self.limits = limits
        self._wait = BoundedWait(answers_within_seconds)

    def telling_address(self, address: str | None) -> str | None:
        """Return the address of a client if it tells clients apart."""
        if address is None or (is_local(address) and not self._counts_local_addresses):
            return None
        return address

    async def keep(self, request: VaultRequest) -> None:
        """Have the vault keep a method that is written down already, and wait for it as long as one may be kept
        waiting; what is not known by then is written down when it is.
        """
        await self._wait.start(self._keep(request), name="vault")

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._wait.close()

    async def _keep(self, request: VaultRequest) -> None:
        services = self.services
        with contained(log, "adding failed", method=request.method_token):  # the sweeper goes on from the row
            answer = await services.payments.vault(request)
            await unit_of_work.write(
                services.database,
                lambda uow: record_answer(uow, services.ids, request.method_token, answer, services.clock.now()),
            )
