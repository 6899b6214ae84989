"""Rows to answers, for the handler written by hand: amounts, dates and titles, and the Summary's arithmetic."""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.domain.periods import Period, billing_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATCH_RATE, IVR_RATE = 1_000, 1_500
KEPT = 8_192
BANNER = "An invoice could not be charged. Pay the open balance, or add another payment method."


@lru_cache(KEPT)
def amount(cents: int) -> str:
    """Return cents as dollars with two decimals."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


@lru_cache(KEPT)
def formatted(cents: int) -> str:
    """Return cents as people write them."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


@lru_cache(KEPT)
def minutes(seconds: int) -> str:
    """Return seconds as minutes with two decimals, rounded half up."""
    return amount((seconds * 200 + 60) // 120)


@lru_cache(KEPT)
def period(starts_on: str) -> dict[str, str]:
    """Return the month that begins on a date."""
    month = Period.containing(date.fromisoformat(starts_on))
    return {"startsOn": starts_on, "endsBefore": month.ends_before.isoformat()}


@lru_cache(KEPT)
def _month_name(starts_on: str) -> str:
    return f"{date.fromisoformat(starts_on):%B %Y}"


def money(cents: int) -> dict[str, str]:
    """Return an amount as digits and as people write it."""
    return {"amount": amount(cents), "formatted": formatted(cents)}


def instant(stored: str) -> str:
    """Return a stored instant as it is shown."""
    return f"{stored[:10]}T{stored[11:23]}Z"


def title(kind: str, starts_on: str, inputs: Any) -> str:
    """Return what a line is called.

    :raises ValueError: for a kind that the bench's database has none of.
    """
    if kind == "CHARGE":
        return str(inputs["title"])
    month = _month_name(starts_on)
    if kind == "BASE":
        return f"{inputs['plan_name']} plan, {month}"
    if kind == "OVERAGE":
        return f"Minutes above the allowance of {inputs['plan_name']}, {month}"
    if kind == "PATCH":
        return f"Patched calls, {month}"
    if kind == "IVR":
        return f"Automated (IVR) time, {month}"
    raise ValueError(kind)


def price(seconds: int, rate: int) -> int:
    """Return the cents of seconds at a rate a minute in ten-thousandths of a dollar, rounded half up."""
    return (seconds * rate * 2 + 6_000) // 12_000


def summary(found: Sequence[Any], today: date, month: Period) -> dict[str, Any]:
    """Return the data of the Summary from the columns of its statement."""
    (user_id, user_name, role, account_id, name, status, paid_starts_on, next_cycle_on, is_past_due,
     plan, next_plan, sold, days, open_cents, credit_cents, method) = found  # fmt: skip
    account, sees_payments = account_id.partition("_")[2], role != "MEMBER"
    seconds, costs, usage = _usage(plan, days)
    lines = list(_lines(plan, next_plan, seconds, costs, month, next_cycle_on))
    total = sum(cents for _, _, cents in lines)
    first_on = max(month.starts_on, date.fromisoformat(paid_starts_on))
    return {
        "viewer": {
            "id": f"viewer_{account}_{user_id.partition('_')[2]}",
            "banner": BANNER if is_past_due else None,
            "role": role,
            "user": {"id": user_id, "name": user_name},
            "account": {"id": account_id, "name": name, "status": status},
        },
        "billingSummary": {
            "id": f"summary_{account}",
            "currentPlan": _plan(plan, sold),
            "usage": {
                "id": f"usage_{account}_{month.month}",
                "period": period(month.starts_on.isoformat()),
                **usage,
                "days": list(_days(days, first_on, today)),
            },
            "openBalance": money(open_cents) if sees_payments else None,
            "creditBalance": money(credit_cents) if sees_payments else None,
            "paymentMethod": _method(method, today) if sees_payments and method is not None else None,
            "nextInvoice": {
                "id": f"next_{account}_accrued",
                "period": period(next_cycle_on),
                "issuesAt": _issues_at(next_cycle_on),
                "lines": [{"kind": kind, "displayName": said, "amount": money(cents)} for kind, said, cents in lines],
                "total": money(total),
                "amountDue": {"formatted": formatted(max(0, total - credit_cents))} if sees_payments else None,
            },
        },
    }


def _usage(
    plan: Sequence[Any], days: Sequence[Sequence[Any]]
) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Return the seconds and the cents of overage, patch and IVR, and the usage of the month as it is answered."""
    live, patch, ivr, calls, free = (sum(day[place] for day in days) for place in range(1, 6))
    allowance = plan[4] * 60
    overage = max(0, live - allowance)
    costs = price(overage, plan[5]), price(patch, PATCH_RATE), price(ivr, IVR_RATE)
    shown = {
        "allowance": {"seconds": allowance, "minutes": minutes(allowance)},
        "live": {"seconds": live, "minutes": minutes(live)},
        "remaining": {"minutes": minutes(max(0, allowance - live))},
        "overage": {"minutes": minutes(overage)},
        "patch": {"minutes": minutes(patch)},
        "ivr": {"minutes": minutes(ivr)},
        "overageCost": {"formatted": formatted(costs[0])},
        "totalCost": money(sum(costs)),
        "callCount": calls,
        "freeCallCount": free,
        "lastEventAt": instant(max(day[6] for day in days)) if days else None,
    }
    return (overage, patch, ivr), costs, shown


def _plan(plan: Sequence[Any], sold: Sequence[Sequence[Any]]) -> dict[str, Any]:
    identifier, code, name, base, included, rate = plan
    larger = min((one for one in sold if one[4] > included), key=lambda one: one[4], default=None)
    cents, rest = divmod(rate, 100)
    digits = f"{rest:02}" if rest else ""
    return {
        "id": identifier,
        "code": code,
        "displayName": name,
        "includedMinutes": included,
        "costEffectiveToMinutes": None if larger is None else included + (larger[3] - base) * 100 // rate,
        "base": {"amount": amount(base), "currencyCode": "USD", "formatted": formatted(base)},
        "overageRate": {
            "amount": amount(cents) + digits,
            "currencyCode": "USD",
            "formatted": formatted(cents) + digits,
            "per": "MINUTE",
        },
    }


def _days(days: Sequence[Sequence[Any]], first_on: date, today: date) -> Iterator[dict[str, Any]]:
    known = {day[0]: day for day in days}
    so_far = 0
    for offset in range((today - first_on).days + 1):
        on = (first_on + timedelta(offset)).isoformat()
        _, live, patch, ivr, calls, *_ = known.get(on) or (on, 0, 0, 0, 0)
        so_far += live
        yield {
            "on": on,
            "live": {"minutes": minutes(live)},
            "cumulativeLive": {"minutes": minutes(so_far)},
            "patch": {"minutes": minutes(patch)},
            "ivr": {"minutes": minutes(ivr)},
            "callCount": calls,
        }


def _lines(
    plan: Sequence[Any],
    next_plan: Sequence[Any],
    seconds: Sequence[int],
    costs: Sequence[int],
    month: Period,
    next_cycle_on: str,
) -> Iterator[tuple[str, str, int]]:
    yield "BASE", title("BASE", next_cycle_on, {"plan_name": next_plan[2]}), next_plan[3]
    for kind, used, cents in zip(("OVERAGE", "PATCH", "IVR"), seconds, costs, strict=True):
        if used:
            yield kind, title(kind, month.starts_on.isoformat(), {"plan_name": plan[2]}), cents


def _method(method: Sequence[Any], today: date) -> dict[str, Any]:
    identifier, brand, last4, expiry_month, expiry_year, status = method
    is_expired = (expiry_year, expiry_month) < (today.year, today.month)
    return {
        "__typename": "CardPaymentMethod",
        "id": identifier,
        "displayName": f"{brand} ending in {last4}",
        "status": "EXPIRED" if is_expired else status,
        "brand": brand,
        "last4": last4,
        "expiryMonth": expiry_month,
        "expiryYear": expiry_year,
    }


@lru_cache(KEPT)
def _issues_at(next_cycle_on: str) -> str:
    at = billing_instant(date.fromisoformat(next_cycle_on), time(6))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
