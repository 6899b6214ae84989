"""What a settings page shows of alerts, and the log of what was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.alerts import AlertKind
    from app.domain.contacts import Channel, PaymentContact
    from app.domain.deliveries import CallOutcome, DeliveryState


class ToldLimit(NamedTuple):
    """A limit of a month that was told."""

    kind: AlertKind
    level: int
    arming_no: int
    crossed_at: datetime
    is_rearmed: bool


@dataclass(frozen=True, slots=True)
class ListedContact:
    """A payment contact, and why its e-mail address refuses mail since when, if it does."""

    contact: PaymentContact
    refusal: str | None
    refused_at: datetime | None


class SentMessage(NamedTuple):
    """One message in the log."""

    id: str
    kind: AlertKind
    channel: Channel
    recipient: str
    address: str
    is_contact: bool
    state: DeliveryState
    queued_at: datetime
    finished_at: datetime | None
    outcome: str | None
    call_outcome: CallOutcome | None
    attempts: int


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some of the account's messages, newest first, and how many there are if that was asked for."""

    messages: Sequence[SentMessage]
    total: int | None
