"""The add-on switches: buy by quote and accepted terms, cancel at the end of the month, or keep it (rules 22, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.accounts import AccountStatus
from app.domain.add_ons import AddOnNotAvailable, AddOnSubscription, AddOnVersion, get_add_on, purchase_facts
from app.domain.invoices import InvoiceDraft, LineKind, compute_invoice, digest
from app.repositories import unit_of_work
from app.repositories.events import Event
from app.services.announce import actor_name, announce
from app.services.change_plan import AccountSuspended, load_standing
from app.services.issue_invoice import issue_invoice
from app.services.once import once
from app.services.quotes import Quote, QuoteTerms, use_quote
from app.services.tell import add_on_bought, add_on_ended

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.domain.invoices import BillingFacts
    from app.ports import Clock, Ids
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.quotes import QuoteDesk
    from app.views.standing import AccountStanding

ACTION = "activate_add_on"


class AddOnAlreadyActive(ValueError):
    """The account has the add-on; where it was cancelled, keeping it is what is wanted."""

    def __init__(self, subscription: AddOnSubscription) -> None:
        name, ends_before = subscription.version.name, subscription.ends_before
        ending = f" until {ends_before}: keep it instead of buying it again" if ends_before else ""
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


class AddOnQuoteStale(ValueError):
    """What the quote covers has moved, or its time is over; `fresh` is the quote as things stand."""

    def __init__(self, fresh: AddOnQuote) -> None:
        super().__init__("Something has changed since this quote was made. Look at the new one, and confirm it.")
        self.fresh = fresh


@dataclass(frozen=True, slots=True)
class AddOnQuote:
    """A quote for an add-on: what is to be paid now, and from when on it is usable."""

    quote: Quote
    version: AddOnVersion
    draft: InvoiceDraft
    effective_on: date


@dataclass(frozen=True, slots=True)
class AddOnActivated:
    """What buying did."""

    subscription_id: str
    invoice_id: str
    code: str


def preview_add_on(standing: AccountStanding, code: str, desk: QuoteDesk) -> AddOnQuote:
    """Return the quote for buying an add-on today.

    :raises AddOnNotAvailable: when no such add-on is on sale.
    :raises AddOnAlreadyActive: when the account has it.
    :raises AccountSuspended: when the account may not buy.
    """
    if standing.status is not AccountStatus.ACTIVE:
        raise AccountSuspended(standing.status)
    version = get_add_on(standing.add_on_versions, code, standing.today)
    if version.kind is not LineKind.ADD_ON:
        raise AddOnNotAvailable(code, standing.today)
    active = find_active(standing, code)
    if active is not None:
        raise AddOnAlreadyActive(active)
    draft = compute_invoice(_facts(standing, version))
    content_hash = digest(version.id, standing.today.isoformat(), draft.content_hash)
    terms = QuoteTerms(standing.account_id, ACTION, code, "NOW", content_hash)
    return AddOnQuote(desk.issue(terms), version, draft, standing.today)


async def activate_add_on(
    *,
    database: Database,
    clock: Clock,
    ids: Ids,
    desk: QuoteDesk,
    account: str,
    actor: str,
    quote_token: str,
    terms_version: str,
    idempotency_key: str,
    request_id: str | None = None,
) -> AddOnActivated:
    """Confirm a quote: the add-on is invoiced and usable at once (rule 22).

    :raises InvalidQuote: when the quote is not one of this account's.
    :raises AddOnQuoteStale: when what it covers has moved, it has expired or was used.
    :raises TermsNotAccepted: when other terms are in force.
    :raises IdempotencyConflict: when the key came with another request before.
    """

    async def work(uow: UnitOfWork) -> AddOnActivated:
        owner = await uow.accounts.get_by_external_id(account, lock=True)
        quote = desk.read(quote_token, owner.id, ACTION)
        now = clock.now()

        async def confirm() -> dict[str, Any]:
            standing = await load_standing(uow, account, now)
            version = await _confirmed(uow, standing, quote, desk, now)
            if version.terms_version != terms_version:
                raise TermsNotAccepted(version)
            return await _buy(uow, ids, standing, version, now, actor, request_id)

        result = await once(
            uow,
            account_id=owner.id,
            operation=ACTION,
            key=idempotency_key,
            request={"quote": quote.id, "terms": terms_version},
            now=now,
            work=confirm,
        )
        return AddOnActivated(result["subscription"], result["invoice"], quote.terms.subject)

    return await unit_of_work.write(database, work)


async def cancel_add_on(
    *, database: Database, clock: Clock, ids: Ids, account: str, actor: str, code: str, request_id: str | None = None
) -> date:
    """Let the add-on end with this month, and return the first day without it; nothing is refunded (rule 23).

    :raises AddOnNotActive: when the account does not have it, or it was cancelled already.
    """

    async def work(uow: UnitOfWork) -> date:
        standing = await _held(uow, account, clock.now())
        active = _find_add_on(standing, code)
        if active is None or active.ends_before is not None:
            raise AddOnNotActive(code, "cancelled")
        ends_before = standing.period.ends_before
        await _set_end(uow, ids, standing, active, ends_before, actor, clock.now(), request_id)
        return ends_before

    return await unit_of_work.write(database, work)


async def keep_add_on(
    *, database: Database, clock: Clock, ids: Ids, account: str, actor: str, code: str, request_id: str | None = None
) -> None:
    """Take a cancellation back while the add-on is still active; nothing is invoiced (rule 23).

    :raises AddOnNotActive: when there is no cancellation to take back.
    """

    async def work(uow: UnitOfWork) -> None:
        standing = await _held(uow, account, clock.now())
        active = _find_add_on(standing, code)
        if active is None or active.ends_before is None:
            raise AddOnNotActive(code, "kept")
        await _set_end(uow, ids, standing, active, None, actor, clock.now(), request_id)

    await unit_of_work.write(database, work)


def find_active(standing: AccountStanding, code: str) -> AddOnSubscription | None:
    """Return the subscription to the add-on that is active today."""
    for subscription in standing.subscriptions:
        if subscription.version.code == code and subscription.is_active_on(standing.today):
            return subscription
    return None


def _find_add_on(standing: AccountStanding, code: str) -> AddOnSubscription | None:
    """Return the active subscription behind a switch; additional lines have none, for staff add them."""
    active = find_active(standing, code)
    return active if active is not None and active.version.kind is LineKind.ADD_ON else None


async def _held(uow: UnitOfWork, account: str, now: datetime) -> AccountStanding:
    await uow.accounts.get_by_external_id(account, lock=True)
    return await load_standing(uow, account, now)


async def _confirmed(
    uow: UnitOfWork, standing: AccountStanding, quote: Quote, desk: QuoteDesk, now: datetime
) -> AddOnVersion:
    fresh = preview_add_on(standing, quote.terms.subject, desk)
    if not await use_quote(uow, quote, fresh.quote.terms, now):
        raise AddOnQuoteStale(fresh)
    return fresh.version


async def _buy(
    uow: UnitOfWork,
    ids: Ids,
    standing: AccountStanding,
    version: AddOnVersion,
    now: datetime,
    actor: str,
    request_id: str | None,
) -> dict[str, Any]:
    subscription = AddOnSubscription(ids.new("sub"), version, standing.today)
    await uow.add_ons.subscribe(subscription, standing.account_id, accepted_by=actor, accepted_at=now)
    issue = await issue_invoice(
        uow,
        ids=ids,
        standing=standing,
        facts=_facts(standing, version),
        plan_version_id=standing.plan.month_plan.id,
        now=now,
        actor=actor,
        request_id=request_id,
    )
    data = {"add_on": version.code, "version": version.id, "terms": version.terms_version, "invoice": issue.id}
    event = Event(
        ids.new("evt"), standing.account_id, "add_on.activated", actor, now, subscription.id, data, request_id
    )
    await uow.events.add_many([event])
    told = add_on_bought(standing.account_id, version, standing.today, issue, await actor_name(uow, actor))
    await announce(uow, ids=ids, now=now, announcements=[told])
    return {"subscription": subscription.id, "invoice": issue.id}


async def _set_end(
    uow: UnitOfWork,
    ids: Ids,
    standing: AccountStanding,
    subscription: AddOnSubscription,
    ends_before: date | None,
    actor: str,
    now: datetime,
    request_id: str | None,
) -> None:
    await uow.add_ons.set_end(subscription.id, standing.account_id, ends_before)
    kind = "add_on.kept" if ends_before is None else "add_on.cancelled"
    ends = None if ends_before is None else ends_before.isoformat()
    data = {"add_on": subscription.version.code, "ends_before": ends}
    event = Event(ids.new("evt"), standing.account_id, kind, actor, now, subscription.id, data, request_id)
    await uow.events.add_many([event])
    by = await actor_name(uow, actor)
    told = add_on_ended(standing.account_id, subscription.version, ends_before, event.id, by)
    await announce(uow, ids=ids, now=now, announcements=[told])


def _facts(standing: AccountStanding, version: AddOnVersion) -> BillingFacts:
    return purchase_facts(
        version,
        standing.today,
        standing.plan.month_plan,
        standing.paid_starts_on,
        standing.credit_cents,
        standing.tax,
    )
