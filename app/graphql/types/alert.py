"""Alerts: what there is, what an admin has switched on, and what the month is heading for."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.projection import ProjectionBasis
from app.graphql.cost import holds
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.graphql.types.node import Node
from app.services.cycle import alert_subscriptions as services

described_enum(
    AlertKind,
    description="The kinds of alert.",
    values={kind: definition.description for kind, definition in CATALOGUE.items()},
)


@strawberry.type(description="One alert, and whether the signed-in admin receives it. Each admin chooses separately.")
class AlertSubscription(Node):
    """Built with `AlertSubscription.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the subscription. It never changes.")
    kind: AlertKind = strawberry.field(description="The kind of alert.")
    display_name: str = strawberry.field(description="The name to show.")
    description: str = strawberry.field(description="What the alert reports, in one sentence.")
    is_on: bool = strawberry.field(description="Whether the alert is sent to your sign-in email address.")
    is_on_by_default: bool = strawberry.field(description="Whether the alert is on until the admin chooses.")
    can_be_switched: bool = strawberry.field(description="Whether the alert can be switched off.")
    reaches_contacts: bool = strawberry.field(description="Whether payment contacts can receive the alert too.")

    @classmethod
    def of(cls, account_id: str, user_id: str, subscription: services.Subscription) -> "AlertSubscription":
        """Return a subscription for clients."""
        definition = subscription.definition
        return cls(
            id=derived_id("alert", account_id, user_id.partition("_")[2], definition.kind.lower()),
            kind=definition.kind,
            display_name=definition.title,
            description=definition.description,
            is_on=subscription.is_on,
            is_on_by_default=True,
            can_be_switched=definition.is_switchable,
            reaches_contacts=definition.reaches_contacts,
        )


@strawberry.type(description="A usage limit of this month: already passed, expected on a certain day, or not expected.")
class AlertExpectation:
    """Built with `AlertExpectation.of`."""

    kind: AlertKind = strawberry.field(description="The alert that is sent when the limit is passed.")
    display_name: str = strawberry.field(description="The alert's name to show.")
    limit: Duration = strawberry.field(
        description="The live time that the percentage refers to: the allowance or the cost-effective threshold."
    )
    percent: int = strawberry.field(description="The percentage of the limit at which the alert is sent.")
    sent_at: datetime | None = strawberry.field(description="When the alert was sent this month. Null if it was not.")
    expected_on: date | None = strawberry.field(
        description=(
            "The day on which usage is expected to pass the limit at the current pace. Null if it is not expected to."
        )
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
            sent_at=ahead.sent_at,
            expected_on=ahead.expected_on,
        )


@strawberry.type(description="The usage alerts of this month: those sent, and those expected at the current pace.")
class AlertForecast(Node):
    """Built with `AlertForecast.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies this account's forecast. It never changes.")
    period: Period = strawberry.field(description="The current billing month.")
    used: Duration = strawberry.field(description="The live time to date.")
    projected: Duration | None = strawberry.field(
        description="The projected live time at the end of the month. Null if it is too early to project."
    )
    basis: ProjectionBasis = strawberry.field(description="The method of projection.")
    limits: list[AlertExpectation] = strawberry.field(
        directives=[holds(6)], description="All limits of the month, lowest first."
    )

    @classmethod
    def of(cls, forecast: services.AlertForecast, account_id: str) -> "AlertForecast":
        """Return the forecast for clients."""
        projection = forecast.projection
        return cls(
            id=derived_id("forecast", account_id),
            period=Period.of(projection.period),
            used=Duration.of(forecast.used_seconds),
            projected=Duration.of(projection.usage.live_seconds) if projection.is_made else None,
            basis=projection.basis,
            limits=[AlertExpectation.of(limit) for limit in forecast.limits],
        )


@strawberry.input(description="One alert to switch.")
class AlertSwitchInput:
    """A kind and whether it is to be on."""

    kind: AlertKind = strawberry.field(description="The alert to switch.")
    is_on: bool = strawberry.field(description="Whether to receive the alert.")


@strawberry.input(description="The alerts to switch on or off. Either all changes are made or none.")
class UpdateAlertSubscriptionsInput:
    """Some switches."""

    changes: list[AlertSwitchInput] = strawberry.field(description="The alerts to switch. Others are not changed.")


@strawberry.type(description="The alert subscriptions were updated.")
class AlertSubscriptionsUpdated:
    """Everything as it is now."""

    alert_subscriptions: list[AlertSubscription] = strawberry.field(
        directives=[holds(20)], description="All your alert subscriptions after the change."
    )


UpdateAlertSubscriptionsResult = Annotated[
    AlertSubscriptionsUpdated | user_error.AlertAlwaysOn,
    strawberry.union(
        "UpdateAlertSubscriptionsResult", description="The alert subscriptions, or the reason they were not changed."
    ),
]
