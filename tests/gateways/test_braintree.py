"""The adapter around the real SDK: what it asks, what it makes of definite answers, and how its threads behave."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import anyio
import pytest

from app.domain.payment_gateway import (
    AnswerKind,
    BillingAddress,
    ChargeReason,
    ChargeRequest,
    CheckResult,
    Customer,
    DeclineSeverity,
    GatewayUnavailable,
    MethodKind,
    TransactionKind,
    TransactionStatus,
    VaultRefusal,
    VaultRequest,
    VerificationStatus,
)
from app.gateways import braintree
from app.gateways.braintree import BraintreePayments
from tests.command_line import ROOT
from tests.gateway import START

CUSTOMER = Customer("acc_1", "Harbor Dental")


def a_method(method_token="pm_1", nonce="fake-valid-visa-nonce", **changes) -> VaultRequest:
    return VaultRequest(**{"customer": CUSTOMER, "method_token": method_token, "nonce": nonce, **changes})


def a_charge(attempt_id: str = "att_1", amount_cents: int = 4_967_70, **changes) -> ChargeRequest:
    return ChargeRequest(
        **{
            "attempt_id": attempt_id,
            "amount_cents": amount_cents,
            "customer_id": CUSTOMER.id,
            "method_token": "pm_1",
            "reason": ChargeReason.RECURRING,
            **changes,
        }
    )


@pytest.fixture
async def payments(gateway) -> BraintreePayments:
    """An adapter to a gateway that knows a Visa card as `pm_1`."""
    adapter = gateway.payments()
    assert (await adapter.vault(a_method())).kind is AnswerKind.DONE
    return adapter


class TestVault:
    async def test_keeps_a_verified_card_under_our_token(self, gateway):
        address = BillingAddress("201 Pier St", "20000", "US")
        added = await gateway.payments().vault(a_method(nonce=gateway.nonce("5555 5555 5555 4444"), address=address))
        method, verification = added.method, added.verification
        assert added.kind is AnswerKind.DONE
        assert (method.token, method.customer_id, method.kind) == ("pm_1", "acc_1", MethodKind.CARD)
        assert (method.brand, method.last4, method.expiry_month, method.expiry_year) == ("MasterCard", "4444", 12, 2030)
        assert (method.postal_code, method.is_default) == ("20000", True)
        assert verification.status is VerificationStatus.VERIFIED
        assert verification.cvv_check is CheckResult.NOT_PROVIDED
        assert verification.postal_code_check is CheckResult.DOES_NOT_MATCH
        assert verification.street_check is CheckResult.NOT_VERIFIED
        assert verification.checked_at == START
        assert method.network_transaction_id

    async def test_the_same_card_has_the_same_fingerprint_and_it_is_ours_to_refuse_it(self, payments):
        """A card that is renewed has the number of the one that it takes the place of."""
        again = await payments.vault(a_method("pm_2"))
        other = await payments.vault(a_method("pm_3", customer=Customer("acc_2", "Other")))
        known = await payments.find_method("pm_1")
        assert again.method.fingerprint == other.method.fingerprint == known.fingerprint

    async def test_what_it_was_verified_with_is_found_again(self, payments):
        added = await payments.vault(a_method("pm_2"))
        assert (await payments.find_method("pm_2")).verification == added.verification

    @pytest.mark.parametrize(
        ("nonce", "status", "severity", "code"),
        [
            ("fake-processor-declined-visa-nonce", VerificationStatus.DECLINED, DeclineSeverity.SOFT, "2000"),
            ("fake-processor-failure-jcb-nonce", VerificationStatus.FAILED, DeclineSeverity.NETWORK, "3000"),
            ("fake-gateway-rejected-fraud-nonce", VerificationStatus.REJECTED, DeclineSeverity.HARD, "fraud"),
            (
                "fake-gateway-rejected-risk-thresholds-nonce",
                VerificationStatus.REJECTED,
                DeclineSeverity.HARD,
                "risk_threshold",
            ),
        ],
    )
    async def test_a_card_that_is_not_verified_is_not_kept(self, gateway, nonce, status, severity, code):
        payments = gateway.payments()
        declined = await payments.vault(a_method(nonce=nonce))
        assert (declined.kind, declined.verification.status) == (AnswerKind.DECLINED, status)
        assert (declined.verification.decline.severity, declined.verification.decline.code) == (severity, code)
        assert await payments.list_methods("acc_1") == []

    @pytest.mark.parametrize(
        ("nonce", "refusal"),
        [
            ("fake-luhn-invalid-nonce", VaultRefusal.CARD_INVALID),
            ("fake-consumed-nonce", VaultRefusal.NONCE_CONSUMED),
            ("never-minted", VaultRefusal.NONCE_UNKNOWN),
            ("<&>\x00\ud800", VaultRefusal.NONCE_UNKNOWN),
            ("fake-paypal-one-time-nonce", VaultRefusal.NONCE_NOT_REUSABLE),
        ],
    )
    async def test_a_nonce_that_is_no_good_is_refused_by_name(self, gateway, nonce, refusal):
        payments = gateway.payments()
        refused = await payments.vault(a_method(nonce=nonce))
        assert (refused.kind, refused.refusal) == (AnswerKind.REFUSED, refusal)
        assert await payments.find_method("pm_1") is None

    async def test_a_minted_nonce_is_good_once_and_for_three_hours(self, gateway):
        payments, nonce = gateway.payments(), gateway.nonce("4111111111111111")
        assert (await payments.vault(a_method(nonce=nonce))).kind is AnswerKind.DONE
        assert (await payments.vault(a_method("pm_2", nonce))).refusal is VaultRefusal.NONCE_CONSUMED
        late = gateway.nonce("5555555555554444")
        gateway.clock.advance(hours=3, seconds=1)
        assert (await payments.vault(a_method("pm_3", late))).refusal is VaultRefusal.NONCE_UNKNOWN

    async def test_keeps_a_paypal_account(self, gateway):
        added = await gateway.payments().vault(a_method(nonce="fake-paypal-billing-agreement-nonce"))
        assert (added.kind, added.method.kind, added.method.brand) == (AnswerKind.DONE, MethodKind.PAYPAL, "PayPal")
        assert (added.method.payer_email, added.verification) == ("jane.doe@paypal.com", None)

    async def test_repeated_it_returns_what_is_kept_already(self, payments):
        first = await payments.vault(a_method("pm_2", "fake-valid-mastercard-nonce"))
        assert await payments.vault(a_method("pm_2", "fake-valid-mastercard-nonce")) == first

    async def test_a_token_of_another_customer_is_never_adopted(self, payments):
        foreign = await payments.vault(a_method(customer=Customer("acc_2", "Other"), nonce="fake-valid-amex-nonce"))
        assert (foreign.kind, foreign.method) == (AnswerKind.UNKNOWN, None)

    async def test_names_lose_what_xml_cannot_carry_and_nothing_else(self, gateway):
        payments = gateway.payments()
        name = "Dr. <O'Neill> & \x00\x1b\ud800Söhne – 病院"
        assert (await payments.vault(a_method(customer=Customer("acc_9", name)))).kind is AnswerKind.DONE
        with gateway.server.gateway.state.lock:
            kept = gateway.server.gateway.state.store.get("customer", "acc_9")["company"]
        assert kept == "Dr. <O'Neill> & Söhne – 病院"

    async def test_secrets_are_in_no_repr_and_in_no_reason(self, gateway):
        request = a_method(nonce="never-minted", device_data="device-secret")
        refused = await gateway.payments().vault(request)
        assert "never-minted" not in repr(request) + repr(refused)
        assert "integration_private_key" not in repr(gateway.config())


class TestMethods:
    async def test_are_listed_found_made_default_and_removed(self, payments):
        await payments.vault(a_method("pm_2", "fake-paypal-billing-agreement-nonce"))
        assert {(each.token, each.is_default) for each in await payments.list_methods("acc_1")} == {
            ("pm_1", True),
            ("pm_2", False),
        }
        assert await payments.make_default("pm_2")
        assert (await payments.find_method("pm_2")).is_default
        await payments.remove_method("pm_2")
        await payments.remove_method("pm_2")
        assert [each.token for each in await payments.list_methods("acc_1")] == ["pm_1"]

    @pytest.mark.parametrize("name", ["never_made", "../customers", "a b", ""])
    async def test_what_is_not_there_is_no_error(self, payments, name):
        assert await payments.find_method(name) is None
        assert await payments.list_methods(name) == []
        assert not await payments.make_default(name)
        assert await payments.find_transaction(name) is None
        await payments.remove_method(name)

    async def test_a_form_token_names_no_customer(self, payments):
        assert len(await payments.form_token()) > 100


class TestCharge:
    async def test_takes_money_once_however_often_it_is_asked(self, gateway, payments):
        first, second = await payments.charge(a_charge()), await payments.charge(a_charge())
        assert first.kind is AnswerKind.DONE
        assert first.transaction == second.transaction
        found = first.transaction
        assert (found.kind, found.status, found.amount_cents) == (
            TransactionKind.SALE,
            TransactionStatus.CAPTURED,
            4_967_70,
        )
        assert (found.order_id, found.customer_id, found.method_token) == ("att_1", "acc_1", "pm_1")
        assert found.created_at == START
        assert gateway.captured("att_1") == (1, 4_967_70)

    @pytest.mark.parametrize(
        ("amount_cents", "severity", "code"),
        [
            (2_000_00, DeclineSeverity.SOFT, "2000"),
            (2_004_50, DeclineSeverity.HARD, "2004"),
            (2_047_99, DeclineSeverity.HARD, "2047"),
            (2_999_99, DeclineSeverity.SOFT, "2999"),
            (3_000_00, DeclineSeverity.NETWORK, "3000"),
            (5_001_00, DeclineSeverity.SOFT, "application_incomplete"),
        ],
    )
    async def test_a_decline_says_how_hard_it_is(self, gateway, payments, amount_cents, severity, code):
        declined = await payments.charge(a_charge(amount_cents=amount_cents))
        assert (declined.kind, declined.decline.severity, declined.decline.code) == (
            AnswerKind.DECLINED,
            severity,
            code,
        )
        assert declined.transaction.decline == declined.decline
        assert await payments.find_transaction(declined.transaction.id) == declined.transaction
        assert (await payments.charge(a_charge(amount_cents=amount_cents))) == declined
        assert gateway.captured("att_1") == (0, 0)

    @pytest.mark.parametrize("amount_cents", [1, 1_999_99, 3_001_00, 4_000_99, 4_002_00, 5_002_00, 999_999_99])
    async def test_other_amounts_are_taken(self, payments, amount_cents):
        assert (await payments.charge(a_charge(amount_cents=amount_cents))).kind is AnswerKind.DONE

    async def test_what_fails_validation_is_refused_and_the_key_is_free_again(self, payments):
        refused = await payments.charge(a_charge(method_token="never_made"))
        assert (refused.kind, refused.transaction, refused.reason) == (AnswerKind.REFUSED, None, "refused: 91518")
        assert (await payments.charge(a_charge())).kind is AnswerKind.DONE

    async def test_a_method_of_another_customer_is_refused(self, payments):
        refused = await payments.charge(a_charge(customer_id="acc_2"))
        assert (refused.kind, refused.reason) == (AnswerKind.REFUSED, "refused: 91516")

    async def test_a_key_with_another_request_says_nothing_of_the_money(self, gateway, payments):
        await payments.charge(a_charge())
        other = await payments.charge(a_charge(amount_cents=100))
        assert (other.kind, other.reason) == (AnswerKind.UNKNOWN, "refused: 915232")
        assert gateway.captured("att_1") == (1, 4_967_70)

    async def test_a_duplicate_is_unknown_for_the_first_has_probably_worked(self, gateway, payments):
        unkeyed = a_charge(uses_key=False)
        assert (await payments.charge(unkeyed)).kind is AnswerKind.DONE
        again = await payments.charge(unkeyed)
        assert (again.kind, again.reason) == (AnswerKind.UNKNOWN, "rejected as a duplicate")
        assert (again.is_duplicate, again.transaction) == (True, None)
        gateway.clock.advance(seconds=31)
        assert (await payments.charge(unkeyed)).kind is AnswerKind.DONE
        assert gateway.captured("att_1") == (2, 2 * 4_967_70)

    async def test_a_gateway_that_takes_no_request_keys_says_so_and_has_done_nothing(self, gateway, payments):
        gateway.settings(request_keys=False)
        refused = await payments.charge(a_charge())
        assert (refused.kind, refused.keys_refused) == (AnswerKind.REFUSED, True)
        assert gateway.captured("att_1") == (0, 0)
        assert (await payments.charge(a_charge(uses_key=False))).kind is AnswerKind.DONE

    async def test_amounts_and_times_that_are_not_ours_are_refused(self):
        from app.gateways.braintree_values import amount_text, aware, cents_of

        assert (amount_text(1), amount_text(4_967_70)) == ("0.01", "4967.70")
        with pytest.raises(ValueError, match="positive"):
            amount_text(0)
        assert cents_of(Decimal("4967.7")) == 4_967_70
        with pytest.raises(ValueError, match="finer"):
            cents_of(Decimal("0.001"))
        assert aware(datetime(2026, 7, 1, 12)) == datetime(2026, 7, 1, 12, tzinfo=UTC)  # noqa: DTZ001


class TestReversals:
    async def test_a_sale_that_is_not_settled_is_voided_not_refunded(self, gateway, payments):
        sale = (await payments.charge(a_charge())).transaction
        early = await payments.refund(sale.id, 100, "ref_1")
        assert (early.kind, early.reason) == (AnswerKind.REFUSED, "refused: 91506")
        voided = await payments.void(sale.id, "void_1")
        assert (voided.kind, voided.transaction.status) == (AnswerKind.DONE, TransactionStatus.VOIDED)
        assert (await payments.void(sale.id, "void_2")).kind is AnswerKind.DONE
        assert gateway.captured("att_1") == (0, 0)

    async def test_a_settled_sale_is_refunded_in_parts_and_never_beyond(self, gateway, payments):
        sale = (await payments.charge(a_charge(amount_cents=10_000))).transaction
        gateway.settle(sale.id)
        part = await payments.refund(sale.id, 4_000, "ref_1")
        assert (part.kind, part.transaction.kind) == (AnswerKind.DONE, TransactionKind.REFUND)
        assert (part.transaction.refunded_id, part.transaction.order_id) == (sale.id, "ref_1")
        assert await payments.refund(sale.id, 4_000, "ref_1") == part
        assert (await payments.refund(sale.id, 6_001, "ref_2")).reason == "refused: 91521"
        assert (await payments.refund(sale.id, 6_000, "ref_3")).kind is AnswerKind.DONE
        assert (await payments.refund(sale.id, 1, "ref_4")).reason == "refused: 91512"
        assert gateway.ledger()["att_1"]["refunded_cents"] == 10_000
        assert await payments.find_by_order("ref_1") == [part.transaction]

    async def test_a_bank_may_decline_a_refund_for_good(self, gateway, payments):
        sale = (await payments.charge(a_charge(amount_cents=900_000))).transaction
        gateway.settle(sale.id)
        declined = await payments.refund(sale.id, 2_004_00, "ref_1")
        assert (declined.kind, declined.decline.code) == (AnswerKind.DECLINED, "2004")
        assert (await payments.refund(sale.id, 2_046_00, "ref_2")).kind is AnswerKind.DONE
        assert gateway.ledger()["att_1"]["refunded_cents"] == 2_046_00

    async def test_a_paypal_payment_is_refunded_at_once_and_never_voided(self, payments):
        await payments.vault(a_method("pm_2", "fake-paypal-billing-agreement-nonce"))
        sale = (await payments.charge(a_charge(method_token="pm_2", amount_cents=1_000))).transaction
        assert (sale.status, sale.moves_money) == (TransactionStatus.CAPTURED, True)
        assert (await payments.void(sale.id, "void_1")).reason == "refused: 91504"
        assert (await payments.refund(sale.id, 1_000, "ref_1")).kind is AnswerKind.DONE

    async def test_what_is_settled_cannot_be_voided(self, gateway, payments):
        sale = (await payments.charge(a_charge())).transaction
        gateway.clock.advance(days=2)
        assert (await payments.find_transaction(sale.id)).status is TransactionStatus.SETTLED
        assert (await payments.void(sale.id, "void_1")).reason == "refused: 91504"

    async def test_what_the_gateway_does_not_have_is_refused(self, payments):
        assert (await payments.void("never_made", "void_1")).kind is AnswerKind.REFUSED
        assert (await payments.refund("never_made", 100, "ref_1")).kind is AnswerKind.REFUSED

    async def test_a_settlement_may_be_declined_late(self, gateway, payments):
        sale = (await payments.charge(a_charge())).transaction
        gateway.settle(sale.id, status="settlement_declined")
        found = await payments.find_transaction(sale.id)
        assert (found.status, found.moves_money) == (TransactionStatus.SETTLEMENT_DECLINED, False)
        assert found.decline.severity is DeclineSeverity.SOFT


class TestSearch:
    async def test_by_order_is_exact_and_oldest_first(self, gateway, payments):
        gateway.settings(request_keys=False, duplicate_window_seconds=0)
        made = [(await payments.charge(a_charge(uses_key=False))).transaction for _ in range(4)]
        await payments.charge(a_charge("att_10", uses_key=False))
        assert await payments.find_by_order("att_1") == made
        assert await payments.find_by_order("att") == []

    async def test_by_time_yields_every_page(self, gateway, payments):
        await payments.charge(a_charge("att_before"))
        gateway.clock.advance(minutes=1)
        ids = {f"att_{number}" for number in range(101)}
        for attempt_id in ids:
            await payments.charge(a_charge(attempt_id, 100))
        since = START + timedelta(seconds=30)
        found = [each.order_id async for each in payments.transactions_since(since)]
        assert (len(found), set(found)) == (101, ids)

    async def test_a_span_ends_before_its_last_instant(self, gateway, payments):
        for attempt_id in ("att_before", "att_first", "att_last", "att_after"):
            await payments.charge(a_charge(attempt_id))
            gateway.clock.advance(minutes=1)
        span = START + timedelta(minutes=1), START + timedelta(minutes=3)
        found = [each.order_id async for each in payments.transactions_since(*span)]
        assert sorted(found) == ["att_first", "att_last"]

    async def test_a_span_with_too_many_is_searched_half_by_half_and_none_is_found_twice(
        self, gateway, payments, monkeypatch
    ):
        monkeypatch.setattr("app.gateways.braintree_calls.MOST_FOUND", 3)
        for number in range(9):
            await payments.charge(a_charge(f"att_{number}"))
            gateway.clock.advance(seconds=1000)
        found = [each.order_id async for each in payments.transactions_since(START, START + timedelta(days=1))]
        assert sorted(found) == [f"att_{number}" for number in range(9)]

    async def test_too_many_in_one_second_are_said_and_not_missed(self, gateway, payments, monkeypatch):
        monkeypatch.setattr("app.gateways.braintree_calls.MOST_FOUND", 1)
        await payments.charge(a_charge())
        with pytest.raises(GatewayUnavailable):
            _ = [each async for each in payments.transactions_since(START, START + timedelta(days=1))]

    async def test_more_than_a_search_lists_is_said_and_not_missed(self, gateway, payments, monkeypatch):
        monkeypatch.setattr("app.gateways.braintree_calls.MOST_FOUND", 1)
        await payments.charge(a_charge())
        with pytest.raises(GatewayUnavailable):
            _ = [each async for each in payments.transactions_since(START)]


class TestThreads:
    async def test_a_charge_runs_to_its_end_though_its_scope_is_cancelled(self, gateway, payments):
        gateway.faults({"match": "sale", "when": "before", "action": "slow", "seconds": 0.3})
        with anyio.move_on_after(0.05):
            answer = await payments.charge(a_charge())
        assert answer.kind is AnswerKind.DONE

    async def test_a_charge_runs_to_its_end_though_its_task_is_cancelled(self, gateway, payments):
        gateway.faults({"match": "sale", "when": "before", "action": "slow", "seconds": 0.3})
        task = asyncio.create_task(payments.charge(a_charge()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await payments.aclose()
        assert gateway.captured("att_1") == (1, 4_967_70)

    async def test_hanging_charges_keep_neither_reads_nor_additions_waiting(self, gateway, payments):
        gateway.faults({"match": "sale", "when": "before", "action": "hang", "seconds": 2.5, "times": 12})
        charges = [asyncio.create_task(payments.charge(a_charge(f"att_{number}"))) for number in range(12)]
        await asyncio.sleep(0.1)
        assert (await payments.find_method("pm_1")).token == "pm_1"
        assert (await payments.vault(a_method("pm_2", "fake-valid-amex-nonce"))).kind is AnswerKind.DONE
        assert not any(charge.done() for charge in charges)
        assert {answer.kind for answer in await asyncio.gather(*charges)} == {AnswerKind.UNKNOWN}

    async def test_who_finds_no_free_slot_was_never_sent(self, gateway, payments, monkeypatch):
        monkeypatch.setattr(braintree, "LONGEST_QUEUE_SECONDS", 0.1)
        gateway.faults({"match": "sale", "when": "before", "action": "hang", "seconds": 1.5, "times": 8})
        charges = [asyncio.create_task(payments.charge(a_charge(f"att_{number}"))) for number in range(8)]
        await asyncio.sleep(0.05)
        late = await payments.charge(a_charge("att_late"))
        assert (late.kind, late.reason) == (AnswerKind.NEVER_SENT, "no free slot")
        await asyncio.gather(*charges)


class TestSurroundings:
    async def test_proxies_of_the_environment_are_not_used(self, gateway, monkeypatch):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert (await gateway.payments().vault(a_method())).kind is AnswerKind.DONE

    def test_the_sdk_is_imported_at_first_use_and_warns_of_nothing(self, gateway):
        program = f"""
import asyncio, sys
import app.main
from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
assert "braintree" not in sys.modules and "requests" not in sys.modules
config = BraintreeConfig(environment="local", port={gateway.port}, merchant_id="integration_merchant_id",
    public_key="integration_public_key", private_key="integration_private_key")
payments = BraintreePayments(config)
asyncio.run(payments.form_token())
assert "braintree" in sys.modules
"""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_environments_differ_in_the_environment_object_alone(self, gateway):
        from app.gateways.braintree_sdk import open_gateway, sdk

        configs = {
            name: open_gateway(gateway.config(environment=name), (3.0, 65.0)).config
            for name in ("local", "sandbox", "production")
        }
        assert configs["production"].environment is sdk.Environment.Production
        assert configs["sandbox"].environment is sdk.Environment.Sandbox
        assert configs["local"].base_url() == gateway.url
        for config in configs.values():
            assert (config.timeout, config.wrap_http_exceptions) == ((3.0, 65.0), True)
            assert type(config.http_strategy()).__name__ == "Transport"
