"""The demonstration catalogue: SAS's published prices where known, plausible ones elsewhere (section 1.4).

Plans 100 and 220 also carry the older published prices, sold from 2015 to 2019 only.
"""

from __future__ import annotations

from datetime import date

from app.domain.add_ons import AddOnVersion
from app.domain.invoice_lines import LineKind
from app.domain.money import UnitPrice
from app.domain.plans import Catalogue, PlanVersion

_FIRST = date(1990, 1, 1)
_OLD_FROM = date(2015, 1, 1)
_OLD_BEFORE = date(2020, 1, 1)


def _version(
    code: str,
    base_cents: int,
    included_minutes: int,
    overage_rate: int,
    valid_from: date = _FIRST,
    valid_before: date | None = None,
) -> PlanVersion:
    name = "Economy" if code == "economy" else f"{included_minutes:,} Minutes"
    rate = UnitPrice(overage_rate)
    identifier = f"plan_{code}_{valid_from.year}"
    return PlanVersion(identifier, code, name, base_cents, included_minutes, rate, valid_from, valid_before)


SEED_CATALOGUE = Catalogue(
    (
        _version("economy", 39_00, 0, 1_3900),
        _version("100", 139_00, 100, 1_2900, _FIRST, _OLD_FROM),
        _version("100", 128_00, 100, 1_1900, _OLD_FROM, _OLD_BEFORE),
        _version("100", 139_00, 100, 1_2900, _OLD_BEFORE),
        _version("220", 239_00, 220, 1_1900, _FIRST, _OLD_FROM),
        _version("220", 219_00, 220, 1_1900, _OLD_FROM, _OLD_BEFORE),
        _version("220", 239_00, 220, 1_1900, _OLD_BEFORE),
        _version("500", 499_00, 500, 1_0900),
        _version("1000", 949_00, 1_000, 9900),
        _version("2500", 2_249_00, 2_500, 9500),
        _version("5000", 4_399_00, 5_000, 8900),
        _version("10000", 8_599_00, 10_000, 8500),
    )
)


def _add_on(code: str, name: str, monthly_cents: int, entitlement: str) -> AddOnVersion:
    return AddOnVersion(
        id=f"addon_{code}_{_FIRST.year}",
        code=code,
        name=name,
        kind=LineKind.ADD_ON,
        monthly_cents=monthly_cents,
        is_prorated=True,
        entitlement=entitlement,
        terms_version="2026-01",
        terms=(
            f"{name} is billed monthly in advance at the price shown, from today on. You may cancel at any time; it "
            "then stays usable until the end of the month, and nothing is refunded."
        ),
        valid_from=_FIRST,
    )


SEED_ADD_ONS: tuple[AddOnVersion, ...] = (
    _add_on("on_call", "On-Call", 25_00, "onCall"),
    _add_on("transcription", "Transcription", 15_00, "transcription"),
    _add_on("live_call", "Live Call", 20_00, "liveCall"),
    _add_on("queue_voicemail", "Queue Voicemail", 10_00, "queueVoicemail"),
    AddOnVersion(
        id=f"addon_line_{_FIRST.year}",
        code="line",
        name="Additional line",
        kind=LineKind.ADDITIONAL_LINE,
        monthly_cents=10_00,
        is_prorated=False,
        entitlement=None,
        terms_version="2026-01",
        terms="Each additional line is billed monthly in advance, the month it is added in included in full.",
        valid_from=_FIRST,
    ),
)
"""The four add-ons at demonstration prices, and the additional line at SAS's published one."""
