"""What every command and the server work with, made from the settings alone.

The sandbox is imported only where it is wanted, for production never loads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.clock import SystemClock
from app.gateways.ids import RandomIds
from app.migrations.upgrade import head_revision
from app.ports import WEBHOOK_PATH
from app.repositories.database import Database
from app.services.common.services import Services
from app.settings import BraintreeEnvironment

if TYPE_CHECKING:
    from app.ports import Clock, Ids
    from app.settings import Settings


WRITES_BEGIN_WITHIN_SECONDS = 6.0
"""How long a request may wait for the write lock of another process, before it is told to come again."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every command and the server work with, made from the settings alone."""

    settings: Settings
    database: Database
    clock: Clock
    ids: Ids
    payments: BraintreePayments

    @property
    def services(self) -> Services:
        """What every use case works with; leases go by real time."""
        return Services(
            self.database,
            self.clock,
            self.ids,
            self.payments,
            SystemClock(),
            phone_regions=self.settings.phone_regions,
            mails_utf8=self.settings.smtp_utf8,
        )

    async def close(self) -> None:
        """Wait for money that is on its way, and close the connections."""
        await self.payments.aclose()
        await self.database.close()


def open_surroundings(settings: Settings, *, begins_within_seconds: float | None = None) -> Surroundings:
    """Open the database and choose the clock; nothing is connected to yet.

    `begins_within_seconds` is how long a write may wait until it can begin; for ever unless told.
    :raises SettingsUnusable: when production lacks a setting.
    :raises DatabaseUnsuitable: when the database's URL can never work.
    """
    settings.require_complete()
    database = Database.open(settings.database, revision=head_revision(), begins_within_seconds=begins_within_seconds)
    return Surroundings(settings, database, make_clock(settings), RandomIds(), make_payments(settings))


def make_clock(settings: Settings) -> Clock:
    """Return real time; in the sandbox, real time plus the offset of the data folder."""
    if not settings.is_sandbox:
        return SystemClock()
    from app.sandbox.clock import OffsetClock

    return OffsetClock(settings.data)


def make_payments(settings: Settings) -> BraintreePayments:
    """Return the payment gateway: Braintree's, in the sandbox one of this machine unless told, started at first use."""
    if not settings.has_own_gateway:
        private_key = settings.braintree_private_key
        return BraintreePayments(
            BraintreeConfig(
                environment=(settings.braintree_environment or BraintreeEnvironment.PRODUCTION).value,
                merchant_id=settings.braintree_merchant_id or "",
                public_key=settings.braintree_public_key or "",
                private_key="" if private_key is None else private_key.get_secret_value(),
            )
        )
    return BraintreePayments(lambda: _own_gateway(settings))


def _own_gateway(settings: Settings) -> BraintreeConfig:
    """Return the gateway of this machine for the data folder, started if need be; it is told where we listen."""
    from app.sandbox.braintree_gateway.process import ask_gateway, ensure_gateway
    from app.sandbox.braintree_gateway.state import MERCHANT_ID, PRIVATE_KEY, PUBLIC_KEY

    address = ensure_gateway(settings.data)
    if settings.public_url is not None:
        ask_gateway(settings.data, "settings", webhook_url=f"{settings.public_url}{WEBHOOK_PATH}")
    return BraintreeConfig(
        environment="local",
        host=address.host,
        port=address.port,
        merchant_id=MERCHANT_ID,
        public_key=PUBLIC_KEY,
        private_key=PRIVATE_KEY,
    )


def signing_secret(settings: Settings) -> str:
    """Return the secret behind everything that we sign ourselves."""
    if settings.signing_secret is not None:
        return settings.signing_secret.get_secret_value()
    from app.sandbox.tokens import open_secret

    return open_secret(settings.data)
