"""A month at the payment gateway against our own books: totals of both sides, and every difference by its name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from app.domain.reports import ReportMonth


class Flow(StrEnum):
    """What a movement at the gateway is."""

    SALE = "sales"
    TAKEN_BACK = "sales voided or returned"
    REFUND = "refunds"
    CHARGEBACK = "disputes lost"
    DISPUTE = "disputes opened"


POSTED_FLOWS = frozenset(Flow) - {Flow.DISPUTE}
"""The flows that move money; a dispute moves none before it is lost."""


class DifferenceKind(StrEnum):
    """In what a movement of one side is not the other's."""

    UNKNOWN_AT_GATEWAY = "unknown at the gateway"
    UNKNOWN_HERE = "unknown here"
    OTHER_AMOUNT = "other amount"
    OTHER_MONTH = "other month"
    NOT_POSTED = "not in the journal"
    ONLY_POSTED = "in the journal alone"


class Movement(NamedTuple):
    """Money that moved, or is disputed: `id` is the gateway's, of the transaction or the dispute.

    `cents` above zero. `account` is its external id, where that is known; a posting has its payment's reference for id.
    """

    flow: Flow
    id: str
    cents: int
    at: datetime
    account: str = ""


class Difference(NamedTuple):
    """A movement that is not the same on both sides; None where a side has none. `note` says what is known of it."""

    kind: DifferenceKind
    flow: Flow
    id: str
    theirs: Movement | None
    ours: Movement | None
    note: str = ""

    @property
    def account(self) -> str:
        """The account that it is about, by its external id; empty where that is not known."""
        return self.ours.account if self.ours is not None else ""


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """What a flow came to within a month: movements and cents at the gateway, here, and in the journal."""

    flow: Flow
    theirs_count: int
    theirs_cents: int
    ours_count: int
    ours_cents: int
    posted_cents: int


@dataclass(frozen=True, slots=True)
class GatewayMonth:
    """A month at the gateway and here. Differences stand in the order of flow, kind of difference, and id."""

    month: ReportMonth
    totals: tuple[FlowTotal, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """The movements to compare: as the gateway has them, as our records have them, and as they are posted.

    `notes` tell by flow and id why a movement of the gateway is none of ours. What is posted as money in has the flow
    SALE, all else that of its posting.
    """

    theirs: Sequence[Movement]
    ours: Sequence[Movement]
    posted: Sequence[Movement]
    notes: Mapping[tuple[Flow, str], str]


def compare_month(month: ReportMonth, sides: Sides) -> GatewayMonth:
    """Compare the movements of a month; a movement that either side has in another month is given for that alone.

    Ours and posted ones are matched by account, instant, amount and direction: they are written together.
    """
    posted_cents, unmatched = _match_posted(month, sides)
    flows, kinds = list(Flow), list(DifferenceKind)
    differences = sorted(
        (*_compare(month, sides), *unmatched),
        key=lambda each: (flows.index(each.flow), kinds.index(each.kind), each.id),
    )
    totals = tuple(_total(flow, month, sides, posted_cents[flow]) for flow in Flow)
    return GatewayMonth(month, totals, tuple(differences))


def _total(flow: Flow, month: ReportMonth, sides: Sides, posted_cents: int) -> FlowTotal:
    theirs, ours = (
        [each.cents for each in side if each.flow is flow and month.contains(each.at)]
        for side in (sides.theirs, sides.ours)
    )
    return FlowTotal(flow, len(theirs), sum(theirs), len(ours), sum(ours), posted_cents)


def _compare(month: ReportMonth, sides: Sides) -> Iterator[Difference]:
    theirs = {(each.flow, each.id): each for each in sides.theirs}
    ours = {(each.flow, each.id): each for each in sides.ours}
    for key in dict.fromkeys((*theirs, *ours)):
        pair = theirs.get(key), ours.get(key)
        if any(each is not None and month.contains(each.at) for each in pair):
            for kind in _kinds(month, *pair):
                yield Difference(kind, *key, *pair, sides.notes.get(key, ""))


def _kinds(month: ReportMonth, theirs: Movement | None, ours: Movement | None) -> Iterator[DifferenceKind]:
    if ours is None:
        yield DifferenceKind.UNKNOWN_HERE
    elif theirs is None:
        yield DifferenceKind.UNKNOWN_AT_GATEWAY
    else:
        if theirs.cents != ours.cents:
            yield DifferenceKind.OTHER_AMOUNT
        if month.contains(theirs.at) != month.contains(ours.at):
            yield DifferenceKind.OTHER_MONTH


def _match_posted(month: ReportMonth, sides: Sides) -> tuple[Mapping[Flow, int], list[Difference]]:
    """Return what is posted by flow, that of the movement it belongs to where there is one, and what is unmatched."""
    waiting: defaultdict[tuple[str, datetime, int], list[Movement]] = defaultdict(list)
    for posting in sides.posted:
        waiting[_posting_key(posting)].append(posting)
    posted_cents: defaultdict[Flow, int] = defaultdict(int)
    unmatched = []
    for each in sides.ours:
        if each.flow in POSTED_FLOWS and month.contains(each.at):
            found = waiting[_posting_key(each)]
            if found:
                posted_cents[each.flow] += found.pop().cents
            else:
                unmatched.append(Difference(DifferenceKind.NOT_POSTED, each.flow, each.id, None, each))
    for posting in chain.from_iterable(waiting.values()):
        posted_cents[posting.flow] += posting.cents
        unmatched.append(Difference(DifferenceKind.ONLY_POSTED, posting.flow, posting.id, None, posting))
    return posted_cents, unmatched


def _posting_key(movement: Movement) -> tuple[str, datetime, int]:
    return movement.account, movement.at, movement.cents if movement.flow is Flow.SALE else -movement.cents
