"""Cards near their last day: told 30 and 7 days before, each once (rule 38)."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from app.domain.alerts import AlertKind
from app.domain.announcements import CardExpiring
from app.domain.payment_methods import expiry_warning
from app.domain.periods import billing_date, billing_instant, day_before
from app.repositories import unit_of_work
from app.services.notifications.announce import Announcement, announce

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from app.domain.payment_methods import PaymentMethod
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

LOOKS_AT = time(8)
LOOKED = "cards.expiring"
LOOKS_AHEAD = timedelta(days=31)


async def warn_of_expiry(services: Services) -> int:
    """Look at every card once a day, and return how many messages are new; again on the same day does nothing."""
    now = services.clock.now()
    due_at = billing_instant(billing_date(now), LOOKS_AT)
    if now < due_at or await unit_of_work.read(services.database, lambda uow: uow.schedule.is_done(LOOKED, due_at)):
        return 0
    return await unit_of_work.write(services.database, lambda uow: _warn(uow, services.ids, now, due_at))


async def _warn(uow: UnitOfWork, ids: Ids, now: datetime, due_at: datetime) -> int:
    today = billing_date(now)
    cards = await uow.payment_methods.expiring(today, today + LOOKS_AHEAD)
    told = await announce(uow, ids=ids, now=now, announcements=list(_announcements(cards, today)))
    await uow.schedule.mark_done(LOOKED, due_at, at=now)
    return told


def _announcements(cards: Iterable[PaymentMethod], today: date) -> Iterator[Announcement]:
    for card in cards:
        ends_before, days = card.expires_before(), expiry_warning(card, today)
        if ends_before is not None and days is not None:
            facts = CardExpiring(card.display_name, day_before(ends_before), days, card.is_default)
            subject = f"{card.id}:{ends_before}:{days}"
            yield Announcement(AlertKind.CARD_EXPIRING, card.account_id, subject, facts)
