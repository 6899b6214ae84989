"""The facts of a bill, read the same way for one account on a page and for five hundred in the cycle run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, cast, func, select
from sqlmodel import col

from app.domain.add_ons import AddOnSubscription, AddOnVersion, recurring_items
from app.domain.billing_items import OneTimeCharge
from app.domain.checkouts import CheckoutState
from app.domain.invoice_lines import USAGE_LINE_KINDS, LineKind
from app.domain.invoices import BillingFacts, UsedPeriod
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.plans import Catalogue, PlanVersion
from app.domain.policies import policies_on
from app.domain.taxes import TaxRate
from app.domain.usage import UsageTotals
from app.models.accounts import AccountRow
from app.models.add_ons import AddOnSubscriptionRow, AddOnVersionRow
from app.models.calls import UsageDayRow
from app.models.charges import OneTimeChargeRow, TaxListRow
from app.models.collection import CheckoutRow
from app.models.cycles import BillingCycleRow
from app.models.invoices import InvoiceLineRow, InvoiceRow
from app.models.ledger import WriteOffShareRow
from app.models.plans import PlanVersionRow
from app.repositories.billed_lines import read_books, select_billed, select_write_offs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from app.repositories.conditions import Scope, Sql
    from app.repositories.sql_json import Rows


NO_USAGE = UsageTotals()

PLAN_COLUMNS: tuple[Sql, ...] = (
    col(PlanVersionRow.id),
    col(PlanVersionRow.code),
    col(PlanVersionRow.name),
    col(PlanVersionRow.base_cents),
    col(PlanVersionRow.included_minutes),
    col(PlanVersionRow.overage_rate),
    col(PlanVersionRow.valid_from),
    col(PlanVersionRow.valid_before),
    col(PlanVersionRow.existing_move_on),
)
"""The columns of a plan version, in the order of `PlanVersion`."""


ADD_ON_COLUMNS: tuple[Sql, ...] = tuple(
    col(getattr(AddOnVersionRow, name))
    for name in (
        "id",
        "code",
        "name",
        "kind",
        "monthly_cents",
        "is_prorated",
        "entitlement",
        "terms_version",
        "terms",
        "valid_from",
        "valid_before",
    )
)
"""The columns of an add-on version, in the order of `AddOnVersion`."""


class AccountFacts(NamedTuple):
    """What the facts take from the account itself; `plan` is that of the next month."""

    id: str
    paid_starts_on: date
    next_cycle_on: date
    credit_cents: int
    plan: PlanVersion


def total(column: Sql) -> Sql:
    """Return the sum of an integer column as an integer on both engines, zero for no rows."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def open_balance() -> Sql:
    """Return what an account owes on its invoices, beside the account's row.

    The invoice of a change that waits for its own payment is not among them: if that fails it is void (rule 17).
    """
    waiting = (
        select(col(InvoiceRow.balance_cents))
        .join(CheckoutRow, col(CheckoutRow.invoice_id) == col(InvoiceRow.id))
        .where(
            col(CheckoutRow.account_id) == col(AccountRow.id),
            col(CheckoutRow.state) == CheckoutState.WAITING,
        )
        .correlate(AccountRow)
        .scalar_subquery()
    )
    return col(AccountRow.receivable_cents) - func.coalesce(waiting, 0)


def select_accounts(scope: Scope) -> Sql:
    """Select one row for each account: id, paid start, next cycle, credit, then the columns of its next month's plan.

    That is the plan arranged for the next month, or else the chosen one.
    """
    account_id = col(AccountRow.id)
    return (
        select(
            account_id,
            col(AccountRow.paid_starts_on),
            col(AccountRow.next_cycle_on),
            col(AccountRow.credit_cents),
            *(column.label(f"plan_{column.key}") for column in PLAN_COLUMNS),
        )
        .join(
            PlanVersionRow,
            col(PlanVersionRow.id)
            == func.coalesce(col(AccountRow.pending_plan_version_id), col(AccountRow.plan_version_id)),
        )
        .where(scope(account_id))
    )


def select_cycles(scope: Scope) -> Sql:
    """Select the months that the next invoice may still bill usage of: account id, month, then its plan."""
    account_id = col(BillingCycleRow.account_id)
    return (
        select(account_id, col(BillingCycleRow.period_on), *PLAN_COLUMNS)
        .join(AccountRow, col(AccountRow.id) == account_id)
        .join(PlanVersionRow, col(PlanVersionRow.id) == col(BillingCycleRow.plan_version_id))
        .where(scope(account_id), *_in_window(col(BillingCycleRow.period_on)))
        .order_by(account_id, col(BillingCycleRow.period_on).desc())
    )


def select_usage(scope: Scope) -> Sql:
    """Select the usage of those months from the paid start on: account id, month, seconds by kind, calls (rule 10)."""
    account_id = col(UsageDayRow.account_id)
    sums = (UsageDayRow.live_seconds, UsageDayRow.patch_seconds, UsageDayRow.ivr_seconds, UsageDayRow.call_count)
    return (
        select(account_id, col(UsageDayRow.period_on), *(total(col(column)) for column in sums))
        .join(AccountRow, col(AccountRow.id) == account_id)
        .where(
            scope(account_id),
            col(UsageDayRow.on_date) >= col(AccountRow.adjustable_from_on),
            col(UsageDayRow.on_date) < col(AccountRow.next_cycle_on),
            col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
        )
        .group_by(account_id, col(UsageDayRow.period_on))
    )


def select_subscriptions(scope: Scope) -> Sql:
    """Select the add-ons and lines of accounts: account id, subscription id, first day, end, then the version."""
    account_id = col(AddOnSubscriptionRow.account_id)
    return (
        select(
            account_id,
            col(AddOnSubscriptionRow.id).label("subscription_id"),
            col(AddOnSubscriptionRow.starts_on),
            col(AddOnSubscriptionRow.ends_before),
            *(column.label(f"version_{column.key}") for column in ADD_ON_COLUMNS),
        )
        .join(AddOnVersionRow, col(AddOnVersionRow.id) == col(AddOnSubscriptionRow.add_on_version_id))
        .where(scope(account_id))
        .order_by(account_id, col(AddOnSubscriptionRow.starts_on), col(AddOnSubscriptionRow.id))
    )


def select_charges(scope: Scope) -> Sql:
    """Select the one-time charges that wait for an invoice: account id, kind, id, title, cents."""
    account_id = col(OneTimeChargeRow.account_id)
    return (
        select(
            account_id,
            col(OneTimeChargeRow.kind),
            col(OneTimeChargeRow.id).label("charge_id"),
            col(OneTimeChargeRow.title),
            col(OneTimeChargeRow.amount_cents),
        )
        .where(
            scope(account_id),
            col(OneTimeChargeRow.invoice_id).is_(None),
            col(OneTimeChargeRow.waived_at).is_(None),
        )
        .order_by(account_id, col(OneTimeChargeRow.id))
    )


def select_taxes(scope: Scope) -> Sql:
    """Select the lists of taxes that have begun when the next month does, the newest first: account id, rates."""
    account_id = col(TaxListRow.account_id)
    return (
        select(account_id, col(TaxListRow.rates))
        .join(AccountRow, col(AccountRow.id) == account_id)
        .where(scope(account_id), col(TaxListRow.valid_from) <= col(AccountRow.next_cycle_on))
        .order_by(account_id, col(TaxListRow.valid_from).desc())
    )


def fact_parts(scope: Scope) -> dict[str, Sql]:
    """Return every select that the facts of a bill are read by, by name.

    `account` is the account itself, and `prices` all that was ever sold; the others begin with the account's id.
    """
    return {
        "prices": select(*PLAN_COLUMNS).order_by(col(PlanVersionRow.id)),
        "account": select_accounts(scope),
        "cycles": select_cycles(scope),
        "usage": select_usage(scope),
        "billed": select_billed(
            scope,
            col(InvoiceLineRow.kind).in_((*USAGE_LINE_KINDS, LineKind.CORRECTION)),
            *_in_window(col(InvoiceLineRow.period_on)),
        ),
        "write_offs": select_write_offs(scope, *_in_window(col(WriteOffShareRow.period_on))),
        "subscriptions": select_subscriptions(scope),
        "charges": select_charges(scope),
        "taxes": select_taxes(scope),
    }


def read_account(row: Iterable[Any]) -> AccountFacts:
    """Return the value of a row of `select_accounts`."""
    account_id, paid_starts_on, next_cycle_on, credit_cents, *plan = row
    return AccountFacts(account_id, paid_starts_on, next_cycle_on, credit_cents, read_plan(plan))


def read_plan(columns: Iterable[Any]) -> PlanVersion:
    """Return the plan version behind its columns, in the order of `PLAN_COLUMNS`."""
    identifier, code, name, base_cents, included_minutes, rate, *dates = columns
    return PlanVersion(identifier, code, name, base_cents, included_minutes, UnitPrice(rate), *dates)


def read_catalogue(rows: Rows) -> Catalogue:
    """Return the catalogue of rows of `PLAN_COLUMNS`; one that was read before is not made again."""
    return _catalogue_of(tuple(rows))


@lru_cache(maxsize=64)
def _catalogue_of(rows: tuple[tuple[Any, ...], ...]) -> Catalogue:
    return Catalogue(tuple(read_plan(row) for row in rows))


def read_add_on(columns: Iterable[Any]) -> AddOnVersion:
    """Return the add-on version behind its columns, in the order of `ADD_ON_COLUMNS`."""
    return AddOnVersion(*columns)


def read_subscription(row: Iterable[Any]) -> AddOnSubscription:
    """Return the subscription of a row of `select_subscriptions`."""
    _, identifier, starts_on, ends_before, *version = row
    return AddOnSubscription(identifier, read_add_on(version), starts_on, ends_before)


def read_taxes(rates: Iterable[Any]) -> tuple[TaxRate, ...]:
    """Return the taxes of a stored list."""
    return tuple(TaxRate(rate["name"], rate["rate"], tuple(map(LineKind, rate["kinds"]))) for rate in rates)


def read_taxes_in_force(rows: Rows) -> tuple[TaxRate, ...]:
    """Return the taxes of the first of an account's rows of `select_taxes`."""
    return read_taxes(rows[0][1]) if rows else ()


@dataclass(frozen=True, slots=True)
class FactRows:
    """The rows of one account by the parts of `fact_parts`; `cycles` come newest month first."""

    cycles: Rows = ()
    usage: Rows = ()
    billed: Rows = ()
    write_offs: Rows = ()
    subscriptions: Rows = ()
    charges: Rows = ()
    taxes: Rows = ()


def assemble_facts(account: AccountFacts, prices: Catalogue, rows: FactRows) -> BillingFacts:
    """Put the rows of one account together.

    The plan of the next month is the account's, at the prices that existing accounts have moved to by then.
    """
    used = {month: UsageTotals(*sums) for _, month, *sums in rows.usage}
    books = read_books(rows.billed, rows.write_offs)
    months = tuple(
        UsedPeriod(
            Period.containing(month),
            read_plan(plan),
            policies_on(month),
            used.get(month, NO_USAGE),
            books.usage(month),
        )
        for _, month, *plan in rows.cycles
    )
    period = Period.containing(account.next_cycle_on)
    policies = policies_on(period.starts_on)
    return BillingFacts(
        period,
        account.paid_starts_on,
        prices.moved(account.plan, period.starts_on),
        policies,
        months,
        account.credit_cents,
        recurring=tuple(recurring_items(map(read_subscription, rows.subscriptions), period)),
        charges=tuple(OneTimeCharge(*charge) for _, *charge in rows.charges),
        taxes=read_taxes_in_force(rows.taxes),
    )


def _in_window(month: Sql) -> tuple[Sql, Sql]:
    return month >= col(AccountRow.adjustable_from_on), month < col(AccountRow.next_cycle_on)
