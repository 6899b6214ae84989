"""The API reference of the sandbox: every operation, type, field, argument and error code on one page, searchable."""

from __future__ import annotations

from functools import cache
from string import Template
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.graphql.reference import reference
from app.http.graphiql import as_script_data
from app.http.static_files import FOLDER as STATIC

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

ADDRESS = "/docs"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def reference_routes() -> list[BaseRoute]:
    """Return the page's route; it needs no token, for it tells what the schema tells."""
    return [Route(ADDRESS, _show, methods=["GET"])]


async def _show(_request: Request) -> Response:
    return HTMLResponse(_page(), headers={"content-security-policy": POLICY, "cache-control": "no-store"})


@cache
def _page() -> str:
    template = Template((STATIC / "reference.html").read_text(encoding="utf-8"))
    return template.substitute(reference=as_script_data(reference()))
