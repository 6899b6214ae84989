"""The gateway as the unmodified SDK sees it, where our own adapter does not go."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from app.gateways.braintree_sdk import open_gateway, sdk
from tests.gateway import START

SEARCH = sdk.TransactionSearch
NAIVE_START = START.replace(tzinfo=None)


@pytest.fixture
def merchant(gateway):
    """The SDK's gateway, with a customer `acc_1` who has a Visa card `pm_1`."""
    opened = open_gateway(gateway.config(), (1.0, 2.0))
    opened.customer.create({"id": "acc_1", "company": "Harbor Dental", "email": "ann@example.com"})
    assert vaulted(opened).is_success
    return opened


def vaulted(merchant, token="pm_1", nonce="fake-valid-visa-nonce", customer_id="acc_1", options=None, **more):
    return merchant.payment_method.create(
        {"customer_id": customer_id, "token": token, "payment_method_nonce": nonce, "options": options or {}, **more}
    )


def sold(merchant, amount="10.00", **more):
    return merchant.transaction.sale(
        {"amount": amount, "payment_method_token": "pm_1", "options": {"submit_for_settlement": True}, **more}
    )


def codes(result):
    return [each.code for each in result.errors.deep_errors]


class TestClientTokens:
    def test_are_base64_json_that_leads_back_here(self, gateway, merchant):
        content = json.loads(base64.b64decode(merchant.client_token.generate({})))
        assert (content["version"], content["environment"]) == (2, "development")
        assert content["clientApiUrl"].startswith(gateway.url)

    def test_of_an_unknown_customer_are_refused(self, merchant):
        with pytest.raises(ValueError, match="does not exist"):
            merchant.client_token.generate({"customer_id": "nobody"})


class TestCustomers:
    def test_are_made_found_changed_and_deleted(self, merchant):
        assert codes(merchant.customer.create({"id": "acc_1"})) == ["91609"]
        assert codes(merchant.customer.create({"id": "a b"})) == ["91610"]
        assert merchant.customer.update("acc_1", {"company": "Harbor & Sons"}).customer.company == "Harbor & Sons"
        found = merchant.customer.find("acc_1")
        assert (found.email, [each.token for each in found.payment_methods]) == ("ann@example.com", ["pm_1"])
        merchant.customer.delete("acc_1")
        for find, name in ((merchant.customer.find, "acc_1"), (merchant.payment_method.find, "pm_1")):
            with pytest.raises(sdk.exceptions.not_found_error.NotFoundError):
                find(name)

    def test_may_come_with_a_card_or_not_at_all(self, merchant):
        made = merchant.customer.create({"id": "acc_2", "payment_method_nonce": "fake-valid-amex-nonce"})
        assert made.customer.credit_cards[0].card_type == "American Express"
        assert codes(merchant.customer.create({"id": "acc_3", "payment_method_nonce": "fake-consumed-nonce"})) == [
            "93107"
        ]
        with pytest.raises(sdk.exceptions.not_found_error.NotFoundError):
            merchant.customer.find("acc_3")

    def test_are_searched_by_name(self, merchant):
        merchant.customer.create({"id": "acc_2", "company": "Harbor Freight"})
        found = merchant.customer.search(sdk.CustomerSearch.company.starts_with("Harbor"))
        assert [each.id for each in found] == ["acc_2", "acc_1"]


class TestMethods:
    def test_a_chosen_token_must_be_free_and_well_formed(self, merchant):
        assert codes(vaulted(merchant)) == ["91719"]
        assert codes(vaulted(merchant, "a b")) == ["91718"]
        assert codes(vaulted(merchant, "x" * 37)) == ["91718"]
        vaulted(merchant, "pp_1", "fake-paypal-billing-agreement-nonce")
        assert codes(vaulted(merchant, "pp_1", "fake-paypal-billing-agreement-nonce")) == ["92906"]

    def test_duplicates_are_refused_as_asked(self, merchant):
        merchant.customer.create({"id": "acc_2"})
        anywhere = {"fail_on_duplicate_payment_method": True}
        here = {"fail_on_duplicate_payment_method_for_customer": True}
        assert codes(vaulted(merchant, "pm_2", customer_id="acc_2", options=anywhere)) == ["81724"]
        assert codes(vaulted(merchant, "pm_2", options=here)) == ["81763"]
        assert vaulted(merchant, "pm_2", customer_id="acc_2", options=here).is_success

    @pytest.mark.parametrize(
        ("settings", "street", "postal_code", "nonce", "reason"),
        [
            ({"avs_rules": True}, "200 Pier", "94110", "fake-valid-visa-nonce", "avs"),
            ({"cvv_rules": True}, "1 Pier", "94110", "fake-three-digit-cvv-only-n-response-nonce", "cvv"),
            (
                {"avs_rules": True, "cvv_rules": True},
                "1 Pier",
                "20001",
                "fake-three-digit-cvv-only-u-response-nonce",
                "avs_and_cvv",
            ),
        ],
    )
    def test_rules_of_address_and_security_code_reject(
        self, gateway, merchant, settings, street, postal_code, nonce, reason
    ):
        address = {"street_address": street, "postal_code": postal_code}
        options = {"verify_card": True}
        assert vaulted(merchant, "pm_2", nonce, options=options, billing_address=address).is_success
        gateway.settings(**settings)
        rejected = vaulted(merchant, "pm_3", nonce, options=options, billing_address=address)
        verification = rejected.credit_card_verification
        assert (verification.status, verification.gateway_rejection_reason) == ("gateway_rejected", reason)
        assert rejected.message == f"Gateway Rejected: {reason}"

    def test_every_card_is_verified_where_that_is_set(self, gateway, merchant):
        assert vaulted(merchant, "pm_2", "fake-processor-declined-visa-nonce").is_success
        gateway.settings(verify_all=True)
        assert not vaulted(merchant, "pm_3", "fake-processor-declined-visa-nonce").is_success

    def test_an_error_of_the_address_check_is_told(self, merchant):
        method = vaulted(
            merchant, "pm_2", options={"verify_card": True}, billing_address={"postal_code": "30000"}
        ).payment_method
        assert method.verification.avs_error_response_code == "E"

    def test_are_changed_renamed_and_made_default(self, merchant):
        vaulted(merchant, "pm_2", "fake-valid-amex-nonce")
        changed = merchant.payment_method.update(
            "pm_2", {"expiration_date": "01/2020", "options": {"make_default": True}}
        )
        assert (changed.payment_method.default, changed.payment_method.expired) == (True, True)
        assert codes(merchant.payment_method.update("pm_2", {"expiration_date": "13/2020"})) == ["81710"]
        assert codes(merchant.payment_method.update("pm_2", {"token": "pm_1"})) == ["91719"]
        assert merchant.payment_method.update("pm_2", {"token": "pm_9"}).payment_method.default
        merchant.payment_method.delete("pm_9")
        assert merchant.payment_method.find("pm_1").default

    def test_an_expired_card_is_declined_where_that_is_set(self, gateway, merchant):
        gateway.update_card("pm_1", expiration_year="2020", is_silent=True)
        assert sold(merchant).is_success
        gateway.settings(enforce_expiry=True)
        assert sold(merchant, "11.00").transaction.processor_response_code == "2004"


class TestVerifications:
    def test_are_found_and_searched(self, merchant):
        failed = vaulted(merchant, "pm_2", "fake-processor-declined-visa-nonce", options={"verify_card": True})
        verification = failed.credit_card_verification
        assert merchant.verification.find(verification.id).processor_response_code == "2000"
        vaulted(merchant, "pm_3", options={"verify_card": True})
        by_status = sdk.CreditCardVerificationSearch.status == "processor_declined"
        assert [each.id for each in merchant.verification.search(by_status)] == [verification.id]
        everything = merchant.verification.search(sdk.CreditCardVerificationSearch.created_at >= NAIVE_START)
        assert len(list(everything)) == 2


class TestSales:
    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"amount": ""}, "81502"),
            ({"amount": "ten"}, "81503"),
            ({"amount": "10.001"}, "81503"),
            ({"amount": "-1"}, "81501"),
            ({"amount": "0.00"}, "81531"),
            ({"amount": "99999999999.99"}, "81528"),
            ({"payment_method_token": "never"}, "91518"),
            ({"payment_method_token": None, "payment_method_nonce": "never"}, "91565"),
            ({"payment_method_token": None, "payment_method_nonce": "fake-consumed-nonce"}, "91564"),
            ({"payment_method_token": None, "customer_id": "nobody"}, "91510"),
            ({"payment_method_token": None}, "91508"),
            ({"order_id": "x" * 256}, "91501"),
            ({"api_request_key": "x" * 256}, "915230"),
        ],
    )
    def test_bad_input_has_the_documented_code(self, gateway, merchant, params, code):
        assert codes(sold(merchant, **params)) == [code]
        assert gateway.ledger() == {}

    def test_decline_as_told_and_as_often(self, gateway, merchant):
        for on in ("pm_1", "1881", "*"):
            gateway.force(on, "2015", times=1)
            assert sold(merchant, order_id=on).transaction.processor_response_code == "2015"
            assert sold(merchant, order_id=on).is_success
        gateway.force("pm_1", "excessive_retry")
        assert sold(merchant, "12.00").transaction.gateway_rejection_reason == "excessive_retry"
        gateway.force("pm_1", None)
        assert sold(merchant, "12.00").is_success

    def test_amounts_lose_their_meaning_where_that_is_set(self, gateway, merchant):
        gateway.settings(amount_rules=False)
        assert sold(merchant, "2001.00").is_success

    def test_an_equal_one_within_the_window_is_a_duplicate(self, gateway, merchant):
        assert sold(merchant, order_id="o_1").is_success
        assert sold(merchant, order_id="o_1").transaction.gateway_rejection_reason == "duplicate"
        assert sold(merchant, "10.01", order_id="o_1").is_success
        assert sold(merchant, order_id="o_2").is_success
        gateway.settings(duplicate_window_seconds=0)
        assert sold(merchant, order_id="o_1").is_success

    def test_a_decline_is_no_first_of_two(self, gateway, merchant):
        gateway.force("pm_1", "2000", times=1)
        assert not sold(merchant, order_id="o_1").is_success
        assert sold(merchant, order_id="o_1").is_success

    def test_a_key_is_forgotten_after_thirty_days(self, gateway, merchant):
        first = sold(merchant, api_request_key="k_1").transaction.id
        gateway.clock.advance(days=30)
        assert sold(merchant, api_request_key="k_1").transaction.id == first
        gateway.clock.advance(seconds=1)
        assert sold(merchant, api_request_key="k_1").transaction.id != first

    def test_settle_by_the_clock_and_on_demand(self, gateway, merchant):
        by_clock, on_demand = sold(merchant).transaction.id, sold(merchant, "11.00").transaction.id
        assert merchant.testing.settle_transaction(on_demand).transaction.status == "settled"
        gateway.clock.advance(hours=23)
        assert merchant.transaction.find(by_clock).status == "submitted_for_settlement"
        gateway.clock.advance(hours=1)
        found = merchant.transaction.find(by_clock)
        assert [each.status for each in found.status_history] == [
            "authorized",
            "submitted_for_settlement",
            "settling",
            "settled",
        ]

    @pytest.mark.parametrize(
        ("amount", "status"), [("4001.00", "settlement_declined"), ("4002.00", "settlement_pending")]
    )
    def test_settling_paypal_may_fail_by_amount(self, gateway, merchant, amount, status):
        vaulted(merchant, "pp_1", "fake-paypal-billing-agreement-nonce")
        sale = sold(merchant, amount, payment_method_token="pp_1").transaction
        gateway.clock.advance(days=1)
        assert merchant.transaction.find(sale.id).status == status

    def test_an_authorization_is_taken_later_whole_or_less(self, merchant):
        held = sold(merchant, options={}).transaction
        assert held.status == "authorized"
        assert codes(merchant.transaction.submit_for_settlement(held.id, "10.01")) == ["91522"]
        taken = merchant.transaction.submit_for_settlement(held.id, "9.00").transaction
        assert (taken.status, str(taken.amount)) == ("submitted_for_settlement", "9.00")
        assert codes(merchant.transaction.submit_for_settlement(held.id)) == ["91507"]

    def test_are_reversed_by_a_void_or_a_refund(self, merchant):
        fresh, settled = sold(merchant).transaction.id, sold(merchant, "11.00").transaction.id
        merchant.testing.settle_transaction(settled)
        assert merchant.transaction.reverse(fresh).transaction.status == "voided"
        assert merchant.transaction.reverse(settled).transaction.type == "credit"


class TestSearch:
    @pytest.mark.parametrize(
        "criterion",
        [
            SEARCH.order_id == "o_1",
            SEARCH.order_id.starts_with("o_"),
            SEARCH.order_id.ends_with("_1"),
            SEARCH.order_id.contains("_"),
            SEARCH.customer_id == "acc_1",
            SEARCH.payment_method_token == "pm_1",
            SEARCH.status == "submitted_for_settlement",
            SEARCH.type == "sale",
            SEARCH.amount == "10.00",
            SEARCH.amount.between("9.99", "10.01"),
            SEARCH.created_at.between(NAIVE_START, NAIVE_START + timedelta(seconds=1)),
            SEARCH.submitted_for_settlement_at >= NAIVE_START,
            SEARCH.credit_card_number.starts_with("401288"),
            SEARCH.credit_card_card_type == "Visa",
            SEARCH.payment_instrument_type == "CreditCardDetail",
            SEARCH.refund == False,  # noqa: E712  (the SDK's way to write a criterion)
        ],
        ids=lambda criterion: f"{criterion.name} {criterion.to_param()}",
    )
    def test_finds_by_each_field(self, merchant, criterion):
        sale = sold(merchant, order_id="o_1").transaction
        assert [each.id for each in merchant.transaction.search(criterion)] == [sale.id]

    @pytest.mark.parametrize(
        "criterion",
        [
            SEARCH.order_id == "o",
            SEARCH.order_id != "o_1",
            SEARCH.status == "settled",
            SEARCH.amount >= "10.01",
            SEARCH.settled_at >= NAIVE_START,
            SEARCH.billing_last_name == "Ames",
        ],
        ids=lambda criterion: f"{criterion.name} {criterion.to_param()}",
    )
    def test_finds_nothing_else(self, merchant, criterion):
        sold(merchant, order_id="o_1")
        assert list(merchant.transaction.search(criterion)) == []

    def test_a_criterion_that_is_not_known_is_refused_not_ignored(self, merchant):
        with pytest.raises(sdk.exceptions.unexpected_error.UnexpectedError):
            merchant.transaction.search(SEARCH.reason_code == "any_reason_code")


class TestDisputes:
    def test_stand_with_their_sale(self, gateway, merchant):
        sale = sold(merchant, order_id="o_1").transaction
        opened = gateway.dispute(transaction_id=sale.id)
        found = merchant.dispute.find(opened["dispute_id"])
        assert (found.status, found.transaction.id, str(found.amount_disputed)) == ("open", sale.id, "10.00")
        assert [each.id for each in merchant.transaction.find(sale.id).disputes] == [found.id]
        gateway.dispute(dispute_id=found.id, status="won")
        assert str(merchant.dispute.find(found.id).amount_won) == "10.00"

    def test_are_searched_by_their_sale_their_status_and_the_days_it_took_effect(self, gateway, merchant):
        sale = sold(merchant, order_id="o_1").transaction
        opened = gateway.dispute(transaction_id=sale.id, status="lost")["dispute_id"]
        today = gateway.clock.now().date()
        criteria = [
            sdk.DisputeSearch.transaction_id == sale.id,
            sdk.DisputeSearch.status.in_list(["lost"]),
            sdk.DisputeSearch.effective_date.between(today, today),
            sdk.DisputeSearch.received_date <= today,
            sdk.DisputeSearch.amount_disputed >= "10.00",
        ]
        (found,) = merchant.dispute.search(criteria).disputes
        assert (found.id, [each.status for each in found.status_history]) == (opened, ["open", "lost"])
        assert list(merchant.dispute.search(sdk.DisputeSearch.status.in_list(["won"])).disputes) == []

    def test_a_criterion_of_a_dispute_that_is_not_known_is_refused(self, merchant):
        with pytest.raises(sdk.exceptions.unexpected_error.UnexpectedError):
            list(merchant.dispute.search(sdk.DisputeSearch.reference_number == "1").disputes)
