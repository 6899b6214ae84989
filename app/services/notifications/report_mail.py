"""What comes back of mails after their server took them: an address that bounces, or whose owner wants none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email

from app.domain.alerts import AlertKind
from app.domain.announcements import Change, ContactChanged
from app.domain.deliveries import MailProblem
from app.domain.events.messages import MailAllowedAgain, MailComplained
from app.repositories import unit_of_work
from app.services.common.staff_actions import check_staff
from app.services.notifications.announce import Announcement, announce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.deliveries import MailReport
    from app.repositories.mail_addresses import AddressOwner
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


class NothingKeepsMail(LookupError):
    """Mail to the address was not stopped."""

    def __init__(self, address: str) -> None:
        super().__init__(f"Nobody complained of mail to {address!r}, so nothing is kept from it.")
        self.address = address


async def report_mail(services: Services, reports: Sequence[MailReport]) -> None:
    """Mark the addresses of reports, and tell the admins of whoever is reached there when mail to them has ended.

    A bounce is shown with its contact until the address takes a mail again. After a complaint nothing is sent to the
    address until staff allow it; the same complaint twice is told once.
    """

    async def work(uow: UnitOfWork) -> None:
        now = services.clock.now()
        for report in reports:
            address = _as_typed(report.address)
            if report.problem is MailProblem.BOUNCE:
                await uow.mail_addresses.mark_refusing(address, reason=report.reason, refused_at=now)
            elif await uow.mail_addresses.complain(address, reason=report.reason, complained_at=now):
                for owner in await uow.mail_addresses.owners(address):
                    await _tell(uow, services, owner, now)

    await unit_of_work.write(services.database, work)


async def allow_mail(services: Services, *, address: str, actor: str, reason: str) -> None:
    """Let mail go to an address again whose owner had complained.

    :raises NothingKeepsMail: when nobody had.
    """
    check_staff(actor, reason)

    async def work(uow: UnitOfWork) -> None:
        stored = _as_typed(address)
        if not await uow.mail_addresses.forgive(stored):
            raise NothingKeepsMail(address)
        for owner in await uow.mail_addresses.owners(stored):
            await uow.events.record(
                MailAllowedAgain(recipient=owner.name, reason=reason),
                ids=services.ids,
                actor=actor,
                at=services.clock.now(),
                account_id=owner.account_id,
                subject_id=owner.id,
            )

    await unit_of_work.write(services.database, work)


def _as_typed(address: str) -> str:
    """Return an address as people type it, for mail servers write international domains as `xn--…`."""
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        return address


async def _tell(uow: UnitOfWork, services: Services, owner: AddressOwner, now: datetime) -> None:
    event_id = await uow.events.record(
        MailComplained(recipient=owner.name),
        ids=services.ids,
        actor="system",
        at=now,
        account_id=owner.account_id,
        subject_id=owner.id,
    )
    facts = ContactChanged(owner.name, Change.COMPLAINED, (), "")
    told = Announcement(AlertKind.CONTACT_CHANGED, owner.account_id, event_id, facts, about_contact=owner.id)
    await announce(uow, ids=services.ids, now=now, announcements=[told])
