"""Mail by SMTP: one connection for many mails, encrypted unless it stays on this machine, each answer sorted."""

from __future__ import annotations

from asyncio import timeout
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.domain.deliveries import MailAnswer, MailResult
from app.gateways.mail_headers import MAIL_POLICY, written_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.domain.deliveries import Mail

COMMAND_SECONDS = 20.0
MAIL_SECONDS = 30.0
LONGEST_DETAIL = 300

PLAIN, IMPLICIT_TLS = "smtp", "smtps"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORTS = {PLAIN: 587, IMPLICIT_TLS: 465}
_TRANSIENT = range(400, 500)
_GOING_AWAY = 421


class MailServerUnusable(ValueError):
    """The address of the mail server cannot be one."""

    def __init__(self) -> None:
        super().__init__("The mail server's address looks like smtp://user:password@mail.example:587, or smtps://….")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in. `smtp` demands STARTTLS, except on this machine; `smtps` speaks TLS from the start."""

    host: str
    port: int
    is_implicit_tls: bool = False
    needs_start_tls: bool = True
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Read an address such as `smtps://user:password@mail.example`.

        :raises MailServerUnusable: when it is none.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise MailServerUnusable from None
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise MailServerUnusable
        return cls(
            host=parts.hostname,
            port=port or _DEFAULT_PORTS[parts.scheme],
            is_implicit_tls=parts.scheme == IMPLICIT_TLS,
            needs_start_tls=parts.scheme == PLAIN and parts.hostname not in _LOOPBACK,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpMailer:
    """Sends through a mail server, from one address; `speaks_utf8` where the server takes any letter before the @."""

    def __init__(self, server: MailServer, *, sender: str, sender_name: str, speaks_utf8: bool = False) -> None:
        self._server = server
        self._speaks_utf8 = speaks_utf8
        self._sender = sender
        self._sender_name = sender_name

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SmtpSession]:
        """Open a session; it says goodbye at the end."""
        session = SmtpSession(self._server, self._sender, self._sender_name, speaks_utf8=self._speaks_utf8)
        try:
            yield session
        finally:
            await session.close()


class SmtpSession:
    """One connection, made with the first mail and made anew after it broke."""

    def __init__(self, server: MailServer, sender: str, sender_name: str, *, speaks_utf8: bool = False) -> None:
        self._server = server
        self._speaks_utf8 = speaks_utf8
        self._sender = sender
        self._sender_name = sender_name
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: Mail) -> MailAnswer:
        """Send one mail within half a minute, and sort the answer."""
        try:
            address = written_address(mail.to_address, speaks_utf8=self._speaks_utf8)
            message = bytes(mail_message(mail, self._sender, self._sender_name, speaks_utf8=self._speaks_utf8))
        except (ValueError, IndexError):
            return MailAnswer(MailResult.REFUSED, "The address or the name cannot be written in a mail.")
        was_offered = False
        try:
            async with timeout(MAIL_SECONDS):
                client = await self._connected()
                was_offered = True
                options = [] if address.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
                _, detail = await client.sendmail(self._sender, [address], message, mail_options=options)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            answer = answer_of(error)
            if answer.result is MailResult.UNREACHABLE:
                await self._drop()
            return replace(answer, was_offered=was_offered)
        return MailAnswer(MailResult.ACCEPTED, detail[:LONGEST_DETAIL])

    async def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to."""
        if self._client is not None and self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with timeout(COMMAND_SECONDS):
                    await self._client.quit()
        await self._drop()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.is_implicit_tls,
            start_tls=True if server.needs_start_tls else None,
            timeout=COMMAND_SECONDS,
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPNotSupported as error:  # no STARTTLS: that is about the server, not the mail
            client.close()
            raise aiosmtplib.SMTPConnectError(str(error)) from error
        self._client = client
        return client

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def mail_message(mail: Mail, sender: str, sender_name: str, *, speaks_utf8: bool = False) -> EmailMessage:
    """Return the mail with its headers, as it goes over the wire.

    :raises ValueError: when an address cannot stand in a header.
    """
    local, _, domain = written_address(mail.to_address, speaks_utf8=speaks_utf8).rpartition("@")
    own, _, own_domain = sender.rpartition("@")
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"] = Address(sender_name, own, own_domain)
    message["To"] = Address(mail.to_name, local, domain)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{mail.id}@{own_domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


def answer_of(error: Exception) -> MailAnswer:
    """Sort what went wrong: 4xx may work later and 5xx never will, unless it is about us or the connection."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _sorted(error.recipients[0])
        case aiosmtplib.SMTPSenderRefused() | aiosmtplib.SMTPAuthenticationError():
            return MailAnswer(MailResult.UNREACHABLE, _detail(error.code, error.message))
        case aiosmtplib.SMTPNotSupported():
            return MailAnswer(MailResult.REFUSED, str(error)[:LONGEST_DETAIL])
        case aiosmtplib.SMTPHeloError() | aiosmtplib.SMTPConnectResponseError():
            return MailAnswer(MailResult.UNREACHABLE, _detail(error.code, error.message))
        case aiosmtplib.SMTPResponseException():
            return _sorted(error)
        case _:
            return MailAnswer(MailResult.UNREACHABLE, f"{type(error).__name__}: {error}"[:LONGEST_DETAIL])


def _sorted(reply: aiosmtplib.SMTPResponseException) -> MailAnswer:
    if reply.code == _GOING_AWAY:
        return MailAnswer(MailResult.UNREACHABLE, _detail(reply.code, reply.message))
    is_transient = reply.code in _TRANSIENT
    return MailAnswer(MailResult.LATER if is_transient else MailResult.REFUSED, _detail(reply.code, reply.message))


def _detail(code: int, message: str) -> str:
    return f"{code} {message}"[:LONGEST_DETAIL]
