"""How an unexpected failure is logged: its type and the lines it passed through, never its text, for the text may
hold what a customer sent.
"""

import traceback

import structlog

log = structlog.get_logger("failures")

FRAMES_KEPT = 30


def log_unexpected(event: str, error: BaseException, **facts: object) -> None:
    """Log a bug once; the request id comes from the logging context."""
    log.error(event, error_type=_qualified_name(error), frames=_frames(error), causes=_causes(error), **facts)


def _qualified_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _frames(error: BaseException) -> list[str]:
    found = traceback.extract_tb(error.__traceback__)[-FRAMES_KEPT:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in found]


def _causes(error: BaseException) -> list[str]:
    names: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(names) < FRAMES_KEPT:
        names.append(_qualified_name(cause))
        cause = cause.__cause__ or cause.__context__
    return names
