"""What is asked of a gateway names no secret, and what it answers says whether money moves."""

from __future__ import annotations

import pytest

from app.domain.payment_gateway import (
    DUPLICATE,
    AnswerKind,
    ChargeAnswer,
    Customer,
    Decline,
    DeclineSeverity,
    GatewayUnavailable,
    TransactionStatus,
    VaultRequest,
    WebhookForged,
)
from tests.factories.collections import a_transaction


class TestVaultRequest:
    def test_its_text_names_the_token_alone(self):
        request = VaultRequest(Customer("acc_1", "Harbor Dental"), "pm_1", "secret-nonce", "secret-device")
        assert "secret" not in repr(request)
        assert "pm_1" in repr(request)


class TestTransaction:
    @pytest.mark.parametrize("status", TransactionStatus)
    def test_says_whether_the_money_is_taken(self, status):
        taken = status in {TransactionStatus.AUTHORIZED, TransactionStatus.CAPTURED, TransactionStatus.SETTLED}
        assert a_transaction(status).moves_money is taken


class TestDuplicates:
    @pytest.mark.parametrize(
        ("code", "is_duplicate"),
        [(DUPLICATE, True), ("2000", False), (None, False)],
        ids=["duplicate", "declined", "none"],
    )
    def test_an_answer_says_whether_an_equal_charge_came_before(self, code, is_duplicate):
        decline = None if code is None else Decline(DeclineSeverity.SOFT, code, "for staff")
        assert ChargeAnswer(AnswerKind.UNKNOWN, decline=decline).is_duplicate is is_duplicate


class TestRefusals:
    def test_keep_what_is_for_the_log_from_the_customer(self):
        assert "ECONNREFUSED" not in str(GatewayUnavailable("ECONNREFUSED"))
        assert "signature" not in str(WebhookForged("bad signature"))
