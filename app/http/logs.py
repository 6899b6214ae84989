"""Logs as JSON lines. What is logged is chosen where it is logged, and never holds a document, a variable or a token;
the redaction here is the second line of defence.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, TextIO

import orjson
import structlog

from app.domain.card_numbers import without_card_numbers

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

REMOVED = "[removed]"

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?")
# A signed link's: what it opens, perhaps when it was made, and a signature of 32 bytes.
_SIGNED = re.compile(r"(?<![\w-])[\w-]{8,}(?:\.[\w-]{4,})?\.[\w-]{43}(?![\w-])", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")

# A library is heard from its warnings on, for below them it may speak of statements and addresses; of the server we
# also want to know that it has started. Its line for each request would repeat ours.
HEARD_FROM_INFO = ("uvicorn.error",)


def configure_logging(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send our own log, and that of every library, to `stream` (standard error unless told) as JSON lines."""
    target = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _keep_no_exception_text,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dump)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in HEARD_FROM_INFO:
        logging.getLogger(name).setLevel(max(level, logging.INFO))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take out whatever looks like a token, an e-mail address or a card number."""
    for key, value in event.items():
        event[key] = _redacted(value)
    return event


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    return value


def _redacted_text(text: str) -> str:
    if "eyJ" in text:
        text = _TOKEN.sub(REMOVED, text)
    if "." in text:
        text = _SIGNED.sub(REMOVED, text)
    if "@" in text:
        text = _EMAIL.sub(REMOVED, text)
    return without_card_numbers(text, REMOVED)


def _keep_no_exception_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say which exception a library logged, without its text: that may quote what a customer sent."""
    info = event.pop("exc_info", None)
    if isinstance(info, tuple) and info[0] is not None:
        event["error_type"] = f"{info[0].__module__}.{info[0].__qualname__}"
    return event


def _dump(event: EventDict, **_options: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
