"""What holds of the books whatever happens: a credit is kept, no way there matters, no cent is lost (rules 13, 14, 18).

Histories of one account, told to the core alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.invoice_drafts import InvoiceDraft
from app.domain.ledger import Book, PostingKind
from app.domain.positions import CreditStep, Position
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.taxes import TaxRate
from app.domain.write_offs import recover, unrecovered_shares
from tests.factories.account_books import MONTH, USAGE_MONTH, AccountBooks
from tests.factories.calls import usage
from tests.factories.invoices import facts
from tests.factories.positions import FIRST

CODES = st.sampled_from(["economy", "100", "220", "500", "1000"])
PRICES = st.integers(0, 100_000)
TAXES = st.sampled_from([(), (TaxRate("State", 65_000),), (TaxRate("State", 88_750), TaxRate("City", 12_500))])


class Change(NamedTuple):
    code: str


class Note(NamedTuple):
    """Over one line of one invoice, a part of what is left of it in per cent."""

    invoice: int
    line: int
    share: int


class Adjust(NamedTuple):
    """September's minutes above the allowance and its IVR minutes, as they are known now."""

    live_minutes: int
    ivr_minutes: int


class WriteOff(NamedTuple):
    invoice: int


class Check(NamedTuple):
    cents: int


class Refund(NamedTuple):
    invoice: int
    share: int


INVOICES, SHARES = st.integers(0, 20), st.integers(1, 100)
STEPS = st.tuples(st.sampled_from(["price", "note"]), PRICES)
SEQ = 7
"""The posting of a write-off."""
CHANGES, NOTES = st.builds(Change, CODES), st.builds(Note, INVOICES, st.integers(0, 3), SHARES)
ADJUSTMENTS = st.builds(Adjust, st.integers(0, 60), st.integers(0, 60))
ACTS = st.one_of(
    CHANGES,
    NOTES,
    ADJUSTMENTS,
    st.builds(WriteOff, INVOICES),
    st.builds(Check, st.integers(1, 60_000)),
    st.builds(Refund, INVOICES, SHARES),
)


def begun(code: str, taxes: tuple[TaxRate, ...] = ()) -> AccountBooks:
    """An account with two invoices: for its month, and for the usage of the month before."""
    account = AccountBooks(taxes)
    account.start(code)
    account.use(usage(live_minutes=110, ivr_seconds=600))
    return account


def tell(account: AccountBooks, acts: Iterable[NamedTuple]) -> AccountBooks:
    for act in acts:
        do(account, act)
    return account


def do(account: AccountBooks, act: NamedTuple) -> None:
    match act:
        case Change(code):
            account.change(code)
        case Adjust(live_minutes, ivr_minutes):
            account.adjust(usage(live_minutes=100 + live_minutes, ivr_seconds=60 * ivr_minutes))
        case Note(invoice, line, share):
            credit(account, FIRST + invoice % len(account.drafts), line, share)
        case WriteOff(invoice):
            number = FIRST + invoice % len(account.drafts)
            if account.open_cents(number):
                account.write_off(number)
        case Check(cents):
            account.pay(cents)
        case Refund(invoice, share):
            number = FIRST + invoice % len(account.drafts)
            cents = paid_cents(account, number) * share // 100
            if cents:
                account.refund(number, cents)


def credit(account: AccountBooks, number: int, line: int, share: int) -> None:
    """A note over an invoice that is not written off, where something is left of it."""
    lines = [each for each in account.books.of_invoice(number) if each.left_cents]
    if lines and not account.lost_cents(number):
        chosen = lines[line % len(lines)]
        account.note(number, {chosen.ref.position: max(1, chosen.left_cents * share // 100)})


def paid_cents(account: AccountBooks, number: int) -> int:
    signs = {PostingKind.PAYMENT_RECEIVED: 1, PostingKind.REFUNDED: -1}
    own = (posting for posting in account.postings if posting.invoice_id == str(number))
    return sum(signs.get(posting.kind, 0) * posting.amount_cents for posting in own)


def told_without(account: AccountBooks, deeds: Iterable[Change | InvoiceDraft], left_out: int) -> AccountBooks:
    """Tell the same changes and the same notes, cent by cent, but one, whose number nothing else takes."""
    for place, deed in enumerate(deeds):
        if isinstance(deed, Change):
            account.change(deed.code)
        elif place == left_out:
            account.bill(facts(bills_base=False))
        else:
            [line] = deed.lines
            account.note(int(line.inputs["invoice"]), {int(line.inputs["line"]): -line.amount_cents})
    return account


def base_cents(code: str) -> int:
    return SEED_CATALOGUE.get(code, MONTH.starts_on).base_cents


class TestAnyHistory:
    @settings(max_examples=200)
    @given(code=CODES, taxes=TAXES, acts=st.lists(ACTS, max_size=12))
    def test_bills_no_position_below_zero_nor_above_its_price_and_just_its_target(self, code, taxes, acts):
        for _, position in tell(begun(code, taxes), acts).books.positions():
            assert 0 <= position.net_cents <= position.gross_cents
            assert position.net_cents == position.target(position.gross_cents)
            assert position.excess_cents == position.moved_cents == 0

    @settings(max_examples=200)
    @given(code=CODES, taxes=TAXES, acts=st.lists(ACTS, max_size=12))
    def test_loses_no_cent(self, code, taxes, acts):
        """All money that came, and what is lost without a line, is in what is billed and paid, or credit."""
        account = tell(begun(code, taxes), acts)
        books = account.books
        lost_cents = account.balance(Book.BAD_DEBT)
        with_line = sum(share.total_cents for number in account.drafts for share in unrecovered_shares(books, number))
        billed_cents = sum(line.weight_cents for line in books.lines.values())
        came_cents = account.balance(Book.CASH) + lost_cents - with_line
        assert came_cents == billed_cents - account.balance(Book.RECEIVABLE) + account.credit_cents
        assert lost_cents >= with_line

    @settings(max_examples=200)
    @given(code=CODES, taxes=TAXES, acts=st.lists(ACTS, max_size=12))
    def test_never_leaves_credit_beside_an_invoice_that_is_collected(self, code, taxes, acts):
        account = tell(begun(code, taxes), acts)
        assert not account.credit_cents or all(each.is_by_hand for each in account.open_invoices())

    @settings(max_examples=200)
    @given(code=CODES, taxes=TAXES, acts=st.lists(ACTS, max_size=12))
    def test_leaves_of_each_tax_what_its_line_still_bills(self, code, taxes, acts):
        """In proportion, to a cent; two where a part was written off, whose cents are shared between several taxes."""
        for line in tell(begun(code, taxes), acts).books.lines.values():
            for share, left_cents in zip(line.line.taxes, line.taxes_left, strict=True):
                due = share.cents * line.left_cents / line.line.amount_cents
                assert abs(left_cents - due) <= 2
                assert left_cents >= 0


class TestCredits:
    @given(code=CODES, acts=st.lists(CHANGES | NOTES, max_size=10), data=st.data())
    def test_leaving_one_out_never_makes_the_end_cheaper(self, code, acts, data):
        account = begun(code)
        deeds = []
        for act in acts:
            known = len(account.drafts)
            do(account, act)
            if isinstance(act, Change):
                deeds.append(act)
            elif len(account.drafts) > known:
                deeds.append(account.drafts[max(account.drafts)])
        notes = [place for place, deed in enumerate(deeds) if isinstance(deed, InvoiceDraft)]
        if notes:
            other = told_without(begun(code), deeds, data.draw(st.sampled_from(notes)))
            assert account.base.net_cents <= other.base.net_cents

    @given(code=CODES, acts=st.lists(CHANGES | NOTES | st.builds(WriteOff, INVOICES), max_size=8), price=PRICES)
    def test_one_more_never_makes_any_price_dearer(self, code, acts, price):
        account = tell(begun(code), acts)
        before = account.base.target(price)
        credit(account, max(account.drafts), 0, 30)
        credit(account, FIRST, 0, 50)
        assert account.base.target(price) <= before <= price

    @given(acts=st.lists(CHANGES | NOTES, max_size=8), prices=st.lists(PRICES, min_size=2, max_size=2))
    def test_a_dearer_price_never_costs_less_and_never_more_than_it_is_dearer(self, acts, prices):
        low, high = sorted(prices)
        base = tell(begun("500"), acts).base
        assert 0 <= base.target(high) - base.target(low) <= high - low


class TestWays:
    @given(
        code=CODES,
        taxes=TAXES,
        acts=st.lists(ACTS, max_size=8),
        ways=st.lists(st.lists(CHANGES, max_size=4), min_size=2, max_size=2),
        last=CODES,
    )
    def test_any_changes_of_plan_end_where_the_last_alone_does(self, code, taxes, acts, ways, last):
        """Rule 18: the result does not depend on the way there."""
        expected = tell(begun(code, taxes), acts).base.target(base_cents(last))
        for way in ways:
            account = tell(begun(code, taxes), [*acts, *way, Change(last)])
            assert account.base.net_cents == expected

    @given(acts=st.lists(ADJUSTMENTS | NOTES, max_size=6), way=st.lists(ADJUSTMENTS, max_size=4), last=ADJUSTMENTS)
    def test_any_corrections_of_usage_end_where_the_last_alone_does(self, acts, way, last):
        """Rule 25."""
        told = [tell(begun("100"), [*acts, *between, last]) for between in ([], way)]
        nets = [[position.net_cents for position in each.books.usage(USAGE_MONTH.starts_on)] for each in told]
        assert nets[0] == nets[1]


class TestWriteOffs:
    @given(
        code=CODES,
        taxes=TAXES,
        acts=st.lists(ACTS, max_size=8),
        invoice=INVOICES,
        parts=st.lists(st.integers(1, 30_000), max_size=6),
    )
    def test_one_that_is_recovered_at_once_or_in_parts_leaves_every_line_as_it_was(
        self, code, taxes, acts, invoice, parts
    ):
        account = tell(begun(code, taxes), acts)
        known = [each.number for each in account.open_invoices() if not account.lost_cents(each.number)]
        if known:
            number = known[invoice % len(known)]
            before, left_cents = account.books, account.write_off(number)
            books = account.books
            for seq, part in enumerate([*parts, left_cents], start=len(account.postings) + 1):
                cents = min(part, left_cents)
                recovered, shares = recover(books, number, cents, unrecovered_cents=left_cents, seq=seq)
                assert recovered == cents
                assert all(share.total_cents < 0 for share in shares)
                left_cents -= recovered
            assert books.lines == before.lines
            for key, position in books.positions():
                assert position.net_cents == position.target(position.gross_cents) == before.position(*key).net_cents

    @given(before=st.lists(STEPS, max_size=4), after=st.lists(STEPS, max_size=5), cents=PRICES, share=SHARES)
    def test_one_is_recovered_to_the_cent_whatever_came_after_it(self, before, after, cents, share):
        """Up to what would be billed without it; recovered in full, it is as none."""
        position = replayed([("price", 499_00), *before, ("write-off", cents), *after])
        without = replayed([("price", 499_00), *before, *capped(after, position)])
        whole_cents = next(step.cents for step in position.steps if step.seq)
        part_cents = position.recoverable_cents(SEQ) * share // 100

        part, whole = position.recovered(SEQ, part_cents), position.recovered(SEQ, whole_cents)

        assert part.target(position.gross_cents) == position.net_cents + part_cents
        assert [step for step in whole.steps if not step.seq] == list(without.steps)
        assert position.recoverable_cents(SEQ) == min(whole_cents, without.net_cents - position.net_cents)


def replayed(acts: Iterable[tuple[str, int]]) -> Position:
    """A position after prices, notes and one write-off; what is billed stands for its lines."""
    position = Position()
    for act, cents in acts:
        if act == "price":
            position = replace(position, gross_cents=cents, moved_cents=position.target(cents))
            continue
        part_cents = min(cents, position.net_cents)
        net_cents = position.net_cents - part_cents
        seq = SEQ if act == "write-off" else None
        step = CreditStep(net_cents, part_cents, position.gross_cents, act, seq)
        position = replace(position, steps=(*position.steps, step), moved_cents=net_cents)
    return position


def capped(acts: Iterable[tuple[str, int]], position: Position) -> Iterator[tuple[str, int]]:
    """The same acts with the notes as they were after the write-off, which had left less to credit."""
    later = iter(position.steps[[step.seq for step in position.steps].index(SEQ) + 1 :])
    return ((act, cents if act == "price" else next(later).cents) for act, cents in acts)
