"""Catches mails and calls in the data folder, so that a laptop needs no mail server and rings nobody."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from app.domain.deliveries import CallAnswer, CallResult, MailAnswer, MailResult
from app.gateways.calls_webhook import task_as_json
from app.gateways.smtp import mail_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from app.domain.deliveries import CallTask, Mail

FOLDER = "messages"
MAIL, CALL = ".eml", ".json"


class MailCatcher:
    """Accepts every mail and keeps it as a file that any mail program opens."""

    def __init__(self, folder: Path, *, sender: str, sender_name: str) -> None:
        self._folder = folder / FOLDER
        self._sender = sender
        self._sender_name = sender_name

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailCatcher]:
        """Catch mails one after the other."""
        self._folder.mkdir(parents=True, exist_ok=True)
        yield self

    async def send(self, mail: Mail) -> MailAnswer:
        """Keep one mail; again, in the same file."""
        try:
            message = mail_message(mail, self._sender, self._sender_name)
        except (ValueError, IndexError):
            return MailAnswer(MailResult.REFUSED, "The address or the name cannot be written in a mail.")
        (self._folder / f"{mail.id}{MAIL}").write_bytes(message.as_bytes())
        return MailAnswer(MailResult.ACCEPTED, "Caught in the sandbox")


class CallCatcher:
    """Takes every call and keeps it as a file, as the operator's system would get it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    async def hand_over(self, task: CallTask) -> CallAnswer:
        """Keep one call."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{task.id}{CALL}").write_text(json.dumps(task_as_json(task), indent=2), encoding="utf-8")
        return CallAnswer(CallResult.TAKEN, "Caught in the sandbox")
