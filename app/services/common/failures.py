"""What fails for one item is logged, and stops no other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import FilteringBoundLogger


@contextmanager
def contained(log: FilteringBoundLogger, event: str, **item: str) -> Iterator[None]:
    """Let nothing that fails within out: it is logged, and whoever looks for due items finds this one again."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  one item's trouble is not the others'
        log_failure(log, event, error, **item)


def log_failure(log: FilteringBoundLogger, event: str, error: Exception, **item: str) -> None:
    """Log what failed by its type alone, without a traceback: what a gateway says is not for the log."""
    log.error(event, error=type(error).__qualname__, **item)
