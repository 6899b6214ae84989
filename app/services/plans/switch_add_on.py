"""The add-on switches: buy by quote and accepted terms, cancel at the end of the month, or keep it (rules 22, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.add_ons import AddOnNotAvailable, AddOnSubscription, AddOnVersion, get_add_on
from app.domain.checkouts import AddOnDetails
from app.domain.events.plans import AddOnCancelled, AddOnKept
from app.domain.invoice_drafts import InvoiceDraft, digest
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.periods import day_before
from app.repositories import unit_of_work
from app.services.common.account_snapshot import check_active, facts_of_purchase, load_snapshot
from app.services.invoices.tell import add_on_ended
from app.services.notifications.announce import actor_name, announce
from app.services.plans.confirm_quote import Confirmation, Confirmed, PlannedChange, confirm_quote
from app.services.plans.quotes import Quote, QuoteStale, QuoteTerms, use_quote

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.services.payments.payment_runner import PaymentRunner
    from app.services.plans.quotes import QuoteSigner
    from app.views.account_snapshot import AccountSnapshot

ACTION = "activate_add_on"


class AddOnAlreadyActive(ValueError):
    """The account has the add-on; where it was cancelled, keeping it is what is wanted."""

    def __init__(self, subscription: AddOnSubscription) -> None:
        name, ends_before = subscription.version.name, subscription.ends_before
        last_day = None if ends_before is None else day_before(ends_before)
        ending = f" until {last_day}, its last day: keep it instead of buying it again" if last_day else ""
        super().__init__(f"{name} is active{ending}.")
        self.subscription = subscription


class AddOnNotActive(LookupError):
    """The account does not have the add-on, or it is not in the state that the switch needs."""

    def __init__(self, code: str, wanted: str) -> None:
        super().__init__(f"The account has no add-on {code!r} that could be {wanted}.")
        self.add_on_code = code


class TermsNotAccepted(ValueError):
    """The terms accepted are not the ones in force; `version` carries those."""

    def __init__(self, version: AddOnVersion) -> None:
        super().__init__(f"Accept version {version.terms_version} of the terms of {version.name} to buy it.")
        self.version = version


@dataclass(frozen=True, slots=True)
class AddOnQuote:
    """A quote for an add-on: what is to be paid now, and from when on it is usable."""

    quote: Quote
    version: AddOnVersion
    draft: InvoiceDraft
    effective_on: date


def preview_add_on(snapshot: AccountSnapshot, code: str, signer: QuoteSigner) -> AddOnQuote:
    """Return the quote for buying an add-on today.

    :raises AddOnNotAvailable: when no such add-on is on sale.
    :raises AddOnAlreadyActive: when the account has it.
    :raises AccountSuspended: when the account may not buy.
    """
    check_active(snapshot)
    version = get_add_on(snapshot.add_on_versions, code, snapshot.today)
    if version.kind is not LineKind.ADD_ON:
        raise AddOnNotAvailable(code, snapshot.today)
    active = find_active(snapshot, code)
    if active is not None:
        raise AddOnAlreadyActive(active)
    draft = compute_invoice(facts_of_purchase(snapshot, version))
    content_hash = digest(version.id, snapshot.today.isoformat(), draft.content_hash)
    terms = QuoteTerms(snapshot.account_id, ACTION, code, "NOW", content_hash)
    return AddOnQuote(signer.issue(terms), version, draft, snapshot.today)


async def activate_add_on(
    services: Services,
    caller: Caller,
    *,
    signer: QuoteSigner,
    payment_runner: PaymentRunner | None = None,
    quote_token: str,
    terms_version: str,
    idempotency_key: str,
) -> Confirmed[AddOnDetails]:
    """Confirm a quote: the add-on is invoiced, and usable once that is paid (rules 17, 22).

    :raises QuoteStale: when what it covers has moved, it has expired or was used.
    :raises TermsNotAccepted: when other terms are in force.
    :raises InvalidQuote, ChangeInProgress, PaymentMethodRequired, PaymentDeclined, IdempotencyConflict: see
        `confirm_quote`.
    """
    by = Confirmation(
        services=services,
        caller=caller,
        signer=signer,
        payment_runner=payment_runner,
        action=ACTION,
        quote_token=quote_token,
        idempotency_key=idempotency_key,
        kind=AddOnDetails,
        request={"terms": terms_version},
    )

    async def decide(
        uow: UnitOfWork, snapshot: AccountSnapshot, quote: Quote, now: datetime
    ) -> PlannedChange[AddOnDetails]:
        fresh = preview_add_on(snapshot, quote.terms.subject, signer)
        if not await use_quote(uow, quote, fresh.quote.terms, now):
            raise QuoteStale(fresh)
        if fresh.version.terms_version != terms_version:
            raise TermsNotAccepted(fresh.version)
        return _planned(snapshot, fresh, services.ids.new("sub"), now)

    return await confirm_quote(by, decide)


async def cancel_add_on(services: Services, caller: Caller, *, code: str) -> date:
    """Let the add-on end with this month, and return the first day without it; nothing is refunded (rule 23).

    :raises AddOnNotActive: when the account does not have it, or it was cancelled already.
    """

    async def work(uow: UnitOfWork) -> date:
        snapshot = await _held(uow, caller.account, services.clock.now())
        active = _find_add_on(snapshot, code)
        if active is None or active.ends_before is not None:
            raise AddOnNotActive(code, "cancelled")
        ends_before = snapshot.period.ends_before
        await _set_end(uow, services, caller, snapshot, active, ends_before)
        return ends_before

    return await unit_of_work.write(services.database, work)


async def keep_add_on(services: Services, caller: Caller, *, code: str) -> None:
    """Take a cancellation back while the add-on is still active; nothing is invoiced (rule 23).

    :raises AddOnNotActive: when there is no cancellation to take back.
    """

    async def work(uow: UnitOfWork) -> None:
        snapshot = await _held(uow, caller.account, services.clock.now())
        active = _find_add_on(snapshot, code)
        if active is None or active.ends_before is None:
            raise AddOnNotActive(code, "kept")
        await _set_end(uow, services, caller, snapshot, active, None)

    await unit_of_work.write(services.database, work)


def find_active(snapshot: AccountSnapshot, code: str) -> AddOnSubscription | None:
    """Return the subscription to the add-on that is active today."""
    for subscription in snapshot.subscriptions:
        if subscription.version.code == code and subscription.is_active_on(snapshot.today):
            return subscription
    return None


def _find_add_on(snapshot: AccountSnapshot, code: str) -> AddOnSubscription | None:
    """Return the active subscription behind a switch; additional lines have none, for staff add them."""
    active = find_active(snapshot, code)
    return active if active is not None and active.version.kind is LineKind.ADD_ON else None


async def _held(uow: UnitOfWork, account: str, now: datetime) -> AccountSnapshot:
    await uow.accounts.get_by_external_id(account, lock=True)
    return await load_snapshot(uow, account, now)


def _planned(
    snapshot: AccountSnapshot, offered: AddOnQuote, subscription_id: str, now: datetime
) -> PlannedChange[AddOnDetails]:
    version = offered.version
    details = AddOnDetails(
        add_on=version.code,
        version=version.id,
        subscription=subscription_id,
        starts_on=snapshot.today,
        accepted_at=now,
        amount_due_cents=offered.draft.amount_due_cents,
    )
    return PlannedChange(details, facts_of_purchase(snapshot, version), snapshot.plan.month_plan.id)


async def _set_end(
    uow: UnitOfWork,
    services: Services,
    caller: Caller,
    snapshot: AccountSnapshot,
    subscription: AddOnSubscription,
    ends_before: date | None,
) -> None:
    now = services.clock.now()
    await uow.add_ons.set_end(subscription.id, snapshot.account_id, ends_before)
    kind = AddOnKept if ends_before is None else AddOnCancelled
    event_id = await uow.events.record(
        kind(add_on=subscription.version.code, ends_before=ends_before),
        ids=services.ids,
        actor=caller.actor,
        at=now,
        account_id=snapshot.account_id,
        subject_id=subscription.id,
        request_id=caller.request_id,
    )
    by = await actor_name(uow, caller.actor)
    told = add_on_ended(snapshot.account_id, subscription.version, ends_before, event_id, by)
    await announce(uow, ids=services.ids, now=now, announcements=[told])
