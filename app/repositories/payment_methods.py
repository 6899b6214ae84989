"""Payment methods, the consents behind them, and what the vault is still to be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import col, select

from app.domain.payment_gateway import (
    CheckResult,
    Decline,
    DeclineSeverity,
    MethodKind,
    Verification,
    VerificationStatus,
)
from app.domain.payment_methods import ON_FILE, AddFailure, MethodStatus, PaymentMethod, VaultTask
from app.models.payment_methods import PaymentConsentRow, PaymentMethodRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.payment_gateway import VaultedMethod


@dataclass(frozen=True, slots=True)
class MethodDraft:
    """A method before it is sent to the vault, with its outcome once it is there.

    One with `held_until` is verified first, and waits until then to be added.
    """

    id: str
    account_id: str
    wants_default: bool
    replaces_id: str | None
    created_by: str
    created_at: datetime
    request_id: str | None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to by adding a method, and from where."""

    id: str
    account_id: str
    method_id: str
    agreement_version: str
    text_hash: str
    agreement: str
    accepted_by: str
    accepted_at: datetime
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class StoredMethod:
    """A method with what the vault is still to be told of it, and what it was added for.

    `failure` says why it did not come on file; `duplicate_of_id` is the method on file that it was.
    """

    method: PaymentMethod
    draft: MethodDraft
    vault_task: VaultTask | None
    next_action_at: datetime | None
    failures: int
    failure: AddFailure | None = None
    duplicate_of_id: str | None = None


class PaymentMethodRepository:
    """Methods by account; a method is never deleted, only removed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_pending(self, draft: MethodDraft, consent: Consent, *, settle_at: datetime) -> None:
        """Add a method that is about to be sent to the vault, with its consent; `settle_at` is when to look again."""
        self._session.add(
            PaymentMethodRow(
                id=draft.id,
                account_id=draft.account_id,
                kind=MethodKind.CARD,
                status=MethodStatus.PENDING,
                is_default=False,
                position=0,
                brand="",
                replaces_id=draft.replaces_id,
                wants_default=draft.wants_default,
                held_until=draft.held_until,
                created_by=draft.created_by,
                request_id=draft.request_id,
                created_at=draft.created_at,
                updated_at=draft.created_at,
                vault_task=VaultTask.SETTLE,
                next_action_at=settle_at,
            )
        )
        await self._session.flush()
        self._session.add(
            PaymentConsentRow(
                id=consent.id,
                account_id=consent.account_id,
                method_id=consent.method_id,
                agreement_version=consent.agreement_version,
                text_hash=consent.text_hash,
                agreement=consent.agreement,
                accepted_by=consent.accepted_by,
                accepted_at=consent.accepted_at,
                address=consent.address,
                user_agent=consent.user_agent,
            )
        )
        await self._session.flush()

    async def list_on_file(self, account_id: str) -> list[PaymentMethod]:
        """Return the methods that the customer sees, oldest first."""
        statement = (
            select(PaymentMethodRow)
            .where(PaymentMethodRow.account_id == account_id, col(PaymentMethodRow.status).in_(ON_FILE))
            .order_by(col(PaymentMethodRow.id))
        )
        return [method_from_row(row) for row in await self._session.exec(statement)]

    async def expiring(self, since: date, before: date) -> list[PaymentMethod]:
        """Return cards on file whose last month is that of one of the days, of every account."""
        row = PaymentMethodRow
        month = col(row.expiry_year) * 12 + col(row.expiry_month)
        statement = (
            select(row)
            .where(
                col(row.status).in_(ON_FILE),
                month.between(since.year * 12 + since.month, before.year * 12 + before.month),
            )
            .order_by(col(row.id))
        )
        return [method_from_row(found) for found in await self._session.exec(statement)]

    async def find(self, method_id: str, account_id: str | None = None) -> StoredMethod | None:
        """Return the method, whatever became of it; none of another account when one is named."""
        row = await self._session.get(PaymentMethodRow, method_id, populate_existing=True)
        if row is None or (account_id is not None and row.account_id != account_id):
            return None
        return stored_from_row(row)

    async def describe(self, method_id: str, vaulted: VaultedMethod, *, at: datetime) -> None:
        """Store what the vault says of a method."""
        values = {
            "kind": vaulted.kind,
            "brand": vaulted.brand,
            "last4": vaulted.last4,
            "expiry_month": vaulted.expiry_month,
            "expiry_year": vaulted.expiry_year,
            "cardholder": vaulted.cardholder,
            "postal_code": vaulted.postal_code,
            "payer_email": vaulted.payer_email,
            "fingerprint": vaulted.fingerprint,
            "network_transaction_id": vaulted.network_transaction_id,
            "updated_at": at,
        }
        await self._set(method_id, values)

    async def set_status(self, method_id: str, status: MethodStatus, *, at: datetime) -> None:
        """Store how far a method has come; one that is not on file any more is nobody's default."""
        values: dict[str, Any] = {"status": status, "updated_at": at}
        if status not in ON_FILE:
            values["is_default"] = False
        await self._set(method_id, values)

    async def choose_default(self, method_id: str, *, wants_default: bool) -> None:
        """Store whether a verified method is to be the default once it is added."""
        await self._set(method_id, {"wants_default": wants_default})

    async def fail(
        self, method_id: str, failure: AddFailure, *, at: datetime, duplicate_of_id: str | None = None
    ) -> None:
        """Store that a method did not come on file, and why."""
        values = {"failure": failure, "duplicate_of_id": duplicate_of_id}
        await self._set(method_id, {"status": MethodStatus.FAILED, "updated_at": at, **values})

    async def set_verification(self, method_id: str, verification: Verification | None) -> None:
        """Store what the bank said when the method was added."""
        await self._set(method_id, {"verification": None if verification is None else _verification(verification)})

    async def set_default(self, account_id: str, method_id: str, *, former_position: int) -> None:
        """Make a method the default of its account; the former default becomes a back-up at the position given."""
        row = PaymentMethodRow
        former = (
            update(row)
            .where(col(row.account_id) == account_id, col(row.is_default), col(row.id) != method_id)
            .values(is_default=False, position=former_position)
        )
        await self._session.exec(former)
        await self._set(method_id, {"is_default": True, "position": 0})

    async def set_positions(self, positions: Mapping[str, int]) -> None:
        """Store the order of back-ups."""
        for method_id, position in positions.items():
            await self._set(method_id, {"position": position})

    async def add_found(self, account_id: str, method_id: str, vaulted: VaultedMethod | None, *, at: datetime) -> None:
        """Add a method that was charged and that only the vault knows: without a consent on record it is not charged.

        One that the vault has no more is removed here too.
        """
        on_file = await self.list_on_file(account_id)
        self._session.add(
            PaymentMethodRow(
                id=method_id,
                account_id=account_id,
                kind=MethodKind.CARD,
                status=MethodStatus.REMOVED if vaulted is None else MethodStatus.NEEDS_ATTENTION,
                is_default=False,
                position=1 + max((method.position for method in on_file), default=0),
                brand="Card",
                wants_default=False,
                created_by="system",
                created_at=at,
                updated_at=at,
            )
        )
        await self._session.flush()
        if vaulted is not None:
            is_taken = any(method.fingerprint == vaulted.fingerprint for method in on_file)
            await self.describe(method_id, replace(vaulted, fingerprint=None) if is_taken else vaulted, at=at)

    async def _set(self, method_id: str, values: Mapping[str, Any]) -> None:
        await self._session.exec(update(PaymentMethodRow).where(col(PaymentMethodRow.id) == method_id).values(**values))


def method_from_row(row: PaymentMethodRow) -> PaymentMethod:
    """Return the domain value of a method."""
    return PaymentMethod(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        status=row.status,
        is_default=row.is_default,
        position=row.position,
        brand=row.brand,
        last4=row.last4,
        expiry_month=row.expiry_month,
        expiry_year=row.expiry_year,
        cardholder=row.cardholder,
        postal_code=row.postal_code,
        payer_email=row.payer_email,
        fingerprint=row.fingerprint,
        verification=read_verification(row.verification),
    )


def stored_from_row(row: PaymentMethodRow) -> StoredMethod:
    """Return a method with what only the billing system knows of it."""
    draft = MethodDraft(
        row.id,
        row.account_id,
        row.wants_default,
        row.replaces_id,
        row.created_by,
        row.created_at,
        row.request_id,
        row.held_until,
    )
    return StoredMethod(
        method_from_row(row),
        draft,
        row.vault_task,
        row.next_action_at,
        row.failures,
        row.failure,
        row.duplicate_of_id,
    )


def _verification(verification: Verification) -> dict[str, Any]:
    return {
        "id": verification.id,
        "status": verification.status,
        "cvv": verification.cvv_check,
        "postal_code": verification.postal_code_check,
        "street": verification.street_check,
        "checked_at": verification.checked_at.isoformat(),
        "decline": decline_values(verification.decline),
    }


def read_verification(values: Mapping[str, Any] | None) -> Verification | None:
    """Return the verification that a JSON value stands for."""
    if values is None:
        return None
    return Verification(
        id=values["id"],
        status=VerificationStatus(values["status"]),
        cvv_check=CheckResult(values["cvv"]),
        postal_code_check=CheckResult(values["postal_code"]),
        street_check=CheckResult(values["street"]),
        checked_at=datetime.fromisoformat(values["checked_at"]),
        decline=read_decline(values["decline"]),
    )


def decline_values(decline: Decline | None) -> dict[str, Any] | None:
    """Return a decline as a JSON value."""
    if decline is None:
        return None
    return {
        "severity": decline.severity,
        "code": decline.code,
        "text": decline.text,
        "advice": decline.advice_code,
    }


def read_decline(values: Mapping[str, Any] | None) -> Decline | None:
    """Return the decline that a JSON value stands for."""
    if values is None:
        return None
    return Decline(DeclineSeverity(values["severity"]), values["code"], values["text"], values["advice"])
