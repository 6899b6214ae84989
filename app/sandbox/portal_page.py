"""The reference portal in the sandbox: its page below every address of its screens, its files, and a developer's bar.

The portal is `frontend-contract/portal`, which a portal developer copies; an installed package starts without it.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Mount, Route

from app.graphql.contract import FOLDER as CONTRACT
from app.http.browser_files import CDN, PORTAL_FILES, are_here
from app.http.graphiql import as_script_data
from app.http.static_files import FOLDER as STATIC
from app.http.static_files import PageFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from app.http.graphiql import Persona

log = structlog.get_logger("http")

FIRST_SCREEN = "/billing/summary"
SCREENS = ("/billing", "/settings")
FILES = "/portal"

LOOPBACK_FRAMES = "http://127.0.0.1:* http://localhost:*"
"""The card fields are a page of the local gateway, which has a port of its own."""

_IMPORT_MAP = re.compile(r'(?P<opens><script type="importmap">)(?P<map>.*?)(?P<closes></script>)', re.DOTALL)
_HOST = "<!-- host -->"
_FIRST_VIEW = (
    "environment.js", "main.js", "app.js", "api.js", "cache.js", "contract.js", "live.js", "screens.js", "text.js",
    "parts/chart.js", "parts/dialog.js", "parts/html.js", "parts/lines.js", "parts/states.js",
    "screens/advice.js", "screens/summary.js",
)  # fmt: skip
"""Our own modules of the Summary: a browser loads them all at once instead of one after the other."""

_LATER = "graphql-sse/"
"""What is loaded once the first view is there."""


def portal_routes(personas: Sequence[Persona], *, contract: Path = CONTRACT, static: Path = STATIC) -> list[BaseRoute]:
    """Return the portal's routes; none where the contract's folder is not there.

    The page asks as one of the personas; their tokens are in it, as in the developers' page.
    """
    folder = contract / "portal"
    if not (folder / "index.html").is_file():
        return []
    is_local = are_here(PORTAL_FILES, static)
    if not is_local:
        log.info(
            "the portal's libraries are not on this machine: browsers load them from a public address", address=CDN
        )
    page, policy = portal_page((folder / "index.html").read_text("utf-8"), personas, is_local=is_local)
    headers = {"content-security-policy": policy, "cache-control": "no-store"}

    async def show(_request: Request) -> Response:
        return HTMLResponse(page, headers=headers)

    async def enter(_request: Request) -> Response:
        return RedirectResponse(FIRST_SCREEN)

    return [
        Route("/", enter, methods=["GET"]),
        *(Route(f"{address}/{{rest:path}}", show, methods=["GET"]) for address in SCREENS),
        Mount(f"{FILES}/vendor", PageFiles(directory=static / "vendor", check_dir=False)),
        Mount(FILES, PageFiles(directory=folder)),
    ]


def portal_page(template: str, personas: Sequence[Persona], *, is_local: bool) -> tuple[str, str]:
    """Return the page with the sandbox's bar as its host, and its content policy."""
    found = _IMPORT_MAP.search(template)
    if found is None:
        raise ValueError("the portal's page has no import map")
    import_map = found["map"] if is_local else _public_map(orjson.loads(found["map"]))
    page = _IMPORT_MAP.sub(lambda match: f"{match['opens']}{import_map}{match['closes']}", template)
    if not is_local:
        (style,) = (file for file in PORTAL_FILES if file.name.endswith(".css"))
        page = page.replace(
            f'href="vendor/{style.name}"',
            f'href="{style.address}" integrity="{style.integrity}" crossorigin="anonymous"',
        )
    return page.replace(_HOST, _host(personas, is_local=is_local)), _policy(import_map, is_local=is_local)


def _public_map(local: Mapping[str, Mapping[str, str]]) -> str:
    """Return the import map with public addresses in place of ours, each with its hash."""
    files = {f"./vendor/{file.name}": file for file in PORTAL_FILES}
    content = {
        "imports": {name: files[address].address for name, address in local["imports"].items()},
        "integrity": {file.address: file.integrity for file in PORTAL_FILES},
    }
    return orjson.dumps(content).decode()


def _host(personas: Sequence[Persona], *, is_local: bool) -> str:
    data = {
        "personas": [
            {"key": persona.key, "label": persona.label, "account": persona.account, "token": persona.token}
            for persona in personas
        ]
    }
    modules = [f"{FILES}/{name}" for name in _FIRST_VIEW]
    if is_local:
        libraries = [file.name for file in PORTAL_FILES if not file.name.endswith(".css")]
        modules += [f"{FILES}/vendor/{name}" for name in libraries if not name.startswith(_LATER)]
    return "\n    ".join(
        [
            *(f'<link rel="modulepreload" href="{module}">' for module in modules),
            f'<link rel="preload" as="fetch" crossorigin="anonymous" href="{FILES}/contract.json">',
            '<link rel="stylesheet" href="/static/portal_sandbox.css">',
            f'<script type="application/json" id="flex-sandbox">{as_script_data(data)}</script>',
            '<script src="/static/portal_sandbox.js"></script>',
        ]
    )


def _policy(import_map: str, *, is_local: bool) -> str:
    digest = b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    foreign = "" if is_local else " " + " ".join(file.address for file in PORTAL_FILES)
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'sha256-{digest}'{foreign}",
            f"style-src 'self'{foreign}",
            "img-src 'self' data:",
            f"frame-src {LOOPBACK_FRAMES}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
