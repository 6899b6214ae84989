"""Every billing decision that could have been another, as dated values; an invoice is always computed under its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta

from app.domain.money import UnitPrice


class UnknownPolicies(LookupError):
    """An invoice names a policy version that this build does not have."""

    def __init__(self, version: str) -> None:
        super().__init__(f"There are no billing policies of version {version!r} in this release.")
        self.version = version


@dataclass(frozen=True, slots=True)
class Policies:
    """One set of decisions; rule numbers are those of the billing rules.

    `cycle_runs_at`: wall-clock time in the billing zone of the cycle run (rule 12).
    `patch_rate`, `ivr_rate`: the price of one minute outside the allowance (rule 6).
    `late_call_days`: how far back a call of a closed month is still billed (rule 25).
    `future_tolerance`: how far ahead of now a call may claim to begin (rule 25).
    `non_billable_dispositions`: what is recorded and never charged (rule 8).
    """

    version: str
    effective_from: date
    cycle_runs_at: time = time(6)
    patch_rate: UnitPrice = UnitPrice(1_000)
    ivr_rate: UnitPrice = UnitPrice(1_500)
    late_call_days: int = 35
    future_tolerance: timedelta = timedelta(minutes=5)
    non_billable_dispositions: frozenset[str] = field(default_factory=frozenset)


POLICY_VERSIONS: tuple[Policies, ...] = (Policies(version="2026-11", effective_from=date.min),)
"""Oldest first; the first reaches back to the beginning of time."""


def policies_on(on: date) -> Policies:
    """Return the policies in force on the billing date."""
    return next(p for p in reversed(POLICY_VERSIONS) if p.effective_from <= on)


def policies_version(version: str) -> Policies:
    """Return the policies that an issued invoice names.

    :raises UnknownPolicies: when this release has no such version.
    """
    for policies in POLICY_VERSIONS:
        if policies.version == version:
            return policies
    raise UnknownPolicies(version)


@dataclass(frozen=True, slots=True)
class CollectionPolicies:
    """How money is collected; no invoice depends on it.

    `charges_first`: a change that the customer starts takes effect when paid (rule 17), else when confirmed.
    `retry_days`: the days after the due date of the collection rounds (rule 30).
    `late_fee_cents`, `late_fee_days`: the fee, and how long after the due date it is charged; None charges none (32).
    `suspension_days`, `early_suspension_days`: how long after the due date service is suspended (rule 33).
    `warning_days`: how long before that it is announced.
    `early_months`: the first months of paid service, with their stricter rules (rules 33, 34).
    `collects_at`: wall-clock time in the billing zone of everything that falls due on a later day than the first.
    """

    charges_first: bool = True
    retry_days: tuple[int, ...] = (0, 2, 7, 14, 21)
    late_fee_cents: int | None = 25_00
    late_fee_days: int = 7
    suspension_days: int = 21
    early_suspension_days: int = 7
    warning_days: int = 3
    early_months: int = 6
    collects_at: time = time(6)


COLLECTION_POLICIES = CollectionPolicies()
