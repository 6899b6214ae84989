"""Bounces and complaints as Amazon SES tells them: believed only when Amazon signed them for our topic."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.deliveries import MailProblem, MailReport
from app.gateways.ses_notifications import SesNotifications
from app.ports import NotificationForged, NotificationUnchecked
from tests.fakes.mail_topic import CERTIFICATE, HOST, TOPIC, bounce, complaint, running_mail_topic
from tests.world import SettableClock

NOW = datetime(2026, 8, 3, 12, tzinfo=UTC)
CARLA = "carla@example.com"


@pytest.fixture(scope="module")
def running():
    with running_mail_topic(NOW) as topic:
        yield topic


@pytest.fixture
def topic(running):
    running.asked.clear()
    kept = dict(running.documents)
    yield running
    running.documents = kept


@pytest.fixture
def clock():
    return SettableClock(NOW)


@pytest.fixture
def ses(topic, clock):
    return SesNotifications(TOPIC, clock=clock, fetch=topic.fetch)


class TestReports:
    @pytest.mark.parametrize("version", ["1", "2"])
    async def test_a_hard_bounce(self, topic, ses, version):
        told = bounce(CARLA, diagnosticCode="smtp; 550 5.1.1 no\r\nsuch user")
        (report,) = await ses.read(topic.envelope(told, version=version))
        assert report == MailReport(MailProblem.BOUNCE, CARLA, "smtp; 550 5.1.1 no such user")

    async def test_one_without_a_diagnosis_says_what_is_known(self, topic, ses):
        (report,) = await ses.read(topic.envelope(bounce(f"Carla Coe <{CARLA}>")))
        assert report == MailReport(MailProblem.BOUNCE, CARLA, "It came back: General.")

    @pytest.mark.parametrize("feedback", ["abuse", None])
    async def test_a_complaint(self, topic, ses, feedback):
        (report,) = await ses.read(topic.envelope(complaint(CARLA, feedback)))
        words = f"The recipient reported a mail as unwanted{' (abuse)' if feedback else ''}."
        assert report == MailReport(MailProblem.COMPLAINT, CARLA, words)

    async def test_a_published_event_says_the_same(self, topic, ses):
        told = bounce(CARLA)
        told["eventType"] = told.pop("notificationType")
        assert [each.address for each in await ses.read(topic.envelope(told))] == [CARLA]

    @pytest.mark.parametrize(
        "message",
        [
            bounce(CARLA, "Transient"),
            bounce(CARLA, "Undetermined"),
            complaint(CARLA, "not-spam"),
            {"notificationType": "Delivery", "delivery": {"recipients": [CARLA]}},
            "Successfully validated SNS topic for Amazon SES event publishing.",
            json.dumps([1]),
            {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}},
        ],
    )
    async def test_what_is_no_report(self, topic, ses, message):
        assert await ses.read(topic.envelope(message)) == []

    async def test_a_subject_is_signed_too(self, topic, ses):
        envelope = topic.envelope(bounce(CARLA), Subject="Amazon SES Email Event Notification")
        assert len(await ses.read(envelope)) == 1
        with pytest.raises(NotificationForged):
            await ses.read({**envelope, "Subject": "Another"})

    async def test_the_certificate_is_fetched_once(self, topic, ses):
        for _ in range(3):
            await ses.read(topic.envelope(bounce(CARLA)))
        assert topic.asked == [CERTIFICATE]


class TestSubscription:
    async def test_it_is_confirmed_at_amazon(self, topic, ses):
        topic.documents["/"] = b"<ConfirmSubscriptionResponse/>"
        assert await ses.read(topic.confirmation()) == []
        assert topic.asked == [CERTIFICATE, "/?Action=ConfirmSubscription&Token=t0ken"]

    async def test_not_at_an_address_of_somebody_else_however_well_it_is_signed(self, topic, ses):
        with pytest.raises(NotificationForged, match="not signed for us"):
            await ses.read(topic.confirmation(SubscribeURL="https://sns.us-east-1.amazonaws.com.evil.example/"))
        assert topic.asked == [CERTIFICATE]

    async def test_a_topic_that_lets_us_go_needs_no_answer(self, topic, ses):
        assert await ses.read({**topic.confirmation(Type="UnsubscribeConfirmation")}) == []
        assert topic.asked == [CERTIFICATE]


class TestForged:
    @pytest.mark.parametrize(
        "changes",
        [
            {"Message": json.dumps(bounce("mallory@example.com"))},
            {"Timestamp": "2026-08-03T11:59:59.000Z"},
            {"Signature": "AAAA"},
            {"Signature": "not base64"},
            {"SignatureVersion": "1"},
            {"SignatureVersion": "3"},
            {"Type": "SubscriptionConfirmation"},
            {"Type": "Else"},
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:others"},
            {"Message": 1},
            {"SigningCertURL": None},
        ],
    )
    async def test_whatever_is_changed_is_noticed(self, topic, ses, changes):
        with pytest.raises(NotificationForged):
            await ses.read({**topic.envelope(bounce(CARLA)), **changes})

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/cert.pem",
            "https://sns.us-east-1.amazonaws.com.evil.example/cert.pem",
            "https://sns.us-east-1.amazonaws.com:8443/cert.pem",
            "https://user@sns.us-east-1.amazonaws.com/cert.pem",
            "http://sns.us-east-1.amazonaws.com/cert.pem",
            "https://sns.eu-west-1.amazonaws.com/cert.pem",
            "https://s3.amazonaws.com/sns.us-east-1.amazonaws.com/cert.pem",
            "https://[sns.us-east-1.amazonaws.com/cert.pem",
            f"{HOST}/?Action=ConfirmSubscription",
            "",
        ],
    )
    async def test_no_certificate_is_fetched_from_anywhere_else(self, topic, ses, url):
        with pytest.raises(NotificationForged):
            await ses.read(topic.envelope(bounce(CARLA), SigningCertURL=url))
        assert topic.asked == []

    async def test_another_s_topic_is_not_ours_though_amazon_signed_it(self, topic, ses):
        with pytest.raises(NotificationForged):
            await ses.read(topic.envelope(bounce(CARLA), TopicArn="arn:aws:sns:us-east-1:999999999999:bounces"))
        assert topic.asked == []

    @pytest.mark.parametrize("later", [timedelta(days=1, minutes=1), timedelta(minutes=-16)])
    async def test_an_old_one_is_not_told_again(self, topic, ses, clock, later):
        envelope = topic.envelope(bounce(CARLA))
        clock.instant = NOW + later
        with pytest.raises(NotificationForged):
            await ses.read(envelope)

    async def test_a_certificate_that_is_over_or_none_is_not_believed(self, topic, ses):
        for document in (topic.certificate(NOW - timedelta(days=9), NOW - timedelta(days=1)), b"nonsense"):
            topic.documents[CERTIFICATE] = document
            with pytest.raises(NotificationForged):
                await SesNotifications(TOPIC, clock=SettableClock(NOW), fetch=topic.fetch).read(
                    topic.envelope(bounce(CARLA))
                )

    async def test_while_amazon_is_not_to_be_reached_nothing_is_decided(self, topic, ses):
        del topic.documents[CERTIFICATE]
        with pytest.raises(NotificationUnchecked):
            await ses.read(topic.envelope(bounce(CARLA)))

    @pytest.mark.parametrize("topic_name", ["", "bounces", "arn:aws:sqs:us-east-1:123456789012:bounces", TOPIC + "/x"])
    def test_a_topic_that_is_none_is_refused(self, topic_name):
        with pytest.raises(ValueError, match="ARN"):
            SesNotifications(topic_name, clock=SettableClock(NOW))
