"""What leaves the machine or cannot be replayed, as protocols; the composition root decides who answers."""

from __future__ import annotations

import math
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from datetime import date, datetime

    from app.domain.deliveries import CallAnswer, CallTask, Mail, MailAnswer, MailReport
    from app.domain.json_values import JsonObject
    from app.domain.payment_gateway import (
        ChargeAnswer,
        ChargeRequest,
        Transaction,
        VaultAnswer,
        VaultedMethod,
        VaultRequest,
        WebhookEvent,
    )
    from app.domain.refunds import Dispute


class Clock(Protocol):
    """Tells the time that billing goes by."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...


class Ids(Protocol):
    """Mints opaque, sortable identifiers."""

    def new(self, prefix: str) -> str:
        """Return `prefix_` followed by 26 characters that sort by time of minting."""
        ...


class Unlimited:
    """Counts nothing: everything is allowed."""

    async def spend(self, rate: Rate, _key: str, _amount: int = 1, /) -> Allowance:
        """Spend an amount of the rate, of which all is left ever after."""
        return Allowance(is_spent=True, remaining=rate.most, retry_after_seconds=0)

    async def close(self) -> None:
        """Close nothing."""


UNLIMITED = Unlimited()

WEBHOOK_PATH = "/webhooks/braintree"
"""Where the payment gateway tells us of its events."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may be spent in a sliding window: `most` in `seconds`, for every key of the kind `name`."""

    name: str
    most: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a rate has left for a key; where nothing was spent because too little was left, when to come again."""

    is_spent: bool
    remaining: int
    retry_after_seconds: int


class RateStorageUnusable(ValueError):
    """There is no such storage for rate limits, or the library that speaks to it is not installed."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"Rate limits cannot be counted in {address}: {why}")


class RateLimiter(Protocol):
    """Counts what is spent, over all processes that share its storage."""

    async def spend(self, rate: Rate, key: str, amount: int = 1, /) -> Allowance:
        """Spend an amount of the rate; nothing is spent where less than that is left."""
        ...

    async def close(self) -> None:
        """Close the connections to the storage."""
        ...


class AccountChanges(Protocol):
    """Tells who watches an account that something of its Summary may have changed, in whichever process."""

    def watch(self, account: str, tell: Callable[[], None], /) -> AbstractAsyncContextManager[None]:
        """Have `tell` called after each change of the account (by its external id), often several together.

        What is read within is missed by no change.
        """
        ...


class Unchanging:
    """Tells of no change."""

    def watch(self, _account: str, _tell: Callable[[], None], /) -> AbstractAsyncContextManager[None]:
        """Watch nothing."""
        return nullcontext()


UNCHANGING = Unchanging()


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified bearer token says: who asks, and for which account (by its external id).

    `trusted_until` is when the token ends, in seconds of real time since 1970; the same claims of a later token equal.
    """

    subject: str
    account: str
    trusted_until: float = field(default=math.inf, compare=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as it says: the address of the client, and what it calls itself."""

    address: str | None = None
    user_agent: str | None = None


ORIGIN: ContextVar[str | None] = ContextVar("origin", default=None)
"""Where what is done now was asked for: the address of a request's client, or the command line; None by itself.

The edges set it, as they do for the log, and the audit log keeps it with everything that a person did.
"""


@contextmanager
def came_from(origin: str | None) -> Iterator[None]:
    """Let what is done within come from there."""
    token = ORIGIN.set(origin)
    try:
        yield
    finally:
        ORIGIN.reset(token)


class InvalidToken(Exception):
    """The bearer token cannot be trusted; `reason` is for the log, never for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__("The access token is missing, expired or not ours. Sign in again.")
        self.reason = reason


class TokenVerifier(Protocol):
    """Checks bearer tokens."""

    async def verify(self, token: str) -> Claims:
        """Return the claims of a token that can be trusted.

        :raises InvalidToken: when its signature, issuer, audience, lifetime or shape is wrong.
        """
        ...


class Vault(Protocol):
    """Payment methods as the gateway keeps them."""

    async def form_token(self) -> str:
        """Return a token for the payment form of a browser or a phone; it names no customer."""
        ...

    async def vault(self, request: VaultRequest) -> VaultAnswer:
        """Verify a method and keep it under the token given; the customer is made when it is new."""
        ...

    async def find_method(self, method_token: str) -> VaultedMethod | None:
        """Return the method with the token, or None when the vault has none."""
        ...

    async def list_methods(self, customer_id: str) -> list[VaultedMethod]:
        """Return every method of the customer, none when the vault does not know it."""
        ...

    async def make_default(self, method_token: str) -> bool:
        """Make the method its customer's default, and return whether the vault has it."""
        ...

    async def remove_method(self, method_token: str) -> None:
        """Delete the method; one that is gone already is no error."""
        ...


class ChargeGateway(Protocol):
    """Taking money, and giving it back."""

    async def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Take money at once.

        Under a request key, the same request again returns the same transaction and takes nothing more; a gateway that
        takes no keys says so, and has done nothing.
        """
        ...

    async def void(self, transaction_id: str, request_key: str) -> ChargeAnswer:
        """Take back a sale that is not settled."""
        ...

    async def refund(
        self, transaction_id: str, amount_cents: int, request_key: str, *, uses_key: bool = True
    ) -> ChargeAnswer:
        """Give back money of a settled sale; the refund has `request_key` as its order id. Keys are as for `charge`."""
        ...

    async def find_transaction(self, transaction_id: str) -> Transaction | None:
        """Return the transaction, or None when the gateway has none."""
        ...

    async def find_by_order(self, order_id: str) -> list[Transaction]:
        """Return every transaction with the order id, oldest first."""
        ...


class GatewayRecords(Protocol):
    """What the gateway knows of a time, and what it tells us."""

    async def find_dispute(self, dispute_id: str) -> Dispute | None:
        """Return a dispute as it now stands, or None when the gateway has none."""
        ...

    def transactions_since(self, since: datetime, before: datetime | None = None) -> AsyncIterator[Transaction]:
        """Yield every transaction made since the instant, and before the other, of whatever customer."""
        ...

    def disputes_between(self, first: date, last: date) -> AsyncIterator[Dispute]:
        """Yield every dispute that was opened, or came into another state, on one of the days, the last included.

        The gateway's days are not the billing zone's: ask for one more at either end.
        """
        ...

    def read_webhook(self, signature: str, payload: str) -> WebhookEvent:
        """Return a webhook that the gateway signed.

        :raises WebhookForged: when it did not, or it cannot be read.
        """
        ...

    def answer_challenge(self, challenge: str) -> str:
        """Return what proves to the gateway that a webhook's address is ours.

        :raises WebhookForged: when the challenge has the wrong form.
        """
        ...


class PaymentGateway(Vault, ChargeGateway, GatewayRecords, Protocol):
    """Keeps payment methods and moves money. Reads raise `GatewayUnavailable`; what moves money answers instead.

    A call that moves money is never abandoned half way: when its caller is cancelled it still runs to its deadline.
    """


class MailSession(Protocol):
    """Sends mails one after the other, over one connection as long as that holds."""

    async def send(self, mail: Mail) -> MailAnswer:
        """Send one mail and return the server's answer; a server that does not answer is an answer too."""
        ...


class Mailer(Protocol):
    """Hands mails to a mail server."""

    def session(self) -> AbstractAsyncContextManager[MailSession]:
        """Open a session; nothing is connected to before the first mail."""
        ...


class NotificationForged(Exception):
    """A notification is not from whom it says; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__("The notification was not signed for us.")
        self.reason = reason


class NotificationUnchecked(ConnectionError):
    """Whether a notification is genuine cannot be told now: its certificate, or its sender, was not to be had."""


class MailNotifications(Protocol):
    """Reads what the provider of our mail server tells of mails that came back."""

    async def read(self, envelope: JsonObject) -> list[MailReport]:
        """Return what a notification reports; one that only asks whether it is wanted is answered, and reports nothing.

        :raises NotificationForged: when the provider did not sign it, or it is not for us.
        :raises NotificationUnchecked: when that cannot be told now.
        """
        ...


class PhoneCaller(Protocol):
    """Hands calls to the operator's system, which makes them; nothing of ours dials."""

    async def hand_over(self, task: CallTask) -> CallAnswer:
        """Hand over one call, once, within a deadline; whatever goes wrong on the way is an answer."""
        ...
