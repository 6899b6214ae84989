"""The gateway over HTTP: who may ask, what is refused, and what it keeps for itself."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading

import pytest

from app.domain.payment_gateway import AnswerKind, Customer, VaultRequest
from app.sandbox.braintree_gateway.server import GatewayServer
from app.sandbox.braintree_gateway.store import Store, StoreTaken
from tests.gateway import START, GatewayClock, LocalGateway
from tests.gateways.test_braintree import a_charge, a_method

MERCHANT = "/merchants/integration_merchant_id"
JSON = {"Content-Type": "application/json"}


def asked(gateway, verb, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    try:
        connection.request(verb, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class TestDoor:
    def test_the_merchant_needs_the_keys(self, gateway):
        assert asked(gateway, "GET", f"{MERCHANT}/customers/a")[0] == 401
        assert asked(gateway, "GET", "/merchants/another/customers/a")[0] == 401

    @pytest.mark.parametrize("host", ["billing.example", "127.0.0.1.example:80", ""])
    def test_other_names_for_this_machine_are_refused(self, gateway, host):
        assert asked(gateway, "GET", "/__emulator/health", headers={"Host": host})[0] == 403

    def test_a_page_in_a_browser_cannot_administer(self, gateway):
        assert asked(gateway, "POST", "/__emulator/reset", "{}", {"Content-Type": "text/plain"})[0] == 415

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("nothing-like-it", "{}"),
            ("settings", '{"unknown": 1}'),
            ("faults", '{"faults": [{"action": "explode"}]}'),
            ("faults", '{"faults": [{"unknown": 1}]}'),
            ("dispute", '{"transaction_id": "never"}'),
            ("dispute", '{"transaction_id": "never", "status": "forgotten"}'),
            ("revoke", "{}"),
            ("nonces", '{"number": "4111111111111112"}'),
            ("nonces", '{"number": "4242424242424242", "expiration_date": "12/2030"}'),
            ("nonces", '{"number": "4111111111111111", "expiration_date": "13/2030"}'),
            ("deliver", "{}"),
            ("settings", "not JSON"),
        ],
    )
    def test_what_cannot_be_done_is_a_sentence(self, gateway, path, body):
        status, content = asked(gateway, "POST", f"/__emulator/{path}", body, JSON)
        assert (status, bool(json.loads(content)["error"])) == (422, True)

    def test_too_large_a_body_is_a_fault(self, gateway, caplog):
        assert asked(gateway, "POST", f"{MERCHANT}/customers", headers={"Content-Length": "9999999"})[0] == 500


class TestBrowser:
    def test_a_documented_number_becomes_a_nonce(self, gateway):
        card = {"number": "4111111111111111", "expirationMonth": "12", "expirationYear": "2030", "cvv": "123"}
        path = f"{MERCHANT}/client_api/v1/payment_methods/credit_cards"
        status, content = asked(gateway, "POST", path, json.dumps({"credit_card": card}), JSON)
        made = json.loads(content)["creditCards"][0]
        assert (status, made["details"]["lastFour"], made["details"]["cardType"]) == (201, "1111", "Visa")
        assert asked(gateway, "POST", path, "[]", JSON)[0] == 422
        for number in ("4242424242424242", "4111111111111112", "not a number", ""):
            refused = json.dumps({"credit_card": {**card, "number": number}})
            assert asked(gateway, "POST", path, refused, JSON)[0] == 422
        assert asked(gateway, "OPTIONS", path)[0] == 200

    def test_a_paypal_button_gets_a_nonce(self, gateway):
        path = f"{MERCHANT}/client_api/v1/payment_methods/paypal_accounts"
        body = json.dumps({"paypal_account": {"consent_code": "c", "options": {"validate": False}}})
        status, content = asked(gateway, "POST", path, body, JSON)
        assert (status, json.loads(content)["paypalAccounts"][0]["nonce"][:8]) == (202, "tokenpp_")


class TestFile:
    async def test_holds_neither_a_number_nor_a_nonce_nor_a_code(self, tmp_path):
        clock, file = GatewayClock(), tmp_path / "gateway.db"
        server = GatewayServer(0, clock.now, file)
        server.start()
        local = LocalGateway(server, clock)
        nonce = local.nonce("5555555555554444", cvv="987")
        payments = local.payments()
        request = VaultRequest(Customer("acc_1", "Harbor"), "pm_1", nonce, device_data="device-secret")
        assert (await payments.vault(request)).kind is AnswerKind.DONE
        assert (await payments.charge(a_charge())).kind is AnswerKind.DONE
        server.close()
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"acc_1" in kept
        for secret in (b"5555555555554444", nonce.encode(), b"987", b"device-secret"):
            assert secret not in kept

    def test_is_one_gateway_s_alone_until_it_is_closed(self, tmp_path):
        first = Store(tmp_path / "gateway.db")
        with pytest.raises(StoreTaken):
            Store(tmp_path / "gateway.db")
        first.put("force", "*", {"id": "*", "code": "2000"})
        first.close()
        second = Store(tmp_path / "gateway.db")
        assert second.get("force", "*") == {"id": "*", "code": "2000"}
        second.clear()
        second.close()
        with sqlite3.connect(tmp_path / "gateway.db") as connection:
            assert connection.execute("SELECT count(*) FROM record").fetchone() == (0,)
        connection.close()

    def test_a_key_in_flight_is_free_again_after_a_restart(self, tmp_path):
        store = Store(tmp_path / "gateway.db")
        store.put("request_key", "k", {"id": "k", "print": "", "at": START.isoformat(), "transaction_id": None})
        store.close()
        server = GatewayServer(0, GatewayClock().now, tmp_path / "gateway.db")
        server.start()
        assert server.gateway.state.store.all("request_key") == []
        server.close()


class TestManyAtOnce:
    async def test_equal_sales_at_the_same_moment_are_one(self, gateway):
        """Fifty threads with two adapters, as two servers would have: one capture."""
        adapters = [gateway.payments(), gateway.payments()]
        await adapters[0].vault(a_method())
        calls = [adapter._open() for adapter in adapters]
        answers = []

        def charge(number):
            answers.append(calls[number % 2].charge(a_charge()))

        threads = [threading.Thread(target=charge, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.kind for answer in answers} == {AnswerKind.DONE}
        assert gateway.captured("att_1")[0] == 1
