"""A real SMTP server on loopback (aiosmtpd) that answers as a test tells it to, and keeps what it accepted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServerDouble:
    """`rcpt` and `data` return the reply to an address, or None to accept; `slow_seconds` is slept before each reply.

    `speaks_utf8` announces SMTPUTF8. With `drops_after` so many mails are accepted, and the next one's connection is
    cut before its reply.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    connections: int = 0
    rcpt: Callable[[str], str | None] = lambda _address: None
    data: Callable[[str], str | None] = lambda _address: None
    slow_seconds: float = 0.0
    drops_after: int | None = None
    accepts_and_drops: bool = False
    speaks_utf8: bool = True

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: Any):
        await asyncio.sleep(self.slow_seconds)
        reply = self.rcpt(address)
        if reply is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.drops_after is not None and len(self.mails) >= self.drops_after:
            server.transport.abort()
            return "250 nobody hears this"
        reply = self.data(envelope.rcpt_tos[0])
        if reply is not None:
            return reply
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        self.senders.append(envelope.mail_from)
        self.envelopes.append(envelope.rcpt_tos[0])
        if self.accepts_and_drops:
            server.transport.abort()
        return f"250 taken {len(self.mails)}"

    @property
    def recipients(self) -> list[str]:
        return [mail["To"].addresses[0].addr_spec for mail in self.mails]


@asynccontextmanager
async def running_mail_server(
    *, start_tls: ssl.SSLContext | None = None, implicit_tls: ssl.SSLContext | None = None, **behaviour: Any
) -> AsyncIterator[MailServerDouble]:
    """Serve on a free port of this machine, in this event loop."""
    double = MailServerDouble(**behaviour)

    def connected() -> SMTP:
        double.connections += 1
        loop = asyncio.get_running_loop()
        return SMTP(
            double,
            enable_SMTPUTF8=double.speaks_utf8,
            loop=loop,
            tls_context=start_tls,
            require_starttls=start_tls is not None,
        )

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0, ssl=implicit_tls)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)
