"""The add-on tiles: each with its price and terms, and whether the account has it (rules 22, 23)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.invoice_lines import LineKind
from app.services.plans.switch_add_on import find_active
from app.views.add_ons import AddOnOffer, AddOnState

if TYPE_CHECKING:
    from app.domain.add_ons import AddOnSubscription, AddOnVersion
    from app.views.account_snapshot import AccountSnapshot


def add_on_offers(snapshot: AccountSnapshot) -> list[AddOnOffer]:
    """Return the add-ons on sale today and those that the account has, by name; additional lines are none.

    An add-on that the account has is shown at the price and with the terms that it was bought at.
    """
    sold = {version.code: version for version in snapshot.add_on_versions if version.is_sold_on(snapshot.today)}
    held = {code: active for code in _codes(snapshot) if (active := find_active(snapshot, code)) is not None}
    shown = sold | {code: active.version for code, active in held.items()}
    offers = [
        _offer(snapshot.account_id, version, held.get(code))
        for code, version in shown.items()
        if version.kind is LineKind.ADD_ON
    ]
    return sorted(offers, key=lambda offer: (offer.version.name, offer.version.code))


def _codes(snapshot: AccountSnapshot) -> list[str]:
    return [subscription.version.code for subscription in snapshot.subscriptions]


def _offer(account_id: str, version: AddOnVersion, active: AddOnSubscription | None) -> AddOnOffer:
    if active is None:
        return AddOnOffer(account_id, version, AddOnState.AVAILABLE)
    if active.ends_before is None:
        return AddOnOffer(account_id, version, AddOnState.ACTIVE, active.starts_on)
    until_on = active.ends_before - timedelta(days=1)
    return AddOnOffer(account_id, version, AddOnState.ENDING, active.starts_on, until_on)
