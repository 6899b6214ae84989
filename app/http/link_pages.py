"""The pages that links in mails lead to: nobody keeps one, and nothing but its own form may be sent from it."""

from __future__ import annotations

from starlette.responses import HTMLResponse

from app.http.documents import HEADERS


def page_of_a_link(page: str, status: int, content_policy: str) -> HTMLResponse:
    """Return a page as the answer to a link. `content_policy` is that of rendered pages, which have no form."""
    policy = content_policy.replace("form-action 'none'", "form-action 'self'")
    return HTMLResponse(page, status, {**HEADERS, "content-security-policy": policy})
