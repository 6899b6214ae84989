"""Signed links: what they open, for how long, and that nothing else opens anything."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.invoices.document_links import (
    DocumentClaim,
    DocumentKind,
    DocumentLinks,
    LinkExpired,
    LinkUnknown,
    WeakSecret,
    sign,
    verify,
)

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 9, 2, 19, 0, tzinfo=UTC)
CLAIM = DocumentClaim("AA0101", "inv_00000000000000000000000015", DocumentKind.CALLS_CSV, NOW + timedelta(minutes=5))
TOKEN = sign(CLAIM, SECRET)


class FixedClock:
    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


def links(clock: FixedClock | None = None, kinds=DocumentKind, secret: bytes = SECRET) -> DocumentLinks:
    return DocumentLinks(secret=secret, base_url="https://flex.test/", clock=clock or FixedClock(NOW), kinds=kinds)


class TestTokens:
    def test_what_was_signed_is_read_back(self):
        assert verify(TOKEN, SECRET, NOW) == CLAIM

    def test_it_is_good_until_its_last_second_and_no_longer(self):
        assert verify(TOKEN, SECRET, CLAIM.expires_at - timedelta(microseconds=1)) == CLAIM
        with pytest.raises(LinkExpired, match="30 minutes"):
            verify(TOKEN, SECRET, CLAIM.expires_at)

    def test_another_secret_opens_nothing(self):
        with pytest.raises(LinkUnknown, match="does not open a document"):
            verify(TOKEN, b"x" * 32, NOW)

    def test_a_forged_token_is_unknown_even_when_it_is_late(self):
        with pytest.raises(LinkUnknown):
            verify(TOKEN[:-2] + "AA", SECRET, NOW + timedelta(days=1))

    @given(st.integers(0, len(TOKEN) - 1), st.characters(exclude_characters="."))
    def test_no_changed_character_goes_unseen(self, place, character):
        changed = TOKEN[:place] + character + TOKEN[place + 1 :]
        if changed != TOKEN:
            with pytest.raises(LinkUnknown):
                verify(changed, SECRET, NOW)

    @pytest.mark.parametrize(
        "token",
        ["", ".", "a.b", TOKEN + "=", TOKEN + ".", TOKEN.replace(".", ""), TOKEN + "A" * 5000, "é.é", f" {TOKEN}"],
    )
    def test_what_is_no_token_is_unknown(self, token):
        with pytest.raises(LinkUnknown):
            verify(token, SECRET, NOW)

    def test_another_content_does_not_fit_the_signature(self):
        content, _, signature = TOKEN.partition(".")
        other = urlsafe_b64encode(b'["AA0202","inv_1","html",99999999999]').rstrip(b"=").decode()
        assert other != content
        with pytest.raises(LinkUnknown):
            verify(f"{other}.{signature}", SECRET, NOW)


class TestLinks:
    def test_a_link_opens_its_claim_for_half_an_hour(self):
        clock = FixedClock(NOW + timedelta(microseconds=7))
        made = links(clock)
        address = made.make("AA0101", "inv_1", DocumentKind.HTML, made.expires_at())
        assert address is not None
        base, _, token = address.rpartition("/")
        assert base == "https://flex.test/documents"
        assert made.open(token) == DocumentClaim("AA0101", "inv_1", DocumentKind.HTML, NOW + timedelta(minutes=30))
        clock.instant = NOW + timedelta(minutes=30)
        with pytest.raises(LinkExpired):
            made.open(token)

    def test_a_kind_that_cannot_be_made_has_no_link(self):
        made = links(kinds=[DocumentKind.HTML])
        assert made.make("AA0101", "inv_1", DocumentKind.PDF, made.expires_at()) is None

    def test_a_secret_that_is_too_short_is_refused(self):
        with pytest.raises(WeakSecret, match="at least 32 bytes"):
            links(secret=b"short")
