"""Adding a payment method through the real SDK: agreed to, verified, on file; and every way in which it is not."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest

from app.domain.agreements import PAYMENT_AGREEMENT, AuthorizationRequired
from app.domain.payment_gateway import BillingAddress, CheckResult, GatewayUnavailable, VerificationStatus
from app.domain.payment_methods import AddFailure, MethodStatus
from app.services.common.idempotency import IdempotencyConflict
from app.services.payment_methods.add_payment_method import (
    CardVerificationFailed,
    DuplicatePaymentMethod,
    InvalidMethodInput,
    NonceRejected,
    TooManyAttempts,
)
from app.services.payment_methods.payment_method_changes import PaymentMethodNotFound
from tests.till import AMEX, MASTERCARD, VISA
from tests.wallet import ANN, HERE, Wallet
from tests.world import ACCOUNT

DECLINED = "fake-processor-declined-visa-nonce"
PAYPAL = "fake-paypal-billing-agreement-nonce"
NUMBER = "4111111111111111"


@pytest.fixture
async def july(wallet: Wallet):
    """An account without a payment method."""
    await wallet.world.add_account()
    return wallet


class TestAdded:
    async def test_rule_29_the_first_is_the_default_and_the_next_is_a_back_up(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        assert await july.on_file() == [first, second]
        assert await july.in_vault() == {first: True, second: False}

    async def test_it_is_described_as_the_vault_has_it(self, july):
        added = (await july.try_to_add(VISA, address=BillingAddress("1 Main St", "20001", "US"))).method
        assert (added.display_name, added.status) == ("Visa ending in 1881", MethodStatus.ACTIVE)
        assert (added.expiry_month, added.postal_code) == (12, "20001")
        assert added.fingerprint is not None
        assert added.verification.status is VerificationStatus.VERIFIED
        assert added.verification.postal_code_check is CheckResult.NOT_VERIFIED

    @pytest.mark.parametrize("country", ["US", "gb", "DE", "AQ", "SS"])
    async def test_the_country_is_one_of_iso_3166_in_capitals_or_not(self, july, country):
        assert (await july.try_to_add(VISA, address=BillingAddress(country_code=country))).method is not None

    async def test_paypal_is_added_without_a_verification(self, july):
        added = (await july.try_to_add(PAYPAL)).method
        assert (added.display_name, added.verification) == ("PayPal jane.doe@paypal.com", None)

    async def test_wanted_as_the_default_it_comes_before_the_former_one(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        third = await july.add(AMEX, makes_default=True)
        assert await july.on_file() == [third, first, second]
        await july.sweep()
        assert await july.in_vault() == {first: False, second: False, third: True}

    async def test_the_consent_says_what_was_agreed_to_by_whom_and_from_where(self, july):
        method = await july.add(VISA)
        (consent,) = await july.rows("payment_consent")
        assert consent["agreement"] == PAYMENT_AGREEMENT.text
        assert consent["text_hash"] == hashlib.sha256(PAYMENT_AGREEMENT.text.encode()).hexdigest()
        assert (consent["agreement_version"], consent["method_id"]) == (PAYMENT_AGREEMENT.version, method)
        assert (consent["accepted_by"], consent["address"], consent["user_agent"]) == (
            ANN,
            HERE.address,
            HERE.user_agent,
        )
        assert (consent["accepted_at"] is not None, consent["revoked_at"]) == (True, None)

    async def test_the_trail_says_who_added_it_and_from_where(self, july):
        method = await july.add(VISA)
        added, default = await july.events()
        assert (added.kind, added.subject_id, added.actor, added.request_id) == (
            "payment_method.added",
            method,
            ANN,
            "req_1",
        )
        assert added.data == {"method_name": "Visa ending in 1881", "is_default": True, "address": HERE.address}
        assert (default.kind, default.data["former_name"]) == ("payment_method.default_changed", None)

    async def test_rule_30_open_invoices_are_tried_at_once(self, july):
        await july.world.close_now()
        await july.till.collect()
        await july.add(VISA)
        assert (await july.till.collection()).is_requested
        await july.till.collect()
        (attempt,) = await july.till.attempts()
        assert july.till.gateway.captured(attempt.id) == (1, 139_00)

    async def test_no_secret_is_in_the_database(self, july):
        nonce = july.till.gateway.nonce(NUMBER)
        await july.try_to_add(nonce, device_data='{"correlation_id": "c0ffee-device"}')
        written = repr(await july.everything())
        assert nonce not in written
        assert "c0ffee-device" not in written
        assert NUMBER not in written


class TestReplaces:
    async def test_a_card_is_renewed_in_its_place(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        third = await july.add(AMEX)
        renewed = await july.add(july.till.gateway.nonce("5454545454545454"), replaces=second)
        assert await july.on_file() == [first, renewed, third]
        assert await july.status(second) is MethodStatus.REMOVED
        await july.sweep()
        assert await july.in_vault() == {first: True, renewed: False, third: False}

    async def test_the_default_stays_the_default_with_the_same_number(self, july):
        first, second = await july.add(july.till.gateway.nonce(NUMBER, expiration_date="01/2027")), await july.add(AMEX)
        renewed = await july.add(july.till.gateway.nonce(NUMBER, expiration_date="01/2031"), replaces=first)
        assert await july.on_file() == [renewed, second]
        assert (await july.stored(renewed)).method.expiry_year == 2031
        revoked = {row["method_id"]: row["revoked_at"] is not None for row in await july.rows("payment_consent")}
        assert revoked == {first: True, second: False, renewed: False}
        kinds = [event.kind.removeprefix("payment_method.") for event in await july.events()]
        assert kinds == ["added", "default_changed", "added", "removed", "added", "default_changed"]

    async def test_wanted_as_the_default_it_is_that(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        renewed = await july.add(AMEX, replaces=second, makes_default=True)
        assert await july.on_file() == [renewed, first]

    async def test_one_that_was_removed_meanwhile_leaves_it_a_back_up(self, july):
        first, second = await july.add(VISA), await july.add(MASTERCARD)
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "reset"})
        added = await july.try_to_add(AMEX, replaces=second)
        assert added.method is None
        await july.remove(second)
        await july.sweep()
        assert len(await july.on_file()) == 2
        assert (await july.on_file())[0] == first

    async def test_an_unknown_a_foreign_or_a_removed_one_is_not_found_and_nothing_is_written(self, july):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        foreign = await july.add(VISA, account="AA0202")
        await july.add(VISA)
        gone = await july.add(MASTERCARD)
        await july.remove(gone)
        before, calls = await july.everything(), await july.in_vault()
        for replaced in ("pm_x", foreign, gone, ""):
            with pytest.raises(PaymentMethodNotFound):
                await july.try_to_add(AMEX, replaces=replaced)
        assert (await july.everything(), await july.in_vault()) == (before, calls)


class TestNotAgreedTo:
    @pytest.mark.parametrize("refusal", [{"is_authorized": False}, {"agreement_version": "2025-01"}])
    async def test_nothing_is_sent_and_nothing_written(self, july, refusal):
        before = await july.everything()
        july.till.gateway.faults({"match": "*", "action": "hang"})
        with pytest.raises(AuthorizationRequired) as refused:
            await july.try_to_add(VISA, **refusal)
        assert refused.value.agreement == PAYMENT_AGREEMENT
        assert await july.everything() == before


class TestDeclined:
    async def test_the_bank_says_no_and_nothing_is_on_file(self, july):
        with pytest.raises(CardVerificationFailed, match="The bank declined this card") as refused:
            await july.try_to_add(DECLINED)
        assert refused.value.verification.status is VerificationStatus.DECLINED
        assert (await july.on_file(), await july.in_vault()) == ([], {})
        (event,) = await july.events()
        assert (event.kind, event.data["failure"]) == ("payment_method.failed", AddFailure.DECLINED)
        (consent,) = await july.rows("payment_consent")
        assert consent["revoked_at"] is not None

    async def test_a_wrong_security_code_is_named(self, july):
        july.till.gateway.settings(cvv_rules=True)
        with pytest.raises(CardVerificationFailed, match="security code does not match") as refused:
            await july.try_to_add("fake-three-digit-cvv-only-n-response-nonce")
        assert refused.value.verification.cvv_check is CheckResult.DOES_NOT_MATCH

    async def test_a_wrong_address_is_named(self, july):
        july.till.gateway.settings(avs_rules=True)
        with pytest.raises(CardVerificationFailed, match="address does not match") as refused:
            await july.try_to_add(VISA, address=BillingAddress(postal_code="20000"))
        assert refused.value.verification.postal_code_check is CheckResult.DOES_NOT_MATCH

    @pytest.mark.parametrize(
        ("nonce", "words"),
        [
            ("fake-processor-failure-jcb-nonce", "could not be reached"),
            ("fake-gateway-rejected-fraud-nonce", "cannot be accepted"),
        ],
    )
    async def test_a_failure_and_a_rejection_are_told_apart(self, july, nonce, words):
        with pytest.raises(CardVerificationFailed, match=words):
            await july.try_to_add(nonce)
        assert await july.on_file() == []


class TestRejectedNonces:
    @pytest.mark.parametrize(
        ("nonce", "failure"),
        [
            ("nothing-that-was-ever-made", AddFailure.NONCE_UNKNOWN),
            ("fake-consumed-nonce", AddFailure.NONCE_CONSUMED),
            ("fake-luhn-invalid-nonce", AddFailure.CARD_INVALID),
            ("fake-paypal-one-time-nonce", AddFailure.NONCE_NOT_REUSABLE),
        ],
    )
    async def test_it_is_refused_with_a_reason(self, july, nonce, failure):
        with pytest.raises(NonceRejected) as refused:
            await july.try_to_add(nonce)
        assert refused.value.failure is failure
        assert (await july.on_file(), await july.in_vault()) == ([], {})

    async def test_an_expired_one_is_unknown(self, july):
        nonce = july.till.gateway.nonce(NUMBER)
        july.world.clock.instant += timedelta(hours=4)
        with pytest.raises(NonceRejected) as refused:
            await july.try_to_add(nonce)
        assert refused.value.failure is AddFailure.NONCE_UNKNOWN

    async def test_a_used_one_is_consumed_under_another_key(self, july):
        nonce = july.till.gateway.nonce(NUMBER)
        await july.add(nonce)
        with pytest.raises(NonceRejected) as refused:
            await july.try_to_add(nonce)
        assert refused.value.failure is AddFailure.NONCE_CONSUMED

    @pytest.mark.parametrize("nonce", ["", " ", "a\x00b", "nönce", "x" * 513, "two words"])
    async def test_a_malformed_one_is_refused_unsent_and_unwritten(self, july, nonce):
        before = await july.everything()
        with pytest.raises(NonceRejected):
            await july.try_to_add(nonce)
        assert await july.everything() == before

    @pytest.mark.parametrize(
        "given",
        [
            {"device_data": "x" * 20_001},
            {"device_data": "a\x01b"},
            {"address": BillingAddress(street="x" * 256)},
            {"address": BillingAddress(postal_code="\x07")},
            {"address": BillingAddress(country_code="USA")},
            {"address": BillingAddress(country_code="XX")},
            {"address": BillingAddress(country_code="UK")},
            {"address": BillingAddress(country_code="EU")},
            {"address": BillingAddress(country_code="\u00df")},
            {"address": BillingAddress(country_code="")},
        ],
    )
    async def test_what_comes_along_has_its_form(self, july, given):
        before = await july.everything()
        with pytest.raises(InvalidMethodInput):
            await july.try_to_add(VISA, **given)
        assert await july.everything() == before


class TestDuplicates:
    async def test_the_same_card_is_named_and_kept_once(self, july):
        first = await july.add(VISA)
        with pytest.raises(DuplicatePaymentMethod, match="Visa ending in 1881 is on file already") as refused:
            await july.try_to_add(VISA)
        assert refused.value.method.id == first
        assert await july.on_file() == [first]
        await july.sweep()
        assert await july.in_vault() == {first: True}

    async def test_the_same_paypal_account_too(self, july):
        first = await july.add(PAYPAL)
        with pytest.raises(DuplicatePaymentMethod) as refused:
            await july.try_to_add(PAYPAL)
        assert refused.value.method.id == first

    async def test_a_removed_card_may_come_back_at_once(self, july):
        first, second = await july.add(VISA), await july.add(AMEX)
        await july.remove(first)
        again = await july.add(VISA)
        await july.sweep()
        assert await july.on_file() == [second, again]
        assert set(await july.in_vault()) == {second, again}

    async def test_another_account_may_have_it(self, july):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        await july.add(VISA)
        await july.add(VISA, account="AA0202")


class TestOnce:
    async def test_the_same_key_is_answered_with_the_first_outcome(self, july):
        nonce = july.till.gateway.nonce(NUMBER)
        first = await july.try_to_add(nonce, key="press")
        before = await july.everything()
        assert await july.try_to_add(nonce, key="press") == first
        assert await july.everything() == before

    @pytest.mark.parametrize(
        ("nonce", "refusal"),
        [(DECLINED, CardVerificationFailed), ("fake-consumed-nonce", NonceRejected), (VISA, DuplicatePaymentMethod)],
    )
    async def test_a_refusal_is_repeated_too(self, july, nonce, refusal):
        await july.add(VISA)
        answers = []
        for _ in range(2):
            with pytest.raises(refusal) as refused:
                await july.try_to_add(nonce, key="press")
            answers.append(str(refused.value))
        assert answers[0] == answers[1]
        assert len(await july.rows("payment_method")) == 2

    async def test_pressed_twice_at_once_it_is_one_card(self, july):
        nonce = july.till.gateway.nonce(NUMBER)
        answers = await asyncio.gather(*(july.try_to_add(nonce, key="press") for _ in range(4)))
        assert len(await july.rows("payment_method")) == len(await july.on_file()) == 1
        assert {answer.method and answer.method.id for answer in answers} <= {*await july.on_file(), None}

    @pytest.mark.parametrize(
        "other", [{"makes_default": True}, {"address": BillingAddress(postal_code="10001")}, {"nonce": AMEX}]
    )
    async def test_another_request_under_the_key_is_a_conflict(self, july, other):
        await july.add(VISA, key="press")
        before = await july.everything()
        with pytest.raises(IdempotencyConflict):
            await july.try_to_add(other.pop("nonce", VISA), key="press", **other)
        assert await july.everything() == before

    async def test_the_key_belongs_to_the_account(self, july):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        first, second = await july.add(VISA, key="press"), await july.add(VISA, key="press", account="AA0202")
        assert first != second


class TestLimits:
    async def test_the_sixth_in_an_hour_waits_and_nothing_is_sent_or_written(self, july):
        for _ in range(5):
            with pytest.raises(CardVerificationFailed):
                await july.try_to_add(DECLINED)
        before = await july.everything()
        with pytest.raises(TooManyAttempts) as refused:
            await july.try_to_add(VISA, key="sixth")
        assert refused.value.retry_at == july.world.clock.now() + timedelta(hours=1)
        assert await july.everything() == before
        july.world.clock.instant = refused.value.retry_at
        await july.add(VISA, key="sixth")

    async def test_twenty_a_day_are_the_most_also_after_a_restart(self, july):
        for hour in range(20):
            july.world.clock.instant += timedelta(hours=1)
            with pytest.raises(CardVerificationFailed):
                await july.try_to_add(DECLINED, key=f"hour-{hour}")
        july.world.clock.instant += timedelta(hours=1)
        restarted = Wallet(july.till)
        with pytest.raises(TooManyAttempts) as refused:
            await restarted.try_to_add(VISA, key="late")
        assert refused.value.retry_at == july.world.clock.now() + timedelta(hours=4)

    async def test_replays_are_free(self, july):
        first = await july.try_to_add(VISA, key="press")
        for _ in range(6):
            assert await july.try_to_add(VISA, key="press") == first

    async def test_another_person_of_another_account_at_another_place_is_not_held_up(self, july):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        for _ in range(5):
            with pytest.raises(CardVerificationFailed):
                await july.try_to_add(DECLINED)
        await july.add(VISA, by=july.caller("AA0202", actor="user:usr_eve", address="198.51.100.8"))

    @pytest.mark.parametrize(
        "other",
        [
            {"account": ACCOUNT, "actor": "user:usr_eve", "address": "198.51.100.8"},
            {"account": "AA0202", "actor": ANN, "address": "198.51.100.8"},
            {"account": "AA0202", "actor": "user:usr_eve", "address": HERE.address},
        ],
        ids=["the account", "the person", "the address"],
    )
    async def test_the_account_the_person_and_the_address_are_held_up_each_by_itself(self, july, other):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        for _ in range(5):
            with pytest.raises(CardVerificationFailed):
                await july.try_to_add(DECLINED)
        with pytest.raises(TooManyAttempts):
            await july.try_to_add(VISA, by=july.caller(**other))

    async def test_where_clients_come_from_the_internet_a_proxy_s_address_holds_nobody_up(self, july):
        await july.world.add_account("AA0202", name="Elm Plumbing")
        online = Wallet(july.till, counts_local_addresses=False)
        for _ in range(5):
            with pytest.raises(CardVerificationFailed):
                await online.try_to_add(DECLINED, by=online.caller(address="10.0.0.7"))
        await online.add(VISA, by=online.caller("AA0202", actor="user:usr_eve", address="10.0.0.7"))

    async def test_attempts_that_reached_nobody_do_not_count(self, july):
        july.till.gateway.faults({"match": "find_customer", "action": "status", "status": 500, "times": 5})
        for _ in range(5):
            with pytest.raises(GatewayUnavailable):
                await july.try_to_add(VISA)
        await july.add(VISA)
