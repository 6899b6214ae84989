"""A card on file, and a payment service in this process that takes a charge or declines it as it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from app.domain.payment_gateway import (
    AnswerKind,
    ChargeAnswer,
    ChargeRequest,
    Decline,
    DeclineSeverity,
    MethodKind,
    Transaction,
    TransactionKind,
    TransactionStatus,
    VaultedMethod,
)
from app.domain.payment_methods import MethodStatus
from app.repositories.payment_methods import Consent, MethodDraft
from app.repositories.unit_of_work import UnitOfWork

METHOD = "pm_1"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
DECLINE = Decline(DeclineSeverity.SOFT, "2001", "Insufficient funds")


class PaymentsDouble:
    """Answers at once; `declines` decides how. `sales` are the charges that went through, by transaction."""

    def __init__(self) -> None:
        self.declines = False
        self.charges: list[ChargeRequest] = []
        self.sales: dict[str, Transaction] = {}
        self.refunds = 0

    async def charge(self, request: ChargeRequest) -> ChargeAnswer:
        self.charges.append(request)
        status = TransactionStatus.DECLINED if self.declines else TransactionStatus.CAPTURED
        transaction = Transaction(
            id=f"t{len(self.charges)}",
            kind=TransactionKind.SALE,
            status=status,
            amount_cents=request.amount_cents,
            order_id=request.attempt_id,
            customer_id=request.customer_id,
            method_token=request.method_token,
            created_at=BEGUN,
            decline=DECLINE if self.declines else None,
        )
        if self.declines:
            return ChargeAnswer(AnswerKind.DECLINED, transaction, DECLINE)
        self.sales[transaction.id] = transaction
        return ChargeAnswer(AnswerKind.DONE, transaction)

    async def find_transaction(self, transaction_id: str) -> Transaction | None:
        return self.sales.get(transaction_id)

    async def void(self, transaction_id: str, request_key: str) -> ChargeAnswer:
        voided = self.sales[transaction_id] = replace(self.sales[transaction_id], status=TransactionStatus.VOIDED)
        return ChargeAnswer(AnswerKind.DONE, voided)

    async def refund(
        self, transaction_id: str, amount_cents: int, request_key: str, *, uses_key: bool = True
    ) -> ChargeAnswer:
        self.refunds += 1
        refund = replace(
            self.sales[transaction_id],
            id=f"r{self.refunds}",
            kind=TransactionKind.REFUND,
            amount_cents=amount_cents,
            order_id=request_key,
            refunded_id=transaction_id,
        )
        return ChargeAnswer(AnswerKind.DONE, refund)

    def settle(self) -> None:
        """Let every sale that is not void be settled."""
        for sale in self.sales.values():
            if sale.status is TransactionStatus.CAPTURED:
                self.sales[sale.id] = replace(sale, status=TransactionStatus.SETTLED)

    def decline_at_settlement(self, place: int) -> Transaction:
        """Let the bank decline a sale after all, by its place among those that went through."""
        sale = list(self.sales.values())[place]
        declined = self.sales[sale.id] = replace(sale, status=TransactionStatus.SETTLEMENT_DECLINED, decline=DECLINE)
        return declined


async def put_card_on_file(uow: UnitOfWork, account_id: str) -> None:
    """Make a card the account's default."""
    methods = uow.payment_methods
    consent = Consent("cns_1", account_id, METHOD, "1", "hash", "I agree.", "user:test", BEGUN, None, None)
    draft = MethodDraft(METHOD, account_id, False, None, "user:test", BEGUN, None)
    await methods.add_pending(draft, consent, settle_at=BEGUN)
    card = VaultedMethod(
        METHOD, account_id, MethodKind.CARD, "Visa", last4="1881", expiry_month=12, expiry_year=2099, fingerprint="f"
    )
    await methods.describe(METHOD, card, at=BEGUN)
    await methods.set_status(METHOD, MethodStatus.ACTIVE, at=BEGUN)
    await uow.vault_tasks.plan(METHOD, None, at=None)
    await methods.set_default(account_id, METHOD, former_position=0)
