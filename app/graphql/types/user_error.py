"""Expected refusals: what went wrong, in words for the customer, as one member of a result's union."""

from datetime import date

import strawberry

from app.error_codes import ErrorCode
from app.graphql.enums import described_enum
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money

described_enum(
    ErrorCode,
    description="Why a request or one of its fields failed: `extensions.code` of every error.",
    values={code: code.value for code in ErrorCode},
)


@strawberry.interface(
    description=(
        "A refusal: why a mutation was not carried out. Select `... on UserError { code message }` "
        "so that the app also handles refusals added later."
    )
)
class UserError:
    """The interface of all refusals."""

    code: ErrorCode = strawberry.field(description="Identifies the refusal for programs.")
    message: str = strawberry.field(description="Explains to the customer what is wrong and what to do.")


@strawberry.type(description="There is no object with this id on your account.")
class NotFound(UserError):
    """An unknown or foreign id."""


@strawberry.type(description="A value is invalid, such as an idempotency key that is empty or too long.")
class InvalidInput(UserError):
    """A value that cannot be used."""


@strawberry.type(description="The idempotency key was already used for a different request. Nothing was done.")
class IdempotencyConflict(UserError):
    """A key that means something else."""


@strawberry.type(description="The account is suspended or closed. Pay the open balance first.")
class AccountSuspended(UserError):
    """An account that may not buy."""


@strawberry.type(description="The plan is not on sale today.")
class PlanNotAvailable(UserError):
    """A plan that cannot be had."""


@strawberry.type(description="The account is already on this plan, so there is nothing to change.")
class AlreadyOnPlan(UserError):
    """A change to the same plan."""


@strawberry.type(description="The add-on is not on sale today, or the id is unknown.")
class AddOnNotAvailable(UserError):
    """An add-on that cannot be had."""


@strawberry.type(description="The account already has the add-on. If it is cancelled, keep it instead.")
class AddOnAlreadyActive(UserError):
    """An add-on bought twice."""

    until: date | None = strawberry.field(description="The last day it is active, if it is cancelled.")


@strawberry.type(description="The account does not have the add-on, or the add-on is not in the required state.")
class AddOnNotActive(UserError):
    """Nothing to cancel or to keep."""


@strawberry.type(description="The accepted terms are not the current ones. Show the current terms and ask again.")
class TermsNotAccepted(UserError):
    """A purchase without the terms in force."""

    terms_version: str = strawberry.field(description="The version of the current terms.")
    terms: str = strawberry.field(description="The current terms.")


@strawberry.type(description="No plan change is scheduled, so there is nothing to cancel.")
class NoScheduledChange(UserError):
    """Nothing to cancel."""


@strawberry.type(
    description=(
        "This month's usage exceeds the lower plan's cost-effective threshold, so it would cost "
        "more than it saves. Schedule the change for next month instead."
    )
)
class DowngradeNotCostEffective(UserError):
    """A refused downgrade, with its numbers."""

    usage: Duration = strawberry.field(description="This month's live time to date.")
    threshold_minutes: int = strawberry.field(description="The lower plan is cost-effective up to this many minutes.")
    current_cost: Money = strawberry.field(description="The cost of this month to date on the current plan.")
    target_cost: Money = strawberry.field(description="The cost of this month to date on the lower plan.")


@strawberry.type(description="Another change to this account is waiting for its payment. Try again in a few minutes.")
class ChangeInProgress(UserError):
    """One change at a time."""


@strawberry.type(description="No payment method on file can be charged. Add one first.")
class PaymentMethodRequired(UserError):
    """Nothing to charge."""


@strawberry.type(description="Payments are paused for maintenance. Nothing was charged.")
class PaymentsPaused(UserError):
    """Nothing is charged for now."""


@strawberry.type(
    description=(
        "No payment method could be charged. Nothing was changed. The invoice's `collection` lists every attempt."
    )
)
class PaymentDeclined(UserError):
    """A charge that no bank accepted."""

    invoice_id: strawberry.ID = strawberry.field(description="The invoice that was to be paid.")


@strawberry.type(description="Nothing is left to pay.")
class NothingToPay(UserError):
    """Nothing is open."""


@strawberry.type(description="The payment contact's details are invalid.")
class InvalidContact(UserError):
    """A form to correct."""

    field: str = strawberry.field(description="The input field to correct, such as `email`.")


@strawberry.type(description="The account already has ten payment contacts. Remove one first.")
class TooManyContacts(UserError):
    """A full list."""


@strawberry.type(description="This alert protects the account. It goes to every admin and cannot be switched off.")
class AlertAlwaysOn(UserError):
    """A switch that is fixed."""
