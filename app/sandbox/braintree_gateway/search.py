"""Searches as the SDK makes them: first the ids of everything found, then the records page by page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from app.sandbox.braintree_gateway import wire
from app.sandbox.braintree_gateway.answers import Answer, Content
from app.sandbox.braintree_gateway.codec import BodyUnreadable, Collection, Items
from app.sandbox.braintree_gateway.state import MERCHANT_ACCOUNT, instant

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

PAGE_SIZE = 50

Field = Callable[["Record"], Any]


def _moment(status: str, record: Record) -> datetime | None:
    found = [event["at"] for event in record["history"] if event["status"] == status]
    return instant(found[-1]) if found else None


def _day(stamped: str) -> datetime:
    """Return the day of an instant as criteria have it: its first moment in UTC."""
    return instant(stamped).replace(hour=0, minute=0, second=0, microsecond=0)


def _of_method(name: str, record: Record) -> Any:
    return (record.get("method") or record.get("card") or {}).get(name)


def _number(record: Record) -> str:
    return f"{_of_method('bin', record) or ''}{_of_method('last_4', record) or ''}"


def _expiry(record: Record) -> str:
    return f"{_of_method('expiration_month', record)}/{_of_method('expiration_year', record)}"


_CARD_FIELDS: dict[str, Field] = {
    "credit_card_number": _number,
    "credit_card_expiration_date": _expiry,
    "credit_card_card_type": partial(_of_method, "brand"),
    "credit_card_cardholder_name": partial(_of_method, "cardholder_name"),
    "credit_card_unique_identifier": partial(_of_method, "fingerprint"),
}
_COMMON: dict[str, Field] = {
    "id": lambda record: record["id"],
    "ids": lambda record: record["id"],
    "created_at": lambda record: instant(record["created_at"]),
}
_INSTRUMENTS = {wire.CARD: "CreditCardDetail", wire.PAYPAL: "PayPalDetail"}
_KEPT_NOWHERE = tuple(
    f"{whose}_{name}"
    for whose in ("billing", "shipping")
    for name in ("first_name", "last_name", "company", "street_address", "extended_address", "locality", "region",
                 "postal_code", "country_name")
)  # fmt: skip
TRANSACTION_FIELDS: dict[str, Field] = {
    **_COMMON,
    **_CARD_FIELDS,
    "order_id": lambda record: record["order_id"],
    "customer_id": lambda record: record["customer_id"],
    "payment_method_token": lambda record: record["method_token"],
    "status": lambda record: record["status"],
    "type": lambda record: record["type"],
    "amount": lambda record: Decimal(record["amount_cents"]).scaleb(-2),
    "payment_instrument_type": lambda record: _INSTRUMENTS[record["method"]["kind"]],
    "merchant_account_id": lambda _record: MERCHANT_ACCOUNT,
    "source": lambda _record: "api",
    "created_using": lambda record: "token" if record["method_token"] else "full_information",
    "credit_card_customer_location": lambda _record: "US",
    "processor_authorization_code": lambda record: record["id"][:6].upper(),
    **dict.fromkeys(_KEPT_NOWHERE, lambda _record: None),
    **dict.fromkeys(("authorization_expired_at", "disbursement_date", "settlement_batch_id"), lambda _record: None),
    "refund": lambda record: record["refunded_transaction_id"] is not None,
    **{
        f"{name}_at": partial(_moment, status)
        for name, status in (
            ("authorized", "authorized"),
            ("submitted_for_settlement", "submitted_for_settlement"),
            ("settled", "settled"),
            ("voided", "voided"),
            ("failed", "failed"),
            ("processor_declined", "processor_declined"),
            ("gateway_rejected", "gateway_rejected"),
        )
    },
}
VERIFICATION_FIELDS: dict[str, Field] = {
    **_COMMON,
    **_CARD_FIELDS,
    "status": lambda record: record["status"],
    "customer_id": lambda record: record["customer_id"],
    "payment_method_token": lambda record: record["token"],
    "billing_address_details_postal_code": lambda record: (record["card"]["billing_address"] or {}).get("postal_code"),
    "customer_email": lambda _record: None,
    "verification_type": lambda _record: "credit_card",
}
DISPUTE_FIELDS: dict[str, Field] = {
    **{name: itemgetter(name) for name in ("id", "status", "kind", "reason", "reason_code", "case_number")},
    "transaction_id": itemgetter("transaction_id"),
    "amount_disputed": lambda record: Decimal(record["amount_cents"]).scaleb(-2),
    "received_date": lambda record: _day(record["created_at"]),
    "effective_date": lambda record: [_day(each["at"]) for each in wire.history(record)],
}
CUSTOMER_FIELDS: dict[str, Field] = {**_COMMON, **{name: itemgetter(name) for name in wire.CUSTOMER_FIELDS}}


def search_ids(found: list[Record]) -> Answer:
    """Answer the first request of a search: how large a page is, and every id."""
    ids = Items("item", [each["id"] for each in found])
    return Answer(200, "search_results", {"page_size": PAGE_SIZE, "ids": ids})


def find(records: list[Record], fields: dict[str, Field], criteria: Content) -> list[Record]:
    """Return the records that meet every criterion, newest first.

    :raises BodyUnreadable: when a criterion is none that we know; leaving it out would find too much.
    """
    unknown = set(criteria) - set(fields)
    if unknown:
        raise BodyUnreadable(f"unknown search fields: {', '.join(sorted(unknown))}")
    return [
        each
        for each in reversed(records)
        if all(_meets(fields[name](each), criterion) for name, criterion in criteria.items())
    ]


def find_transactions(state: State, criteria: Content) -> list[Record]:
    """Return transactions; those of an order or a customer are found without looking at the rest."""
    records = state.store.all("transaction")
    for name in ("order_id", "customer_id"):
        if isinstance(criteria.get(name), dict) and "is" in criteria[name]:
            records = state.store.where("transaction", name, criteria[name]["is"])
            break
    return find(records, TRANSACTION_FIELDS, criteria)


def transactions_page(state: State, criteria: Content) -> Answer:
    """Answer the second request of a search for transactions."""
    page = [wire.transaction(state, each) for each in _of_ids(state, "transaction", criteria)]
    return Answer(200, "credit_card_transactions", Collection("transaction", page))


def verifications_page(state: State, criteria: Content) -> Answer:
    """Answer the second request of a search for verifications."""
    page = [wire.verification(each) for each in _of_ids(state, "verification", criteria)]
    return Answer(200, "credit_card_verifications", Collection("verification", page))


def customers_page(state: State, criteria: Content) -> Answer:
    """Answer the second request of a search for customers."""
    page = [wire.customer(state, each) for each in _of_ids(state, "customer", criteria)]
    return Answer(200, "customers", Collection("customer", page))


def _of_ids(state: State, kind: str, criteria: Content) -> list[Record]:
    found = (state.store.get(kind, each) for each in criteria.get("ids") or ())
    return [record for record in found if record is not None]


def _meets(value: Any, criterion: Any) -> bool:
    if isinstance(value, list):
        return any(_meets(each, criterion) for each in value)
    if isinstance(criterion, list):
        return value in criterion
    if not isinstance(criterion, dict):
        return str(value).lower() == str(criterion).lower()
    return all(_TESTS[name](value, _like(value, wanted)) for name, wanted in criterion.items())


def _like(value: Any, wanted: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal(str(wanted))
    return wanted


def _text(value: Any) -> str:
    return "" if value is None else str(value)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda value, wanted: value == wanted if isinstance(value, Decimal | datetime) else _text(value) == wanted,
    "is_not": lambda value, wanted: _text(value) != wanted,
    "starts_with": lambda value, wanted: _text(value).startswith(wanted),
    "ends_with": lambda value, wanted: _text(value).endswith(wanted),
    "contains": lambda value, wanted: wanted in _text(value),
    "min": lambda value, wanted: value is not None and value >= wanted,
    "max": lambda value, wanted: value is not None and value <= wanted,
}
