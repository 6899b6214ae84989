"""The adapter around the real SDK: every answer sorted by what may be believed of it (rule 31)."""

from __future__ import annotations

from app.domain.payment_gateway import AnswerKind, ChargeReason, ChargeRequest, Customer, VaultRequest

CUSTOMER = Customer("acc_1", "Harbor Dental")


class TestCharge:
    async def test_takes_money_once_however_often_it_is_asked(self, gateway):
        payments = gateway.payments()
        vaulted = await payments.vault(VaultRequest(CUSTOMER, "pm_1", "fake-valid-visa-nonce"))
        assert vaulted.kind is AnswerKind.DONE
        request = ChargeRequest("att_1", 4_967_70, CUSTOMER.id, "pm_1", ChargeReason.RECURRING)
        first, second = await payments.charge(request), await payments.charge(request)
        assert first.kind is AnswerKind.DONE
        assert first.transaction == second.transaction
        assert gateway.captured("att_1") == (1, 4_967_70)
        assert await payments.find_by_order("att_1") == [first.transaction]
