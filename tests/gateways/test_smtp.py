"""Mail over a real SMTP server: who it is from, what it says, and how each answer is sorted."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deliveries import Mail, MailResult
from app.gateways import smtp
from app.gateways.smtp import MailServer, MailServerUnusable, SmtpMailer, mail_message
from tests.fakes.mail_server import MailServerDouble, running_mail_server

FROM = "notifications@sasdesk.com"
HELLO = Mail(
    id="ntf_01",
    to_name="Ann Ames",
    to_address="ann@example.com",
    subject="Invoice 100001: $200.00 due",
    text="Grüße\n",
    html="<p>Grüße</p>",
    written_at=datetime(2026, 8, 1, 13, tzinfo=UTC),
    unsubscribe_url="https://flex.example/unsubscribe/t",
)


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=150
).filter(lambda text: text == " ".join(text.split()))


def to(address: str, **changes) -> Mail:
    values = {name: getattr(HELLO, name) for name in HELLO.__slots__}
    return Mail(**{**values, "to_address": address, **changes})


def mailer(server: MailServerDouble) -> SmtpMailer:
    return SmtpMailer(
        MailServer("127.0.0.1", server.port, needs_start_tls=False), sender=FROM, sender_name="Answering Service"
    )


async def send(server: MailServerDouble, *mails: Mail) -> list[MailResult]:
    async with mailer(server).session() as session:
        return [(await session.send(mail)).result for mail in mails]


class TestSending:
    async def test_a_mail_arrives_whole_and_from_us(self):
        async with running_mail_server() as server:
            assert await send(server, HELLO) == [MailResult.ACCEPTED]
        (mail,) = server.mails
        assert server.senders == [FROM]
        assert mail["From"].addresses[0].addr_spec == FROM
        assert (mail["To"], mail["Subject"]) == ("Ann Ames <ann@example.com>", HELLO.subject)
        assert mail["Message-ID"] == "<ntf_01@sasdesk.com>"
        assert mail["List-Unsubscribe"] == "<https://flex.example/unsubscribe/t>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail.get_body(("plain",)).get_content().strip() == "Grüße"
        assert "Grüße" in mail.get_body(("html",)).get_content()

    async def test_many_go_over_one_connection(self):
        async with running_mail_server() as server:
            results = await send(server, *(to(f"p{at}@example.com", id=f"ntf_{at}") for at in range(50)))
        assert results == [MailResult.ACCEPTED] * 50
        assert (server.connections, len(server.mails)) == (1, 50)

    async def test_a_name_cannot_begin_another_header(self):
        message = mail_message(to("ann@example.com", to_name="Ann\u2028 Ames, Esq."), FROM, "Us")
        assert "Bcc" not in message
        with pytest.raises(ValueError):
            mail_message(to("ann@example.com", to_name="Ann\r\nBcc: eve@example.com"), FROM, "Us")

    async def test_without_a_link_there_is_no_header_for_one(self):
        assert "List-Unsubscribe" not in mail_message(to("a@b.example", unsubscribe_url=None), FROM, "Us")


class TestHeaders:
    LINK = "https://billing.example.com/unsubscribe/" + "WyJjZWRhci12ZXRlcmluYXJ5IiwiaHRtbCJd." * 6

    async def test_a_long_link_stands_on_one_line_as_it_is(self):
        async with running_mail_server() as server:
            assert await send(server, to("ann@example.com", unsubscribe_url=self.LINK)) == [MailResult.ACCEPTED]
        (mail,) = server.mails
        assert mail["List-Unsubscribe"] == f"<{self.LINK}>"
        lines = bytes(mail_message(to("ann@example.com", unsubscribe_url=self.LINK), FROM, "Us")).split(b"\r\n")
        assert f"List-Unsubscribe: <{self.LINK}>".encode() in lines
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines

    @given(name=WORDS, subject=WORDS)
    def test_names_and_subjects_of_any_script_and_length_come_back_equal(self, name, subject):
        raw = bytes(mail_message(to("ann@example.com", to_name=name, subject=subject), FROM, "Answering Service"))
        read = message_from_bytes(raw)
        shown, address = parseaddr(read["To"])
        # The newer parser of Python leaves a blank between the encoded words of a name, against RFC 2047.
        assert [str(make_header(decode_header(text))) for text in (shown, read["Subject"])] == [name, subject]
        assert address == "ann@example.com"
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) < 998

    async def test_an_international_domain_is_written_in_ascii(self):
        async with running_mail_server(speaks_utf8=False) as server:
            assert await send(server, to("jorg@m\u00fcller.de")) == [MailResult.ACCEPTED]
            assert await send(server, to("j\u00f6rg@example.com")) == [MailResult.REFUSED]
        assert server.recipients == ["jorg@xn--mller-kva.de"]

    @pytest.mark.parametrize(("speaks_utf8", "result"), [(True, MailResult.ACCEPTED), (False, MailResult.REFUSED)])
    async def test_letters_before_the_at_go_to_a_server_that_takes_them(self, speaks_utf8, result):
        async with running_mail_server(speaks_utf8=speaks_utf8) as server:
            around = MailServer("127.0.0.1", server.port, needs_start_tls=False)
            told = SmtpMailer(around, sender=FROM, sender_name="Us", speaks_utf8=True)
            async with told.session() as session:
                assert (await session.send(to("j\u00f6rg@m\u00fcller.de"))).result is result
                assert (await session.send(HELLO)).result is MailResult.ACCEPTED
        assert server.envelopes == [*(["j\u00f6rg@xn--mller-kva.de"] if speaks_utf8 else []), "ann@example.com"]


class TestAnswers:
    """4xx later, 5xx never, and whatever is about the server says nothing about the mail."""

    @pytest.mark.parametrize(
        ("reply", "result"),
        [
            ("450 greylisted", MailResult.LATER),
            ("452 mailbox full", MailResult.LATER),
            ("550 no such user", MailResult.REFUSED),
            ("553 no", MailResult.REFUSED),
        ],
    )
    @pytest.mark.parametrize("command", ["rcpt", "data"])
    async def test_a_reply_to_one_mail_leaves_the_next_alone(self, command, reply, result):
        def answer(address: str) -> str | None:
            return reply if address.startswith("bad") else None

        async with running_mail_server(**{command: answer}) as server:
            results = await send(server, to("bad@example.com"), to("good@example.com"))
        assert results == [result, MailResult.ACCEPTED]
        assert server.recipients == ["good@example.com"]

    async def test_a_dropped_connection_is_no_answer_and_is_made_anew(self):
        async with running_mail_server(drops_after=1) as server, mailer(server).session() as session:
            answers = [await session.send(mail) for mail in (HELLO, HELLO)]
            results = [answer.result for answer in answers]
            assert answers[1].was_offered, "the server was there"
            server.drops_after = None
            results.append((await session.send(HELLO)).result)
        assert results == [MailResult.ACCEPTED, MailResult.UNREACHABLE, MailResult.ACCEPTED]
        assert server.connections == 2

    async def test_a_server_that_is_too_slow_is_no_answer(self, monkeypatch):
        monkeypatch.setattr(smtp, "MAIL_SECONDS", 0.2)
        async with running_mail_server(slow_seconds=0.6) as server:
            assert await send(server, HELLO) == [MailResult.UNREACHABLE]
        assert server.mails == []

    async def test_no_server_at_all_is_no_answer(self):
        assert await send(MailServerDouble(port=9), HELLO) == [MailResult.UNREACHABLE]
        async with mailer(MailServerDouble(port=9)).session() as session:
            assert not (await session.send(HELLO)).was_offered

    async def test_a_server_without_the_demanded_encryption_gets_nothing(self):
        async with running_mail_server() as server:
            strict = SmtpMailer(MailServer("127.0.0.1", server.port), sender=FROM, sender_name="Us")
            async with strict.session() as session:
                answer = await session.send(HELLO)
        assert answer.result is MailResult.UNREACHABLE
        assert server.mails == []

    async def test_a_server_that_goes_away_is_no_answer(self):
        async with running_mail_server(rcpt=lambda _: "421 closing") as server:
            assert await send(server, HELLO) == [MailResult.UNREACHABLE]

    async def test_an_address_that_cannot_be_written_is_refused(self):
        async with running_mail_server() as server:
            assert await send(server, to("not an address"), HELLO) == [MailResult.REFUSED, MailResult.ACCEPTED]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server of the tests")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    written = key.private_bytes(serialization.Encoding.PEM, *form)
    path.write_bytes(written + built.public_bytes(serialization.Encoding.PEM))
    return path


class TestEncryption:
    """A server is believed only with a certificate that this machine trusts."""

    @pytest.mark.parametrize("mode", ["start_tls", "implicit_tls"])
    @pytest.mark.parametrize("is_trusted", [True, False])
    async def test_a_mail_goes_encrypted_to_a_trusted_server_and_to_no_other(
        self, certificate, monkeypatch, mode, is_trusted
    ):
        if is_trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        async with running_mail_server(**{mode: context}) as server:
            settings = MailServer("127.0.0.1", server.port, is_implicit_tls=mode == "implicit_tls")
            settings = replace(settings, needs_start_tls=mode == "start_tls")
            async with SmtpMailer(settings, sender=FROM, sender_name="Us").session() as session:
                answer = await session.send(HELLO)
        assert answer.result is (MailResult.ACCEPTED if is_trusted else MailResult.UNREACHABLE)
        assert len(server.mails) == is_trusted


class TestAddress:
    def test_it_says_how_to_speak_and_who_we_are(self):
        server = MailServer.parse("smtps://flex:p%40ss@mail.example")
        assert server == MailServer("mail.example", 465, True, False, "flex", "p@ss")
        assert "p@ss" not in repr(server)
        assert MailServer.parse("smtp://mail.example") == MailServer("mail.example", 587)
        assert MailServer.parse("smtp://localhost:1025") == MailServer("localhost", 1025, needs_start_tls=False)

    @pytest.mark.parametrize("url", ["mail.example", "https://mail.example", "smtp://", "smtp://mail:99999999"])
    def test_what_is_none_is_refused(self, url):
        with pytest.raises(MailServerUnusable):
            MailServer.parse(url)
