"""The fields of a card as a page of the gateway's own: a portal shows it in a frame, and gets a nonce from it.

What is typed is sent to this gateway alone, so that a card number never reaches the portal or its server.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "static"
PREFIX = "/card-fields/"

_TYPES = {
    "card_fields.html": "text/html; charset=utf-8",
    "card_fields.css": "text/css; charset=utf-8",
    "card_fields.js": "text/javascript; charset=utf-8",
}

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors http://127.0.0.1:* http://localhost:*"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def find_file(path: str) -> tuple[str, bytes] | None:
    """Return the media type and the content of a file of the page by its path, or None when it is none."""
    name = path.removeprefix(PREFIX)
    if name not in _TYPES:
        return None
    return _TYPES[name], (FOLDER / name).read_bytes()
