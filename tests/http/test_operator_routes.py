"""What other systems and the operator on call ask: reports of calls, and figures; each with a service key."""

from __future__ import annotations

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.http.operator_routes import operator_routes
from tests.http.service import Service, a_service_at_noon, refusal
from tests.services.post import Post
from tests.world import World


@pytest.fixture
async def service(world: World) -> Service:
    service = await a_service_at_noon(world)
    world.application.router.routes.extend(operator_routes(world.services))
    return service


@pytest.fixture
async def call_id(service: Service) -> str:
    post = Post(service.world)
    await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
    await post.announce(AlertKind.PAYMENT_FAILED)
    await post.deliver()
    return post.caller.calls[0].id


class TestReports:
    async def test_the_outcome_is_stored_and_shown(self, service, call_id):
        answer = await service.send(
            {"outcome": "NO_ANSWER", "note": "rang out", "attempts": 3},
            key="flex",
            path=f"/internal/calls/{call_id}/report",
        )
        assert (answer.status_code, answer.json()) == (200, {"id": call_id, "outcome": "NO_ANSWER"})
        log = await service.world.data("{ notifications { nodes { channel state callOutcome result attempts } } }")
        shown = {"channel": "PHONE_CALL", "state": "SENT", "callOutcome": "NO_ANSWER", "result": "rang out"}
        shown["attempts"] = 3
        assert shown in log["notifications"]["nodes"]

    @pytest.mark.parametrize(
        "body", [{}, {"outcome": "MAYBE"}, {"outcome": "BUSY", "note": "a\nb"}, {"outcome": "BUSY", "x": 1}]
    )
    async def test_what_is_no_report_is_refused(self, service, call_id, body):
        answer = await service.send(body, key="flex", path=f"/internal/calls/{call_id}/report")
        assert refusal(answer)[:2] == (422, "BAD_INPUT")

    async def test_an_unknown_call_is_not_found(self, service):
        answer = await service.send({"outcome": "BUSY"}, key="flex", path="/internal/calls/ntf_nobody/report")
        assert refusal(answer)[:2] == (404, "NOT_FOUND")

    async def test_it_takes_a_service_key_and_a_post(self, service, call_id):
        path = f"/internal/calls/{call_id}/report"
        assert refusal(await service.send({"outcome": "BUSY"}, key="east", path=path))[0] == 401
        assert refusal(await service.send({"outcome": "BUSY"}, key="flex", path=path, method="PUT"))[0] == 405


class TestBounces:
    async def test_a_mail_that_came_back_marks_the_address_until_it_takes_one(self, service):
        post = Post(service.world)
        await post.add_contact()
        body = {"address": "carla@example.com", "reason": "Mailbox closed"}
        assert (await service.send(body, key="flex", path="/internal/mail/bounces")).status_code == 200
        query = "{ paymentContacts { emailProblem { reason } } }"
        assert await service.world.data(query) == {"paymentContacts": [{"emailProblem": {"reason": "Mailbox closed"}}]}
        await post.announce(AlertKind.SUSPENDED)
        await post.deliver()
        assert await service.world.data(query) == {"paymentContacts": [{"emailProblem": None}]}

    @pytest.mark.parametrize(
        "body", [{}, {"address": "nobody", "reason": "x"}, {"address": "a@b.example", "reason": ""}]
    )
    async def test_what_is_no_bounce_is_refused(self, service, body):
        assert refusal(await service.send(body, key="flex", path="/internal/mail/bounces"))[0] == 422
        assert refusal(await service.send(body, key="east", path="/internal/mail/bounces"))[0] == 401


class TestMetrics:
    async def test_figures_come_as_text_with_a_service_key(self, service, call_id):
        answer = await service.send(b"", key="flex", path="/internal/metrics", method="GET")
        lines = answer.text.splitlines()
        assert 'flex_messages{channel="phone_call",state="sent"} 1' in lines
        assert "flex_calls_unknown_over_an_hour 0" in lines
        assert "flex_quarantined_calls 0" in lines
        assert [line for line in lines if line.startswith("flex_trouble")] == ['flex_trouble{name="LATE_COLLECTION"} 1']
        assert refusal(await service.send(b"", key="east", path="/internal/metrics", method="GET"))[0] == 401

    async def test_a_trouble_is_a_figure_too(self, service):
        from datetime import timedelta

        service.world.clock.instant += timedelta(days=40)
        answer = await service.send(b"", key="flex", path="/internal/metrics", method="GET")
        assert 'flex_trouble{name="LATE_CLOSE"} 1' in answer.text.splitlines()
