"""The payment service posts to us: what it signed is kept once, anything else is refused and leaves no trace."""

from __future__ import annotations

import pytest

from tests.inbox import ADDRESS, Inbox
from tests.till import Till

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def inbox(till: Till) -> Inbox:
    return Inbox(till)


@pytest.fixture
def signed(inbox: Inbox) -> tuple[str, str]:
    return inbox.till.gateway.signed(inbox.till.gateway.webhook("check"))


class TestKept:
    async def test_a_signed_notice_is_kept_and_answered(self, inbox, signed):
        answer = await inbox.send(data={"bt_signature": signed[0], "bt_payload": signed[1]})
        assert (answer.status_code, answer.json()) == (200, {"received": True, "isNew": True})
        assert inbox.kept() == [("check", "RECEIVED")]

    async def test_the_same_notice_again_is_answered_and_kept_once(self, inbox, signed):
        for is_new in (True, False, False):
            answer = await inbox.send(data={"bt_signature": signed[0], "bt_payload": signed[1]})
            assert answer.json()["isNew"] is is_new
        assert len(inbox.kept()) == 1

    async def test_the_challenge_is_answered(self, inbox):
        challenge = "0123456789abcdef0123"
        answer = await inbox.send("GET", f"{ADDRESS}?bt_challenge={challenge}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.startswith("integration_public_key|")


class TestRefused:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"bt_signature=x",
            b"bt_payload=x",
            b"bt_signature=a&bt_payload=b&bt_payload=c",
            b"bt_signature=integration_public_key%7C00&bt_payload=PGE%2BPC9hPg%3D%3D",
            b"bt_signature=%ff&bt_payload=%ff",
            b"bt_signature=%00&bt_payload=%00",
            "bt_signature=ü".encode(),
            b"&".join(b"a=1" for _ in range(1_000)),
            b'{"bt_signature": 1}',
        ],
    )
    async def test_whatever_is_not_signed_is_refused_and_not_kept(self, inbox, body):
        answer = await inbox.send(content=body, headers=FORM)
        assert answer.status_code == 400, answer.text
        assert inbox.kept() == []

    @pytest.mark.parametrize("spoilt", ["payload", "signature", "key"])
    async def test_a_notice_that_was_tampered_with_is_refused(self, inbox, signed, spoilt):
        signature, payload = signed
        public, _, mac = signature.partition("|")
        forged = {
            "payload": (signature, payload[:-5] + "AAAA\n"),
            "signature": (f"{public}|{'0' * len(mac)}", payload),
            "key": (f"another|{mac}", payload),
        }[spoilt]
        answer = await inbox.send(data={"bt_signature": forged[0], "bt_payload": forged[1]})
        assert answer.status_code == 400
        assert inbox.kept() == []

    async def test_more_than_a_megabyte_is_not_read(self, inbox):
        answer = await inbox.send(content=b"bt_payload=" + b"x" * 1_000_000, headers=FORM)
        assert answer.status_code == 413

    @pytest.mark.parametrize("query", ["", "?bt_challenge=", "?bt_challenge=%3Cb%3E", "?bt_challenge=a&bt_challenge=b"])
    async def test_a_challenge_of_the_wrong_form(self, inbox, query):
        assert (await inbox.send("GET", ADDRESS + query)).status_code == 400

    async def test_other_methods(self, inbox):
        answer = await inbox.send("PUT", content=b"")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")

    async def test_nothing_of_a_refused_notice_is_in_the_answer(self, inbox):
        answer = await inbox.send(data={"bt_signature": "a|b", "bt_payload": "4111111111111111"})
        assert "4111" not in answer.text
