"""Why a bill changed: two invoices compared kind by kind, with one sentence of cause for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.explanations import dollars, duration, explain, percent, rate, tax_rate_of
from app.domain.invoice_lines import LineKind
from app.domain.money import UNIT_PRICE_PER_CENT
from app.domain.plans import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.domain.invoice_lines import InvoiceLine

KIND_NAMES: dict[LineKind, str] = {
    LineKind.BASE: "Base price",
    LineKind.BASE_REVERSAL: "Base price given back",
    LineKind.CREDIT_KEPT: "Credit kept",
    LineKind.ADD_ON: "Add-ons",
    LineKind.ADDITIONAL_LINE: "Additional lines",
    LineKind.OVERAGE: "Overage",
    LineKind.PATCH: "Patched calls",
    LineKind.IVR: "Automated (IVR) time",
    LineKind.ADJUSTMENT: "Corrections",
    LineKind.CHARGE: "One-time charges",
    LineKind.LATE_FEE: "Late fees",
    LineKind.CORRECTION: "Credit on earlier invoices",
    LineKind.TAX: "Tax",
}
"""What the lines of a kind are together called."""

_ITEMS = frozenset({LineKind.ADD_ON, LineKind.ADDITIONAL_LINE})

_BEYOND = {LineKind.OVERAGE: " above the allowance", LineKind.PATCH: " of patched calls", LineKind.IVR: " of IVR time"}


@dataclass(frozen=True, slots=True)
class KindDifference:
    """What the lines of one kind come to on two invoices, in cents, and why that differs."""

    kind: LineKind
    before_cents: int
    after_cents: int
    cause: str

    @property
    def difference_cents(self) -> int:
        """What this kind adds to the difference of the totals; negative when it fell."""
        return self.after_cents - self.before_cents


def compare_lines(before: Iterable[InvoiceLine], after: Iterable[InvoiceLine]) -> tuple[KindDifference, ...]:
    """Compare the lines of two invoices, one entry for each kind that either has, in the order of rule 11.

    The differences add up to the difference of the totals, to the cent.
    """
    earlier, later = _by_kind(before), _by_kind(after)
    return tuple(_compare(kind, earlier[kind], later[kind]) for kind in LineKind if earlier[kind] or later[kind])


def movement(name: str, before_cents: int, after_cents: int) -> str:
    """Return how an amount moved, in words without a full stop: `Overage rose by $64.50`."""
    difference = after_cents - before_cents
    if difference == 0:
        return f"{name} stayed at {dollars(after_cents)}"
    return f"{name} {'rose' if difference > 0 else 'fell'} by {dollars(abs(difference))}"


def _by_kind(lines: Iterable[InvoiceLine]) -> dict[LineKind, list[InvoiceLine]]:
    found: dict[LineKind, list[InvoiceLine]] = {kind: [] for kind in LineKind}
    for line in lines:
        found[line.kind].append(line)
    return found


def _compare(kind: LineKind, before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> KindDifference:
    before_cents = sum(line.amount_cents for line in before)
    after_cents = sum(line.amount_cents for line in after)
    reasons = "; ".join(_reasons(kind, before, after))
    moved = movement(KIND_NAMES[kind], before_cents, after_cents)
    return KindDifference(kind, before_cents, after_cents, f"{moved}: {reasons}." if reasons else f"{moved}.")


def _reasons(kind: LineKind, before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> Iterator[str]:
    if kind is LineKind.ADJUSTMENT:
        yield from (f"{reason} on the later invoice" for reason in _corrected(after))
        yield from (f"{reason} on the earlier one" for reason in _corrected(before))
    elif kind is LineKind.BASE:
        yield from _base_reasons(before, after)
    elif kind in _ITEMS:
        yield from _item_reasons(before, after)
    elif kind is LineKind.TAX:
        yield from _tax_reasons(before, after)
    elif kind in _BEYOND:
        yield from _metered_reasons(kind, before, after)
    else:
        yield from (f"{_single(line)} on the later invoice" for line in after)
        yield from (f"{_single(line)} on the earlier one" for line in before)


def _base_reasons(before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> Iterator[str]:
    """Compare the last base line of each side: that of the plan with which the month ended."""
    if not before or not after:
        yield f"only the {'later' if after else 'earlier'} invoice has one"
        return
    old, new = before[-1], after[-1]
    if new.inputs["plan"] != old.inputs["plan"]:
        yield f"the plan is {new.inputs['plan_name']} instead of {old.inputs['plan_name']}"
    elif _monthly_cents(new) != _monthly_cents(old):
        yield f"a month of the plan costs {dollars(_monthly_cents(new))} instead of {dollars(_monthly_cents(old))}"
    yield from (
        f"the {place} invoice bills {line.inputs['paid_days']} of the {line.inputs['days']} days of its month"
        for place, line in (("earlier", old), ("later", new))
        if line.inputs["paid_days"] != line.inputs["days"]
    )


def _item_reasons(before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> Iterator[str]:
    """Compare add-ons and additional lines by name: how many there are, what a month costs, what part is billed."""
    earlier, later = _by_item(before), _by_item(after)
    for name in dict.fromkeys((*earlier, *later)):
        old, new = earlier.get(name, []), later.get(name, [])
        if len(old) != len(new):
            yield f"{name}: {len(new)} instead of {len(old)}"
        if old and new and _monthly_cents(old[-1]) != _monthly_cents(new[-1]):
            yield "{} costs {} a month instead of {}".format(
                name, *(dollars(_monthly_cents(x[-1])) for x in (new, old))
            )
        yield from (
            f"the {place} invoice bills {name} for {line.inputs['paid_days']} of {line.inputs['days']} days"
            for place, lines in (("earlier", old), ("later", new))
            for line in lines
            if "paid_days" in line.inputs
        )


def _tax_reasons(before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> Iterator[str]:
    if not before or not after:
        yield f"only the {'later' if after else 'earlier'} invoice is taxed"
        return
    if len(before) == len(after) == 1:
        yield from _rate_and_base(before[0], after[0])
        return
    earlier, later = ({explain(line).title: line for line in lines} for lines in (before, after))
    for title in dict.fromkeys((*earlier, *later)):
        if title in earlier and title in later:
            yield from (f"{title}: {reason}" for reason in _rate_and_base(earlier[title], later[title]))
        else:
            line = (earlier | later)[title]
            yield f"{_single(line)} on the {'later invoice' if title in later else 'earlier one'}"


def _rate_and_base(old: InvoiceLine, new: InvoiceLine) -> Iterator[str]:
    rates = [percent(tax_rate_of(line)) for line in (new, old)]
    if rates[0] != rates[1]:
        yield "the rate is {} % instead of {} %".format(*rates)
    if new.inputs["taxed_cents"] != old.inputs["taxed_cents"]:
        yield "it is on {} instead of {}".format(*(dollars(int(line.inputs["taxed_cents"])) for line in (new, old)))


def _metered_reasons(kind: LineKind, before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]) -> Iterator[str]:
    seconds = sum(line.quantity for line in after) - sum(line.quantity for line in before)
    if seconds:
        yield _more_or_less(seconds) + _BEYOND[kind]
    if not before or not after:
        return
    old, new = before[-1], after[-1]
    if new.inputs.get("allowance_seconds") != old.inputs.get("allowance_seconds"):
        allowances = (duration(int(line.inputs["allowance_seconds"])) for line in (new, old))
        yield "the allowance is {} instead of {}".format(*allowances)
    if new.unit_price != old.unit_price:
        yield f"a minute costs {rate(new.unit_price)} instead of {rate(old.unit_price)}"


def _monthly_cents(line: InvoiceLine) -> int:
    """The price of a whole month; a month billed by days keeps it among its inputs (rule 9)."""
    return int(line.inputs.get("monthly_cents", line.unit_price // UNIT_PRICE_PER_CENT))


def _more_or_less(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), SECONDS_PER_MINUTE)
    if rest:
        return f"{duration(abs(seconds))} {'more' if seconds > 0 else 'less'}"
    return f"{minutes:,} {'more' if seconds > 0 else 'fewer'} minute{'' if minutes == 1 else 's'}"


def _by_item(lines: Iterable[InvoiceLine]) -> dict[str, list[InvoiceLine]]:
    found: dict[str, list[InvoiceLine]] = {}
    for line in lines:
        found.setdefault(str(line.inputs["item_name"]), []).append(line)
    return found


def _single(line: InvoiceLine) -> str:
    return f"{explain(line).title} ({dollars(line.amount_cents)})"


def _corrected(lines: Sequence[InvoiceLine]) -> Iterator[str]:
    """Say by how much each month was corrected, all kinds of its usage together."""
    for period in dict.fromkeys(line.period for line in lines):
        cents = sum(line.amount_cents for line in lines if line.period == period)
        yield f"{period.starts_on:%B %Y} was corrected by {dollars(cents)}"
