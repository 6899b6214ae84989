"""The calls to Braintree themselves, blocking: what is asked in our words becomes the SDK's, and its answers ours."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from app.domain.payment_gateway import (
    AnswerKind,
    ChargeAnswer,
    ChargeReason,
    GatewayUnavailable,
    TransactionStatus,
    VaultAnswer,
    VaultRefusal,
    WebhookForged,
)
from app.gateways.braintree_answers import (
    KEY_NOT_ALLOWED,
    NOT_VOIDABLE,
    TOKEN_IN_USE,
    Asked,
    charge_answer,
    codes_of,
    vault_answer,
    webhook_event_of,
)
from app.gateways.braintree_failures import is_absence, sort_failure
from app.gateways.braintree_sdk import open_gateway, sdk
from app.gateways.braintree_values import amount_text, dispute_of, method_of, transaction_of, verification_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from app.domain.payment_gateway import (
        ChargeRequest,
        Customer,
        Transaction,
        VaultedMethod,
        VaultRequest,
        WebhookEvent,
    )
    from app.domain.refunds import Dispute
    from app.gateways.braintree_config import BraintreeConfig

T = TypeVar("T")

LONGEST_NAME, LONGEST_DEVICE_DATA = 255, 10_000
MOST_FOUND = 50_000
"""How many transactions a search lists at most; what is beyond would be missed in silence."""

SHORTEST_SPAN = timedelta(seconds=2)
"""A search goes by whole seconds, so a shorter span is not halved."""

_NONCE = re.compile(r"[!-~]{1,255}")

_SOURCES = {
    ChargeReason.FIRST: "recurring_first",
    ChargeReason.RECURRING: "recurring",
    ChargeReason.UNSCHEDULED: "unscheduled",
}


class BaseCalls:
    """One open SDK gateway, and how its answers and failures are sorted."""

    def __init__(self, config: BraintreeConfig) -> None:
        self._money = open_gateway(config, config.money_timeout)
        self._reads = open_gateway(config, config.read_timeout)
        self.was_refused = False

    def close(self) -> None:
        """Close the connections."""
        self._money.config.close()
        self._reads.config.close()

    def _sent(self, send: Callable[[], Any]) -> tuple[Any, tuple[AnswerKind, str] | None]:
        """Return what the SDK returned, or what its failure means."""
        try:
            return send(), None
        except Exception as error:  # noqa: BLE001  (whatever it raises, the money may have moved)
            return None, self._sort(error)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """Return an answer to a question.

        :raises GatewayUnavailable: whatever else happens.
        """
        try:
            return ask()
        except Exception as error:
            raise GatewayUnavailable(self._sort(error)[1]) from error

    def _found(self, ask: Callable[[], Any]) -> Any | None:
        """Return an answer, or None when the gateway says that there is no such thing."""
        try:
            return ask()
        except Exception as error:
            if is_absence(error):
                return None
            raise GatewayUnavailable(self._sort(error)[1]) from error

    def _sort(self, error: Exception) -> tuple[AnswerKind, str]:
        kind, reason = sort_failure(error)
        self.was_refused = self.was_refused or kind is AnswerKind.NEVER_SENT
        return kind, reason


class VaultCalls(BaseCalls):
    """Payment methods in the vault."""

    def form_token(self) -> str:
        """Return a client token."""
        return str(self._asked(lambda: self._reads.client_token.generate({})))

    def vault(self, request: VaultRequest) -> VaultAnswer:
        """Verify and keep a method; an answer that is not definite is UNKNOWN, and `find_method` tells."""
        if not _NONCE.fullmatch(request.nonce):
            return VaultAnswer(AnswerKind.REFUSED, refusal=VaultRefusal.NONCE_UNKNOWN, reason="malformed nonce")
        try:
            self._make_customer(request.customer)
        except GatewayUnavailable as error:
            return VaultAnswer(AnswerKind.NEVER_SENT, reason=error.reason)
        result, failure = self._sent(lambda: self._money.payment_method.create(_vault_params(request)))
        if failure is not None:
            return VaultAnswer(failure[0], reason=failure[1])
        if TOKEN_IN_USE & set(codes_of(result)):
            return self._match(request)
        return vault_answer(result, request.method_token)

    def _make_customer(self, customer: Customer) -> None:
        """Make the customer unless the vault has it; nothing secret is sent before that is certain."""
        if self._found(lambda: self._reads.customer.find(customer.id)) is None:
            name = _clean(customer.name)
            result = self._asked(lambda: self._money.customer.create({"id": customer.id, "company": name}))
            codes = codes_of(result)
            if result is None or not (result.is_success or "91609" in codes):
                raise GatewayUnavailable(f"no customer: {','.join(codes) or 'empty answer'}")

    def _match(self, request: VaultRequest) -> VaultAnswer:
        """Return the method that an earlier request with the same token has made."""
        try:
            found = self._found(lambda: self._reads.payment_method.find(request.method_token))
            method = None if found is None else method_of(found)
        except GatewayUnavailable as error:
            return VaultAnswer(AnswerKind.UNKNOWN, reason=error.reason)
        if method is None or method.customer_id != request.customer.id:
            return VaultAnswer(AnswerKind.UNKNOWN, reason="the token is another customer's")
        return VaultAnswer(AnswerKind.DONE, method, verification_of(getattr(found, "verification", None)))

    def find_method(self, method_token: str) -> VaultedMethod | None:
        """Return a method of a kind that we know."""
        found = self._found(lambda: self._reads.payment_method.find(method_token))
        method = None if found is None else self._asked(lambda: method_of(found))
        if found is not None and method is None:
            raise GatewayUnavailable(f"a method of kind {type(found).__name__}")
        return method

    def list_methods(self, customer_id: str) -> list[VaultedMethod]:
        """Return the customer's methods of kinds that we know."""
        found = self._found(lambda: self._reads.customer.find(customer_id))
        if found is None:
            return []
        methods: list[VaultedMethod | None] = self._asked(lambda: [method_of(each) for each in found.payment_methods])
        return [method for method in methods if method is not None]

    def make_default(self, method_token: str) -> bool:
        """Mirror our default."""
        params = {"options": {"make_default": True}}
        result = self._found(lambda: self._reads.payment_method.update(method_token, params))
        if result is None:
            return False
        if not result.is_success or getattr(result.payment_method, "token", None) != method_token:
            raise GatewayUnavailable(f"not made default: {','.join(codes_of(result))}")
        return True

    def remove_method(self, method_token: str) -> None:
        """Delete a method."""
        self._found(lambda: self._reads.payment_method.delete(method_token))


class ChargeCalls(BaseCalls):
    """Sales, voids and refunds."""

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Sell under the attempt's id."""
        return self._send_money(
            lambda key: self._money.transaction.sale(_sale_params(request) | key),
            request.attempt_id if request.uses_key else None,
            asked=Asked(request.attempt_id, request.amount_cents),
        )

    def void(self, transaction_id: str, request_key: str) -> ChargeAnswer:
        """Void; that is the same however often it is done."""
        answer = self._send_money(lambda key: self._money.transaction.void(transaction_id, key), request_key)
        if answer.keys_refused:
            answer = self._send_money(lambda key: self._money.transaction.void(transaction_id, key), None)
        if answer.kind is AnswerKind.REFUSED and NOT_VOIDABLE in answer.reason:
            try:
                found = self.find_transaction(transaction_id)
            except GatewayUnavailable as error:
                return ChargeAnswer(AnswerKind.UNKNOWN, reason=error.reason)
            if found is not None and found.status is TransactionStatus.VOIDED:
                return ChargeAnswer(AnswerKind.DONE, found, reason="voided before")
        return answer

    def refund(self, transaction_id: str, amount_cents: int, request_key: str, *, uses_key: bool) -> ChargeAnswer:
        """Refund under the request key's name."""
        params = {"amount": amount_text(amount_cents), "order_id": request_key}
        return self._send_money(
            lambda key: self._money.transaction.refund(transaction_id, params | key),
            request_key if uses_key else None,
            asked=Asked(request_key, amount_cents),
        )

    def _send_money(
        self, send: Callable[[dict[str, str]], Any], request_key: str | None, *, asked: Asked | None = None
    ) -> ChargeAnswer:
        """Send, under a request key where there is one; a gateway that takes none has done nothing."""
        result, failure = self._sent(lambda: send({} if request_key is None else {"api_request_key": request_key}))
        if failure is not None:
            return ChargeAnswer(failure[0], reason=failure[1])
        if request_key is not None and KEY_NOT_ALLOWED in codes_of(result):
            return ChargeAnswer(AnswerKind.REFUSED, reason="request keys are not enabled", keys_refused=True)
        return charge_answer(result, asked)

    def find_transaction(self, transaction_id: str) -> Transaction | None:
        """Return a transaction."""
        found = self._found(lambda: self._reads.transaction.find(transaction_id))
        return None if found is None else self._asked(lambda: transaction_of(found))

    def find_by_order(self, order_id: str) -> list[Transaction]:
        """Search by order id; the search is exact, and what it finds is checked again."""
        criterion = sdk.TransactionSearch.order_id == order_id
        found = self._asked(lambda: [transaction_of(each) for each in self._reads.transaction.search(criterion)])
        found.reverse()  # the newest comes first, also among those of one second
        return sorted((each for each in found if each.order_id == order_id), key=lambda each: each.created_at)


class RecordCalls(BaseCalls):
    """Transactions and disputes of a time, and webhooks."""

    def find_dispute(self, dispute_id: str) -> Dispute | None:
        """Return a dispute."""
        found = self._found(lambda: self._reads.dispute.find(dispute_id))
        return None if found is None else self._asked(lambda: dispute_of(found))

    def transactions_since(self, since: datetime, before: datetime | None = None) -> Iterator[Transaction]:
        """Search by time; each page is asked for when it is wanted. A span with too many is searched half by half."""
        from_at, until = since.astimezone(UTC), None if before is None else before.astimezone(UTC)
        created_at = sdk.TransactionSearch.created_at
        criterion = created_at >= from_at if until is None else created_at.between(from_at, until)
        found = self._asked(lambda: self._reads.transaction.search(criterion))
        if found.maximum_size < MOST_FOUND:
            # The search includes its last second, which is not asked for.
            pages = self._pages(iter(found.items), transaction_of)
            return (each for each in pages if until is None or from_at <= each.created_at < until)
        if until is None or until - from_at <= SHORTEST_SPAN:
            raise GatewayUnavailable(f"more than {MOST_FOUND} transactions since {since.isoformat()}")
        middle = (from_at + (until - from_at) / 2).replace(microsecond=0)
        return chain(self.transactions_since(from_at, middle), self.transactions_since(middle, until))

    def disputes_between(self, first: date, last: date) -> Iterator[Dispute]:
        """Search by the days on which a status took effect; each page is asked for when it is wanted."""
        criterion = sdk.DisputeSearch.effective_date.between(first, last)
        found = self._asked(lambda: self._reads.dispute.search(criterion))
        return self._pages(iter(found.disputes.items), dispute_of)

    def _pages(self, found: Iterator[Any], convert: Callable[[Any], T]) -> Iterator[T]:
        while (each := self._asked(lambda: next(found, None))) is not None:
            yield self._asked(lambda each=each: convert(each))  # type: ignore[misc]

    def read_webhook(self, signature: str, payload: str) -> WebhookEvent:
        """Check and read a webhook.

        :raises WebhookForged: when anything about it is wrong.
        """
        try:
            return webhook_event_of(self._reads.webhook_notification.parse(signature, payload))
        except Exception as error:
            raise WebhookForged(f"{type(error).__name__}: {error}") from error

    def answer_challenge(self, challenge: str) -> str:
        """Sign a challenge.

        :raises WebhookForged: when it has the wrong form.
        """
        try:
            return str(self._reads.webhook_notification.verify(challenge))
        except Exception as error:
            raise WebhookForged(f"{type(error).__name__}: {error}") from error


class Calls(VaultCalls, ChargeCalls, RecordCalls):
    """One SDK gateway for money, which may take its time, and one for reads, which may not."""


def _sale_params(request: ChargeRequest) -> dict[str, Any]:
    """Return a fresh dictionary, for the SDK changes what it is given."""
    return {
        "amount": amount_text(request.amount_cents),
        "order_id": request.attempt_id,
        "customer_id": request.customer_id,
        "payment_method_token": request.method_token,
        "transaction_source": _SOURCES[request.reason],
        "options": {"submit_for_settlement": True},
    }


def _vault_params(request: VaultRequest) -> dict[str, Any]:
    params: dict[str, Any] = {
        "customer_id": request.customer.id,
        "token": request.method_token,
        "payment_method_nonce": request.nonce,
        # Duplicates are ours to find: a card that is renewed has the number of the one that it takes the place of.
        "options": {"verify_card": True},
    }
    if request.device_data is not None:
        params["device_data"] = _clean(request.device_data, LONGEST_DEVICE_DATA)
    if request.address is not None:
        parts = {
            "street_address": request.address.street,
            "postal_code": request.address.postal_code,
            "country_code_alpha2": (request.address.country_code or "").upper(),
        }
        params["billing_address"] = {name: _clean(part) for name, part in parts.items() if part}
    return params


def _clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text without what XML cannot carry: control characters, halves of characters, and none at all."""
    return "".join(each for each in text if unicodedata.category(each) not in {"Cc", "Cs", "Cn"})[:longest]
