"""Expected refusals: what went wrong, in words for the customer, as one member of a result's union."""

from datetime import date

import strawberry

from app.domain import add_ons, checkouts, confirmations, contacts, payment_methods, plan_changes, plans
from app.domain.periods import day_before
from app.error_codes import ErrorCode
from app.graphql.fields import computed
from app.graphql.refusals import UserError, refusal
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.services.common import account_snapshot, idempotency
from app.services.cycle import alert_subscriptions
from app.services.invoices import own_invoice
from app.services.notifications import payment_contacts
from app.services.payment_methods import add_payment_method, payment_method_changes
from app.services.payments import customer_charges, pay_invoice
from app.services.plans import change_plan, quotes, switch_add_on


@refusal(
    own_invoice.InvoiceUnknown,
    payment_contacts.ContactNotFound,
    payment_method_changes.PaymentMethodNotFound,
    quotes.InvalidQuote,
    code=ErrorCode.NOT_FOUND,
    description="There is no object with this id on your account.",
)
class NotFound(UserError):
    """An unknown or foreign id."""


@refusal(
    add_payment_method.AmbiguousMethod,
    add_payment_method.InvalidMethodInput,
    idempotency.InvalidIdempotencyKey,
    payment_methods.InvalidOrder,
    code=ErrorCode.BAD_INPUT,
    description="A value is invalid, such as an idempotency key that is empty or too long.",
)
class InvalidInput(UserError):
    """A value that cannot be used."""


@refusal(
    idempotency.IdempotencyConflict,
    code=ErrorCode.IDEMPOTENCY_CONFLICT,
    description="The idempotency key was already used for a different request. Nothing was done.",
)
class IdempotencyConflict(UserError):
    """A key that means something else."""


@refusal(
    account_snapshot.AccountSuspended,
    code=ErrorCode.ACCOUNT_SUSPENDED,
    description="The account is suspended or closed. Pay the open balance first.",
)
class AccountSuspended(UserError):
    """An account that may not buy."""


@refusal(plans.PlanNotAvailable, code=ErrorCode.PLAN_NOT_AVAILABLE, description="The plan is not on sale today.")
class PlanNotAvailable(UserError):
    """A plan that cannot be had."""


@refusal(
    plan_changes.AlreadyOnPlan,
    code=ErrorCode.ALREADY_ON_PLAN,
    description="The account is already on this plan, so there is nothing to change.",
)
class AlreadyOnPlan(UserError):
    """A change to the same plan."""


@refusal(
    add_ons.AddOnNotAvailable,
    code=ErrorCode.ADD_ON_NOT_AVAILABLE,
    description="The add-on is not on sale today, or the id is unknown.",
)
class AddOnNotAvailable(UserError):
    """An add-on that cannot be had."""


@refusal(
    switch_add_on.AddOnAlreadyActive,
    code=ErrorCode.ADD_ON_ALREADY_ACTIVE,
    description="The account already has the add-on. If it is cancelled, keep it instead.",
)
class AddOnAlreadyActive(UserError):
    """An add-on bought twice."""

    refused: strawberry.Private[switch_add_on.AddOnAlreadyActive]

    @computed(description="The last day it is active, if it is cancelled.")
    def until(self) -> date | None:
        """Return the last day."""
        ends_before = self.refused.subscription.ends_before
        return day_before(ends_before) if ends_before else None


@refusal(
    switch_add_on.AddOnNotActive,
    code=ErrorCode.ADD_ON_NOT_ACTIVE,
    description="The account does not have the add-on, or the add-on is not in the required state.",
)
class AddOnNotActive(UserError):
    """Nothing to cancel or to keep."""


@refusal(
    switch_add_on.TermsNotAccepted,
    code=ErrorCode.TERMS_NOT_ACCEPTED,
    description="The accepted terms are not the current ones. Show the current terms and ask again.",
)
class TermsNotAccepted(UserError):
    """A purchase without the terms in force."""

    refused: strawberry.Private[switch_add_on.TermsNotAccepted]

    @computed(description="The version of the current terms.")
    def terms_version(self) -> str:
        """Return the version."""
        return self.refused.version.terms_version

    @computed(description="The current terms.")
    def terms(self) -> str:
        """Return the text."""
        return self.refused.version.terms


@refusal(
    change_plan.NoScheduledChange,
    code=ErrorCode.NO_SCHEDULED_CHANGE,
    description="No plan change is scheduled, so there is nothing to cancel.",
)
class NoScheduledChange(UserError):
    """Nothing to cancel."""


@refusal(
    plan_changes.DowngradeNotCostEffective,
    code=ErrorCode.DOWNGRADE_NOT_COST_EFFECTIVE,
    description=(
        "This month's usage exceeds the lower plan's cost-effective threshold, so it would cost "
        "more than it saves. Schedule the change for next month instead."
    ),
)
class DowngradeNotCostEffective(UserError):
    """A refused downgrade, with its numbers."""

    refused: strawberry.Private[plan_changes.DowngradeNotCostEffective]

    @computed(description="This month's live time to date.")
    def usage(self) -> Duration:
        """Return the usage."""
        return Duration.of(self.refused.usage_seconds)

    @computed(description="The lower plan is cost-effective up to this many minutes.")
    def threshold_minutes(self) -> int:
        """Return the threshold."""
        return self.refused.threshold_minutes

    @computed(description="The cost of this month to date on the current plan.")
    def current_cost(self) -> Money:
        """Return the current plan's cost."""
        return Money.of(self.refused.current_cents)

    @computed(description="The cost of this month to date on the lower plan.")
    def target_cost(self) -> Money:
        """Return the lower plan's cost."""
        return Money.of(self.refused.target_cents)


@refusal(
    checkouts.ChangeInProgress,
    code=ErrorCode.CHANGE_IN_PROGRESS,
    description="Another change to this account is waiting for its payment. Try again in a few minutes.",
)
class ChangeInProgress(UserError):
    """One change at a time."""


@refusal(
    customer_charges.PaymentMethodRequired,
    code=ErrorCode.PAYMENT_METHOD_REQUIRED,
    description="No payment method on file can be charged. Add one first.",
)
class PaymentMethodRequired(UserError):
    """Nothing to charge."""


@refusal(
    customer_charges.CollectionOnHold,
    code=ErrorCode.PAYMENTS_PAUSED,
    description="Payments are paused for maintenance. Nothing was charged.",
)
class PaymentsPaused(UserError):
    """Nothing is charged for now."""


@refusal(
    customer_charges.PaymentDeclined,
    code=ErrorCode.PAYMENT_DECLINED,
    description=(
        "No payment method could be charged. Nothing was changed. The invoice's `collection` lists every attempt."
    ),
)
class PaymentDeclined(UserError):
    """A charge that no bank accepted."""

    refused: strawberry.Private[customer_charges.PaymentDeclined]

    @computed(description="The invoice that was to be paid.")
    def invoice_id(self) -> strawberry.ID:
        """Return the invoice's id."""
        return strawberry.ID(self.refused.invoice_id)


@refusal(pay_invoice.NothingToPay, code=ErrorCode.NOTHING_TO_PAY, description="Nothing is left to pay.")
class NothingToPay(UserError):
    """Nothing is open."""


@refusal(
    contacts.InvalidContact,
    code=ErrorCode.INVALID_CONTACT,
    description="The payment contact's details are invalid.",
)
class InvalidContact(UserError):
    """A form to correct."""

    refused: strawberry.Private[contacts.InvalidContact]

    @computed(description="The input field to correct, such as `email`.")
    def field(self) -> str:
        """Return the field's name."""
        return self.refused.field


@refusal(
    contacts.TooManyContacts,
    code=ErrorCode.TOO_MANY_CONTACTS,
    description="The account already has ten payment contacts. Remove one first.",
)
class TooManyContacts(UserError):
    """A full list."""


@refusal(
    confirmations.NothingToConfirm,
    code=ErrorCode.NOTHING_TO_CONFIRM,
    description="The contact has confirmed or declined already, or is not reached through this channel.",
)
class NothingToConfirm(UserError):
    """Nobody to ask."""


@refusal(
    confirmations.ConfirmationsUsedUp,
    code=ErrorCode.CONFIRMATIONS_USED_UP,
    description="The contact was asked three times and is not asked again.",
)
class ConfirmationsUsedUp(UserError):
    """Somebody who does not answer."""


@refusal(
    alert_subscriptions.AlertAlwaysOn,
    code=ErrorCode.ALERT_ALWAYS_ON,
    description="This alert protects the account. It goes to every admin and cannot be switched off.",
)
class AlertAlwaysOn(UserError):
    """A switch that is fixed."""
