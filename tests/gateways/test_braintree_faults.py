"""What the adapter says when the gateway breaks: never a decline that is none, and never money twice (rule 31).

Each fault strikes before the gateway has done its part or after it. The answer must leave the matter open, and asking
again, or looking, must settle it by the gateway's own ledger.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.domain.payment_gateway import AnswerKind, GatewayUnavailable, TransactionStatus
from app.gateways.braintree import BraintreePayments
from tests.command_line import free_port
from tests.gateway import HASTE
from tests.gateways.test_braintree import a_charge, a_method

AMOUNT = 4_967_70
FAULTS = {
    "reset": {"action": "reset"},
    "close": {"action": "close"},
    "hang": {"action": "hang", "seconds": 2 * HASTE[1]},
    "truncated": {"action": "truncate"},
    "empty": {"action": "empty"},
    "garbage": {"action": "garbage"},
    "another document": {"action": "other"},
    "unprocessable": {"action": "unprocessable"},
    **{str(status): {"action": "status", "status": status} for status in (400, 408, 429, 500, 502, 503, 504)},
}

every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
before_and_after = pytest.mark.parametrize("when", ["before", "after"])


@pytest.fixture
async def payments(gateway) -> BraintreePayments:
    """An adapter to a gateway that knows a card as `pm_1`."""
    adapter = gateway.payments()
    assert (await adapter.vault(a_method())).kind is AnswerKind.DONE
    return adapter


@pytest.fixture
def in_haste(gateway) -> BraintreePayments:
    """An adapter that does not wait for money to move."""
    return gateway.hasty_payments()


@every_fault
@before_and_after
class TestEveryFault:
    async def test_of_a_sale_with_request_keys(self, gateway, payments, in_haste, fault, when):
        gateway.faults({"match": "sale", "when": when, **fault})
        assert (await in_haste.charge(a_charge())).kind is AnswerKind.UNKNOWN
        await gateway.until_idle()
        assert gateway.captured("att_1") == ((0, 0) if when == "before" else (1, AMOUNT))
        assert (await payments.charge(a_charge())).kind is AnswerKind.DONE
        assert gateway.captured("att_1") == (1, AMOUNT)

    @pytest.mark.parametrize("window", [0, 30])
    async def test_of_a_sale_without_request_keys(self, gateway, payments, in_haste, fault, when, window):
        gateway.settings(request_keys=False, duplicate_window_seconds=window)
        gateway.faults({"match": "sale", "when": when, **fault})
        assert (await in_haste.charge(a_charge(uses_key=False))).kind is AnswerKind.UNKNOWN
        await gateway.until_idle()
        found = await payments.find_by_order("att_1")
        assert (len(found), gateway.captured("att_1")[0]) == ((0, 0) if when == "before" else (1, 1))
        if not found:
            assert (await payments.charge(a_charge(uses_key=False))).kind is AnswerKind.DONE
        assert gateway.captured("att_1") == (1, AMOUNT)

    async def test_of_an_addition(self, gateway, payments, in_haste, fault, when):
        gateway.faults({"match": "vault", "when": when, **fault})
        assert (await in_haste.vault(a_method("pm_2", "fake-valid-mastercard-nonce"))).kind is AnswerKind.UNKNOWN
        await gateway.until_idle()
        assert (await payments.find_method("pm_2") is None) == (when == "before")
        assert (await payments.vault(a_method("pm_2", "fake-valid-mastercard-nonce"))).kind is AnswerKind.DONE
        assert len(await payments.list_methods("acc_1")) == 2

    async def test_of_a_refund(self, gateway, payments, in_haste, fault, when):
        sale = (await payments.charge(a_charge())).transaction
        gateway.settle(sale.id)
        gateway.faults({"match": "refund", "when": when, **fault})
        assert (await in_haste.refund(sale.id, 1_000, "ref_1")).kind is AnswerKind.UNKNOWN
        await gateway.until_idle()
        assert gateway.ledger()["att_1"]["refunded_cents"] == (0 if when == "before" else 1_000)
        assert (await payments.refund(sale.id, 1_000, "ref_1")).kind is AnswerKind.DONE
        assert gateway.ledger()["att_1"]["refunded_cents"] == 1_000

    @pytest.mark.parametrize("has_keys", [True, False])
    async def test_of_a_void(self, gateway, payments, in_haste, fault, when, has_keys):
        gateway.settings(request_keys=has_keys)
        sale = (await payments.charge(a_charge(uses_key=has_keys))).transaction
        gateway.faults({"match": "void", "when": when, **fault})
        assert (await in_haste.void(sale.id, "void_1")).kind is AnswerKind.UNKNOWN
        await gateway.until_idle()
        assert (await payments.void(sale.id, "void_1")).kind is AnswerKind.DONE
        assert (await payments.find_transaction(sale.id)).status is TransactionStatus.VOIDED
        assert gateway.captured("att_1") == (0, 0)


@every_fault
class TestReads:
    @pytest.fixture
    def payments(self, gateway, payments) -> BraintreePayments:
        """An adapter that does not wait for what it reads."""
        return gateway.payments(read_timeout=HASTE)

    async def test_a_broken_answer_is_no_absence(self, gateway, payments, fault):
        gateway.faults({"match": "find_method", **fault})
        with pytest.raises(GatewayUnavailable):
            await payments.find_method("pm_1")
        gateway.faults({"match": "find_transaction", **fault})
        with pytest.raises(GatewayUnavailable):
            await payments.find_transaction("any")
        gateway.faults({"match": "find_customer", **fault})
        with pytest.raises(GatewayUnavailable):
            await payments.list_methods("acc_1")

    @pytest.mark.parametrize("request_of_search", ["search_ids", "search"])
    async def test_a_broken_search_has_not_found_nothing(self, gateway, payments, fault, request_of_search):
        await payments.charge(a_charge())
        gateway.faults({"match": request_of_search, **fault})
        with pytest.raises(GatewayUnavailable):
            await payments.find_by_order("att_1")

    async def test_a_broken_look_at_the_customer_adds_nothing(self, gateway, payments, fault):
        gateway.faults({"match": "find_customer", **fault})
        assert (await payments.vault(a_method("pm_2"))).kind is AnswerKind.NEVER_SENT
        assert await gateway.payments().find_method("pm_2") is None


class TestLateness:
    async def test_a_request_still_in_flight_is_waited_for(self, gateway, payments):
        gateway.faults({"match": "sale", "when": "late", "action": "close", "late_seconds": 1.5})
        assert (await payments.charge(a_charge())).kind is AnswerKind.UNKNOWN
        early = await payments.charge(a_charge())
        assert (early.kind, early.reason) == (AnswerKind.UNKNOWN, "refused: 915233")
        assert await payments.find_by_order("att_1") == []
        await gateway.until_idle()
        assert (await payments.charge(a_charge())).kind is AnswerKind.DONE
        assert gateway.captured("att_1") == (1, AMOUNT)

    async def test_a_slow_answer_in_time_is_an_answer(self, gateway, payments):
        gateway.faults({"match": "sale", "when": "after", "action": "slow", "seconds": 0.1})
        assert (await payments.charge(a_charge())).kind is AnswerKind.DONE

    async def test_a_first_customer_made_without_an_answer_does_not_stop_the_next_attempt(self, gateway):
        payments = gateway.payments()
        gateway.faults({"match": "create_customer", "when": "after", "action": "reset"})
        assert (await payments.vault(a_method())).kind is AnswerKind.NEVER_SENT
        assert (await payments.vault(a_method())).kind is AnswerKind.DONE


class TestDefiniteFailures:
    async def test_where_nobody_listens_nothing_was_sent(self, gateway):
        payments = gateway.payments(port=free_port())
        assert (await payments.charge(a_charge())).kind is AnswerKind.NEVER_SENT
        assert (await payments.vault(a_method())).kind is AnswerKind.NEVER_SENT
        assert (await payments.void("t", "void_1")).kind is AnswerKind.NEVER_SENT
        with pytest.raises(GatewayUnavailable) as unavailable:
            await payments.find_method("pm_1")
        assert "nothing was charged" in str(unavailable.value)

    async def test_a_gateway_that_cannot_be_had_is_a_sentence_not_a_fault(self):
        def locate():
            raise OSError("no such folder")

        payments = BraintreePayments(locate)
        assert (await payments.charge(a_charge())).kind is AnswerKind.NEVER_SENT
        with pytest.raises(GatewayUnavailable):
            await payments.warm_up()

    @pytest.mark.parametrize(("part", "value"), [("private_key", "wrong"), ("merchant_id", "somebody_else")])
    async def test_a_wrong_key_is_refused(self, gateway, part, value):
        payments = gateway.payments(**{part: value})
        assert (await payments.charge(a_charge())).kind is AnswerKind.REFUSED
        with pytest.raises(GatewayUnavailable):
            await payments.form_token()

    @pytest.mark.parametrize("status", [401, 403, 404, 426])
    async def test_a_refusal_before_anything_is_done_is_definite(self, gateway, payments, status):
        gateway.faults({"match": "sale", "action": "status", "status": status})
        assert (await payments.charge(a_charge())).kind is AnswerKind.REFUSED

    async def test_nobody_is_led_elsewhere(self, gateway):
        asked = []

        class Elsewhere(BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(self.path)
                self.send_response(307)
                self.send_header("Location", gateway.url + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            answer = await gateway.payments(port=server.server_address[1]).charge(a_charge())
            server.shutdown()
        assert (answer.kind, len(asked)) == (AnswerKind.UNKNOWN, 1)
        assert gateway.captured("att_1") == (0, 0)
