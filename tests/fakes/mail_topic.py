"""A topic of Amazon SNS as tests have it: an authority of our own, its certificate on loopback, and what it signs."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:us-east-1:123456789012:bounces"
HOST = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE = "/SimpleNotificationService-0123456789abcdef.pem"
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
HASHES = {"1": SHA1, "2": SHA256}


@cache
def _key(_whose: str) -> rsa.RSAPrivateKey:
    """A key of its own for each, made once."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


class MailTopic:
    """Signs as Amazon does. `asked` are the paths that were fetched from it; `fetch` goes to this machine alone."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.asked: list[str] = []
        self.port = 0
        self._authority, self._key = _key("authority"), _key("topic")
        valid = self.certificate(now - timedelta(days=1), now + timedelta(days=9))
        self.documents: dict[str, bytes] = {CERTIFICATE: valid}

    def certificate(self, since: datetime, until: datetime) -> bytes:
        """The topic's certificate, signed by our own authority."""

        def name(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(name("sns.amazonaws.com"))
            .issuer_name(name("An authority of these tests"))
            .public_key(self._key.public_key())
            .serial_number(7)
            .not_valid_before(since)
            .not_valid_after(until)
        )
        return builder.sign(self._authority, SHA256()).public_bytes(Encoding.PEM)

    def fetch(self, url: str) -> bytes:
        """What stands at an address of Amazon's, from loopback."""
        assert url.startswith(f"{HOST}/"), url
        path = url.removeprefix(HOST)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read()

    def envelope(self, message: Any, kind: str = "Notification", version: str = "2", **changes: Any) -> dict[str, Any]:
        """A signed envelope; a change is made before it is signed."""
        text = message if isinstance(message, str) else json.dumps(message)
        envelope = {
            "Type": kind,
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": text,
            "Timestamp": self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.123Z"),
            "SignatureVersion": version,
            "SigningCertURL": HOST + CERTIFICATE,
            **changes,
        }
        envelope["Signature"] = self.sign(envelope)
        return envelope

    def sign(self, envelope: dict[str, Any]) -> str:
        text = "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED if name in envelope)
        hashed = HASHES[envelope["SignatureVersion"]]()
        return b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), hashed)).decode()

    def confirmation(self, **changes: Any) -> dict[str, Any]:
        """The question whether we want the topic."""
        subscribe = {"Token": "t0ken", "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&Token=t0ken"}
        return self.envelope("You have chosen to subscribe.", "SubscriptionConfirmation", **{**subscribe, **changes})


def bounce(address: str, kind: str = "Permanent", **recipient: Any) -> dict[str, Any]:
    """What SES says of a mail that came back."""
    bounced = {"emailAddress": address, "action": "failed", "status": "5.1.1", **recipient}
    return {
        "notificationType": "Bounce",
        "bounce": {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [bounced], "feedbackId": "f-1"},
        "mail": {"messageId": "m-1", "destination": [address]},
    }


def complaint(address: str, feedback: str | None = "abuse") -> dict[str, Any]:
    """What SES says of a mail that its recipient reported."""
    found: dict[str, Any] = {"complainedRecipients": [{"emailAddress": address}], "complaintSubType": None}
    if feedback is not None:
        found["complaintFeedbackType"] = feedback
    return {"notificationType": "Complaint", "complaint": found, "mail": {"messageId": "m-1"}}


@contextmanager
def running_mail_topic(now: datetime) -> Iterator[MailTopic]:
    """The topic, and a server of this machine that its addresses lead to."""
    topic = MailTopic(now)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            topic.asked.append(self.path)
            found = topic.documents.get(urlsplit(self.path).path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        topic.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield topic
        finally:
            server.shutdown()
            thread.join()
