"""Braintree behind our own interface. Its SDK blocks, so each call has a thread, and money has threads of its own."""

from __future__ import annotations

import asyncio
import threading
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from app.domain.payment_gateway import AnswerKind, ChargeAnswer, GatewayUnavailable, VaultAnswer, WebhookForged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import date, datetime

    from app.domain.payment_gateway import (
        ChargeRequest,
        Transaction,
        VaultedMethod,
        VaultRequest,
        WebhookEvent,
    )
    from app.domain.refunds import Dispute
    from app.gateways.braintree_calls import Calls
    from app.gateways.braintree_config import BraintreeConfig

T = TypeVar("T")

MONEY_SLOTS, INTERACTIVE_SLOTS, READ_SLOTS = 8, 4, 8
LONGEST_QUEUE_SECONDS = 30.0
PAGE = 50


class BraintreeThreads:
    """The threads in which the SDK blocks: some for money, some for a customer who waits, some for reading."""

    def __init__(self, config: BraintreeConfig | Callable[[], BraintreeConfig]) -> None:
        self._config = config
        self._calls: Calls | None = None
        self._opening = threading.Lock()
        self._money_slots = anyio.CapacityLimiter(MONEY_SLOTS)
        self._interactive_slots = anyio.CapacityLimiter(INTERACTIVE_SLOTS)
        self._read_slots = anyio.CapacityLimiter(READ_SLOTS)
        self._money_threads = anyio.CapacityLimiter(MONEY_SLOTS + INTERACTIVE_SLOTS)
        self._running: set[asyncio.Task[object]] = set()

    async def warm_up(self) -> None:
        """Import and start what the first call would otherwise wait for.

        :raises GatewayUnavailable: when there is no gateway.
        """
        await self._read(lambda _calls: None)

    async def aclose(self) -> None:
        """Wait for what moves money still, then close the connections."""
        if self._running:
            await asyncio.wait(set(self._running))
        if self._calls is not None:
            self._calls.close()

    def _open(self) -> Calls:
        """Return the calls, made at the first time.

        :raises GatewayUnavailable: when there is no gateway.
        """
        with self._opening:
            if self._calls is None:
                from app.gateways.braintree_calls import Calls  # noqa: PLC0415  (the SDK takes a while to import)

                try:
                    config = self._config() if callable(self._config) else self._config
                except (OSError, RuntimeError) as error:
                    raise GatewayUnavailable(f"{type(error).__name__}: {error}") from error
                self._calls = Calls(config)
            return self._calls

    def _open_for_webhooks(self) -> Calls:
        try:
            return self._open()
        except GatewayUnavailable as error:
            raise WebhookForged(error.reason) from error

    def _forget_refused(self, calls: Calls) -> None:
        """Look for a gateway of this machine anew when nobody listened where it was."""
        if calls.was_refused and callable(self._config):
            with self._opening:
                if self._calls is calls:
                    self._calls = None

    def _use(self, work: Callable[[Calls], T]) -> T:
        calls = self._open()
        try:
            return work(calls)
        finally:
            self._forget_refused(calls)

    async def _read(self, work: Callable[[Calls], T]) -> T:
        return await anyio.to_thread.run_sync(self._use, work, limiter=self._read_slots, abandon_on_cancel=True)

    async def _move_money(self, work: Callable[[Calls], ChargeAnswer]) -> ChargeAnswer:
        return await self._unhurried(
            self._money_slots, work, lambda reason: ChargeAnswer(AnswerKind.NEVER_SENT, reason=reason)
        )

    async def _unhurried(
        self, slots: anyio.CapacityLimiter, work: Callable[[Calls], T], never_sent: Callable[[str], T]
    ) -> T:
        """Run to the end what must not be abandoned. Waiting for a slot can be: nothing is sent by then."""
        borrower = object()
        with anyio.move_on_after(LONGEST_QUEUE_SECONDS) as waiting:
            await slots.acquire_on_behalf_of(borrower)
        if waiting.cancelled_caught:
            return never_sent("no free slot")
        # A task of its own outlives its caller, so the slot is free only when the thread is.
        task = asyncio.get_running_loop().create_task(self._in_thread(work, never_sent))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _task: slots.release_on_behalf_of(borrower))
        with anyio.CancelScope(shield=True):
            await asyncio.wait({task})
        return task.result()

    async def _in_thread(self, work: Callable[[Calls], T], never_sent: Callable[[str], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(self._use, work, limiter=self._money_threads)
        except GatewayUnavailable as error:
            return never_sent(error.reason)


class BraintreeVault(BraintreeThreads):
    """Payment methods in Braintree's vault."""

    async def form_token(self) -> str:
        """Return a token for the payment form of a browser or a phone; it names no customer.

        :raises GatewayUnavailable: when the gateway cannot be asked.
        """
        return await self._read(lambda calls: calls.form_token())

    async def vault(self, request: VaultRequest) -> VaultAnswer:
        """Verify a method and keep it under the token given; the customer is made when it is new."""
        return await self._unhurried(
            self._interactive_slots,
            lambda calls: calls.vault(request),
            lambda reason: VaultAnswer(AnswerKind.NEVER_SENT, reason=reason),
        )

    async def find_method(self, method_token: str) -> VaultedMethod | None:
        """Return the method with the token, or None when the vault has none.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        return await self._read(lambda calls: calls.find_method(method_token))

    async def list_methods(self, customer_id: str) -> list[VaultedMethod]:
        """Return every method of the customer, none when the vault does not know it.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        return await self._read(lambda calls: calls.list_methods(customer_id))

    async def make_default(self, method_token: str) -> bool:
        """Make the method its customer's default, and return whether the vault has it.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        return await self._read(lambda calls: calls.make_default(method_token))

    async def remove_method(self, method_token: str) -> None:
        """Delete the method; one that is gone already is no error.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        await self._read(lambda calls: calls.remove_method(method_token))


class BraintreeCharges(BraintreeThreads):
    """Sales, voids and refunds."""

    async def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Take money at once. The same request again returns the same transaction, where the gateway takes keys."""
        return await self._move_money(lambda calls: calls.charge(request))

    async def void(self, transaction_id: str, request_key: str) -> ChargeAnswer:
        """Take back a sale that is not settled; one that was taken back already is DONE."""
        return await self._move_money(lambda calls: calls.void(transaction_id, request_key))

    async def refund(
        self, transaction_id: str, amount_cents: int, request_key: str, *, uses_key: bool = True
    ) -> ChargeAnswer:
        """Give back money of a settled sale; the refund carries `request_key` as its order id."""
        return await self._move_money(
            lambda calls: calls.refund(transaction_id, amount_cents, request_key, uses_key=uses_key)
        )

    async def find_transaction(self, transaction_id: str) -> Transaction | None:
        """Return the transaction, or None when the gateway has none.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        return await self._read(lambda calls: calls.find_transaction(transaction_id))

    async def find_by_order(self, order_id: str) -> list[Transaction]:
        """Return every transaction with the order id, oldest first.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        return await self._read(lambda calls: calls.find_by_order(order_id))


class BraintreeRecords(BraintreeThreads):
    """What Braintree knows of a time, and what it tells us."""

    async def find_dispute(self, dispute_id: str) -> Dispute | None:
        """Return a dispute as it now stands, or None when the gateway has none.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        return await self._read(lambda calls: calls.find_dispute(dispute_id))

    async def transactions_since(self, since: datetime, before: datetime | None = None) -> AsyncIterator[Transaction]:
        """Yield every transaction made since the instant, and before the other, of whatever customer.

        :raises GatewayUnavailable: when the gateway cannot be asked, answers nonsense, or has more than it would list.
        """
        found = await self._read(lambda calls: calls.transactions_since(since, before))
        async for transaction in self._pages(found):
            yield transaction

    async def disputes_between(self, first: date, last: date) -> AsyncIterator[Dispute]:
        """Yield every dispute that a status took effect of on one of the days, the last included.

        :raises GatewayUnavailable: when the gateway cannot be asked, or answers nonsense.
        """
        async for dispute in self._pages(await self._read(lambda calls: calls.disputes_between(first, last))):
            yield dispute

    def read_webhook(self, signature: str, payload: str) -> WebhookEvent:
        """Return a webhook that the gateway signed.

        :raises WebhookForged: when it did not, or it cannot be read.
        """
        return self._open_for_webhooks().read_webhook(signature, payload)

    def answer_challenge(self, challenge: str) -> str:
        """Return what proves to the gateway that a webhook's address is ours.

        :raises WebhookForged: when the challenge has the wrong form.
        """
        return self._open_for_webhooks().answer_challenge(challenge)

    async def _pages(self, found: Iterator[T]) -> AsyncIterator[T]:
        while page := await self._read(lambda _calls: list(islice(found, PAGE))):
            for each in page:
                yield each


class BraintreePayments(BraintreeVault, BraintreeCharges, BraintreeRecords):
    """The payment gateway that Braintree is. Nothing is imported, started or connected to before the first use.

    A configuration may be given as a function: it is called in a thread at first use, and again after a connection
    was refused, so that a gateway of this machine is started when it is wanted.
    """
