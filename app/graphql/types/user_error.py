"""Expected refusals: what went wrong, in words for the customer, as one member of a result's union."""

from datetime import date

import strawberry

from app.error_codes import ErrorCode
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money


@strawberry.interface(
    description="Why something was not done. Every refusal is one: select `... on UserError { code message }`, and an "
    "older app survives refusals that it does not know."
)
class UserError:
    """The interface of all refusals."""

    code: ErrorCode = strawberry.field(description="Names the situation, for a program.")
    message: str = strawberry.field(description="Says what is wrong and what to do, for a person.")


@strawberry.type(description="There is nothing of that id, or it is not yours.")
class NotFound(UserError):
    """An unknown or foreign id."""


@strawberry.type(description="A value cannot be used, such as an idempotency key that is empty or too long.")
class InvalidInput(UserError):
    """A value that cannot be used."""


@strawberry.type(description="The idempotency key was used before, for another request. Nothing was done.")
class IdempotencyConflict(UserError):
    """A key that means something else."""


@strawberry.type(description="The account is suspended or closed: pay the open balance first.")
class AccountSuspended(UserError):
    """An account that may not buy."""


@strawberry.type(description="The plan is not on sale today.")
class PlanNotAvailable(UserError):
    """A plan that cannot be had."""


@strawberry.type(description="The change would change nothing: the account has this plan.")
class AlreadyOnPlan(UserError):
    """A change to the same plan."""


@strawberry.type(description="The add-on is not on sale today, or there is none of that id.")
class AddOnNotAvailable(UserError):
    """An add-on that cannot be had."""


@strawberry.type(description="You have the add-on. Where it is cancelled, keep it instead.")
class AddOnAlreadyActive(UserError):
    """An add-on bought twice."""

    until: date | None = strawberry.field(description="Its last day where it is cancelled.")


@strawberry.type(description="You do not have the add-on, or it is not in the state that this needs.")
class AddOnNotActive(UserError):
    """Nothing to cancel or to keep."""


@strawberry.type(description="Other terms are in force than the ones that were accepted. Show these, and ask again.")
class TermsNotAccepted(UserError):
    """A purchase without the terms in force."""

    terms_version: str = strawberry.field(description="The version of the terms in force.")
    terms: str = strawberry.field(description="The terms in force.")


@strawberry.type(description="No change of plan is scheduled, so there is none to cancel.")
class NoScheduledChange(UserError):
    """Nothing to cancel."""


@strawberry.type(
    description="The lower plan would cost more than it saves: this month's usage is past what it is cost-effective "
    "to. Change from the next month on instead."
)
class DowngradeNotCostEffective(UserError):
    """A refused downgrade, with its numbers."""

    usage: Duration = strawberry.field(description="This month's live time to date.")
    threshold_minutes: int = strawberry.field(description="Up to this many minutes the lower plan is cost-effective.")
    current_cost: Money = strawberry.field(description="What this month costs to date on the plan you have.")
    target_cost: Money = strawberry.field(description="What this month would cost to date on the lower plan.")


@strawberry.type(description="Another change of this account waits for its payment. Try again in a few minutes.")
class ChangeInProgress(UserError):
    """One change at a time."""


@strawberry.type(description="No payment method on file can be charged: add one first.")
class PaymentMethodRequired(UserError):
    """Nothing to charge."""


@strawberry.type(description="Payments are paused for maintenance. Nothing was charged.")
class PaymentsPaused(UserError):
    """Nothing is charged for now."""


@strawberry.type(
    description="None of the payment methods could be charged. Nothing was changed; the invoice's `collection` shows "
    "every attempt."
)
class PaymentDeclined(UserError):
    """A charge that no bank accepted."""

    invoice_id: strawberry.ID = strawberry.field(description="The invoice that was to be paid.")


@strawberry.type(description="Nothing is left to pay.")
class NothingToPay(UserError):
    """Nothing is open."""


@strawberry.type(description="The payment contact cannot be as described.")
class InvalidContact(UserError):
    """A form to correct."""

    field: str = strawberry.field(description="The field of the form to correct, such as `email`.")


@strawberry.type(description="The account has ten payment contacts. Remove one first.")
class TooManyContacts(UserError):
    """A full list."""


@strawberry.type(description="The alert protects the account: it goes to every admin and cannot be switched off.")
class AlertAlwaysOn(UserError):
    """A switch that is fixed."""
