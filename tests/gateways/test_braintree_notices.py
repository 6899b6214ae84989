"""Webhooks: read when the gateway signed them, and refused whatever else is wrong with them."""

from __future__ import annotations

import base64
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from app.domain.payment_gateway import GatewayUnavailable, WebhookEventKind, WebhookForged
from app.domain.refunds import Dispute, DisputeState
from app.sandbox.braintree_gateway.webhooks import signature_of
from tests.gateway import START
from tests.gateways.test_braintree import a_charge, a_method


@pytest.fixture
async def payments(gateway):
    adapter = gateway.payments()
    await adapter.vault(a_method())
    return adapter


@pytest.fixture
async def sale(payments):
    return (await payments.charge(a_charge(amount_cents=10_000))).transaction


@pytest.fixture
def inbox():
    """An address that takes webhooks and keeps them."""
    taken = []

    class Inbox(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            taken.append((form["bt_signature"][0], form["bt_payload"][0]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Inbox) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/webhooks/braintree", taken
        server.shutdown()


class TestNotices:
    async def test_a_dispute_names_its_sale_and_its_amount(self, gateway, payments, sale):
        opened = gateway.dispute(transaction_id=sale.id, amount_cents=6_000)
        notice = payments.read_webhook(*gateway.signed(opened["webhook_id"]))
        assert (notice.kind, notice.subject_id) == (WebhookEventKind.DISPUTE_OPENED, sale.id)
        assert (notice.dispute_id, notice.amount_cents) == (opened["dispute_id"], 6_000)
        assert (notice.sent_at, notice.name) == (START, "dispute_opened")

    @pytest.mark.parametrize(
        ("status", "kind", "lost_cents"),
        [
            ("won", WebhookEventKind.DISPUTE_WON, 0),
            ("lost", WebhookEventKind.DISPUTE_LOST, 10_000),
            ("under_review", WebhookEventKind.DISPUTE_CHANGED, 0),
        ],
    )
    async def test_a_dispute_ends(self, gateway, payments, sale, status, kind, lost_cents):
        opened = gateway.dispute(transaction_id=sale.id)
        changed = gateway.dispute(dispute_id=opened["dispute_id"], status=status)
        notice = payments.read_webhook(*gateway.signed(changed["webhook_id"]))
        assert (notice.kind, notice.dispute_id) == (kind, opened["dispute_id"])
        assert gateway.ledger()["att_1"]["lost_cents"] == lost_cents

    async def test_a_revoked_paypal_account_names_its_token_and_declines_from_then_on(self, gateway, payments):
        await payments.vault(a_method("pm_2", "fake-paypal-billing-agreement-nonce"))
        notice = payments.read_webhook(*gateway.signed(gateway.revoke("pm_2")))
        assert (notice.kind, notice.subject_id) == (WebhookEventKind.METHOD_REVOKED, "pm_2")
        declined = await payments.charge(a_charge(method_token="pm_2", amount_cents=100))
        assert declined.decline.code == "2070"

    async def test_updated_cards_are_told_and_found(self, gateway, payments):
        notice = payments.read_webhook(
            *gateway.signed(gateway.update_card("pm_1", expiration_year=2033, last_4="9999"))
        )
        assert (notice.kind, notice.subject_id) == (WebhookEventKind.CARDS_UPDATED, None)
        found = await payments.find_method("pm_1")
        assert (found.expiry_year, found.last4) == (2033, "9999")

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("transaction_settled", WebhookEventKind.TRANSACTION_SETTLED),
            ("transaction_settlement_declined", WebhookEventKind.SETTLEMENT_DECLINED),
            ("refund_failed", WebhookEventKind.REFUND_FAILED),
            ("transaction_reviewed", WebhookEventKind.OTHER),
        ],
    )
    async def test_others_name_their_transaction(self, gateway, payments, sale, name, kind):
        notice = payments.read_webhook(*gateway.signed(gateway.webhook(name, transaction_id=sale.id)))
        assert (notice.kind, notice.subject_id, notice.name) == (kind, sale.id, name)

    async def test_a_check_is_about_nothing(self, gateway, payments):
        notice = payments.read_webhook(*gateway.signed(gateway.webhook("check")))
        assert (notice.kind, notice.subject_id, notice.amount_cents) == (WebhookEventKind.CHECK, None, None)


FORGERIES = {
    "payload changed": lambda signature, payload: (signature, payload.replace("A", "B", 1)),
    "signature changed": lambda signature, payload: (signature[:-1] + ("0" if signature[-1] != "0" else "1"), payload),
    "another merchant": lambda signature, payload: (signature.replace("integration_public_key", "another"), payload),
    "another key": lambda _signature, payload: (signature_of(payload, key="another"), payload),
    "no signature": lambda _signature, payload: ("", payload),
    "signature missing": lambda _signature, payload: (None, payload),
    "no payload": lambda signature, _payload: (signature, ""),
    "payload missing": lambda signature, _payload: (signature, None),
    "bare XML": lambda signature, _payload: (signature, "<notification/>"),
    "letters in the signature": lambda _signature, payload: ("integration_public_key|é", payload),
    "letters in the payload": lambda signature, payload: (signature, payload + "é"),
}
NONSENSE = [b"", b"not XML", b"<other/>", b"<notification/>", b"<notification><kind>check</kind></notification>"]


class TestForgery:
    @pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
    async def test_is_told_from_the_real_thing(self, gateway, payments, forge):
        signature, payload = gateway.signed(gateway.webhook("check"))
        assert payments.read_webhook(signature, payload).kind is WebhookEventKind.CHECK
        with pytest.raises(WebhookForged):
            payments.read_webhook(*forge(signature, payload))

    @pytest.mark.parametrize(
        "content",
        [b"", b"not XML", b"<other/>", b"<notification/>", b"<notification><kind>check</kind></notification>"],
    )
    async def test_signed_nonsense_cannot_be_read(self, payments, content):
        payload = base64.encodebytes(content).decode()
        with pytest.raises(WebhookForged):
            payments.read_webhook(signature_of(payload), payload)

    async def test_a_challenge_is_signed_only_if_it_is_one(self, payments):
        assert payments.answer_challenge("20f9f8ed05f77439fe955c977e4c8a53").startswith("integration_public_key|")
        for wrong in ("", "not hex", "20f9", "20f9f8ed05f77439fe955c977e4c8a53<script>"):
            with pytest.raises(WebhookForged):
                payments.answer_challenge(wrong)


class TestDelivery:
    async def test_is_once_by_itself_when_an_address_is_set(self, gateway, payments, sale, inbox):
        url, taken = inbox
        gateway.settings(webhook_url=url)
        gateway.dispute(transaction_id=sale.id)
        for _ in range(100):
            if taken:
                break
            threading.Event().wait(0.02)
        assert [payments.read_webhook(*each).kind for each in taken] == [WebhookEventKind.DISPUTE_OPENED]

    async def test_may_be_doubled_reordered_and_spoilt(self, gateway, payments, sale, inbox):
        url, taken = inbox
        first = gateway.dispute(transaction_id=sale.id)
        second = gateway.dispute(dispute_id=first["dispute_id"], status="lost")
        ids = (first["webhook_id"], second["webhook_id"])
        assert gateway.deliver_webhook(*ids, url=url, copies=2, reversed=True) == [200] * 4
        kinds = [payments.read_webhook(*each).kind for each in taken]
        assert kinds == [WebhookEventKind.DISPUTE_LOST] * 2 + [WebhookEventKind.DISPUTE_OPENED] * 2
        for tamper in ("payload", "signature", "key"):
            gateway.deliver_webhook(ids[0], url=url, tamper=tamper)
            with pytest.raises(WebhookForged):
                payments.read_webhook(*taken[-1])

    async def test_never_leaves_this_machine(self, gateway):
        webhook_id = gateway.webhook("check")
        with pytest.raises(AssertionError, match="this machine alone"):
            gateway.deliver_webhook(webhook_id, url="http://billing.example/webhooks")


class TestDisputes:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("open", DisputeState.OPEN),
            ("disputed", DisputeState.OPEN),
            ("under_review", DisputeState.OPEN),
            ("won", DisputeState.WON),
            ("lost", DisputeState.LOST),
            ("accepted", DisputeState.LOST),
            ("expired", DisputeState.LOST),
        ],
    )
    async def test_a_dispute_is_found_as_it_now_stands(self, gateway, payments, sale, status, state):
        opened = gateway.dispute(transaction_id=sale.id, amount_cents=40_00)
        if status != "open":
            gateway.dispute(dispute_id=opened["dispute_id"], status=status)
        found = await payments.find_dispute(opened["dispute_id"])
        assert found == Dispute(opened["dispute_id"], sale.id, 40_00, state, START, START)

    async def test_one_that_nobody_has_is_none(self, payments):
        assert await payments.find_dispute("nobody") is None

    async def test_a_gateway_that_answers_nonsense_is_unavailable(self, gateway, payments):
        gateway.faults({"match": "find_dispute", "action": "garbage"})
        with pytest.raises(GatewayUnavailable):
            await payments.find_dispute("nobody")

    async def test_all_of_some_days_are_found_by_every_state_they_came_into(self, gateway, payments, sale):
        """Opened on 1 July, won on the 10th, lost on 1 August: found in each of these spans, and in no other."""
        opened = gateway.dispute(transaction_id=sale.id)["dispute_id"]
        for day, status in ((9, "won"), (22, "lost")):
            gateway.clock.advance(days=day)
            gateway.dispute(dispute_id=opened, status=status)
        spans = [((7, 1), (7, 1)), ((7, 2), (7, 9)), ((7, 2), (7, 10)), ((7, 11), (7, 31)), ((8, 1), (9, 30))]
        found = [await self.between(payments, date(2026, *first), date(2026, *last)) for first, last in spans]

        assert [len(each) for each in found] == [1, 0, 1, 0, 1]
        assert found[0] == [Dispute(opened, sale.id, 100_00, DisputeState.LOST, START, gateway.clock.now())]

    async def test_every_page_of_them_is_read(self, gateway, payments, sale):
        opened = {gateway.dispute(transaction_id=sale.id, amount_cents=1_00)["dispute_id"] for _ in range(101)}
        found = await self.between(payments, START.date(), START.date())
        assert {each.id for each in found} == opened
        assert len(found) == 101

    async def test_a_search_that_is_answered_with_nonsense_is_unavailable(self, gateway, payments):
        gateway.faults({"match": "search_disputes", "action": "garbage"})
        with pytest.raises(GatewayUnavailable):
            await self.between(payments, START.date(), START.date())

    async def between(self, payments, first, last):
        return [each async for each in payments.disputes_between(first, last)]
