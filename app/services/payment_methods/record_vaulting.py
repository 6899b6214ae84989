"""What the vault answered about a method that was to be added, written down once, whoever learns of it first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.announcements import Change
from app.domain.events.payment_methods import (
    PaymentMethodAdded,
    PaymentMethodNotAdded,
    PaymentMethodVerificationExpired,
    PaymentMethodVerified,
)
from app.domain.payment_gateway import AnswerKind
from app.domain.payment_methods import (
    ON_FILE,
    AddFailure,
    MethodStatus,
    VaultTask,
    failure_of,
    find_duplicate,
    in_order,
    place_in_order,
)
from app.services.payment_methods.payment_method_changes import (
    MethodChange,
    default_of,
    put_in_order,
    take_off_file,
    tell,
    tell_new_default,
)
from app.services.payments.collect_due import request_collection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.payment_gateway import VaultAnswer, VaultedMethod, Verification
    from app.domain.payment_methods import PaymentMethod
    from app.ports import Ids
    from app.repositories.payment_methods import StoredMethod
    from app.repositories.unit_of_work import UnitOfWork

LATE_COMMITS_WITHIN = timedelta(hours=1)
"""How long after a method was given up the vault is told to delete it: it may have come after all."""


async def record_answer(uow: UnitOfWork, ids: Ids, method_id: str, answer: VaultAnswer, now: datetime) -> None:
    """Write down the outcome of a method that was sent to the vault; an outcome that is known already stands."""
    stored = await load_locked(uow, method_id)
    if stored.method.status is not MethodStatus.PENDING:
        await _record_late(uow, stored, answer, now)
    elif answer.kind is AnswerKind.DONE and answer.method is not None:
        await record_vaulted(uow, ids, stored, answer.method, answer.verification, now)
    elif answer.kind is AnswerKind.DECLINED:
        await uow.payment_methods.set_verification(method_id, answer.verification)
        await give_up(uow, ids, stored, AddFailure.DECLINED, now)
    elif answer.kind is AnswerKind.REFUSED:
        await give_up(uow, ids, stored, failure_of(answer.refusal), now)
    elif answer.kind is AnswerKind.NEVER_SENT:
        await give_up(uow, ids, stored, AddFailure.UNAVAILABLE, now)
    else:
        await uow.vault_tasks.plan(method_id, VaultTask.SETTLE, at=now)


async def load_locked(uow: UnitOfWork, method_id: str) -> StoredMethod:
    """Return a method, and make the caller its account's only writer.

    :raises LookupError: when there is none.
    """
    found = await uow.payment_methods.find(method_id)
    if found is None:
        raise LookupError(method_id)
    await uow.accounts.get(found.method.account_id, lock=True)
    stored = await uow.payment_methods.find(method_id)
    return found if stored is None else stored


async def _record_late(uow: UnitOfWork, stored: StoredMethod, answer: VaultAnswer, now: datetime) -> None:
    """Somebody looked the method up before its answer came: it was found, or given up."""
    if answer.kind is not AnswerKind.DONE:
        return
    is_kept = stored.method.status in ON_FILE or stored.method.status is MethodStatus.VERIFIED
    if is_kept and stored.method.verification is None:
        await uow.payment_methods.set_verification(stored.method.id, answer.verification)
    elif stored.method.status is MethodStatus.FAILED:
        await uow.vault_tasks.plan(stored.method.id, VaultTask.DELETE, at=now)


async def record_vaulted(
    uow: UnitOfWork,
    ids: Ids,
    stored: StoredMethod,
    vaulted: VaultedMethod,
    verification: Verification | None,
    now: datetime,
) -> None:
    """Describe a method that the vault has, and put it on file, or let it wait to be added if it was to be verified."""
    await uow.payment_methods.describe(stored.draft.id, vaulted, at=now)
    await uow.payment_methods.set_verification(stored.draft.id, verification)
    described = await load_locked(uow, stored.draft.id)
    if stored.draft.held_until is None:
        await put_on_file(uow, ids, described, now)
    else:
        await _hold(uow, ids, described, stored.draft.held_until, now)


async def _hold(uow: UnitOfWork, ids: Ids, stored: StoredMethod, until: datetime, now: datetime) -> None:
    """Keep a verified method in the vault until it is added, or its time is over (rule 42)."""
    _, _, duplicate = await _find_place(uow, stored)
    if duplicate is not None:
        await give_up(uow, ids, stored, AddFailure.DUPLICATE, now, duplicate=duplicate)
        return
    await uow.payment_methods.set_status(stored.draft.id, MethodStatus.VERIFIED, at=now)
    await uow.vault_tasks.plan(stored.draft.id, VaultTask.SETTLE, at=until)
    change = await _change_of(uow, ids, stored, now)
    verified = PaymentMethodVerified(method_name=stored.method.display_name, address=change.address)
    await change.record(uow, verified, stored.draft.id)


async def _find_place(
    uow: UnitOfWork, stored: StoredMethod
) -> tuple[Sequence[PaymentMethod], PaymentMethod | None, PaymentMethod | None]:
    """Return the methods on file, the one that a method takes the place of, and another one that is the same."""
    on_file = await uow.payment_methods.list_on_file(stored.draft.account_id)
    replaced = next((method for method in on_file if method.id == stored.draft.replaces_id), None)
    others = [method for method in on_file if method is not replaced]
    return on_file, replaced, find_duplicate(others, stored.method)


async def put_on_file(uow: UnitOfWork, ids: Ids, stored: StoredMethod, now: datetime) -> None:
    """Put a method on file that the vault has: in its place, with its events, and open invoices are tried (rule 30).

    One that is on file already is not kept twice.
    """
    draft = stored.draft
    on_file, replaced, duplicate = await _find_place(uow, stored)
    if duplicate is not None:
        await give_up(uow, ids, stored, AddFailure.DUPLICATE, now, duplicate=duplicate)
        return
    change = await _change_of(uow, ids, stored, now)
    former = default_of(on_file)
    if replaced is not None:
        await take_off_file(uow, change, replaced, is_told=False)
    await uow.payment_methods.set_status(draft.id, MethodStatus.ACTIVE, at=now)
    await uow.vault_tasks.plan(draft.id, None, at=None)
    await put_in_order(uow, draft.account_id, _order(stored, on_file, replaced))
    added = (await load_locked(uow, draft.id)).method
    event = PaymentMethodAdded(
        method_name=added.display_name,
        is_default=added.is_default,
        replaced_name=None if replaced is None else replaced.display_name,
        address=change.address,
    )
    await change.record(uow, event, added.id)
    await tell(uow, change, added, Change.ADDED if replaced is None else Change.CHANGED)
    if added.is_default:
        await tell_new_default(uow, change, added, former, is_told=replaced is None)
    else:
        await request_collection(uow, draft.account_id, now)


def _order(stored: StoredMethod, on_file: Sequence[PaymentMethod], replaced: PaymentMethod | None) -> list[str]:
    """Return the order with the new method in it: in the place of the one that it replaces, first, or last."""
    draft = stored.draft
    if replaced is not None and not draft.wants_default:
        return [draft.id if method is replaced else method.id for method in in_order(on_file)]
    others = [method for method in on_file if method is not replaced]
    return place_in_order(others, draft.id, as_default=draft.wants_default or default_of(others) is None)


async def give_up(
    uow: UnitOfWork,
    ids: Ids,
    stored: StoredMethod,
    failure: AddFailure,
    now: datetime,
    *,
    duplicate: PaymentMethod | None = None,
) -> None:
    """Write down that a method did not come on file, and have the vault forget what it may have of it."""
    method_id = stored.draft.id
    duplicate_id = None if duplicate is None else duplicate.id
    await uow.payment_methods.fail(method_id, failure, at=now, duplicate_of_id=duplicate_id)
    await uow.consents.revoke(method_id, at=now)
    if duplicate is not None or failure is AddFailure.NOT_ADDED:
        await uow.vault_tasks.plan(method_id, VaultTask.DELETE, at=now)
    elif failure is AddFailure.NOT_THERE:
        await uow.vault_tasks.plan(method_id, VaultTask.DELETE, at=now + LATE_COMMITS_WITHIN)
    else:
        await uow.vault_tasks.plan(method_id, None, at=None)
    change = await _change_of(uow, ids, stored, now)
    if failure is AddFailure.NOT_ADDED:
        name = stored.method.display_name
        await change.record(uow, PaymentMethodVerificationExpired(method_name=name, address=change.address), method_id)
    else:
        await change.record(uow, PaymentMethodNotAdded(failure=failure, address=change.address), method_id)


async def _change_of(uow: UnitOfWork, ids: Ids, stored: StoredMethod, now: datetime) -> MethodChange:
    """Return who wanted the method, and from where, also when that is long ago."""
    draft, consent = stored.draft, await uow.consents.find(stored.draft.id)
    address = None if consent is None else consent.address
    return MethodChange(ids, draft.account_id, draft.created_by, now, address, draft.request_id)
