"""What the application is wired with: every use case gets it whole, and takes from it what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.payment_gateway import GatewayUnavailable
from app.domain.policies import COLLECTION_POLICIES, CollectionPolicies
from app.ports import UNLIMITED

if TYPE_CHECKING:
    from datetime import datetime

    from app.ports import Clock, Ids, PaymentGateway, RateLimiter
    from app.repositories.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """Where to write, the billing clock, the ids, who moves money, real time, the rules of collecting, and rate limits.

    `phone_regions` are the countries that calls are made to; a number without a country code is in the first.
    Leases go by real time, whatever the billing clock says; without a `real_clock` both are the same.
    `mails_utf8` where the mail server takes addresses with any letters before the @ (SMTPUTF8).
    """

    database: Database
    clock: Clock
    ids: Ids
    gateway: PaymentGateway | None = None
    real_clock: Clock | None = None
    policies: CollectionPolicies = COLLECTION_POLICIES
    rate_limiter: RateLimiter = UNLIMITED
    phone_regions: tuple[str, ...] = ("US", "CA")
    mails_utf8: bool = False

    @property
    def payments(self) -> PaymentGateway:
        """Who moves money.

        :raises GatewayUnavailable: where there is no gateway.
        """
        if self.gateway is None:
            raise GatewayUnavailable("this server has no payment gateway")
        return self.gateway

    def real_now(self) -> datetime:
        """Return the real time, which leases go by."""
        return (self.real_clock or self.clock).now()
