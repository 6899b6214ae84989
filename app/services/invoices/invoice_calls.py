"""The calls that an invoice is about, as they were when it was issued: the month it bills, then what came in late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.invoice_lines import LineKind
from app.repositories.pages.calls import MONTH_CALLS, underlying_calls_page
from app.views.calls import UnderlyingCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from app.repositories.reader import PageRequest, Reader
    from app.views.calls import Call, CallPage
    from app.views.invoices import Invoice

CALLS_AT_A_TIME = 1_000


async def invoice_calls(
    *, reader: Reader, account: str, invoice: Invoice, at_a_time: int = CALLS_AT_A_TIME
) -> AsyncIterator[tuple[str, Sequence[Call]]]:
    """Yield the calls of an invoice, oldest first in each of its parts, with the name of the part.

    The month whose usage it bills comes whole, free calls too, without those that were corrected by then; a correction
    of an earlier month with the calls that made it, and with those they corrected (rule 25). `account` is the external
    id.
    """
    for part, behind in parts_of(invoice):
        calls: Sequence[Call] | None = None
        while calls is None or len(calls) == at_a_time:
            position = (calls[-1].started_at, calls[-1].seq) if calls else (behind.since_at, 0)
            (found,) = await reader.load(_request(account, behind, position, at_a_time))
            calls = found.calls
            yield part, calls


def parts_of(invoice: Invoice) -> list[tuple[str, UnderlyingCalls]]:
    """Return the parts of an invoice that have calls: the month that ended, or the last one of a closed account, then
    late calls. A first invoice has none, for the trial is not billed (rule 10); other kinds bill no usage.
    """
    late = [
        (f"Correction for {placed.line.period.starts_on:%B %Y}", placed.behind)
        for placed in invoice.lines
        if placed.behind is not None and placed.line.kind is LineKind.ADJUSTMENT
    ]
    # A month is corrected by a line for each kind of usage; behind them all are the same calls.
    return [*_usage_of_month(invoice), *dict.fromkeys(late)]


def _usage_of_month(invoice: Invoice) -> Iterator[tuple[str, UnderlyingCalls]]:
    facts, month = invoice.facts, invoice.usage_period
    if month is None:
        return
    since_on = max(month.starts_on, facts.paid_starts_on)
    if since_on < month.ends_before:
        seen, seen_before = facts.usage_watermark, facts.earlier_watermark
        behind = UnderlyingCalls(LineKind.OVERAGE, since_on, month.ends_before, seen, seen_before)
        yield f"Usage of {month.starts_on:%B %Y}", behind


def _request(account: str, behind: UnderlyingCalls, position: tuple[object, int], fetch: int) -> PageRequest[CallPage]:
    after_at, after_seq = position
    is_late = behind.kind is LineKind.ADJUSTMENT
    page = underlying_calls_page(behind.kind, is_counted=False) if is_late else MONTH_CALLS
    binds: dict[str, object] = {
        "account": account,
        "since_at": behind.since_at,
        "before_at": behind.before_at,
        "watermark": behind.watermark,
        "earlier_watermark": behind.earlier_watermark,
        "after_at": after_at,
        "after_seq": after_seq,
        "fetch": fetch,
    }
    return page.request(**{name: bind for name, bind in binds.items() if name in page.parameters})
