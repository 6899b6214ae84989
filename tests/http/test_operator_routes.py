"""What other systems and the operator on call ask: reports of calls, and figures; each with a service key."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import orjson
import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.gateways.ses_notifications import SesNotifications
from app.http.operator_routes import operator_routes
from app.repositories.notifications import UNWANTED
from app.services.notifications.report_mail import NothingKeepsMail, allow_mail
from tests.fakes.edge import client
from tests.fakes.mail_topic import TOPIC, MailTopic, bounce, complaint, running_mail_topic
from tests.http.service import Service, a_service_at_noon, refusal
from tests.services.post import Post
from tests.world import World, pacific

BOUNCES = "/internal/mail/bounces"


@pytest.fixture
def topic(world: World) -> Iterator[MailTopic]:
    with running_mail_topic(pacific(2026, 7, 14, 12)) as topic:
        yield topic


@pytest.fixture
async def service(world: World, topic: MailTopic) -> Service:
    service = await a_service_at_noon(world)
    ses = SesNotifications(TOPIC, clock=world.clock, fetch=topic.fetch)
    world.application.router.routes.extend(operator_routes(world.services, mail_notifications=ses))
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
        await post.announce(AlertKind.REACTIVATED)
        await post.deliver()
        assert await service.world.data(query) == {"paymentContacts": [{"emailProblem": None}]}

    async def test_addresses_compare_without_case(self, service):
        post = Post(service.world)
        await post.add_contact(email="Carla.Coe@müller.example")
        body = {"address": "carla.coe@XN--MLLER-KVA.example", "reason": "Mailbox closed"}
        assert (await service.send(body, key="flex", path=BOUNCES)).status_code == 200
        assert await problem(service) == "Mailbox closed"
        await post.announce(AlertKind.REACTIVATED)
        await post.deliver()
        assert await problem(service) is None

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"address": "nobody", "reason": "x"},
            {"address": "a@b.example", "reason": ""},
            {"address": "a@b.example", "reason": "x", "kind": "LOVE"},
        ],
    )
    async def test_what_is_no_bounce_is_refused(self, service, body):
        assert refusal(await service.send(body, key="flex", path="/internal/mail/bounces"))[0] == 422
        assert refusal(await service.send(body, key="east", path="/internal/mail/bounces"))[0] == 401


class TestComplaints:
    async def test_mail_to_the_address_ends_and_the_admins_are_told_once(self, service):
        post = Post(service.world)
        contact = await post.add_contact(name="Carla Coe")
        await post.announce(AlertKind.REACTIVATED, subject="queued before")
        body = {"address": "CARLA@example.com", "reason": "Marked as spam", "kind": "COMPLAINT"}
        for _ in range(2):
            assert (await service.send(body, key="flex", path=BOUNCES)).status_code == 200
        await post.announce(AlertKind.REACTIVATED, subject="queued after")
        await post.deliver()
        assert {mail.to_address for mail in post.mailer.sent} == {"admin@example.com"}
        (told,) = [mail for mail in post.mailer.sent if "Carla" in mail.subject]
        assert told.subject == "No more mail to Carla Coe"
        dropped = [row for row in await post.rows("address, state, outcome") if row[1] == "FAILED"]
        assert dropped == [("carla@example.com", "FAILED", UNWANTED)] * 2
        assert await problem(service) == "Marked as spam"
        event = (await service.world.trail())[-1]
        assert (event.kind, event.subject_id) == ("mail.complained", contact.id)

    async def test_an_admin_who_complains_gets_none_and_the_others_hear_of_it(self, service):
        post = Post(service.world)
        await service.send(
            {"address": "Admin@Example.com", "reason": "spam", "kind": "COMPLAINT"}, key="flex", path=BOUNCES
        )
        await post.add_contact()
        await post.announce(AlertKind.REACTIVATED)
        await post.deliver()
        assert {mail.to_address for mail in post.mailer.sent} == {"carla@example.com"}

    async def test_it_outlives_bounces_and_is_lifted_by_staff_alone(self, service):
        post = Post(service.world)
        await post.add_contact()
        for kind in ("COMPLAINT", "BOUNCE"):
            body = {"address": "carla@example.com", "reason": kind.lower(), "kind": kind}
            await service.send(body, key="flex", path=BOUNCES)
        assert await problem(service) == "complaint"
        await allow_mail(service.world.services, address="Carla@example.com", actor="staff:ann", reason="by mistake")
        assert await problem(service) == "bounce"
        await post.announce(AlertKind.REACTIVATED)
        await post.deliver()
        assert "carla@example.com" in {mail.to_address for mail in post.mailer.sent}
        assert await problem(service) is None
        with pytest.raises(NothingKeepsMail):
            await allow_mail(service.world.services, address="carla@example.com", actor="staff:ann", reason="again")


class TestSes:
    """What Amazon SES tells comes signed in an envelope of SNS, without a key of ours."""

    async def test_a_bounce_and_a_complaint_are_stored(self, service, topic):
        post = Post(service.world)
        await post.add_contact()
        answer = await notify(service, topic.envelope(bounce("Carla@example.com", diagnosticCode="550 gone")))
        assert (answer.status_code, answer.json()) == (200, {"reports": 1})
        assert await problem(service) == "550 gone"
        await notify(service, topic.envelope(complaint("carla@EXAMPLE.com")))
        assert await problem(service) == "The recipient reported a mail as unwanted (abuse)."

    async def test_what_is_not_signed_is_refused_and_nothing_stored(self, service, topic):
        post = Post(service.world)
        await post.add_contact()
        envelope = topic.envelope(bounce("carla@example.com"))
        for forged in (
            {**envelope, "Signature": "AAAA"},
            {**envelope, "SigningCertURL": "https://evil.example/a.pem"},
            {},
        ):
            assert refusal(await notify(service, forged))[:2] == (400, "BAD_REQUEST")
        assert refusal(await notify(service, b"[]"))[0] == 400
        assert await problem(service) is None

    async def test_while_amazon_cannot_be_reached_it_is_to_come_again(self, service, topic):
        topic.documents.clear()
        answer = await notify(service, topic.envelope(bounce("carla@example.com")))
        assert (refusal(answer)[0], answer.headers["retry-after"]) == (503, "60")

    async def test_without_the_setting_an_envelope_opens_nothing(self, world):
        service = await a_service_at_noon(world)
        world.application.router.routes.extend(operator_routes(world.services))
        assert refusal(await notify(service, {"Type": "Notification"}))[0] == 401


async def problem(service: Service) -> str | None:
    ((contact),) = (await service.world.data("{ paymentContacts { emailProblem { reason } } }"))["paymentContacts"]
    return contact["emailProblem"] and contact["emailProblem"]["reason"]


async def notify(service: Service, envelope: dict | bytes) -> httpx2.Response:
    content = envelope if isinstance(envelope, bytes) else orjson.dumps(envelope)
    headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
    async with client(service.world.application) as http:
        return await http.post(BOUNCES, content=content, headers=headers)


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
