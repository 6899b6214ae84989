"""The versions of accounts: everything that decides what their Billing Summaries show, as little of it as tells two
states apart.

Usage and postings are counted by the account itself (decision 0001). What has no counter is few rows, and is read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlmodel import col

from app.domain.checkouts import CheckoutState
from app.domain.collection import CollectionStatus
from app.domain.payment_methods import ON_FILE
from app.models.accounts import AccountRow
from app.models.add_ons import AddOnSubscriptionRow, AddOnVersionRow
from app.models.charges import OneTimeChargeRow, TaxListRow
from app.models.collection import CheckoutRow, CollectionRow
from app.models.cycles import BillingCycleRow
from app.models.payment_methods import PaymentMethodRow
from app.models.plans import PlanVersionRow
from app.repositories.conditions import one_of
from app.repositories.reader import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows

ACCOUNTS = "accounts"

_IDS = select(col(AccountRow.id)).where(one_of(col(AccountRow.external_id), ACCOUNTS))


def _of_accounts(account_id: Sql, *columns: Sql) -> Sql:
    """Select rows of the accounts: the account's id, then what of a row can change."""
    return select(account_id, *columns).where(account_id.in_(_IDS))


_ACCOUNTS = select(
    col(AccountRow.id),
    col(AccountRow.external_id),
    col(AccountRow.usage_seq),
    col(AccountRow.ledger_seq),
    col(AccountRow.status),
    col(AccountRow.plan_version_id),
    col(AccountRow.pending_plan_version_id),
    col(AccountRow.paid_starts_on),
    col(AccountRow.trial_ends_on),
    col(AccountRow.next_cycle_on),
    col(AccountRow.adjustable_from_on),
    col(AccountRow.upgrade_count),
).where(one_of(col(AccountRow.external_id), ACCOUNTS))

_CYCLES = (
    _of_accounts(col(BillingCycleRow.account_id), col(BillingCycleRow.period_on), col(BillingCycleRow.plan_version_id))
    .join(AccountRow, col(AccountRow.id) == col(BillingCycleRow.account_id))
    .where(col(BillingCycleRow.period_on) >= col(AccountRow.adjustable_from_on))
    .order_by(col(BillingCycleRow.period_on))
)

_SUBSCRIPTIONS = _of_accounts(
    col(AddOnSubscriptionRow.account_id), col(AddOnSubscriptionRow.id), col(AddOnSubscriptionRow.ends_before)
).order_by(col(AddOnSubscriptionRow.id))

_CHARGES = (
    _of_accounts(col(OneTimeChargeRow.account_id), col(OneTimeChargeRow.id))
    .where(col(OneTimeChargeRow.invoice_id).is_(None), col(OneTimeChargeRow.waived_at).is_(None))
    .order_by(col(OneTimeChargeRow.id))
)

_TAXES = _of_accounts(col(TaxListRow.account_id), col(TaxListRow.valid_from), col(TaxListRow.rates)).order_by(
    col(TaxListRow.valid_from)
)

_METHODS = (
    _of_accounts(
        col(PaymentMethodRow.account_id),
        col(PaymentMethodRow.id),
        col(PaymentMethodRow.status),
        col(PaymentMethodRow.is_default),
        col(PaymentMethodRow.position),
        col(PaymentMethodRow.expiry_month),
        col(PaymentMethodRow.expiry_year),
        col(PaymentMethodRow.updated_at),
    )
    .where(col(PaymentMethodRow.status).in_(ON_FILE))
    .order_by(col(PaymentMethodRow.id))
)

_ROUNDS = (
    _of_accounts(
        col(CollectionRow.account_id),
        col(CollectionRow.invoice_id),
        col(CollectionRow.status),
        col(CollectionRow.is_requested),
        col(CollectionRow.next_attempt_at),
    )
    .where(col(CollectionRow.status) != CollectionStatus.DONE)
    .order_by(col(CollectionRow.invoice_id))
)

_CHECKOUTS = (
    _of_accounts(col(CheckoutRow.account_id), col(CheckoutRow.id))
    .where(col(CheckoutRow.state) == CheckoutState.WAITING)
    .order_by(col(CheckoutRow.id))
)

_PLANS = select(
    col(PlanVersionRow.id), col(PlanVersionRow.valid_before), col(PlanVersionRow.existing_move_on)
).order_by(col(PlanVersionRow.id))

_ADD_ONS = select(col(AddOnVersionRow.id), col(AddOnVersionRow.valid_before)).order_by(col(AddOnVersionRow.id))


def _assemble(accounts: Rows, plans: Rows, add_ons: Rows, **parts: Rows) -> Mapping[str, object]:
    rows: dict[str, list[Any]] = defaultdict(list)
    for name, part in parts.items():
        for account_id, *columns in part:
            rows[account_id].append((name, columns))
    return {external_id: (seen, rows[id_], plans, add_ons) for id_, external_id, *seen in accounts}


ACCOUNT_VERSIONS: Page[Mapping[str, object]] = Page(
    "account_versions",
    {
        "accounts": _ACCOUNTS,
        "cycles": _CYCLES,
        "subscriptions": _SUBSCRIPTIONS,
        "charges": _CHARGES,
        "taxes": _TAXES,
        "methods": _METHODS,
        "rounds": _ROUNDS,
        "checkouts": _CHECKOUTS,
        "plans": _PLANS,
        "add_ons": _ADD_ONS,
    },
    _assemble,
)
"""Takes `accounts`, a list of external ids. Versions by those ids: equal as long as no Summary has changed."""
