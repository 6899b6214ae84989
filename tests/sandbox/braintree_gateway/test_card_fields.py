"""The card fields of the local gateway: a page that other pages of this machine frame, and the nonces that it makes."""

from __future__ import annotations

import http.client
import json
import re

import pytest

from app.domain.payment_gateway import AnswerKind, Customer, VaultRequest

PAGE = "/card-fields/card_fields.html"
TOKENIZER = "/merchants/integration_merchant_id/client_api/v1/payment_methods/credit_cards"
CARD = {"number": "4111111111111111", "expirationMonth": "12", "expirationYear": "2030", "cvv": "123"}


@pytest.fixture
def ask(gateway):
    def ask(verb: str, path: str, body: str | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
        try:
            connection.request(verb, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    return ask


def tokenize(ask, **changes):
    response, content = ask("POST", TOKENIZER, json.dumps({"creditCard": {**CARD, **changes}}))
    return response.status, json.loads(content)


class TestPage:
    def test_may_be_framed_by_this_machine_alone_and_loads_nothing_of_others(self, ask):
        response, _ = ask("GET", f"{PAGE}?parent=http%3A%2F%2F127.0.0.1%3A3000")
        policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
        assert response.status == 200
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "http://127.0.0.1:* http://localhost:*"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"

    def test_has_its_script_and_its_style_in_files_of_its_own(self, ask):
        page = ask("GET", PAGE)[1].decode()
        files = re.findall(r'(?:src|href)="(/[^"]*)"', page)
        assert files == ["/card-fields/card_fields.css", "/card-fields/card_fields.js"]
        assert [ask("GET", name)[0].headers["Content-Type"].partition(";")[0] for name in files] == [
            "text/css",
            "text/javascript",
        ]
        assert not re.search(r"<style|style=|<script>|\son\w+=", page)

    def test_names_each_field_and_its_error_for_screen_readers(self, ask):
        page = ask("GET", PAGE)[1].decode()
        names = re.findall(r'<input id="(\w+)"', page)
        assert names == ["number", "expirationDate", "cvv", "postalCode"]
        for name in names:
            assert f'<label for="{name}">' in page
            assert f'aria-describedby="{name}-error"' in page
            assert f'id="{name}-error" role="alert"' in page

    @pytest.mark.parametrize(
        "path", ["", "portal_sandbox.js", "../card_fields.js", "%2e%2e/settings.py", "/etc/passwd", "card_fields.html/"]
    )
    def test_is_all_that_is_shown_there(self, ask, path):
        assert ask("GET", f"/card-fields/{path}")[0].status == 404

    @pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
    def test_is_only_to_be_read(self, ask, verb):
        assert ask(verb, PAGE, "{}")[0].status == 404


class TestNonces:
    async def keep(self, gateway, nonce):
        request = VaultRequest(Customer("acc_1", "Harbor Dental"), "pm_1", nonce)
        return await gateway.payments().vault(request)

    async def test_one_of_a_good_number_is_kept(self, ask, gateway):
        status, made = tokenize(ask)
        card = made["creditCards"][0]
        assert (status, card["description"]) == (201, "ending in 11")
        assert CARD["number"] not in json.dumps(made)
        assert (await self.keep(gateway, card["nonce"])).kind is AnswerKind.DONE

    @pytest.mark.parametrize("number", ["4000111111111115", "5105105105105100", "378734493671000", "6011000990139424"])
    async def test_one_of_a_documented_declining_number_is_declined_when_it_is_verified(self, ask, gateway, number):
        status, made = tokenize(ask, number=number)
        assert status == 201
        assert (await self.keep(gateway, made["creditCards"][0]["nonce"])).kind is AnswerKind.DECLINED

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("number", {"number": ""}),
            ("number", {"number": "4111"}),
            ("number", {"number": "4111111111111112"}),
            ("number", {"number": "4242424242424242"}),
            ("expirationDate", {"expirationMonth": "", "expirationYear": ""}),
            ("expirationDate", {"expirationMonth": "13"}),
        ],
    )
    def test_what_is_wrong_is_said_of_its_field_in_words(self, ask, field, changes):
        status, refused = tokenize(ask, **changes)
        (card,) = refused["fieldErrors"]
        (wrong,) = card["fieldErrors"]
        assert (status, card["field"], wrong["field"]) == (422, "creditCard", field)
        assert wrong["message"] == refused["error"]["message"]
        assert wrong["code"] not in wrong["message"]

    def test_what_is_no_card_is_refused_without_a_field(self, ask):
        response, content = ask("POST", TOKENIZER, "not JSON")
        assert response.status == 422
        assert "fieldErrors" not in json.loads(content)
