"""The demo's accounts, each in another state; dates are counted back from the day on which the demo is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.accounts import Role
from app.domain.alerts import AlertKind
from app.domain.contacts import Channel, ContactDetails
from app.domain.periods import Period
from app.sandbox.personas import TITLES, Seat, email_of, subject_of
from app.services.usage.put_account import AccountParticulars, Member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

HARBOR = "harbor-dental"
CEDAR = "cedar-veterinary"
SPARK = "bright-spark-electric"
MONTHS_OF_HISTORY = 18
TRIAL_DAYS = 14

VISA, MASTERCARD = "fake-valid-visa-nonce", "fake-valid-mastercard-nonce"
PAYPAL = "fake-paypal-billing-agreement-nonce"
DECLINING = "fake-valid-discover-nonce"
"""Verified when it is added, and declined whenever it is charged."""
VISA_DIGITS, DECLINING_DIGITS = "1881", "1117"

SEATS = (
    Seat("admin", HARBOR, Role.ADMIN),
    Seat("billing", HARBOR, Role.BILLING),
    Seat("member", HARBOR, Role.MEMBER),
    Seat("other_admin", CEDAR, Role.ADMIN),
)

CONTACTS = {
    HARBOR: ContactDetails(
        name="Bookkeeper",
        title="Books and payroll",
        email="books@harbor-dental.example",
        phone=None,
        channels=frozenset({Channel.EMAIL}),
        kinds=frozenset({AlertKind.INVOICE_READY, AlertKind.PAYMENT_FAILED}),
    ),
    SPARK: ContactDetails(
        name="Owner",
        title="",
        email=None,
        phone="+12025550143",
        channels=frozenset({Channel.PHONE_CALL}),
        kinds=frozenset({AlertKind.UPGRADE_DONE, AlertKind.PAYMENT_FAILED, AlertKind.SUSPENSION_SCHEDULED}),
    ),
}
"""The payment contacts, by account: an office, not a person. The numbers belong to nobody."""

NEW_CONTACT = ContactDetails(
    name="Accountant",
    title="Year-end accounts",
    email="accounts@harbor-dental.example",
    phone=None,
    channels=frozenset({Channel.EMAIL}),
    kinds=frozenset({AlertKind.INVOICE_READY}),
)
"""A contact of the first account who has not agreed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """One account with its course: when it signed up, and how many calls a month it begins and ends with.

    `cards` are the test nonces of its payment methods, the default first; without them it pays by check, if at all.
    `is_taxed`: it pays two taxes.
    """

    external_id: str
    name: str
    plan_code: str
    created_on: date
    paid_starts_on: date
    first_calls: int = 0
    last_calls: int = 0
    roles: tuple[Role, ...] = (Role.ADMIN,)
    is_paying: bool = True
    cards: tuple[str, ...] = ()
    is_taxed: bool = False

    @property
    def particulars(self) -> AccountParticulars:
        """What SAS Flex would say of the account."""
        has_trial = self.created_on < self.paid_starts_on
        return AccountParticulars(
            external_id=self.external_id,
            name=self.name,
            plan_code=self.plan_code,
            trial_ends_on=self.paid_starts_on - timedelta(days=1) if has_trial else None,
            paid_since_on=self.paid_starts_on,
            members=tuple(
                Member(subject_of(self.external_id, role), email_of(self.external_id, role), TITLES[role], role)
                for role in self.roles
            ),
        )

    def months(self, today: date) -> Iterator[Period]:
        """Yield the months from sign-up to today's."""
        month = Period.containing(self.created_on)
        while month.starts_on <= today:
            yield month
            month = month.shifted(1)

    def calls_in(self, month: Period, today: date) -> int:
        """Return how many calls the account makes in a month: it grows evenly from its first figure to its last."""
        months = list(self.months(today))
        if month not in months:
            return 0
        steps = max(1, len(months) - 1)
        return self.first_calls + (self.last_calls - self.first_calls) * months.index(month) // steps


def demo_accounts(today: date) -> tuple[DemoAccount, ...]:
    """Return the accounts as they are on a day: long served, new, on trial, and on a plan that no longer fits."""
    return (*_settled_accounts(today), *_new_accounts(today))


def _settled_accounts(today: date) -> tuple[DemoAccount, ...]:
    this_month = Period.containing(today)
    harbor_signed_up = this_month.shifted(-MONTHS_OF_HISTORY).starts_on
    economy_signed_up = this_month.shifted(-4).starts_on + timedelta(days=9)
    return (
        DemoAccount(
            external_id=HARBOR,
            name="Harbor Dental Group",
            plan_code="220",
            created_on=harbor_signed_up,
            paid_starts_on=harbor_signed_up + timedelta(days=TRIAL_DAYS),
            first_calls=110,
            last_calls=200,
            roles=(Role.ADMIN, Role.BILLING, Role.MEMBER),
            cards=(VISA, MASTERCARD, PAYPAL),
        ),
        DemoAccount(
            external_id=CEDAR,
            name="Cedar Veterinary Clinic",
            plan_code="220",
            created_on=this_month.shifted(-7).starts_on,
            paid_starts_on=this_month.shifted(-7).starts_on,
            first_calls=30,
            last_calls=48,
            is_taxed=True,
        ),
        DemoAccount(
            external_id=SPARK,
            name="Bright Spark Electric",
            plan_code="economy",
            created_on=economy_signed_up,
            paid_starts_on=economy_signed_up + timedelta(days=1),
            first_calls=90,
            last_calls=140,
            is_paying=False,
            cards=(DECLINING,),
        ),
    )


def _new_accounts(today: date) -> tuple[DemoAccount, ...]:
    return (
        DemoAccount(
            external_id="northgate-plumbing",
            name="Northgate Plumbing",
            plan_code="100",
            created_on=today - timedelta(days=TRIAL_DAYS + 4),
            paid_starts_on=today - timedelta(days=4),
            first_calls=70,
            last_calls=70,
            cards=(VISA,),
        ),
        DemoAccount(
            external_id="lakeside-physiotherapy",
            name="Lakeside Physiotherapy",
            plan_code="220",
            created_on=today - timedelta(days=5),
            paid_starts_on=today + timedelta(days=TRIAL_DAYS - 5),
            first_calls=90,
            last_calls=90,
        ),
        DemoAccount(
            external_id="meadow-lane-bakery",
            name="Meadow Lane Bakery",
            plan_code="economy",
            created_on=today,
            paid_starts_on=today + timedelta(days=TRIAL_DAYS),
        ),
    )
