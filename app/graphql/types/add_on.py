"""Add-ons: what they cost and unlock, and whether the account has them."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from app.domain.add_ons import ENTITLEMENTS
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import PreviewLine
from app.graphql.types.node import Node
from app.graphql.types.outcome import Outcome
from app.graphql.types.payment_errors import PaymentGatewayUnavailable
from app.graphql.types.user_error import UserError
from app.services.plans import switch_add_on
from app.views import add_ons as views
from app.views.add_ons import AddOnState

PREFIX = "addon"

described_enum(
    AddOnState,
    description="Whether you have an add-on.",
    values={
        AddOnState.ACTIVE: "You have it, month after month.",
        AddOnState.ENDING: "It is cancelled and usable until its last day. You may keep it until then.",
        AddOnState.AVAILABLE: "You do not have it, and can buy it.",
    },
)


def add_on_id(account_id: str, code: str) -> strawberry.ID:
    """Return the id of an add-on as one account sees it."""
    return derived_id(PREFIX, account_id, code)


def read_add_on_id(id: str, account_id: str) -> str:
    """Return the code of the account's add-on; of an id that is not one of the account's, the id, which is no code."""
    return id.removeprefix(add_on_id(account_id, ""))


@strawberry.type(description="What acceptance of an add-on's terms refers to.")
class AddOnTerms:
    """One version of the terms of one add-on."""

    version: str = strawberry.field(description="Names this wording: send it with `activateAddOn` once it is accepted.")
    text: str = strawberry.field(description="The terms, to be shown before they are accepted.")


@strawberry.type(description="An add-on, at the price and with the terms that you have it by or could buy it by.")
class AddOn(Node):
    """Built from an offer's view with `AddOn.of`."""

    id: strawberry.ID = strawberry.field(description="Names the add-on on this account; it stays the same.")
    code: str = strawberry.field(description="The add-on's short name, the same on every account, such as `on_call`.")
    display_name: str = strawberry.field(description="The add-on's name for people.")
    price: Money = strawberry.field(description="What a full month costs, paid in advance.")
    terms: AddOnTerms = strawberry.field(description="The terms that hold for it.")
    state: AddOnState = strawberry.field(description="Whether you have it.")
    since: date | None = strawberry.field(description="Its first day; null when you do not have it.")
    until: date | None = strawberry.field(description="Its last day; null unless it is cancelled.")
    unlocks: str | None = strawberry.field(
        description="What it unlocks, by the name of a field of `Entitlements`; null when that is a newer one."
    )

    @classmethod
    def of(cls, offer: views.AddOnOffer) -> "AddOn":
        """Return an add-on for clients."""
        version = offer.version
        return cls(
            id=add_on_id(offer.account_id, version.code),
            code=version.code,
            display_name=version.name,
            price=Money.of(version.monthly_cents),
            terms=AddOnTerms(version=version.terms_version, text=version.terms),
            state=offer.state,
            since=offer.since_on,
            until=offer.until_on,
            unlocks=version.entitlement if version.entitlement in ENTITLEMENTS else None,
        )


@strawberry.type(description="What buying an add-on would cost. Confirm it within a quarter of an hour.")
class AddOnQuote:
    """Built with `AddOnQuote.of`."""

    id: strawberry.ID = strawberry.field(description="Confirm by this with `activateAddOn`; it is good for one time.")
    add_on_id: strawberry.ID = strawberry.field(description="The add-on that it is for.")
    effective_on: date = strawberry.field(description="The first day that the add-on would be usable.")
    terms: AddOnTerms = strawberry.field(description="The terms to show, and to accept by their version.")
    monthly_price: Money = strawberry.field(description="What every full month costs from the next one on.")
    lines: list[PreviewLine] = strawberry.field(description="What would be invoiced now.")
    total: Money = strawberry.field(description="The sum of the lines.")
    credit_applied: Money = strawberry.field(description="The part that your credit would pay.")
    amount_due_now: Money = strawberry.field(description="What would be left to pay now.")
    hash: str = strawberry.field(description="A fingerprint of the invoice; the issued one has the same.")
    expires_at: datetime = strawberry.field(description="Until when it can be confirmed.")

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


@strawberry.type(
    description="What the add-on's quote covers has moved, its time is over, or it was used. Nothing was done: look at "
    "the new one."
)
class AddOnQuoteStale(UserError):
    """A quote that cannot be confirmed, with the one as things stand."""

    quote: AddOnQuote = strawberry.field(description="The quote as things stand now.")


@strawberry.type(description="What your add-ons unlock today in the rest of the product.")
class Entitlements:
    """Built from the names of what is unlocked."""

    on_call: bool = strawberry.field(description="On-call schedules.")
    transcription: bool = strawberry.field(description="Recordings as text.")
    live_call: bool = strawberry.field(description="Calls as they happen.")
    queue_voicemail: bool = strawberry.field(description="Voicemail for callers who wait.")

    @classmethod
    def of(cls, names: frozenset[str]) -> "Entitlements":
        """Return the entitlements for clients."""
        on_call, transcription, live_call, queue_voicemail = (name in names for name in ENTITLEMENTS)
        return cls(on_call=on_call, transcription=transcription, live_call=live_call, queue_voicemail=queue_voicemail)


@strawberry.type(description="The add-on is bought, and usable once it is paid. Holds everything that has changed.")
class AddOnActivated:
    """A confirmed purchase."""

    status: Outcome = strawberry.field(description="Whether it is usable, or still waits for its payment.")
    add_on: AddOn | None = strawberry.field(description="The add-on as it is now.")
    invoice: Invoice | None = strawberry.field(description="The invoice of the purchase.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


@strawberry.type(description="The add-on is cancelled: it ends with this month, and nothing is refunded.")
class AddOnCancelled:
    """A cancellation."""

    add_on: AddOn | None = strawberry.field(description="The add-on as it is now, with its last day.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


@strawberry.type(description="The cancellation is taken back: the add-on goes on, and nothing is invoiced now.")
class AddOnKept:
    """A cancellation taken back."""

    add_on: AddOn | None = strawberry.field(description="The add-on as it is now.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


AddOnChangePreviewResult = Annotated[
    AddOnQuote | user_error.AccountSuspended | user_error.AddOnAlreadyActive | user_error.AddOnNotAvailable,
    strawberry.union("AddOnChangePreviewResult", description="A quote, or why the add-on cannot be bought."),
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
    strawberry.union("ActivateAddOnResult", description="What buying did, or why it was not done."),
]

CancelAddOnResult = Annotated[
    AddOnCancelled | user_error.AddOnNotActive,
    strawberry.union("CancelAddOnResult", description="What cancelling did, or why it was not done."),
]

KeepAddOnResult = Annotated[
    AddOnKept | user_error.AddOnNotActive,
    strawberry.union("KeepAddOnResult", description="What keeping did, or why it was not done."),
]


@strawberry.input(description="Buys an add-on.")
class ActivateAddOnInput:
    """Input of `activateAddOn`."""

    quote_id: strawberry.ID = strawberry.field(description="The quote of `addOnChangePreview` that is confirmed.")
    terms_version: str = strawberry.field(
        description="The version of the terms that you were shown and accept; it is recorded with your name."
    )
    idempotency_key: str = strawberry.field(
        description="Made by the app once for each press of the button: the same key again returns the first result."
    )


@strawberry.input(description="Cancels an add-on.")
class CancelAddOnInput:
    """Input of `cancelAddOn`."""

    add_on_id: strawberry.ID = strawberry.field(description="The add-on to cancel, as `addOns` lists it.")


@strawberry.input(description="Takes the cancellation of an add-on back.")
class KeepAddOnInput:
    """Input of `keepAddOn`."""

    add_on_id: strawberry.ID = strawberry.field(description="The add-on to keep, as `addOns` lists it.")
