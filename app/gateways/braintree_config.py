"""Which Braintree gateway is called, as whom, and how long it is waited for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class BraintreeConfig:
    """Which gateway, and as whom. Timeouts are seconds to connect and seconds without a byte of the answer."""

    environment: Literal["local", "sandbox", "production"]
    merchant_id: str
    public_key: str
    private_key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int | None = None
    money_timeout: tuple[float, float] = (3.0, 65.0)
    read_timeout: tuple[float, float] = (3.0, 10.0)
