"""The payment methods on file of one account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from app.domain.payment_methods import ON_FILE, PaymentMethod, in_order
from app.models.payment_methods import PaymentMethodRow
from app.repositories.pages.scope import own, own_account_id
from app.repositories.payment_methods import read_verification
from app.repositories.reader import Page
from app.views.payment_methods import PaymentMethods

if TYPE_CHECKING:
    from app.repositories.sql_json import Rows

METHODS = select(
    col(PaymentMethodRow.id),
    col(PaymentMethodRow.account_id),
    col(PaymentMethodRow.kind),
    col(PaymentMethodRow.status),
    col(PaymentMethodRow.is_default),
    col(PaymentMethodRow.position),
    col(PaymentMethodRow.brand),
    col(PaymentMethodRow.last4),
    col(PaymentMethodRow.expiry_month),
    col(PaymentMethodRow.expiry_year),
    col(PaymentMethodRow.cardholder),
    col(PaymentMethodRow.postal_code),
    col(PaymentMethodRow.payer_email),
    col(PaymentMethodRow.verification),
).where(own(col(PaymentMethodRow.account_id)), col(PaymentMethodRow.status).in_(ON_FILE))


def read_methods(rows: Rows) -> list[PaymentMethod]:
    """Return the methods of rows of `METHODS`, in the order in which they are tried."""
    return in_order(replace(PaymentMethod(*columns), verification=read_verification(said)) for *columns, said in rows)


def _assemble(account: Rows, methods: Rows) -> PaymentMethods | None:
    account_id = account[0][0]
    return None if account_id is None else PaymentMethods(account_id, read_methods(methods))


PAYMENT_METHODS: Page[PaymentMethods | None] = Page(
    "payment_methods", {"account": select(own_account_id().label("id")), "methods": METHODS}, _assemble
)
"""Takes `account`; None when there is no such account."""
