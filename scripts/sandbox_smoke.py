"""Ask Braintree's real sandbox what no document says, and print a table of answers.

Run it as `python -m scripts.sandbox_smoke` with FLEX_BRAINTREE_MERCHANT_ID, FLEX_BRAINTREE_PUBLIC_KEY and
FLEX_BRAINTREE_PRIVATE_KEY of a sandbox account in the environment. It makes a customer, a few sales of some dollars
in play money, and deletes the customer at the end.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from app.gateways.braintree_config import BraintreeConfig

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = ("FLEX_BRAINTREE_MERCHANT_ID", "FLEX_BRAINTREE_PUBLIC_KEY", "FLEX_BRAINTREE_PRIVATE_KEY")
GIVES_UP_SECONDS = 120.0
NONE_SET = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One question and what the gateway had to say."""

    question: str
    answer: str


class Smoke:
    """Asks one question after the other; a question that fails is answered by its failure."""

    def __init__(self, gateway: Any, search: Any) -> None:
        self._gateway = gateway
        self._search = search
        self._run = f"smoke-{token_hex(4)}"
        self._numbers = count(1)
        self.findings: list[Finding] = []

    def ask_everything(self) -> list[Finding]:
        """Return every finding, in the order of the questions."""
        self._gateway.customer.create({"id": self._run, "company": "Smoke"})
        try:
            self._ask("Does the vault keep a test card under a token of ours?", self._vault)
            self._ask("Is api_request_key enabled, and does a replay take nothing more?", self._request_key)
            self._ask("What does a replay of a declined sale answer?", self._declined_key)
            self._ask("What does the key with another amount answer?", self._other_amount)
            self._ask("How long until a search by order_id finds a sale?", self._search_lag)
            self._ask("Is the same order at once, without a key, rejected as a duplicate?", self._duplicate)
            self._ask("Does verification.create use up its nonce?", self._verification_nonce)
            self._ask("What becomes of a sale on a nonce for a declined card?", self._declined_nonce)
            self._ask("What does a refund before settlement answer?", self._early_refund)
            self._ask("Does PayPal's test agreement vault, and its one-time nonce not?", self._paypal)
        finally:
            self._gateway.customer.delete(self._run)
        self.findings.append(
            Finding("How often are webhooks sent again?", "only an endpoint of yours can tell: answer 500 and count")
        )
        return self.findings

    def _ask(self, question: str, look: Callable[[], str]) -> None:
        try:
            answer = look()
        except Exception as error:  # noqa: BLE001  (whatever fails is the answer)
            answer = f"failed: {type(error).__name__}: {error}"
        self.findings.append(Finding(question, answer))

    def _vault(self) -> str:
        result = self._gateway.payment_method.create(
            {
                "customer_id": self._run,
                "token": self._run,
                "payment_method_nonce": "fake-valid-visa-nonce",
                "options": {"verify_card": True},
            }
        )
        found = result.payment_method
        check = found.verification
        return f"token {found.token == self._run}, {check.status}, CVV {check.cvv_response_code}"

    def _sale(self, amount: str, **more: str) -> Any:
        params: dict[str, Any] = {"amount": amount, "options": {"submit_for_settlement": True}, **more}
        if "payment_method_nonce" not in more:
            params["payment_method_token"] = self._run
        return self._gateway.transaction.sale(params)

    def _key(self) -> str:
        return f"{self._run}-{next(self._numbers)}"

    def _request_key(self) -> str:
        key = self._key()
        first, second = (self._sale("11.00", order_id=key, api_request_key=key) for _ in range(2))
        if not first.is_success:
            return f"no: {told(first)}"
        same = second.is_success and second.transaction.id == first.transaction.id
        return "yes, the same transaction" if same else f"the second: {told(second)}"

    def _declined_key(self) -> str:
        key = self._key()
        first, second = (self._sale("2000.00", order_id=key, api_request_key=key) for _ in range(2))
        return f"first {told(first)}; second {told(second)}; same transaction: {same_transaction(first, second)}"

    def _other_amount(self) -> str:
        key = self._key()
        self._sale("12.00", order_id=key, api_request_key=key)
        return told(self._sale("12.01", order_id=key, api_request_key=key))

    def _search_lag(self) -> str:
        key = self._key()
        sold = self._sale("13.00", order_id=key).transaction.id
        began = time.monotonic()
        while (waited := time.monotonic() - began) < GIVES_UP_SECONDS:
            if sold in {each.id for each in self._gateway.transaction.search(self._search.order_id == key)}:
                return f"{waited:.1f} s"
            time.sleep(0.5)
        return f"not within {GIVES_UP_SECONDS:.0f} s"

    def _duplicate(self) -> str:
        key = self._key()
        self._sale("14.00", order_id=key)
        return told(self._sale("14.00", order_id=key))

    def _verification_nonce(self) -> str:
        nonce = self._gateway.payment_method_nonce.create(self._run).payment_method_nonce.nonce
        self._gateway.verification.create({"payment_method_nonce": nonce})
        return f"a sale with it afterwards: {told(self._sale('15.00', payment_method_nonce=nonce))}"

    def _declined_nonce(self) -> str:
        return told(self._sale("16.00", payment_method_nonce="fake-processor-declined-visa-nonce"))

    def _early_refund(self) -> str:
        sold = self._sale("17.00", order_id=self._key()).transaction.id
        return told(self._gateway.transaction.refund(sold, "1.00"))

    def _paypal(self) -> str:
        nonces = ("fake-paypal-billing-agreement-nonce", "fake-paypal-one-time-nonce")
        results = [
            self._gateway.payment_method.create({"customer_id": self._run, "payment_method_nonce": nonce})
            for nonce in nonces
        ]
        return "; ".join(told(each) for each in results)


def told(result: Any) -> str:
    """Return a result in a few words: its status, or the codes of its errors."""
    if result is None:
        return "an empty answer"
    transaction = getattr(result, "transaction", None)
    if transaction is not None:
        more = getattr(transaction, "gateway_rejection_reason", None) or transaction.processor_response_code
        return f"{transaction.status} ({more})"
    if result.is_success:
        return "success"
    return "refused: " + ",".join(each.code for each in result.errors.deep_errors)


def same_transaction(first: Any, second: Any) -> bool:
    """Tell whether two results are about one transaction."""
    ids = {getattr(getattr(each, "transaction", None), "id", None) for each in (first, second)}
    return len(ids) == 1 and None not in ids


def print_table(findings: list[Finding]) -> None:
    """Print questions and answers side by side."""
    width = max(len(each.question) for each in findings)
    for each in findings:
        print(f"{each.question:<{width}}  {each.answer}")


def main() -> None:
    """Ask everything of the account in the environment."""
    missing = [name for name in KEYS if not os.environ.get(name)]
    if missing:
        print(f"Nothing was asked: set {', '.join(missing)} to the keys of a Braintree sandbox.", file=sys.stderr)
        sys.exit(NONE_SET)
    if os.environ.get("FLEX_BRAINTREE_ENVIRONMENT", "sandbox") != "sandbox":
        print("Nothing was asked: this moves money, and runs on Braintree's sandbox alone.", file=sys.stderr)
        sys.exit(NONE_SET)
    from app.gateways.braintree_sdk import open_gateway, sdk  # noqa: PLC0415  (a refusal need not wait for it)

    merchant_id, public_key, private_key = (os.environ[name] for name in KEYS)
    config = BraintreeConfig(
        environment="sandbox", merchant_id=merchant_id, public_key=public_key, private_key=private_key
    )
    print_table(Smoke(open_gateway(config, config.money_timeout), sdk.TransactionSearch).ask_everything())


if __name__ == "__main__":
    main()
