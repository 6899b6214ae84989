"""Alerts: what there is, what an admin has switched on, and what the month is heading for."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.projection import ProjectionBasis
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.services.cycle import alert_subscriptions as services

described_enum(
    AlertKind,
    description="What somebody can be told about.",
    values={kind: definition.description for kind, definition in CATALOGUE.items()},
)


@strawberry.type(description="One alert, and whether you are told about it. It is yours alone: others choose theirs.")
class AlertSubscription:
    """Built with `AlertSubscription.of`."""

    id: strawberry.ID = strawberry.field(description="Names your choice about this alert; it stays the same.")
    kind: AlertKind = strawberry.field(description="What it tells.")
    display_name: str = strawberry.field(description="Its name for people.")
    description: str = strawberry.field(description="What it tells, in a sentence.")
    is_on: bool = strawberry.field(description="Whether you are told, by mail to the address that you sign in with.")
    is_on_by_default: bool = strawberry.field(description="Whether it is on for somebody who has chosen nothing.")
    can_be_switched: bool = strawberry.field(description="Whether you may switch it off.")
    reaches_contacts: bool = strawberry.field(description="Whether payment contacts can be told about it too.")

    @classmethod
    def of(cls, user_id: str, subscription: services.Subscription) -> "AlertSubscription":
        """Return a subscription for clients."""
        definition = subscription.definition
        return cls(
            id=derived_id("alert", user_id, definition.kind.lower()),
            kind=definition.kind,
            display_name=definition.title,
            description=definition.description,
            is_on=subscription.is_on,
            is_on_by_default=True,
            can_be_switched=definition.is_switchable,
            reaches_contacts=definition.reaches_contacts,
        )


@strawberry.type(description="A limit of this month: told already, expected on a day, or not in sight.")
class AlertExpectation:
    """Built with `AlertExpectation.of`."""

    kind: AlertKind = strawberry.field(description="The alert that tells when it is passed.")
    display_name: str = strawberry.field(description="The alert's name for people.")
    limit: Duration = strawberry.field(
        description="The live time that it measures by: the allowance, or the threshold."
    )
    percent: int = strawberry.field(description="The part of it that counts, in percent.")
    told_at: datetime | None = strawberry.field(description="When it was told this month; null when it was not.")
    expected_on: date | None = strawberry.field(
        description="The day by whose end it will be passed, at the month's pace; null when that is not in sight."
    )

    @classmethod
    def of(cls, ahead: services.LimitAhead) -> "AlertExpectation":
        """Return a limit for clients."""
        threshold = ahead.threshold
        return cls(
            kind=threshold.kind,
            display_name=CATALOGUE[threshold.kind].title,
            limit=Duration.of(threshold.limit_seconds),
            percent=threshold.level,
            told_at=ahead.told_at,
            expected_on=ahead.expected_on,
        )


@strawberry.type(description="What this month's usage has told, and what it will tell at its pace.")
class AlertForecast:
    """Built with `AlertForecast.of`."""

    period: Period = strawberry.field(description="The current billing month.")
    used: Duration = strawberry.field(description="The live time so far.")
    projected: Duration | None = strawberry.field(
        description="The live time at its end; null when it is too early to tell."
    )
    basis: ProjectionBasis = strawberry.field(description="What the expectations rest on.")
    limits: list[AlertExpectation] = strawberry.field(description="Every limit of the month, the lowest first.")

    @classmethod
    def of(cls, forecast: services.AlertForecast) -> "AlertForecast":
        """Return the forecast for clients."""
        projection = forecast.projection
        return cls(
            period=Period.of(projection.period),
            used=Duration.of(forecast.used_seconds),
            projected=Duration.of(projection.usage.live_seconds) if projection.is_made else None,
            basis=projection.basis,
            limits=[AlertExpectation.of(limit) for limit in forecast.limits],
        )


@strawberry.input(description="One alert to switch.")
class AlertSwitchInput:
    """A kind and whether it is to be on."""

    kind: AlertKind = strawberry.field(description="Which alert.")
    is_on: bool = strawberry.field(description="Whether you want to be told.")


@strawberry.input(description="Which of your alerts to switch on or off; all of them are, or none.")
class UpdateAlertSubscriptionsInput:
    """Some switches."""

    changes: list[AlertSwitchInput] = strawberry.field(description="The alerts to switch; the others stay as they are.")


@strawberry.type(description="Your alerts are switched.")
class AlertSubscriptionsUpdated:
    """Everything as it is now."""

    alert_subscriptions: list[AlertSubscription] = strawberry.field(description="All your alerts as they are now.")


UpdateAlertSubscriptionsResult = Annotated[
    AlertSubscriptionsUpdated | user_error.AlertAlwaysOn,
    strawberry.union("UpdateAlertSubscriptionsResult", description="Your alerts as they are, or why they stayed."),
]
