"""Quotes: signed values that say what confirming does, good for a quarter of an hour and once (rule 16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from itsdangerous import BadData, URLSafeSerializer

if TYPE_CHECKING:
    from app.ports import Clock, Ids
    from app.repositories.unit_of_work import UnitOfWork

LIFE = timedelta(minutes=15)

Fresh = TypeVar("Fresh")


class InvalidQuote(LookupError):
    """The text is no quote of ours for this account."""

    def __init__(self) -> None:
        super().__init__("There is no such quote. Ask for a preview, and confirm the quote that it returns.")


class QuoteStale(ValueError, Generic[Fresh]):
    """What the quote covers has moved, or its time is over; `fresh` is the preview as things stand, with its quote."""

    def __init__(self, fresh: Fresh) -> None:
        super().__init__("Something has changed since this quote was made. Look at the new one, and confirm it.")
        self.fresh = fresh


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """What a quote is about: the account, what is to be done, to which thing, when, and the hash of its effect."""

    account_id: str
    action: str
    subject: str
    when: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Signed terms. `token` is what a client confirms by; `id` is what its use is remembered by."""

    id: str
    token: str
    terms: QuoteTerms
    expires_at: datetime

    def is_expired(self, now: datetime) -> bool:
        """Tell whether its time is over."""
        return now >= self.expires_at


class QuoteSigner:
    """Signs quotes and reads them back."""

    def __init__(self, secret: str, clock: Clock, ids: Ids) -> None:
        self._serializer = URLSafeSerializer(secret, salt="quote")
        self._clock = clock
        self._ids = ids

    def issue(self, terms: QuoteTerms) -> Quote:
        """Return a fresh quote of the terms."""
        identifier, expires_at = self._ids.new("quo"), (self._clock.now() + LIFE).replace(microsecond=0)
        content = [
            identifier,
            int(expires_at.timestamp()),
            terms.account_id,
            terms.action,
            terms.subject,
            terms.when,
            terms.content_hash,
        ]
        return Quote(identifier, str(self._serializer.dumps(content)), terms, expires_at)

    def read(self, token: str, account_id: str, action: str) -> Quote:
        """Return the quote behind a token, expired or not.

        :raises InvalidQuote: when it is forged, another account's, or about something else.
        """
        try:
            identifier, expires, *terms = self._serializer.loads(token)
            quote = Quote(identifier, token, QuoteTerms(*terms), datetime.fromtimestamp(expires, UTC))
        except (BadData, TypeError, ValueError) as error:
            raise InvalidQuote from error
        if (quote.terms.account_id, quote.terms.action) != (account_id, action):
            raise InvalidQuote
        return quote


async def use_quote(uow: UnitOfWork, quote: Quote, terms: QuoteTerms, now: datetime) -> bool:
    """Use a quote up if it still says `terms`; False, and nothing changed, when it does not, has expired or was used.

    The caller is the account's only writer.
    """
    if quote.terms != terms or quote.is_expired(now) or await uow.operations.is_used(quote.id):
        return False
    await uow.operations.use_quote(quote.id, quote.terms.account_id, at=now)
    return True
