"""What a customer agrees to by adding a payment method."""

from __future__ import annotations

import hashlib

import pytest

from app.domain.agreements import PAYMENT_AGREEMENT, AuthorizationRequired, check_authorization


class TestPaymentAgreement:
    def test_its_fingerprint_is_that_of_the_text(self):
        assert PAYMENT_AGREEMENT.text_hash == hashlib.sha256(PAYMENT_AGREEMENT.text.encode("utf-8")).hexdigest()

    @pytest.mark.parametrize("words", ["usage", "back-up payment methods", "each month", "told by e-mail", "remove"])
    def test_it_states_what_charging_needs(self, words):
        """The schemes ask for the use, and for how changes are notified; a back-up needs to be named to be charged."""
        assert words in PAYMENT_AGREEMENT.text

    def test_it_is_accepted_by_its_version(self):
        check_authorization(PAYMENT_AGREEMENT, is_given=True, version=PAYMENT_AGREEMENT.version)

    @pytest.mark.parametrize(("is_given", "version"), [(False, PAYMENT_AGREEMENT.version), (True, "2025-01")])
    def test_it_is_carried_by_the_refusal_of_anything_else(self, is_given, version):
        with pytest.raises(AuthorizationRequired) as refused:
            check_authorization(PAYMENT_AGREEMENT, is_given=is_given, version=version)
        assert refused.value.agreement == PAYMENT_AGREEMENT
