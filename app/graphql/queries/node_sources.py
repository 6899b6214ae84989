"""Where each kind of thing with an id is found again, and who may see it."""

from collections.abc import Awaitable, Callable

from app.domain.periods import InvalidMonth, Period, billing_date
from app.domain.plan_changes import PlanChangeRefused, When
from app.domain.plans import PlanNotAvailable
from app.graphql.context import Info
from app.graphql.permissions import Permission, may
from app.graphql.queries.activity import load_entry
from app.graphql.queries.add_ons import load_add_on, load_entitlements
from app.graphql.queries.alerts import load_contact, load_forecast, load_notification, load_subscriptions
from app.graphql.queries.billing_summary import load_next_invoice, load_summary
from app.graphql.queries.invoices import load_attempt
from app.graphql.queries.payment_methods import load_payment_method, load_payment_methods
from app.graphql.queries.plans import load_offers, load_quote
from app.graphql.queries.usage import load_usage
from app.graphql.types.add_on import Entitlements
from app.graphql.types.alert import AlertForecast, AlertSubscription
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.call import Call
from app.graphql.types.invoice import Invoice
from app.graphql.types.invoice_line import InvoiceLine
from app.graphql.types.line_kinds import lines_of
from app.graphql.types.next_invoice import NextInvoice
from app.graphql.types.node import Node, read_derived_id
from app.graphql.types.payment_method import PaymentMethodList
from app.graphql.types.plan import Plan
from app.graphql.types.plan_offer import PlanOffer
from app.graphql.types.quote import read_assumed_change
from app.graphql.types.usage import UsageMonth
from app.graphql.types.viewer import Account, User, Viewer
from app.repositories.pages.calls import CALL
from app.repositories.pages.invoices import INVOICE
from app.repositories.pages.plans import CATALOGUE
from app.services.common.account_snapshot import AccountSuspended
from app.services.usage.usage_months import show_plan, usage_month
from app.views.next_invoice import NextInvoiceBasis

Find = Callable[[Info, str], Awaitable[Node | None]]


async def find_viewer(info: Info, id: str) -> Viewer | None:
    """Return the caller on the account that they are signed in to."""
    viewer = Viewer.of(await info.context.viewer())
    return viewer if viewer.id == id else None


async def find_account(info: Info, id: str) -> Account | None:
    """Return the account that the caller is signed in to."""
    account = Viewer.of(await info.context.viewer()).account
    return account if account.id == id else None


async def find_user(info: Info, id: str) -> User | None:
    """Return the caller; other people of the account are not shown by id."""
    user = Viewer.of(await info.context.viewer()).user
    return user if user.id == id else None


async def find_summary(info: Info, id: str) -> BillingSummary | None:
    """Return the account's Billing Summary."""
    found = await load_summary(info)
    return found if found and found.id == id else None


async def find_next_invoice(info: Info, id: str) -> NextInvoice | None:
    """Return the preview of the account's next invoice, as things stand or after a change that may be previewed."""
    change = read_assumed_change(id)
    if change is not None:
        return await find_invoice_after_change(info, id, *change)
    is_projected = id.endswith(f"_{NextInvoiceBasis.PROJECTED.lower()}")
    found = await load_next_invoice(info, NextInvoiceBasis.PROJECTED if is_projected else NextInvoiceBasis.ACCRUED)
    return found if found and found.id == id else None


async def find_invoice_after_change(info: Info, id: str, plan_id: str, when: When) -> NextInvoice | None:
    """Return the next invoice as a change of plan would leave it, for who may change the plan."""
    try:
        quote = await load_quote(info, plan_id, when)
    except (PlanChangeRefused, PlanNotAvailable, AccountSuspended):
        return None
    found = quote.next_invoice if quote else None
    is_shown = may(await info.context.viewer(), Permission.CHANGE_PLAN)
    return found if found and found.id == id and is_shown else None


async def find_offer(info: Info, id: str) -> PlanOffer | None:
    """Return what the account is offered of a plan."""
    return next((offer for offer in await load_offers(info) or () if offer.id == id), None)


async def find_entitlements(info: Info, id: str) -> Entitlements | None:
    """Return what the account's add-ons unlock."""
    found = await load_entitlements(info)
    return found if found and found.id == id else None


async def find_forecast(info: Info, id: str) -> AlertForecast | None:
    """Return the usage alerts that the account's month is heading for."""
    found = await load_forecast(info)
    return found if found and found.id == id else None


async def find_subscription(info: Info, id: str) -> AlertSubscription | None:
    """Return one of the caller's own alerts."""
    return next((one for one in await load_subscriptions(info) if one.id == id), None)


async def find_plan(info: Info, id: str) -> Plan | None:
    """Return a plan at one set of prices, sold today or not; the catalogue is the same for everybody."""
    catalogue = await info.context.load(CATALOGUE)
    today = billing_date(info.context.clock.now())
    version = next((one for one in catalogue.versions if one.id == id), None)
    return Plan.of(show_plan(version, catalogue, today)) if version else None


async def find_usage_month(info: Info, id: str) -> UsageMonth | None:
    """Return a month of the account's usage."""
    try:
        period = Period.parse(id.rpartition("_")[2])
    except InvalidMonth:
        return None
    facts = await load_usage(info, period, period)
    month = usage_month(facts=facts, period=period, now=info.context.clock.now()) if facts else None
    found = UsageMonth.of(month) if month else None
    return found if found and found.id == id else None


async def find_invoice(info: Info, id: str) -> Invoice | None:
    """Return one of the account's invoices."""
    found = await info.context.load(INVOICE, invoice_id=id)
    return Invoice.of(found[0]) if found else None


async def find_line(info: Info, id: str) -> InvoiceLine | None:
    """Return a line of one of the account's invoices."""
    derived = read_derived_id(id, "inv")
    if derived is None:
        return None
    found = await info.context.load(INVOICE, invoice_id=derived[0])
    return next((line for invoice in found for line in lines_of(invoice) if line.id == id), None)


async def find_call(info: Info, id: str) -> Call | None:
    """Return one of the account's calls."""
    derived = read_derived_id(id, "acc")
    if derived is None:
        return None
    found = await info.context.load(CALL, account_id=derived[0], seq=derived[1])
    return Call.of(found) if found else None


async def find_payment_methods(info: Info, id: str) -> PaymentMethodList | None:
    """Return the account's payment methods."""
    found = await load_payment_methods(info)
    return found if found and found.id == id else None


SOURCES: dict[str, tuple[Permission, Find]] = {
    "acc": (Permission.VIEW_ACCOUNT, find_account),
    "viewer": (Permission.VIEW_ACCOUNT, find_viewer),
    "entitlements": (Permission.VIEW_ACCOUNT, find_entitlements),
    "usr": (Permission.VIEW_ACCOUNT, find_user),
    "summary": (Permission.VIEW_SUMMARY, find_summary),
    "next": (Permission.VIEW_SUMMARY, find_next_invoice),
    "addon": (Permission.VIEW_PLANS, load_add_on),
    "pct": (Permission.MANAGE_CONTACTS, load_contact),
    "ntf": (Permission.VIEW_NOTIFICATIONS, load_notification),
    "alert": (Permission.MANAGE_ALERTS, find_subscription),
    "forecast": (Permission.MANAGE_ALERTS, find_forecast),
    "evt": (Permission.VIEW_ACTIVITY, load_entry),
    "offer": (Permission.VIEW_PLANS, find_offer),
    "plan": (Permission.VIEW_SUMMARY, find_plan),
    "usage": (Permission.VIEW_USAGE, find_usage_month),
    "inv": (Permission.VIEW_INVOICES, find_invoice),
    "line": (Permission.VIEW_INVOICES, find_line),
    "att": (Permission.VIEW_PAYMENT_DETAILS, load_attempt),
    "pm": (Permission.VIEW_PAYMENT_DETAILS, load_payment_method),
    "methods": (Permission.VIEW_PAYMENT_DETAILS, find_payment_methods),
    "call": (Permission.VIEW_USAGE, find_call),
}
"""By the beginning of an id."""
