"""Which media type to answer with, and whether the body's is one that we read."""

from __future__ import annotations

from functools import lru_cache

from app.error_codes import ErrorCode
from app.http.answers import GRAPHQL_RESPONSE, JSON, NOT_ACCEPTABLE, UNSUPPORTED_MEDIA_TYPE, Refused

EVENT_STREAM = "text/event-stream"

LONGEST_HEADER = 1_000

# What each range of an Accept header gets. A wildcard gets plain JSON, which every client understands.
ANSWERS = {
    GRAPHQL_RESPONSE: GRAPHQL_RESPONSE,
    JSON: JSON,
    EVENT_STREAM: EVENT_STREAM,
    "application/*": JSON,
    "*/*": JSON,
}


def choose_media_type(accept: str | None) -> str:
    """Return the media type that the client likes best of ours; the first one of equals.

    :raises Refused: with status 406 when it accepts none of them.
    """
    chosen = _chosen(accept) if accept is None or len(accept) <= LONGEST_HEADER else None
    if chosen is None:
        message = f"Accept {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}; this service answers with nothing else."
        raise Refused(NOT_ACCEPTABLE, ErrorCode.NOT_ACCEPTABLE, message)
    return chosen


def require_json(content_type: str | None) -> None:
    """Let a body pass that is declared as JSON in UTF-8. This is also what keeps foreign web forms out.

    :raises Refused: with status 415 for everything else.
    """
    kind, parameters = _split(content_type or "")
    charset = parameters.get("charset", "utf-8")
    if kind != JSON or charset != "utf-8":
        message = f"Send the request as `content-type: {JSON}`, in UTF-8."
        raise Refused(UNSUPPORTED_MEDIA_TYPE, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)


def prefers_html(accept: str | None) -> bool:
    """Tell whether a browser asks for a page rather than for data."""
    return "text/html" in (accept or "").lower()


@lru_cache(maxsize=256)
def _chosen(accept: str | None) -> str | None:
    if accept is None or not accept.strip():
        return JSON
    best, best_quality = None, 0.0
    for part in accept.split(","):
        kind, parameters = _split(part)
        quality = _quality(parameters.get("q", "1"))
        if kind in ANSWERS and quality > best_quality:
            best, best_quality = ANSWERS[kind], quality
    return best


def _split(value: str) -> tuple[str, dict[str, str]]:
    kind, *rest = (part.strip().lower() for part in value.split(";"))
    pairs = (part.partition("=") for part in rest)
    return kind, {name.strip(): text.strip().strip('"') for name, _, text in pairs}


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
