"""Which refusal of a service becomes which member of a union: each has exactly one. The schema imports this once."""

from datetime import timedelta
from typing import Any

import strawberry

from app.domain.add_ons import AddOnNotAvailable
from app.domain.agreements import AuthorizationRequired
from app.domain.checkouts import ChangeInProgress
from app.domain.contacts import InvalidContact, TooManyContacts
from app.domain.payment_gateway import GatewayUnavailable
from app.domain.payment_methods import InvalidOrder, LastPaymentMethod
from app.domain.plan_changes import AlreadyOnPlan, DowngradeNotCostEffective
from app.domain.plans import PlanNotAvailable
from app.error_codes import ErrorCode
from app.graphql.refusals import Translate, becomes
from app.graphql.types import payment_errors, quote, user_error
from app.graphql.types.add_on import AddOnQuote, AddOnQuoteStale
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.graphql.types.payment_method import CardVerification, PaymentAgreement
from app.graphql.types.quote import PlanChangeQuote
from app.services.common.account_snapshot import AccountSuspended
from app.services.common.idempotency import IdempotencyConflict, InvalidIdempotencyKey
from app.services.cycle.alert_subscriptions import AlertAlwaysOn
from app.services.invoices.own_invoice import InvoiceUnknown
from app.services.invoices.resend_invoice import ResentTooOften
from app.services.notifications.payment_contacts import ContactNotFound
from app.services.payment_methods.add_payment_method import (
    CardVerificationFailed,
    DuplicatePaymentMethod,
    InvalidMethodInput,
    NonceRejected,
    TooManyAttempts,
)
from app.services.payment_methods.payment_method_changes import PaymentMethodNotFound
from app.services.payments.customer_charges import CollectionOnHold, PaymentDeclined, PaymentMethodRequired
from app.services.payments.pay_invoice import NothingToPay
from app.services.plans import switch_add_on
from app.services.plans.change_plan import NoScheduledChange
from app.services.plans.quotes import InvalidQuote, QuoteStale
from app.services.plans.switch_add_on import AddOnAlreadyActive, AddOnNotActive, TermsNotAccepted


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


def _stale(refusal: QuoteStale) -> user_error.UserError:
    fresh: Any = refusal.fresh
    if isinstance(fresh, switch_add_on.AddOnQuote):
        return AddOnQuoteStale(code=ErrorCode.QUOTE_STALE, message=str(refusal), quote=AddOnQuote.of(fresh))
    return quote.QuoteStale(code=ErrorCode.QUOTE_STALE, message=str(refusal), quote=PlanChangeQuote.of(fresh))


def _declined(refusal: PaymentDeclined) -> user_error.UserError:
    return user_error.PaymentDeclined(
        code=ErrorCode.PAYMENT_DECLINED, message=str(refusal), invoice_id=strawberry.ID(refusal.invoice_id)
    )


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


def _authorization(refusal: AuthorizationRequired) -> user_error.UserError:
    return payment_errors.AuthorizationRequired(
        code=ErrorCode.AUTHORIZATION_REQUIRED,
        message=str(refusal),
        agreement=PaymentAgreement.of(refusal.agreement),
    )


def _unverified(refusal: CardVerificationFailed) -> user_error.UserError:
    return payment_errors.CardVerificationFailed(
        code=ErrorCode.CARD_VERIFICATION_FAILED,
        message=str(refusal),
        verification=CardVerification.of(refusal.verification),
    )


def _duplicate(refusal: DuplicatePaymentMethod) -> user_error.UserError:
    method_id = strawberry.ID(refusal.method.id) if refusal.method else None
    return payment_errors.DuplicatePaymentMethod(
        code=ErrorCode.DUPLICATE_PAYMENT_METHOD, message=str(refusal), payment_method_id=method_id
    )


def _too_many(refusal: TooManyAttempts | ResentTooOften) -> user_error.UserError:
    return payment_errors.RateLimited(code=ErrorCode.RATE_LIMITED, message=str(refusal), retry_after=refusal.retry_at)


def _last_method(refusal: LastPaymentMethod) -> user_error.UserError:
    return payment_errors.LastPaymentMethod(
        code=ErrorCode.LAST_PAYMENT_METHOD, message=str(refusal), is_required=refusal.is_required
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
    NoScheduledChange: _plain(user_error.NoScheduledChange, ErrorCode.NO_SCHEDULED_CHANGE),
    PlanNotAvailable: _plain(user_error.PlanNotAvailable, ErrorCode.PLAN_NOT_AVAILABLE),
    ResentTooOften: _too_many,
    TermsNotAccepted: _other_terms,
    ChangeInProgress: _plain(user_error.ChangeInProgress, ErrorCode.CHANGE_IN_PROGRESS),
    CollectionOnHold: _plain(user_error.PaymentsPaused, ErrorCode.PAYMENTS_PAUSED),
    InvoiceUnknown: _plain(user_error.NotFound, ErrorCode.NOT_FOUND),
    NothingToPay: _plain(user_error.NothingToPay, ErrorCode.NOTHING_TO_PAY),
    PaymentDeclined: _declined,
    PaymentMethodRequired: _plain(user_error.PaymentMethodRequired, ErrorCode.PAYMENT_METHOD_REQUIRED),
    QuoteStale: _stale,
    AuthorizationRequired: _authorization,
    CardVerificationFailed: _unverified,
    DuplicatePaymentMethod: _duplicate,
    GatewayUnavailable: _plain(payment_errors.PaymentGatewayUnavailable, ErrorCode.PAYMENT_GATEWAY_UNAVAILABLE),
    InvalidMethodInput: _plain(user_error.InvalidInput, ErrorCode.BAD_INPUT),
    InvalidOrder: _plain(user_error.InvalidInput, ErrorCode.BAD_INPUT),
    LastPaymentMethod: _last_method,
    NonceRejected: _plain(payment_errors.NonceRejected, ErrorCode.NONCE_REJECTED),
    PaymentMethodNotFound: _plain(user_error.NotFound, ErrorCode.NOT_FOUND),
    TooManyAttempts: _too_many,
    TooManyContacts: _plain(user_error.TooManyContacts, ErrorCode.TOO_MANY_CONTACTS),
}

becomes(REFUSALS)
