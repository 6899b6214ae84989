"""GraphiQL for developers: one page with the contract's operations as tabs, and in the sandbox a choice of who asks."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.responses import HTMLResponse

from app.http.graphiql_guide import GUIDE
from app.http.static_files import ADDRESS, FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.domain.json_values import JsonObject
    from app.graphql.contract import Contract, Operation

log = structlog.get_logger("http")

SANDBOX_PAGES = (
    ("Reference", "/docs"),
    ("Messages", "/sandbox/messages"),
    ("Gallery", "/sandbox/gallery"),
)

CDN = "https://cdn.jsdelivr.net/npm/"


@dataclass(frozen=True, slots=True)
class Asset:
    """A browser file of others: its name among the copied files, its place in its npm package, and its hash.

    The four packages go together; another version of the explorer breaks the page when it is opened.
    """

    name: str
    package: str
    version: str
    path: str
    integrity: str

    @property
    def address(self) -> str:
        """Where the file lies on the public network."""
        return f"{CDN}{self.package}@{self.version}/{self.path}"


ASSETS = (
    Asset(
        name="react.production.min.js",
        package="react",
        version="18.3.1",
        path="umd/react.production.min.js",
        integrity="sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    Asset(
        name="react-dom.production.min.js",
        package="react-dom",
        version="18.3.1",
        path="umd/react-dom.production.min.js",
        integrity="sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    Asset(
        name="graphiql.min.js",
        package="graphiql",
        version="4.1.2",
        path="graphiql.min.js",
        integrity="sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
    ),
    Asset(
        name="graphiql.min.css",
        package="graphiql",
        version="4.1.2",
        path="graphiql.min.css",
        integrity="sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
    ),
    Asset(
        name="plugin-explorer.umd.js",
        package="@graphiql/plugin-explorer",
        version="4.0.6",
        path="dist/index.umd.js",
        integrity="sha384-gXYG2RCFRuAiKUaKTbKxOVlvr0U9z0D/V/l5jdvRSH46vQ+9cpkG2d3ByiggUYvD",
    ),
    Asset(
        name="plugin-explorer.css",
        package="@graphiql/plugin-explorer",
        version="4.0.6",
        path="dist/style.css",
        integrity="sha384-XffIsImDMwexX8UM/Bg3tss0MZOeQmZcnHzk0avUrw9ff0IQ2g9j7QLA6m2lz5D0",
    ),
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
    is_local = all(_integrity(folder / "vendor" / asset.name) == asset.integrity for asset in ASSETS)
    if not is_local:
        log.info(
            "GraphiQL's files are not on this machine: browsers load them from a public address, checked by their "
            "hashes. `python3 scripts/dev.py demo` copies them here when npm is installed.",
            address=CDN,
        )
    template = Template((folder / "graphiql.html").read_text(encoding="utf-8"))
    page = template.substitute(
        styles="\n".join(_style(asset, is_local=is_local) for asset in ASSETS if asset.name.endswith(".css")),
        scripts="\n".join(_script(asset, is_local=is_local) for asset in ASSETS if asset.name.endswith(".js")),
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
    foreign = "" if is_local else " " + " ".join(asset.address for asset in ASSETS)
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


def _style(asset: Asset, *, is_local: bool) -> str:
    return f'<link rel="stylesheet" href="{_address(asset, is_local=is_local)}" {_checks(asset)}>'


def _script(asset: Asset, *, is_local: bool) -> str:
    return f'<script src="{_address(asset, is_local=is_local)}" {_checks(asset)} defer></script>'


def _address(asset: Asset, *, is_local: bool) -> str:
    return f"{ADDRESS}/vendor/{asset.name}" if is_local else asset.address


def _checks(asset: Asset) -> str:
    return f'integrity="{asset.integrity}" crossorigin="anonymous"'


def _integrity(path: Path) -> str | None:
    if not path.is_file():
        return None
    return "sha384-" + b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
