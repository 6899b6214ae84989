"""How often payment methods may be tried: by an account, by a person, and from an address, whichever comes first.

Who tries out stolen cards has stolen tokens too: of several people, on several accounts, mostly from one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from app.domain.payment_methods import wait_before_adding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from app.domain.payment_methods import AttemptLimit

_NETWORK_BITS = 64
"""What one customer is given of IPv6 at least: within it the addresses are theirs to choose."""


@dataclass(frozen=True, slots=True)
class AddAttempt:
    """Somebody tried to add a payment method to an account. `address` is None where it tells nobody apart."""

    account_id: str
    actor: str
    address: str | None
    at: datetime


def wait_before_attempt(earlier: Iterable[AddAttempt], attempt: AddAttempt, limits: Sequence[AttemptLimit]) -> int:
    """Return how many whole seconds an attempt comes too early; zero when it may be made now.

    Each limit holds for the account, for the person and for the address's network alike.
    """
    known = list(earlier)
    network = network_of(attempt.address)
    of_account = [each.at for each in known if each.account_id == attempt.account_id]
    of_person = [each.at for each in known if each.actor == attempt.actor]
    from_there = [each.at for each in known if network is not None and network_of(each.address) == network]
    return max(wait_before_adding(tried_at, attempt.at, limits) for tried_at in (of_account, of_person, from_there))


def network_of(address: str | None) -> str | None:
    """Return what one customer has of the network around an IP address: the address itself, of IPv6 its first half.

    None when there is no address.
    """
    if address is None:
        return None
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(IPv6Network((found, _NETWORK_BITS), strict=False)) if mapped is None else str(mapped)


def is_local(address: str) -> bool:
    """Tell whether an IP address belongs to no one place of the internet: this machine, or a network within a house."""
    return ip_address(address).is_private
