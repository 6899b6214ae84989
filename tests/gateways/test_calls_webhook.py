"""Calls handed to the operator's system: signed, posted once, and each answer believed as far as it goes."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from app.domain.deliveries import CallResult, CallTask
from app.gateways import calls_webhook
from app.gateways.calls_webhook import CallSystemUnusable, WebhookCaller
from tests.fakes.call_system import running_call_system

SECRET = "a secret of the operators, 32 bytes long"
TASK = CallTask(
    id="ntf_01",
    account="AA0101",
    name="Carla Coe",
    number="+12025550143",
    kind="PAYMENT_FAILED",
    script="Hello.",
    not_before=datetime(2026, 8, 1, 13, tzinfo=UTC),
    not_after=datetime(2026, 8, 1, 21, tzinfo=UTC),
)


def caller(port: int) -> WebhookCaller:
    return WebhookCaller(f"http://127.0.0.1:{port}/calls?from=flex", SECRET, now=lambda: 1_785_589_200.9)


class TestHandingOver:
    async def test_the_whole_task_arrives_signed(self):
        async with running_call_system() as system:
            answer = await caller(system.port).hand_over(TASK)
        assert answer.result is CallResult.TAKEN
        ((headers, body),) = system.requests
        digest = hmac.new(SECRET.encode(), b"1785589200." + body, sha256).hexdigest()
        assert headers["Flex-Signature"] == f"t=1785589200,v1={digest}"
        assert headers["Idempotency-Key"] == "ntf_01"
        assert system.calls == [
            {
                "id": "ntf_01",
                "account": "AA0101",
                "name": "Carla Coe",
                "number": "+12025550143",
                "kind": "PAYMENT_FAILED",
                "script": "Hello.",
                "notBefore": "2026-08-01T13:00:00+00:00",
                "notAfter": "2026-08-01T21:00:00+00:00",
            }
        ]

    @pytest.mark.parametrize(
        ("status", "result"),
        [
            (200, CallResult.TAKEN),
            (302, CallResult.REFUSED),
            (400, CallResult.REFUSED),
            (401, CallResult.REFUSED),
            (429, CallResult.NOT_REACHED),
            (500, CallResult.UNKNOWN),
            (None, CallResult.UNKNOWN),
        ],
    )
    async def test_only_an_answer_tells_whether_it_was_taken(self, status, result):
        async with running_call_system(status=status) as system:
            assert (await caller(system.port).hand_over(TASK)).result is result
        assert len(system.requests) == 1

    async def test_an_answer_that_takes_too_long_tells_nothing(self, monkeypatch):
        monkeypatch.setattr(calls_webhook, "DEADLINE_SECONDS", 0.1)
        async with running_call_system(slow_seconds=0.5) as system:
            assert (await caller(system.port).hand_over(TASK)).result is CallResult.UNKNOWN

    async def test_nobody_there_took_nothing(self):
        assert (await caller(9).hand_over(TASK)).result is CallResult.NOT_REACHED

    @pytest.mark.parametrize("url", ["http://calls.example", "ftp://127.0.0.1", "calls.example"])
    def test_an_address_that_others_could_read_along_is_refused(self, url):
        with pytest.raises(CallSystemUnusable):
            WebhookCaller(url, SECRET)
