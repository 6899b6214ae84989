"""The link in a mail that switches its kind off for its recipient: signed, and acted on by POST alone."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode
from binascii import Error as InvalidBase64
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeSerializer

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.confirmations import ABOUT_ADDRESSES
from app.domain.events.messages import AlertsSwitched, PaymentContactChanged
from app.repositories import unit_of_work

if TYPE_CHECKING:
    from app.domain.events.event import Event
    from app.repositories.notifications import Message
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

LONGEST_TOKEN = 512

_PURPOSE = "flex-billing unsubscribe link 2"
"""Part of the key, so that no signature of another kind made with the same secret switches anything off."""

_FORMER_PURPOSE = b"flex-billing unsubscribe link 1\n"
"""Mails of the first releases carry links of an earlier form. They never expire, so they are still read."""


class UnsubscribeUnknown(ValueError):
    """The link is not one that we gave out, or it was changed on the way."""

    def __init__(self) -> None:
        super().__init__("This link does not switch anything off. Use the one in the mail, whole.")


@dataclass(frozen=True, slots=True)
class UnsubscribeClaim:
    """Who is not to be told about what: an admin of an account by user id, or a contact of it."""

    account_id: str
    recipient_id: str
    kind: AlertKind


class UnsubscribeLinks:
    """Writes links and reads them back. `base_url` is where customers reach us."""

    def __init__(self, *, secret: bytes, base_url: str) -> None:
        self._secret = secret
        self._serializer = URLSafeSerializer(
            secret, salt=_PURPOSE, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
        )
        self._base_url = base_url.rstrip("/")

    def link(self, message: Message) -> str | None:
        """Return the link for a message, or None where its recipient cannot switch it off, or somebody asked for it."""
        if message.account_id is None or message.kind in ABOUT_ADDRESSES or message.facts.get("is_asked_for"):
            return None
        definition = CATALOGUE[AlertKind(message.kind)]
        recipient_id = message.user_id or message.contact_id
        is_fixed = definition.is_mandatory if message.contact_id else not definition.is_switchable
        if is_fixed or recipient_id is None:
            return None
        token = self._serializer.dumps([message.account_id, recipient_id, message.kind])
        return f"{self._base_url}/unsubscribe/{token}"

    def read(self, token: str) -> UnsubscribeClaim:
        """Return the claim of a link's token.

        :raises UnsubscribeUnknown: when we did not sign it.
        """
        if len(token) > LONGEST_TOKEN:
            raise UnsubscribeUnknown
        try:
            account_id, recipient_id, kind = self._serializer.loads(token)
        except (BadData, ValueError):
            account_id, recipient_id, kind = self._read_former(token)
        return UnsubscribeClaim(account_id, recipient_id, AlertKind(kind))

    def _read_former(self, token: str) -> list[str]:
        content_text, _, signature_text = token.partition(".")
        content, signature = _decode(content_text), _decode(signature_text)
        if not hmac.compare_digest(signature, hmac.digest(self._secret, _FORMER_PURPOSE + content, "sha256")):
            raise UnsubscribeUnknown
        former: list[str] = json.loads(content)
        return former


async def unsubscribe(services: Services, *, claim: UnsubscribeClaim) -> None:
    """Switch the kind off for the recipient, by the recipient; again, or for somebody who has gone, changes nothing."""

    async def work(uow: UnitOfWork) -> None:
        event: Event
        if claim.recipient_id.startswith("usr_"):
            chosen = await uow.alerts.subscriptions(claim.account_id, claim.recipient_id)
            if not chosen.get(claim.kind, False):
                return
            await uow.alerts.switch(claim.account_id, claim.recipient_id, claim.kind, is_on=False)
            event, actor = AlertsSwitched(on=(), off=(CATALOGUE[claim.kind].title,)), f"user:{claim.recipient_id}"
        else:
            contact = await uow.contacts.find(claim.account_id, claim.recipient_id)
            if contact is None or claim.kind not in contact.details.kinds:
                return
            details = replace(contact.details, kinds=contact.details.kinds - {claim.kind})
            await uow.contacts.save(replace(contact, details=details))
            event, actor = PaymentContactChanged(contact=details.name, fields=("kinds",)), "contact"
        await uow.events.record(
            event,
            ids=services.ids,
            actor=actor,
            at=services.clock.now(),
            account_id=claim.account_id,
            subject_id=claim.recipient_id,
        )

    await unit_of_work.write(services.database, work)


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, InvalidBase64):
        raise UnsubscribeUnknown from None
