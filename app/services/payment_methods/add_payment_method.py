"""Adding a payment method: agreed to, written down, verified and kept by the vault, and then on file (rules 29, 36).

In one step, or in two: verified first, and added once the customer has seen what the bank said (rule 42).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from re import compile as pattern
from typing import TYPE_CHECKING, Any, NoReturn

from app.domain.add_attempts import AddAttempt, wait_before_attempt
from app.domain.agreements import check_authorization
from app.domain.collection import GATEWAY_DEADLINE
from app.domain.invoice_drafts import digest
from app.domain.payment_gateway import (
    BillingAddress,
    CheckResult,
    Customer,
    GatewayUnavailable,
    VaultRequest,
    VerificationStatus,
)
from app.domain.payment_methods import (
    VERIFICATION_HOLDS,
    AddFailure,
    MethodStatus,
)
from app.repositories import unit_of_work
from app.repositories.payment_methods import Consent, MethodDraft
from app.services.common.idempotency import execute_idempotently
from app.services.payment_methods.countries import is_country
from app.services.payment_methods.payment_method_changes import get_on_file

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.payment_gateway import Verification
    from app.domain.payment_methods import PaymentMethod
    from app.repositories.payment_methods import StoredMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.payment_methods.vault_service import VaultService

ADD, VERIFY = "add_payment_method", "verify_payment_method"
LONGEST_DEVICE_DATA = 20_000
LONGEST_TEXT = 255
NONCE = pattern(r"[!-~]{1,512}")


class TooManyAttempts(ValueError):
    """The account, the person or whoever else is at the address has tried too many methods of late.

    `retry_at` is when another one may be tried.
    """

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("Too many payment methods were tried of late. Wait a while, then try again.")
        self.retry_at = retry_at


class InvalidMethodInput(ValueError):
    """Something that comes along with a method cannot be used."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} cannot be used: it is too long, or not of the expected form.")
        self.what = what


class AmbiguousMethod(ValueError):
    """It is not clear what is to be added: by a nonce, or by a verification that came before."""

    def __init__(self) -> None:
        super().__init__(
            "Send either `nonce`, or `verificationId` without `deviceData`, `billingAddress` and `replaces`: "
            "those were given when the card was verified."
        )


class CardVerificationFailed(ValueError):
    """The bank, or the gateway, would not have the card; `verification` says what was checked."""

    def __init__(self, verification: Verification) -> None:
        super().__init__(_in_words(verification))
        self.verification = verification


class NonceRejected(ValueError):
    """The vault would not take what the payment form made."""

    def __init__(self, failure: AddFailure) -> None:
        super().__init__(_REJECTED[failure])
        self.failure = failure


class VerificationExpired(ValueError):
    """A verification was used before, is too old, or is none of the person's own (rule 42)."""

    def __init__(self) -> None:
        super().__init__("This verification was used already, or is too old. Verify the card again, then add it.")


class DuplicatePaymentMethod(ValueError):
    """The method is on file; `method` is the one, unless it is gone meanwhile."""

    def __init__(self, method: PaymentMethod | None) -> None:
        name = "This payment method" if method is None else method.display_name
        super().__init__(f"{name} is on file already.")
        self.method = method


_REJECTED = {
    AddFailure.NONCE_UNKNOWN: "The payment form has expired. Enter the payment method again.",
    AddFailure.NONCE_CONSUMED: "This payment form was sent before. Enter the payment method again.",
    AddFailure.NONCE_NOT_REUSABLE: "This payment was approved for one time only. Approve it for future payments.",
    AddFailure.CARD_INVALID: "The card number or the expiry date is not valid. Check them and try again.",
    AddFailure.NOT_ACCEPTED: "This payment method cannot be accepted. Try another one.",
}


@dataclass(frozen=True, slots=True)
class NewMethod:
    """A method to be added. What the payment form made of it is secret, and written down nowhere."""

    nonce: str = field(repr=False)
    agreement_version: str
    is_authorized: bool
    device_data: str | None = field(default=None, repr=False)
    makes_default: bool = False
    address: BillingAddress | None = field(default=None, repr=False)
    replaces: str | None = None

    def fingerprint(self) -> dict[str, Any]:
        """Return what tells one request from another, without what is secret."""
        address = self.address
        return {
            "nonce": digest(self.nonce),
            "agreement": self.agreement_version,
            "default": self.makes_default,
            "address": None if address is None else [address.street, address.postal_code, address.country_code],
            "replaces": self.replaces,
        }


@dataclass(frozen=True, slots=True)
class AddedMethod:
    """What adding came to; without `method` the vault has not said yet, and the same key asks again."""

    method: PaymentMethod | None
    consent: Consent


async def add_payment_method(
    vault: VaultService, caller: Caller, *, new: NewMethod, idempotency_key: str
) -> AddedMethod:
    """Verify a method, keep it in the vault under a token of ours, and put it on file; once under its key.

    It is the default when it is the first, when that is wanted, or when it takes the place of the default.
    :raises AuthorizationRequired: when the agreement in force was not accepted; nothing is sent then.
    :raises TooManyAttempts: when the account, the person or somebody at the same address has tried too often.
    :raises PaymentMethodNotFound: when it is to take the place of one that is not on file.
    :raises CardVerificationFailed, NonceRejected, DuplicatePaymentMethod: when it cannot be kept.
    :raises GatewayUnavailable: when the vault could not be asked; nothing is on file then.
    :raises IdempotencyConflict: when the key came with another request before.
    """
    owner, method_id = await send(Adding(vault, caller, new, idempotency_key))
    return await unit_of_work.read(vault.services.database, lambda uow: outcome_of(uow, owner.id, method_id))


@dataclass(frozen=True, slots=True)
class Adding:
    """Who adds what, and under which key; with `holds` it is verified first, and waits to be added."""

    vault: VaultService
    caller: Caller
    new: NewMethod
    idempotency_key: str
    holds: bool = False


@dataclass(frozen=True, slots=True)
class _Intended:
    """A method that is written down; `is_new` where nobody has sent it yet."""

    owner: Account
    method_id: str
    is_new: bool


async def send(by: Adding) -> tuple[Account, str]:
    """Write a method down and send it to the vault, once; return whose it is, and its id."""
    vault, new = by.vault, by.new
    check_authorization(vault.agreement, is_given=new.is_authorized, version=new.agreement_version)
    _check_form(new)
    intended = await unit_of_work.write(vault.services.database, lambda uow: _intend(uow, by))
    if intended.is_new:
        customer = Customer(intended.owner.id, intended.owner.name)
        await vault.keep(VaultRequest(customer, intended.method_id, new.nonce, new.device_data, new.address))
    return intended.owner, intended.method_id


async def _intend(uow: UnitOfWork, by: Adding) -> _Intended:
    """Write down that a method is about to be sent, once under its key."""
    owner = await uow.accounts.get_by_external_id(by.caller.account, lock=True)
    now, is_new = by.vault.services.clock.now(), False

    async def write_down() -> dict[str, Any]:
        nonlocal is_new
        is_new = True
        await _check_limits(uow, by, owner.id, now)
        if by.new.replaces is not None:
            get_on_file(await uow.payment_methods.list_on_file(owner.id), by.new.replaces)
        return {"method": await _write_down(uow, by, owner.id, now)}

    stored = await execute_idempotently(
        uow,
        account_id=owner.id,
        operation=VERIFY if by.holds else ADD,
        key=by.idempotency_key,
        request=by.new.fingerprint(),
        now=now,
        work=write_down,
    )
    return _Intended(owner, str(stored["method"]), is_new)


def _check_form(new: NewMethod) -> None:
    """Refuse what the vault could not even be asked about."""
    if NONCE.fullmatch(new.nonce) is None:
        raise NonceRejected(AddFailure.NONCE_UNKNOWN)
    if new.device_data is not None and not _is_plain(new.device_data, LONGEST_DEVICE_DATA):
        raise InvalidMethodInput("device data")
    if new.address is not None:
        parts = (new.address.street, new.address.postal_code)
        country = new.address.country_code
        if not all(part is None or _is_plain(part, LONGEST_TEXT) for part in parts):
            raise InvalidMethodInput("billing address")
        if country is not None and not is_country(country):
            raise InvalidMethodInput("country of the billing address")


def _is_plain(text: str, longest: int) -> bool:
    """Tell whether a text is short enough and has no control characters."""
    return len(text) <= longest and all(each in "\t\r\n" or unicodedata.category(each)[0] != "C" for each in text)


async def _check_limits(uow: UnitOfWork, by: Adding, account_id: str, now: datetime) -> None:
    limits = by.vault.limits
    longest = max((limit.within_seconds for limit in limits), default=0)
    earlier = await uow.consents.attempts_since(now - timedelta(seconds=longest))
    attempt = AddAttempt(account_id, by.caller.actor, by.vault.telling_address(by.caller.address), now)
    wait = wait_before_attempt(earlier, attempt, limits)
    if wait:
        raise TooManyAttempts(now + timedelta(seconds=wait))


async def _write_down(uow: UnitOfWork, by: Adding, account_id: str, now: datetime) -> str:
    """Write the method down with what was agreed to for it, and return its id."""
    ids, agreement = by.vault.services.ids, by.vault.agreement
    draft = MethodDraft(
        ids.new("pm"),
        account_id,
        by.new.makes_default,
        by.new.replaces,
        by.caller.actor,
        now,
        by.caller.request_id,
        held_until=now + VERIFICATION_HOLDS if by.holds else None,
    )
    consent = Consent(
        id=ids.new("cns"),
        account_id=account_id,
        method_id=draft.id,
        agreement_version=agreement.version,
        text_hash=agreement.text_hash,
        agreement=agreement.text,
        accepted_by=by.caller.actor,
        accepted_at=now,
        address=by.caller.address,
        user_agent=by.caller.user_agent,
    )
    await uow.payment_methods.add_pending(draft, consent, settle_at=now + GATEWAY_DEADLINE)
    return draft.id


async def outcome_of(uow: UnitOfWork, account_id: str, method_id: str) -> AddedMethod:
    """Return what has become of a method by now, or raise why it did not come on file."""
    stored = await uow.payment_methods.find(method_id, account_id)
    consent = await uow.consents.find(method_id)
    if stored is None or consent is None:
        raise LookupError(method_id)
    if stored.method.status is MethodStatus.FAILED:
        await _refuse(uow, stored)
    is_known = stored.method.status is not MethodStatus.PENDING
    return AddedMethod(stored.method if is_known else None, consent)


async def _refuse(uow: UnitOfWork, stored: StoredMethod) -> NoReturn:
    failure, verification = stored.failure, stored.method.verification
    if failure is AddFailure.DECLINED and verification is not None:
        raise CardVerificationFailed(verification)
    if failure is AddFailure.DUPLICATE:
        known = await uow.payment_methods.find(stored.duplicate_of_id or "", stored.method.account_id)
        raise DuplicatePaymentMethod(None if known is None else known.method)
    if failure is AddFailure.NOT_ADDED:
        raise VerificationExpired
    if failure in _REJECTED:
        raise NonceRejected(failure)
    raise GatewayUnavailable(f"the method is {failure}")


def _in_words(verification: Verification) -> str:
    """Return why a card was not accepted, for the customer; the bank's own code is for staff."""
    if verification.status is VerificationStatus.FAILED:
        return "The bank could not be reached to check this card. Try again in a few minutes."
    if verification.cvv_check is CheckResult.DOES_NOT_MATCH:
        return "The security code does not match this card. Check it and try again."
    if CheckResult.DOES_NOT_MATCH in {verification.postal_code_check, verification.street_check}:
        return "The billing address does not match this card. Check it and try again."
    if verification.status is VerificationStatus.REJECTED:
        return "This card cannot be accepted. Try another one."
    return "The bank declined this card. Check its details, ask the bank, or try another card."
