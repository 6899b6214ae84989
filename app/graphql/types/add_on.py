"""Add-ons: what they cost and unlock, and whether the account has them."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from app.domain.add_ons import DESCRIPTIONS, ENTITLEMENTS
from app.error_codes import ErrorCode
from app.graphql.cost import holds
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.fields import computed
from app.graphql.refusals import UserError, refusal
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import PreviewLine
from app.graphql.types.node import Node
from app.graphql.types.outcome import Outcome
from app.graphql.types.payment_errors import PaymentGatewayUnavailable
from app.services.plans import quotes, switch_add_on
from app.views import add_ons as views
from app.views.add_ons import AddOnState

PREFIX = "addon"

described_enum(
    AddOnState,
    description="Whether the account has an add-on.",
    values={
        AddOnState.ACTIVE: "The account has it, and it renews every month.",
        AddOnState.ENDING: (
            "It is cancelled but active until its last day. Until then the cancellation can be withdrawn."
        ),
        AddOnState.AVAILABLE: "The account does not have it and can buy it.",
    },
)


def add_on_id(account_id: str, code: str) -> strawberry.ID:
    """Return the id of an add-on as one account sees it."""
    return derived_id(PREFIX, account_id, code)


def read_add_on_id(id: str, account_id: str) -> str:
    """Return the code of the account's add-on; of an id that is not one of the account's, the id, which is no code."""
    return id.removeprefix(add_on_id(account_id, ""))


@strawberry.type(description="The terms of an add-on.")
class AddOnTerms:
    """One version of the terms of one add-on."""

    version: str = strawberry.field(
        description="Identifies this version of the text. Send it with `activateAddOn` when the user accepts."
    )
    text: str = strawberry.field(description="The text to show before it is accepted.")


@strawberry.type(description="An add-on, with the price and terms that apply to this account.")
class AddOn(Node):
    """Built from an offer's view with `AddOn.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the add-on on this account. It never changes.")
    code: str = strawberry.field(
        description="A short code for the add-on, the same on every account, such as `on_call`."
    )
    display_name: str = strawberry.field(description="The name to show.")
    description: str | None = strawberry.field(
        description="What the add-on does, in one sentence. Null if this API version does not know it."
    )
    price: Money = strawberry.field(description="The price of a full month, charged in advance.")
    terms: AddOnTerms = strawberry.field(description="The terms that apply.")
    state: AddOnState = strawberry.field(description="Whether the account has the add-on.")
    since: date | None = strawberry.field(
        description="The first day it was active. Null if the account does not have it."
    )
    until: date | None = strawberry.field(description="The last day it is active. Null unless it is cancelled.")
    unlocks: str | None = strawberry.field(
        description=(
            "The field of `Entitlements` that the add-on switches on. Null if this API version has no such field."
        )
    )

    @classmethod
    def of(cls, offer: views.AddOnOffer) -> "AddOn":
        """Return an add-on for clients."""
        version = offer.version
        return cls(
            id=add_on_id(offer.account_id, version.code),
            code=version.code,
            display_name=version.name,
            description=DESCRIPTIONS.get(version.entitlement or ""),
            price=Money.of(version.monthly_cents),
            terms=AddOnTerms(version=version.terms_version, text=version.terms),
            state=offer.state,
            since=offer.since_on,
            until=offer.until_on,
            unlocks=version.entitlement if version.entitlement in ENTITLEMENTS else None,
        )


@strawberry.type(description="The cost of buying an add-on. The quote can be confirmed for 15 minutes.")
class AddOnQuote:
    """Built with `AddOnQuote.of`."""

    id: strawberry.ID = strawberry.field(description="Pass it to `activateAddOn` to confirm. It can be used once.")
    add_on_id: strawberry.ID = strawberry.field(description="The add-on that the quote is for.")
    effective_on: date = strawberry.field(description="The first day that the add-on would be active.")
    terms: AddOnTerms = strawberry.field(description="The terms to show. Accept them by sending their version.")
    monthly_price: Money = strawberry.field(description="The price of each full month, starting next month.")
    lines: list[PreviewLine] = strawberry.field(
        directives=[holds(2)], description="The lines that would be invoiced now."
    )
    total: Money = strawberry.field(description="The sum of the lines.")
    credit_applied: Money = strawberry.field(description="The part that account credit would pay.")
    amount_due_now: Money = strawberry.field(description="The amount that would be due now, after credit.")
    hash: str = strawberry.field(description="A hash of the invoice. The issued invoice has the same hash.")
    expires_at: datetime = strawberry.field(description="When the quote expires.")

    @classmethod
    def of(cls, quoted: switch_add_on.AddOnQuote) -> "AddOnQuote":
        """Return a quote for clients."""
        version, draft = quoted.version, quoted.draft
        return cls(
            id=strawberry.ID(quoted.quote.token),
            add_on_id=add_on_id(quoted.quote.terms.account_id, version.code),
            effective_on=quoted.effective_on,
            terms=AddOnTerms(version=version.terms_version, text=version.terms),
            monthly_price=Money.of(version.monthly_cents),
            lines=[PreviewLine.of(line) for line in draft.lines],
            total=Money.of(draft.total_cents),
            credit_applied=Money.of(draft.credit_applied_cents),
            amount_due_now=Money.of(draft.amount_due_cents),
            hash=draft.content_hash,
            expires_at=quoted.quote.expires_at,
        )


@refusal(
    quotes.QuoteStale,
    code=ErrorCode.QUOTE_STALE,
    description=(
        "The quote has expired, was already used, or the account has changed since. Nothing was "
        "bought. Use the new quote."
    ),
    when=lambda refused: isinstance(refused.fresh, switch_add_on.AddOnQuote),
)
class AddOnQuoteStale(UserError):
    """A quote that cannot be confirmed, with the one as things stand."""

    refused: strawberry.Private[quotes.QuoteStale[switch_add_on.AddOnQuote]]

    @computed(description="A new quote, based on the account's current state.")
    def quote(self) -> AddOnQuote:
        """Return the quote."""
        return AddOnQuote.of(self.refused.fresh)


@strawberry.type(description="The product features that the account's add-ons switch on today.")
class Entitlements(Node):
    """Built from the names of what is unlocked."""

    id: strawberry.ID = strawberry.field(description="Identifies this account's entitlements. It never changes.")
    on_call: bool = strawberry.field(description="On-call schedules.")
    transcription: bool = strawberry.field(description="Transcripts of recordings.")
    live_call: bool = strawberry.field(description="Live calls as they happen.")
    queue_voicemail: bool = strawberry.field(description="Voicemail for callers in the queue.")

    @classmethod
    def of(cls, names: frozenset[str], account_id: str) -> "Entitlements":
        """Return the entitlements for clients."""
        on_call, transcription, live_call, queue_voicemail = (name in names for name in ENTITLEMENTS)
        return cls(
            id=derived_id("entitlements", account_id),
            on_call=on_call,
            transcription=transcription,
            live_call=live_call,
            queue_voicemail=queue_voicemail,
        )


@strawberry.type(
    description=(
        "The add-on was bought. It is active as soon as its invoice is paid. Includes everything that changed."
    )
)
class AddOnActivated:
    """A confirmed purchase."""

    status: Outcome = strawberry.field(description="Whether the add-on is active or waiting for its payment.")
    add_on: AddOn | None = strawberry.field(description="The add-on after the change.")
    invoice: Invoice | None = strawberry.field(description="The invoice of the purchase.")
    entitlements: Entitlements | None = strawberry.field(
        description="What the account's add-ons unlock after the change."
    )
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


@strawberry.type(description="The add-on is cancelled and ends with this month. Nothing is refunded.")
class AddOnCancelled:
    """A cancellation."""

    add_on: AddOn | None = strawberry.field(description="The add-on after the change, with its last day.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


@strawberry.type(description="The cancellation was withdrawn and the add-on continues. Nothing is invoiced now.")
class AddOnKept:
    """A cancellation taken back."""

    add_on: AddOn | None = strawberry.field(description="The add-on after the change.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


AddOnChangePreviewResult = Annotated[
    AddOnQuote | user_error.AccountSuspended | user_error.AddOnAlreadyActive | user_error.AddOnNotAvailable,
    strawberry.union("AddOnChangePreviewResult", description="A quote, or the reason the add-on cannot be bought."),
]

ActivateAddOnResult = Annotated[
    AddOnActivated
    | AddOnQuoteStale
    | user_error.AccountSuspended
    | user_error.AddOnAlreadyActive
    | user_error.AddOnNotAvailable
    | user_error.ChangeInProgress
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NotFound
    | user_error.PaymentDeclined
    | user_error.PaymentMethodRequired
    | user_error.PaymentsPaused
    | PaymentGatewayUnavailable
    | user_error.TermsNotAccepted,
    strawberry.union("ActivateAddOnResult", description="The purchase, or the reason it was refused."),
]

CancelAddOnResult = Annotated[
    AddOnCancelled | user_error.AddOnNotActive,
    strawberry.union("CancelAddOnResult", description="The cancellation, or the reason it was refused."),
]

KeepAddOnResult = Annotated[
    AddOnKept | user_error.AddOnNotActive,
    strawberry.union("KeepAddOnResult", description="The add-on, or the reason it cannot be kept."),
]


@strawberry.input(description="Buys an add-on.")
class ActivateAddOnInput:
    """Input of `activateAddOn`."""

    quote_id: strawberry.ID = strawberry.field(description="The quote from `addOnChangePreview` to confirm.")
    terms_version: str = strawberry.field(
        description="The version of the terms that was shown and accepted. It is recorded with the user's name."
    )
    idempotency_key: str = strawberry.field(
        description=(
            "A key that the app makes once per button press. Repeating the request with the same "
            "key returns the first result."
        )
    )


@strawberry.input(description="Cancels an add-on.")
class CancelAddOnInput:
    """Input of `cancelAddOn`."""

    add_on_id: strawberry.ID = strawberry.field(description="The id of the add-on to cancel, from `addOns`.")


@strawberry.input(description="Withdraws the cancellation of an add-on.")
class KeepAddOnInput:
    """Input of `keepAddOn`."""

    add_on_id: strawberry.ID = strawberry.field(description="The id of the add-on to keep, from `addOns`.")
