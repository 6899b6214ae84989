"""New prices in the catalogue: what is added, what stops being sold, and what may never be changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from app.domain.add_ons import AddOnVersion
from app.domain.plans import Catalogue, InvalidCatalogue, PlanVersion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

V = TypeVar("V", PlanVersion, AddOnVersion)


class PriceAlreadyKnown(InvalidCatalogue):
    """A price never changes once it is in the catalogue: accounts may have it."""

    def __init__(self, code: str, valid_from: date) -> None:
        super().__init__(
            f"{code!r} from {valid_from} is known with other figures. Let the new ones begin on another date."
        )
        self.code = code
        self.valid_from = valid_from


class PriceBackdated(InvalidCatalogue):
    """What was sold until today was sold at the prices of then."""

    def __init__(self, code: str, begins_on: date, earliest_on: date) -> None:
        super().__init__(
            f"{code!r} cannot begin or end on {begins_on}: the earliest day for a change is {earliest_on}."
        )
        self.code = code
        self.begins_on = begins_on


class InvalidDates(InvalidCatalogue):
    """The dates of a price contradict each other, or two prices begin at once."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(f"{code!r}: {problem}.")
        self.code = code


@dataclass(frozen=True, slots=True)
class Changes(Generic[V]):
    """The outcome of the versions of one kind: those that are new, those that end, and all as they are then."""

    added: tuple[V, ...]
    ended: tuple[V, ...]
    versions: tuple[V, ...]


def change_catalogue(
    known: Sequence[PlanVersion], given: Sequence[PlanVersion], earliest_on: date
) -> Changes[PlanVersion]:
    """Return what plans of a file change, their ladder checked on every date on which a price begins or ends.

    A new price ends the sale of the one before it. A known one is left alone, or ends where the file says so.
    :raises InvalidCatalogue: in one of its forms, when the file asks for what cannot be.
    """
    for version in given:
        _check_move(version)
    changes = change_versions(known, given, earliest_on)
    Catalogue(changes.versions).check()
    return changes


def change_versions(known: Sequence[V], given: Sequence[V], earliest_on: date) -> Changes[V]:
    """Return what versions of a file change; see `change_catalogue`, which also checks the ladder of plans.

    :raises InvalidCatalogue: in one of its forms, when the file asks for what cannot be.
    """
    by_key = {(version.code, version.valid_from): version for version in known}
    added: set[str] = set()
    for version in given:
        key = (version.code, version.valid_from)
        if key not in by_key:
            _check_begin(version, earliest_on)
            added.add(version.id)
            by_key[key] = version
        elif by_key[key].id in added:
            raise InvalidDates(version.code, f"two prices begin on {version.valid_from}")
        else:
            by_key[key] = _known(by_key[key], version, earliest_on)
    versions = tuple(_in_line(by_key.values()))
    ends_before = {version.id: version.valid_before for version in known}
    ended = (v for v in versions if v.id in ends_before and v.valid_before != ends_before[v.id])
    return Changes(tuple(v for v in versions if v.id in added), tuple(ended), versions)


def _known(known: V, given: V, earliest_on: date) -> V:
    """Return a version that the file names again: as it is, or ending where the file says so."""
    if replace(given, id=known.id, valid_before=known.valid_before) != known:
        raise PriceAlreadyKnown(known.code, known.valid_from)
    end = given.valid_before
    if end is None or end == known.valid_before:
        return known
    if min(end, known.valid_before or end) < earliest_on:
        raise PriceBackdated(known.code, end, earliest_on)
    return replace(known, valid_before=end)


def _check_begin(version: V, earliest_on: date) -> None:
    if version.valid_from < earliest_on:
        raise PriceBackdated(version.code, version.valid_from, earliest_on)
    if version.valid_before is not None and version.valid_before <= version.valid_from:
        raise InvalidDates(version.code, f"it would end on {version.valid_before}, before it has begun")


def _check_move(version: PlanVersion) -> None:
    move_on = version.existing_move_on
    if move_on is None:
        return
    if move_on.day != 1:
        raise InvalidDates(version.code, "existing accounts move with a month: give the first day of one")
    if move_on < version.valid_from:
        raise InvalidDates(version.code, f"existing accounts cannot move on {move_on}, before the price begins")


def _in_line(versions: Collection[V]) -> Iterator[V]:
    """Let each price end where the next one of the same thing begins."""
    begins: defaultdict[str, list[date]] = defaultdict(list)
    for version in versions:
        begins[version.code].append(version.valid_from)
    for version in versions:
        ends = [on for on in begins[version.code] if on > version.valid_from]
        if version.valid_before is not None:
            ends.append(version.valid_before)
        yield replace(version, valid_before=min(ends, default=None))
