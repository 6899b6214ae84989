"""Whether a phone call is made after all: to a number that is called, of somebody who wants it, and not too often."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.confirmations import (
    CALLS_OF_A_KIND,
    CALLS_OF_AN_ACCOUNT,
    CALLS_TO_A_NUMBER,
    CONFIRMATION,
    address_key,
)
from app.domain.contacts import Channel
from app.repositories import unit_of_work
from app.repositories.notifications import CALLED_ENOUGH, REMOVED
from app.services.notifications.phone_numbers import is_callable

if TYPE_CHECKING:
    from app.repositories.notifications import Claimed, Message
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

NOT_CALLABLE = "The number is none that calls are made to (FLEX_PHONE_REGIONS)."


async def check_call(services: Services, claimed: Claimed) -> str | None:
    """Return why a call is not made, or None where it is; that counts it (rule 41). Trying once more counts no more.

    The caller holds the call's lease and hands it over next.
    """
    message = claimed.message
    if not is_callable(message.address, services.phone_regions):
        return NOT_CALLABLE

    async def work(uow: UnitOfWork) -> str | None:
        if message.kind == CONFIRMATION and not await _is_needed(uow, message):
            return REMOVED
        if claimed.attempts > 1:
            return None
        uses = [
            (CALLS_OF_A_KIND, f"{message.address} {message.kind}"),
            (CALLS_TO_A_NUMBER, message.address),
            (CALLS_OF_AN_ACCOUNT, message.account_id or ""),
        ]
        retry_at = await uow.limits.spend(uses, now=services.clock.now())
        return None if retry_at is None else CALLED_ENOUGH

    return await unit_of_work.write(services.database, work)


async def _is_needed(uow: UnitOfWork, message: Message) -> bool:
    """Tell whether a contact still has the number to confirm; where none has, the number may be asked anew one day."""
    account_id, number = message.account_id or "", message.address
    await uow.accounts.get(account_id, lock=True)
    contacts = await uow.contacts.list_for_account(account_id)
    if any(contact.details.address_in_use(Channel.PHONE_CALL) == number for contact in contacts):
        return True
    known = await uow.contact_addresses.find(account_id, Channel.PHONE_CALL, address_key(number))
    if known is not None:
        await uow.contact_addresses.save(replace(known, requests=max(0, known.requests - 1), requested_at=None))
    return False
