"""The four add-ons and additional lines: dated prices, terms, and what they cost in a month (rules 22, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.billing_items import RecurringItem
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import BillingFacts
from app.domain.periods import Period
from app.domain.policies import policies_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.domain.plans import PlanVersion
    from app.domain.taxes import TaxRate


ENTITLEMENTS = ("onCall", "transcription", "liveCall", "queueVoicemail")
"""What add-ons can unlock in the rest of SAS Flex, by name."""


DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "onCall": (
            "On-call schedules: say who takes urgent calls when, and our operators reach the person whose turn it is."
        ),
        "transcription": "Every recorded call as text beside its recording, to read, search and forward.",
        "liveCall": "Follow a call on the screen while our operators are still handling it.",
        "queueVoicemail": "Callers who wait in the queue can leave a voicemail in place of holding on.",
    }
)
"""What each add-on does, in a sentence for customers, by what it unlocks."""


class AddOnNotAvailable(LookupError):
    """No add-on of that code is sold on the date."""

    def __init__(self, code: str, on: date) -> None:
        super().__init__(f"There is no add-on {code!r} on sale on {on:%Y-%m-%d}.")
        self.add_on_code = code
        self.on = on


@dataclass(frozen=True, slots=True)
class AddOnVersion:
    """One add-on, or an additional line, at one price and with one version of its terms.

    `entitlement` is what it unlocks in the rest of SAS Flex; an additional line has none. `is_prorated` tells whether
    the month it is bought in is charged by day (rule 22).
    """

    id: str
    code: str
    name: str
    kind: LineKind
    monthly_cents: int
    is_prorated: bool
    entitlement: str | None
    terms_version: str
    terms: str
    valid_from: date
    valid_before: date | None = None

    def is_sold_on(self, on: date) -> bool:
        """Tell whether it may be bought on the date."""
        return self.valid_from <= on and (self.valid_before is None or on < self.valid_before)


@dataclass(frozen=True, slots=True)
class AddOnSubscription:
    """An add-on that an account has or had: from `starts_on`, until the day before `ends_before` once cancelled."""

    id: str
    version: AddOnVersion
    starts_on: date
    ends_before: date | None = None

    def is_active_on(self, on: date) -> bool:
        """Tell whether the account may use it on the date."""
        return self.starts_on <= on and (self.ends_before is None or on < self.ends_before)


def get_add_on(versions: Iterable[AddOnVersion], code: str, on: date) -> AddOnVersion:
    """Return the version of the add-on that is on sale.

    :raises AddOnNotAvailable: when none is.
    """
    for version in versions:
        if version.code == code and version.is_sold_on(on):
            return version
    raise AddOnNotAvailable(code, on)


def get_line(versions: Iterable[AddOnVersion], on: date) -> AddOnVersion:
    """Return the additional line that is on sale.

    :raises AddOnNotAvailable: when none is.
    """
    for version in versions:
        if version.kind is LineKind.ADDITIONAL_LINE and version.is_sold_on(on):
            return version
    raise AddOnNotAvailable("line", on)


def recurring_items(subscriptions: Iterable[AddOnSubscription], period: Period) -> Iterator[RecurringItem]:
    """Yield what the cycle invoice of a month charges: what was bought before it began and is not over by then.

    What is bought within the month was invoiced on buying it, whenever the cycle invoice comes.
    """
    for subscription in subscriptions:
        if subscription.starts_on < period.starts_on and subscription.is_active_on(period.starts_on):
            yield _item(subscription.version, None)


def purchase_facts(
    version: AddOnVersion,
    today: date,
    month_plan: PlanVersion,
    paid_starts_on: date,
    credit_cents: int,
    taxes: tuple[TaxRate, ...],
) -> BillingFacts:
    """Return the facts of the invoice of a purchase: the rest of the month by day, or all of it (rule 22)."""
    period = Period.containing(today)
    return BillingFacts(
        period=period,
        paid_starts_on=paid_starts_on,
        plan=month_plan,
        bills_base=False,
        policies=policies_on(period.starts_on),
        credit_available_cents=credit_cents,
        kind=InvoiceKind.ADD_ON,
        recurring=(_item(version, today),),
        taxes=taxes,
    )


def _item(version: AddOnVersion, first_day: date | None) -> RecurringItem:
    return RecurringItem(
        version.kind, version.code, version.name, version.monthly_cents, version.is_prorated, first_day
    )
