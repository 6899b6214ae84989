"""Amazon SES tells of bounces and complaints through a topic of Amazon SNS; each notification is signed by Amazon.

The signature is checked with the certificate that the notification names, which is fetched from the host of the
topic's own region and from nowhere else. Anybody can have a topic there, so ours is named in the settings.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from binascii import Error as InvalidBase64
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel, to_pascal

from app.domain.deliveries import MailProblem, MailReport
from app.gateways.signing_keys import fetch_document
from app.ports import NotificationForged, NotificationUnchecked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.x509 import Certificate

    from app.domain.json_values import JsonObject
    from app.ports import Clock

log = structlog.get_logger("mail")

TOPIC = re.compile(r"arn:(?P<partition>aws|aws-cn|aws-us-gov):sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}")
OLDEST = timedelta(days=1)
"""How long ago a notification may have been made: SNS gives up within the hour."""

EARLIEST = timedelta(minutes=15)
"""How far ahead of ours Amazon's clock may be."""

MOST_CERTIFICATES = 4
LONGEST_REASON = 300
PERMANENT, NOT_SPAM = "Permanent", "not-spam"
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES = {"1": SHA1, "2": SHA256}

Text = Annotated[str, Field(max_length=300_000)]


class _Envelope(BaseModel):
    """What SNS wraps a message in. A topic that we leave tells so as well, which needs no answer."""

    model_config = ConfigDict(alias_generator=to_pascal)

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    message: Text
    topic_arn: Text
    timestamp: datetime
    signature: Text
    signature_version: Literal["1", "2"]
    signing_cert_url: Annotated[str, Field(alias="SigningCertURL")]
    subscribe_url: Annotated[str, Field(alias="SubscribeURL")] = ""


class _Lenient(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Bounced(_Lenient):
    email_address: str
    diagnostic_code: str = ""


class _Bounce(_Lenient):
    bounce_type: str
    bounce_sub_type: str = ""
    bounced_recipients: list[_Bounced]


class _Complained(_Lenient):
    email_address: str


class _Complaint(_Lenient):
    complaint_feedback_type: str | None = None
    complained_recipients: list[_Complained]


class _Feedback(_Lenient):
    """What SES has to tell of a mail, in its older form or as a published event."""

    kind: Annotated[str, Field(validation_alias=AliasChoices("notificationType", "eventType"))] = ""
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None


class SesNotifications:
    """Reads the notifications of one topic; `fetch` returns what stands at an address of Amazon's, blocking."""

    def __init__(self, topic: str, *, clock: Clock, fetch: Callable[[str], bytes] = fetch_document) -> None:
        found = TOPIC.fullmatch(topic)
        if found is None:
            raise ValueError(f"{topic!r} is not the ARN of an SNS topic")
        ending = "amazonaws.com.cn" if found["partition"] == "aws-cn" else "amazonaws.com"
        self._host = f"sns.{found['region']}.{ending}"
        self._topic = topic
        self._clock = clock
        self._fetch = fetch
        self._certificates: dict[str, Certificate] = {}

    async def read(self, envelope: JsonObject) -> list[MailReport]:
        """Return the addresses that a notification reports: hard bounces and complaints.

        A topic's question whether we want it is answered with yes. What bounced for now, and what was delivered, is
        nothing to report.

        :raises NotificationForged: when it is not signed by Amazon, not of our topic, or older than a day.
        :raises NotificationUnchecked: when Amazon cannot be reached.
        """
        try:
            found = _Envelope.model_validate(envelope)
        except ValidationError as error:
            raise NotificationForged("not an SNS envelope") from error
        await self._check(found, envelope)
        if found.type == "SubscriptionConfirmation":
            self._require_amazon(found.subscribe_url)
            await self._get(found.subscribe_url)
            log.info("topic of bounces confirmed", topic=self._topic)
        return list(_reports(found.message)) if found.type == "Notification" else []

    async def _check(self, found: _Envelope, envelope: JsonObject) -> None:
        if found.topic_arn != self._topic:
            raise NotificationForged("another topic")
        now, made_at = self._clock.now(), found.timestamp.astimezone(UTC)
        if not now - OLDEST <= made_at <= now + EARLIEST:
            raise NotificationForged("too old, or from the future")
        key = await self._key(found.signing_cert_url)
        try:
            signature = b64decode(found.signature, validate=True)
            key.verify(signature, _signed_text(envelope), PKCS1v15(), _HASHES[found.signature_version]())
        except (InvalidSignature, InvalidBase64) as error:
            raise NotificationForged("wrong signature") from error

    async def _key(self, url: str) -> RSAPublicKey:
        """Return the key of the certificate at an address, which is fetched once.

        :raises NotificationForged: when the address is not Amazon's, or holds no certificate that is valid now.
        """
        self._require_amazon(url)
        if not urlsplit(url).path.endswith(".pem"):
            raise NotificationForged("the certificate has another name")
        if url not in self._certificates:
            try:
                certificate = load_pem_x509_certificate(await self._get(url))
            except ValueError as error:
                raise NotificationForged("no certificate") from error
            while len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.pop(next(iter(self._certificates)))
            self._certificates[url] = certificate
        certificate = self._certificates[url]
        if not certificate.not_valid_before_utc <= self._clock.now() <= certificate.not_valid_after_utc:
            raise NotificationForged("the certificate is not valid now")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise NotificationForged("the certificate has no RSA key")
        return key

    def _require_amazon(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            is_amazon = (parts.scheme, parts.netloc) == ("https", self._host)
        except ValueError:
            is_amazon = False
        if not is_amazon:
            raise NotificationForged("an address that is not Amazon's")

    async def _get(self, url: str) -> bytes:
        try:
            return await asyncio.to_thread(self._fetch, url)
        except OSError as error:
            raise NotificationUnchecked(f"{self._host}: {type(error).__name__}") from error


def _signed_text(envelope: JsonObject) -> bytes:
    """Return what is signed: names and values in their order, a line each."""
    names = _SIGNED.get(str(envelope["Type"]), _SIGNED["SubscriptionConfirmation"])
    return "".join(f"{name}\n{envelope[name]}\n" for name in names if envelope.get(name) is not None).encode()


def _reports(message: str) -> Iterator[MailReport]:
    """Yield what a message of SES reports; what it says otherwise, such as that the topic is connected, is nothing."""
    try:
        found = _Feedback.model_validate_json(message)
    except ValidationError:
        log.warning("message of a mail topic not understood")
        return
    if found.kind == "Bounce" and found.bounce is not None and found.bounce.bounce_type == PERMANENT:
        for bounced in found.bounce.bounced_recipients:
            reason = bounced.diagnostic_code or f"It came back: {found.bounce.bounce_sub_type or PERMANENT}."
            yield MailReport(MailProblem.BOUNCE, _address(bounced.email_address), _one_line(reason))
    if found.kind == "Complaint" and found.complaint is not None:
        feedback = found.complaint.complaint_feedback_type
        for complained in found.complaint.complained_recipients if feedback != NOT_SPAM else ():
            reason = f"The recipient reported a mail as unwanted{f' ({feedback})' if feedback else ''}."
            yield MailReport(MailProblem.COMPLAINT, _address(complained.email_address), _one_line(reason))


def _address(text: str) -> str:
    """Return an address alone, without the name and the angle brackets that it may come with."""
    return parseaddr(text)[1] or text


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_REASON]
