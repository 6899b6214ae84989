"""The sandbox's pages about messages: what was caught, and a gallery of every kind with sample figures."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.domain.announcements import write_facts
from app.http import answers
from app.messages.compose import Addressee
from app.sandbox.catcher import CALL, FOLDER, MAIL
from app.sandbox.sample_messages import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from email.message import EmailMessage
    from pathlib import Path

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.messages.compose import Composer
    from app.messages.render import Renderer

LIST = "/sandbox/messages"
GALLERY = "/sandbox/gallery"
MOST_SHOWN = 200

_NAME = re.compile(r"ntf_[0-9a-z]{1,40}\.(?:eml|json)")
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'"
_ANN = Addressee("Ann Ames", "Harbor Dental Group", "harbor-dental", is_contact=False)
_CARLA = Addressee("Carla Coe", "Harbor Dental Group", "harbor-dental", is_contact=True)
_SAMPLE_LINK = "http://127.0.0.1:8000/unsubscribe/sample"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: what, to whom, when, and where to read it."""

    subject: str
    to: str
    when: str
    links: tuple[tuple[str, str], ...]


def message_pages(*, folder: Path, composer: Composer, renderer: Renderer) -> Sequence[BaseRoute]:
    """Return the routes; they are for whoever sits at this machine."""
    pages = MessagePages(folder / FOLDER, composer, renderer)
    return [
        Route(LIST, pages.caught, methods=["GET"]),
        Route(f"{LIST}/{{name}}", pages.one, methods=["GET"]),
        Route(GALLERY, pages.gallery, methods=["GET"]),
        Route(f"{GALLERY}/{{kind}}/{{part}}", pages.sample, methods=["GET"]),
    ]


class MessagePages:
    """Shows caught messages, and samples."""

    def __init__(self, folder: Path, composer: Composer, renderer: Renderer) -> None:
        self._folder = folder
        self._composer = composer
        self._renderer = renderer

    async def caught(self, _request: Request) -> Response:
        """List what was caught, newest first."""
        page = self._renderer.messages(
            title="Messages of the sandbox",
            sentence="What would have been sent, newest first.",
            other_page=("Gallery of every kind", GALLERY),
            rows=list(self._rows()),
        )
        return self._page(page)

    async def one(self, request: Request) -> Response:
        """Show a caught mail, as HTML or with `?part=text` as plain text, or a call with its script."""
        name = request.path_params["name"]
        path = self._folder / name
        if _NAME.fullmatch(name) is None or not path.is_file():
            return PlainTextResponse("There is no such message.", answers.NOT_FOUND)
        if path.suffix == CALL:
            return PlainTextResponse(path.read_text(encoding="utf-8"))
        mail = _read(path)
        wanted = request.query_params.get("part")
        if wanted == "source":
            return PlainTextResponse(path.read_bytes().decode("utf-8", "replace"))
        return _part(mail, "plain" if wanted == "text" else "html")

    async def gallery(self, _request: Request) -> Response:
        """List every kind."""
        rows = []
        for kind, facts in SAMPLES.items():
            subject = self._composer.mail(kind, write_facts(kind, facts), _ANN).subject
            links = tuple((part, f"{GALLERY}/{kind}/{part}") for part in ("html", "text", "call", "contact"))
            rows.append(Row(subject, kind, "", links))
        page = self._renderer.messages(
            title="Every message",
            sentence="Each kind with sample figures.",
            other_page=("Messages of the sandbox", LIST),
            rows=rows,
            about="Kind",
            is_dated=False,
        )
        return self._page(page)

    async def sample(self, request: Request) -> Response:
        """Show one kind: `html`, `text`, `call`, or as a payment contact gets it (`contact`)."""
        kind, part = request.path_params["kind"], request.path_params["part"]
        facts = SAMPLES.get(kind)
        if facts is None or part not in {"html", "text", "call", "contact"}:
            return PlainTextResponse("There is no such message.", answers.NOT_FOUND)
        data = write_facts(kind, facts)
        if part == "call":
            return PlainTextResponse(self._composer.script(kind, data, _CARLA))
        if part == "contact":
            return _html(self._composer.mail(kind, data, _CARLA).html)
        mail = self._composer.mail(kind, data, _ANN, unsubscribe_url=_SAMPLE_LINK)
        return PlainTextResponse(mail.text) if part == "text" else _html(mail.html)

    def _page(self, page: str) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": self._renderer.content_policy})

    def _rows(self) -> Iterator[Row]:
        files = [path for path in self._folder.glob("ntf_*") if path.suffix in {MAIL, CALL}]
        for path in sorted(files, key=lambda path: path.name, reverse=True)[:MOST_SHOWN]:
            address = f"{LIST}/{path.name}"
            if path.suffix == CALL:
                call = json.loads(path.read_text(encoding="utf-8"))
                yield Row(f"Call: {call['kind']}", f"{call['name']}, {call['number']}", "", (("script", address),))
            else:
                mail = _read(path)
                links = (("html", address), ("text", f"{address}?part=text"), ("source", f"{address}?part=source"))
                when = f"{mail['Date'].datetime.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
                yield Row(str(mail["Subject"]), str(mail["To"]), when, links)


def _read(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return BytesParser(policy=policy.default).parse(file)


def _part(mail: EmailMessage, subtype: str) -> Response:
    body = mail.get_body((subtype,))
    content = "" if body is None else body.get_content()
    return PlainTextResponse(content) if subtype == "plain" else _html(content)


def _html(content: str) -> Response:
    return HTMLResponse(content, headers={"content-security-policy": _MAIL_POLICY})
