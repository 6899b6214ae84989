"""GraphiQL for developers: one page with the contract's operations as tabs, and in the sandbox a choice of who asks."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.responses import HTMLResponse

from app.http.browser_files import CDN, GRAPHIQL_FILES, are_here
from app.http.graphiql_guide import GUIDE
from app.http.static_files import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.domain.json_values import JsonObject
    from app.graphql.contract import Contract, Operation
    from app.http.browser_files import BrowserFile

log = structlog.get_logger("http")

SANDBOX_PAGES = (
    ("Reference", "/docs"),
    ("Messages", "/sandbox/messages"),
    ("Gallery", "/sandbox/gallery"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Somebody that the page can ask as; `account` is the external id that the token is for."""

    key: str
    label: str
    token: str
    account: str


def graphiql_page(
    *, contract: Contract, personas: Sequence[Persona] = (), is_sandbox: bool = False, folder: Path = FOLDER
) -> ASGIApp:
    """Return the page as an ASGI application. Personas exist in the sandbox alone: their tokens are in the page.

    The browser files come from `folder`/vendor when the right versions lie there, else from a public network address.
    """
    is_local = are_here(GRAPHIQL_FILES, folder)
    if not is_local:
        log.info(
            "GraphiQL's files are not on this machine: browsers load them from a public address, checked by their "
            "hashes. `python3 scripts/dev.py demo` copies them here when npm is installed.",
            address=CDN,
        )
    template = Template((folder / "graphiql.html").read_text(encoding="utf-8"))
    page = template.substitute(
        styles="\n".join(_style(asset, is_local=is_local) for asset in GRAPHIQL_FILES if asset.name.endswith(".css")),
        scripts="\n".join(_script(asset, is_local=is_local) for asset in GRAPHIQL_FILES if asset.name.endswith(".js")),
        config=as_script_data(page_config(contract, personas, is_sandbox=is_sandbox)),
    )
    headers = {"content-security-policy": content_policy(is_local=is_local), "cache-control": "no-store"}

    async def show(scope: Scope, receive: Receive, send: Send) -> None:
        # A response of its own for each request: compression writes into its headers.
        await HTMLResponse(page, headers=headers)(scope, receive, send)

    return show


def page_config(contract: Contract, personas: Sequence[Persona], *, is_sandbox: bool) -> JsonObject:
    """Return what the boot script works with, as JSON values."""
    return {
        "endpoint": "/graphql",
        "storage": f"flex-billing:{contract.fingerprint}:",
        "groups": [
            {"screen": screen, "tabs": [_tab(operation, about) for operation, about in operations]}
            for screen, operations in _groups(contract)
        ],
        "personas": [
            {"key": persona.key, "label": persona.label, "account": persona.account, "token": persona.token}
            for persona in personas
        ],
        "pages": [{"name": name, "address": address} for name, address in SANDBOX_PAGES] if is_sandbox else [],
        "clock": "/sandbox/clock" if is_sandbox else None,
    }


def _groups(contract: Contract) -> Iterator[tuple[str, Sequence[tuple[Operation, str]]]]:
    """Yield the contract's operations by screen, with what to say of each; those that the guide lacks come last."""
    told = {name for _, steps in GUIDE for name, _ in steps}
    rest = [(operation, operation.comment) for operation in contract.operations if operation.name not in told]
    for screen, steps in GUIDE:
        found = [(contract.find(name), about) for name, about in steps]
        known = [(operation, about) for operation, about in found if operation is not None]
        if known:
            yield screen, known
    if rest:
        yield "More", rest


def _tab(operation: Operation, about: str) -> JsonObject:
    return {
        "name": operation.name,
        "query": operation.document,
        "variables": dict(operation.variables),
        "about": about,
    }


def as_script_data(value: object) -> str:
    """Return JSON that can stand inside a script element: nothing in it can end the element or open another."""
    text = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def content_policy(*, is_local: bool) -> str:
    """Return the page's content policy: our own scripts, and only the very files of others that it names."""
    foreign = "" if is_local else " " + " ".join(asset.address for asset in GRAPHIQL_FILES)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{foreign}",
            f"style-src 'self' 'unsafe-inline'{foreign}",  # the editor and its menus style themselves from script
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _style(asset: BrowserFile, *, is_local: bool) -> str:
    return f'<link rel="stylesheet" href="{asset.reached_at(is_local=is_local)}" {_checks(asset)}>'


def _script(asset: BrowserFile, *, is_local: bool) -> str:
    return f'<script src="{asset.reached_at(is_local=is_local)}" {_checks(asset)} defer></script>'


def _checks(asset: BrowserFile) -> str:
    return f'integrity="{asset.integrity}" crossorigin="anonymous"'
