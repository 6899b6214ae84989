"""Which refusal of a service becomes which member of a union: each has exactly one. The schema imports this once."""

from datetime import timedelta

from app.domain.add_ons import AddOnNotAvailable
from app.domain.contacts import InvalidContact, TooManyContacts
from app.domain.plan_changes import AlreadyOnPlan, DowngradeNotCostEffective
from app.domain.plans import PlanNotAvailable
from app.graphql.errors import ErrorCode
from app.graphql.refusals import Translate, becomes
from app.graphql.types import user_error
from app.graphql.types.add_on import AddOnQuote, AddOnQuoteStale
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.graphql.types.quote import PlanChangeQuote, QuoteStale
from app.services import change_plan, switch_add_on
from app.services.alert_subscriptions import AlertAlwaysOn
from app.services.change_plan import AccountSuspended, NoScheduledChange
from app.services.once import IdempotencyConflict, InvalidIdempotencyKey
from app.services.payment_contacts import ContactNotFound
from app.services.quotes import InvalidQuote
from app.services.resend_invoice import InvoiceNotFound, ResentTooOften
from app.services.switch_add_on import AddOnAlreadyActive, AddOnNotActive, TermsNotAccepted


def _plain(member: type[user_error.UserError], code: ErrorCode) -> Translate:
    return lambda refusal: member(code=code, message=str(refusal))


def _downgrade(refusal: DowngradeNotCostEffective) -> user_error.UserError:
    return user_error.DowngradeNotCostEffective(
        code=ErrorCode.DOWNGRADE_NOT_COST_EFFECTIVE,
        message=str(refusal),
        usage=Duration.of(refusal.usage_seconds),
        threshold_minutes=refusal.threshold_minutes,
        current_cost=Money.of(refusal.current_cents),
        target_cost=Money.of(refusal.target_cents),
    )


def _stale(refusal: change_plan.QuoteStale) -> user_error.UserError:
    return QuoteStale(code=ErrorCode.QUOTE_STALE, message=str(refusal), quote=PlanChangeQuote.of(refusal.fresh))


def _stale_add_on(refusal: switch_add_on.AddOnQuoteStale) -> user_error.UserError:
    return AddOnQuoteStale(code=ErrorCode.QUOTE_STALE, message=str(refusal), quote=AddOnQuote.of(refusal.fresh))


def _already_active(refusal: AddOnAlreadyActive) -> user_error.UserError:
    ends_before = refusal.subscription.ends_before
    return user_error.AddOnAlreadyActive(
        code=ErrorCode.ADD_ON_ALREADY_ACTIVE,
        message=str(refusal),
        until=ends_before - timedelta(days=1) if ends_before else None,
    )


def _other_terms(refusal: TermsNotAccepted) -> user_error.UserError:
    return user_error.TermsNotAccepted(
        code=ErrorCode.TERMS_NOT_ACCEPTED,
        message=str(refusal),
        terms_version=refusal.version.terms_version,
        terms=refusal.version.terms,
    )


def _invalid_contact(refusal: InvalidContact) -> user_error.UserError:
    return user_error.InvalidContact(code=ErrorCode.INVALID_CONTACT, message=str(refusal), field=refusal.field)


def _rate_limited(refusal: ResentTooOften) -> user_error.UserError:
    return user_error.RateLimited(
        code=ErrorCode.RATE_LIMITED, message=str(refusal), retry_after=refusal.retry_after_seconds
    )


REFUSALS: dict[type[Exception], Translate] = {
    AccountSuspended: _plain(user_error.AccountSuspended, ErrorCode.ACCOUNT_SUSPENDED),
    AddOnAlreadyActive: _already_active,
    AddOnNotActive: _plain(user_error.AddOnNotActive, ErrorCode.ADD_ON_NOT_ACTIVE),
    AddOnNotAvailable: _plain(user_error.AddOnNotAvailable, ErrorCode.ADD_ON_NOT_AVAILABLE),
    AlertAlwaysOn: _plain(user_error.AlertAlwaysOn, ErrorCode.ALERT_ALWAYS_ON),
    AlreadyOnPlan: _plain(user_error.AlreadyOnPlan, ErrorCode.ALREADY_ON_PLAN),
    ContactNotFound: _plain(user_error.NotFound, ErrorCode.NOT_FOUND),
    DowngradeNotCostEffective: _downgrade,
    IdempotencyConflict: _plain(user_error.IdempotencyConflict, ErrorCode.IDEMPOTENCY_CONFLICT),
    InvalidContact: _invalid_contact,
    InvalidIdempotencyKey: _plain(user_error.InvalidInput, ErrorCode.BAD_INPUT),
    InvalidQuote: _plain(user_error.NotFound, ErrorCode.NOT_FOUND),
    InvoiceNotFound: _plain(user_error.NotFound, ErrorCode.NOT_FOUND),
    NoScheduledChange: _plain(user_error.NoScheduledChange, ErrorCode.NO_SCHEDULED_CHANGE),
    PlanNotAvailable: _plain(user_error.PlanNotAvailable, ErrorCode.PLAN_NOT_AVAILABLE),
    ResentTooOften: _rate_limited,
    TermsNotAccepted: _other_terms,
    TooManyContacts: _plain(user_error.TooManyContacts, ErrorCode.TOO_MANY_CONTACTS),
    change_plan.QuoteStale: _stale,
    switch_add_on.AddOnQuoteStale: _stale_add_on,
}

becomes(REFUSALS)
