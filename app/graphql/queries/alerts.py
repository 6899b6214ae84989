"""Alerts, payment contacts, and the log of messages."""

import strawberry

from app.graphql.connections import (
    DEFAULT_PAGE,
    AfterArgument,
    Connection,
    FirstArgument,
    Keys,
    open_window,
    page_of,
)
from app.graphql.context import Info
from app.graphql.cost import PAGED, cost, holds
from app.graphql.permissions import Permission, root_field
from app.graphql.types.alert import AlertForecast, AlertSubscription
from app.graphql.types.notification import Notification
from app.graphql.types.payment_contact import PaymentContact
from app.repositories.pages.alerts import CONTACTS, LAST_ID, SUBSCRIPTIONS, TOLD_LIMITS, messages_page
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.services.cycle.alert_subscriptions import alert_forecast, subscriptions
from app.services.plans.plan_advice import plan_advice_dates
from app.services.usage.usage_months import current_month
from app.views.alerts import SentMessage

NOTIFICATIONS = "notifications"


async def load_subscriptions(info: Info) -> list[AlertSubscription]:
    """Return the caller's own alerts."""
    chosen = await info.context.load(SUBSCRIPTIONS, subject=info.context.claims.subject)
    viewer = await info.context.viewer()
    return [
        AlertSubscription.of(viewer.account_id, viewer.user_id, subscription) for subscription in subscriptions(chosen)
    ]


async def load_contacts(info: Info) -> list[PaymentContact]:
    """Return the account's payment contacts."""
    return [PaymentContact.of(listed) for listed in await info.context.load(CONTACTS)]


async def load_contact(info: Info, id: str) -> PaymentContact | None:
    """Return one of the account's payment contacts."""
    return next((contact for contact in await load_contacts(info) if contact.id == id), None)


async def load_forecast(info: Info) -> AlertForecast | None:
    """Return the usage alerts of this month: those sent, and those ahead."""
    now = info.context.clock.now()
    month: dict[str, object] = {"month": current_month(now).starts_on}
    advice, told = await info.context.load_together((PLAN_ADVICE, plan_advice_dates(now)), (TOLD_LIMITS, month))
    forecast = alert_forecast(advice, told) if advice else None
    return AlertForecast.of(forecast, advice.snapshot.account_id) if forecast else None


async def load_notification(info: Info, id: str) -> Notification | None:
    """Return one message of the account's log: the list, begun right behind its id."""
    found = await info.context.load(messages_page(), after_id=f"{id}{LAST_ID}", fetch=1)
    return next((Notification.of(sent) for sent in found.messages if sent.id == id), None)


def _keys(sent: SentMessage) -> Keys:
    return (sent.id,)


@strawberry.type
class AlertQueries:
    """Root fields of alerts and contacts."""

    @root_field(
        costs=[holds(20)],
        permission=Permission.MANAGE_ALERTS,
        description="Your own alert subscriptions. Other admins have theirs.",
    )
    async def alert_subscriptions(self, info: Info) -> list[AlertSubscription] | None:
        """Resolve `alertSubscriptions`."""
        return await load_subscriptions(info)

    @root_field(
        costs=[cost(350)],
        permission=Permission.MANAGE_ALERTS,
        description=(
            "The usage alerts of this month: those sent, and those expected at the current pace. "
            "Null before the first monthly invoice."
        ),
    )
    async def alert_forecast(self, info: Info) -> AlertForecast | None:
        """Resolve `alertForecast`."""
        return await load_forecast(info)

    @root_field(
        costs=[holds(6)],
        permission=Permission.MANAGE_CONTACTS,
        description="The payment contacts, oldest first; at most ten.",
    )
    async def payment_contacts(self, info: Info) -> list[PaymentContact] | None:
        """Resolve `paymentContacts`."""
        return await load_contacts(info)

    @root_field(
        costs=[PAGED],
        permission=Permission.VIEW_NOTIFICATIONS,
        description="The messages sent for this account and their delivery status, newest first.",
    )
    async def notifications(
        self, info: Info, first: FirstArgument = DEFAULT_PAGE, after: AfterArgument = None
    ) -> Connection[Notification] | None:
        """Resolve `notifications`."""
        window = open_window(info, kind=NOTIFICATIONS, first=first, after=after, keys=(str,))
        after_id = LAST_ID if window.after is None else str(window.after[0])
        page = messages_page(is_counted=window.is_counted)
        found = await info.context.load(page, after_id=after_id, fetch=window.fetch)
        return page_of(found.messages, window, node=Notification.of, keys=_keys, total=found.total)
