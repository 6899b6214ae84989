"""What `verify` says of positions: each of its checks alone, as a difference, and as a warning in books of engine 1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

import pytest

from app.domain.taxes import TaxRate
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.write_off import write_off_invoice
from app.services.operations.verify import verify
from app.services.operations.verify_ledger import Difference
from tests.factories.calls import a_call
from tests.services.books import tamper
from tests.services.staff import WHY, by_ann, change_to, leave_to_customer
from tests.world import ACCOUNT, World, pacific

NEVER = pacific(2030, 1, 1)
"""No invoice is computed again that was issued before: what is left are the sums over all of them."""

OLD = "UPDATE invoice SET engine_version = 1"
FIRST = "(SELECT id FROM invoice WHERE number = 100001)"
SECOND = "(SELECT id FROM invoice WHERE number = 100002)"


async def july(world: World, tax: int = 0) -> None:
    """One open invoice of $139.00, with 10 % of tax if told; it is noon of 2 July."""
    await world.add_account()
    if tax:
        taxes = [TaxRate("Tax", tax)]
        await set_taxes(world.services, by_ann(), taxes=taxes, valid_from=date(2026, 7, 1), **WHY)
    await world.advance_to(pacific(2026, 7, 2, 12))


async def credited(world: World) -> None:
    """$139.00, all of it credited."""
    await july(world)
    await issue_credit_note(world.services, by_ann(), invoice_number=100_001, cents_by_line={}, reference="N-1", **WHY)


async def corrected(world: World) -> None:
    """Overage of July, $12.90 on 100002, corrected to nothing on 100003."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 20, 12))
    call = a_call(event_id="1", started_at=pacific(2026, 7, 20, 9), script_seconds=110 * 60)
    await world.add_calls(call)
    await world.advance_to(pacific(2026, 8, 10, 12))
    await world.add_calls(call._replace(event_id="2", corrects="1", script_seconds=0, recording_seconds=0))
    await world.advance_to(pacific(2026, 9, 2, 12))


async def changed(world: World) -> None:
    """$139.00, then +$239.00 and -$139.00 for a change to 220."""
    await july(world)
    await change_to(world, "220")


async def written_off(world: World) -> None:
    await july(world)
    await write_off_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)


async def recovered(world: World) -> None:
    """$139.00 written off, then $100.00 and $39.00 of it recovered by two checks."""
    await written_off(world)
    await world.pay(100_00)
    await world.pay(39_00)


async def written_off_with_tax(world: World) -> None:
    await july(world, tax=100_000)
    await write_off_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)


async def charged(world: World) -> None:
    """August's invoice has a single charge of $30.00."""
    await july(world)
    await add_charge(world.services, by_ann(), title="Programming", amount_cents=30_00, reference="T-1", **WHY)
    await world.advance_to(pacific(2026, 8, 2, 12))


async def waiting(world: World) -> None:
    """$20.00 of credit waits beside an invoice that is paid by hand."""
    await july(world)
    await leave_to_customer(world, 100_001)
    await grant_goodwill(world.services, by_ann(), amount_cents=20_00, reference="G-1", **WHY)


# what is wrong: the story, the statements, then place, found and expected of every difference
CHECKS: dict[str, tuple[Callable[[World], Awaitable[None]], list[str], list[tuple[str, str, str]]]] = {
    "more was credited than was billed": (
        credited,
        [f"UPDATE invoice_line SET amount_cents = -15000 WHERE invoice_id = {SECOND}"],
        [("base of 2026-07, given back beyond what was billed", "$11.00", "$0.00")],
    ),
    "more usage was taken back than was billed": (
        corrected,
        [
            (
                "UPDATE invoice_line SET amount_cents = -1300, inputs = json_set(inputs, '$.rated_cents', 0) "
                "WHERE kind = 'ADJUSTMENT'"
            ),
        ],
        [("overage of 2026-07, given back beyond what was billed", "$0.10", "$0.00")],
    ),
    "the price list calls for another base": (
        july,
        ["UPDATE plan_version SET base_cents = 14000 WHERE id = 'plan_100_2020'"],
        [("base of 2026-07, price", "$139.00", "$140.00")],
    ),
    "a change took back too much": (
        changed,
        [
            f"UPDATE invoice_line SET amount_cents = -14000 WHERE kind = 'BASE_REVERSAL' AND invoice_id = {SECOND}",
            f"UPDATE invoice SET total_cents = 9900 WHERE id = {SECOND}",
            f"UPDATE ledger_posting SET amount_cents = 9900 WHERE invoice_id = {SECOND}",
            f"UPDATE invoice SET balance_cents = 9900 WHERE id = {SECOND}",
            "UPDATE account SET receivable_cents = receivable_cents - 100",
        ],
        [("base of 2026-07, still billed", "$238.00", "$239.00")],
    ),
    "more was written off than was billed": (
        written_off,
        ["UPDATE write_off_share SET cents = 14900"],
        [
            ("base of 2026-07, between nothing and its price", "False", "True"),
            (
                "invoice 100001, lines of posting 2",
                "line 1 of invoice 100001 14900 and [] cents",
                "line 1 of invoice 100001 13900 and [] cents",
            ),
        ],
    ),
    "tax was written off out of proportion": (
        written_off_with_tax,
        ["UPDATE write_off_share SET tax_cents = '[1388]'"],
        [
            ("line 1 of invoice 100001, Tax", "$0.02 of tax on $0.00", "in proportion"),
            (
                "invoice 100001, lines of posting 3",
                "line 1 of invoice 100001 13900 and [1388] cents",
                "line 1 of invoice 100001 13900 and [1390] cents",
            ),
        ],
    ),
    "a write-off has no lines": (
        written_off,
        ["DELETE FROM write_off_share"],
        [("invoice 100001, lines of posting 2", "none", "line 1 of invoice 100001 13900 and [] cents")],
    ),
    "a recovery billed too little again": (
        recovered,
        ["UPDATE write_off_share SET cents = -9900 WHERE seq = 3"],
        [
            (
                "invoice 100001, lines of posting 3",
                "line 1 of invoice 100001 -9900 and [] cents",
                "line 1 of invoice 100001 -10000 and [] cents",
            )
        ],
    ),
    "money became credit though it could recover": (
        recovered,
        [
            "UPDATE ledger_posting SET kind = 'OVERPAID', invoice_id = NULL, credit = 'CUSTOMER_CREDIT' WHERE seq = 4",
            "DELETE FROM write_off_share WHERE seq = 4",
            "UPDATE account SET credit_cents = 3900",
            "UPDATE invoice SET written_off_cents = 3900 WHERE number = 100001",
        ],
        [("posting 4, credit beside the write-off of invoice 100001", "$39.00 of credit", "$39.00 recovered")],
    ),
    "lines do not add up to what was invoiced": (
        charged,
        ["UPDATE invoice_line SET amount_cents = 3001 WHERE kind = 'CHARGE'"],
        [("invoiced in all, still billed or written off", "$308.01", "$308.00")],
    ),
    "credit waits beside an invoice that is collected": (
        waiting,
        [f"UPDATE collection SET is_by_hand = 0 WHERE invoice_id = {FIRST}"],
        [("invoice 100001, credit", "$139.00 open beside $20.00 of credit", "credit pays it first")],
    ),
}


async def found(world: World) -> list[Difference]:
    return [each async for each in verify(database=world.database, since=NEVER)]


class TestChecks:
    @pytest.mark.parametrize("what", CHECKS)
    async def test_what_is_wrong_is_told_and_no_more_and_is_a_warning_for_engine_1_only(self, world, what):
        story, statements, told = CHECKS[what]
        await story(world)
        assert await world.differences() == []

        tamper(world.database, *statements)

        assert await found(world) == [Difference(ACCOUNT, *said) for said in told]
        tamper(world.database, OLD)
        assert await found(world) == [Difference(ACCOUNT, *said, is_warning=True) for said in told]

    async def test_a_cent_of_tax_that_rounding_leaves_is_in_proportion(self, world):
        await written_off_with_tax(world)

        tamper(world.database, "UPDATE write_off_share SET tax_cents = '[1389]'")

        assert [each.place for each in await found(world)] == ["invoice 100001, lines of posting 3"]


class TestOldBooks:
    """An invoice of engine 1 excuses what it billed itself, and nothing that was billed since."""

    async def test_a_position_that_engine_1_has_not_touched_is_no_warning(self, world):
        await july(world)
        await world.advance_to(pacific(2026, 8, 2, 12))
        await issue_credit_note(
            world.services, by_ann(), invoice_number=100_002, cents_by_line={}, reference="N-1", **WHY
        )
        tamper(
            world.database,
            f"{OLD} WHERE number = 100001",
            "UPDATE invoice_line SET amount_cents = -15000 WHERE kind = 'CORRECTION'",
        )

        place = "base of 2026-08, given back beyond what was billed"
        assert await found(world) == [Difference(ACCOUNT, place, "$11.00", "$0.00")]

    async def test_tax_of_a_line_that_engine_1_has_not_billed_is_no_warning(self, world):
        await july(world, tax=100_000)
        await world.advance_to(pacific(2026, 8, 2, 12))
        await write_off_invoice(world.services, by_ann(), invoice_number=100_002, **WHY)
        tamper(world.database, f"{OLD} WHERE number = 100001", "UPDATE write_off_share SET tax_cents = '[1300]'")

        said = ("line 1 of invoice 100002, Tax", "$0.90 of tax on $0.00", "in proportion")
        first, second = await found(world)
        assert first == Difference(ACCOUNT, *said)
        assert (second.place, second.is_warning) == ("invoice 100002, lines of posting 5", False)

    async def test_an_invoice_beside_which_credit_waits_is_no_warning_for_an_older_one(self, world):
        await july(world)
        await world.advance_to(pacific(2026, 8, 2, 12))
        await leave_to_customer(world, 100_001)
        await leave_to_customer(world, 100_002)
        await grant_goodwill(world.services, by_ann(), amount_cents=20_00, reference="G-1", **WHY)
        tamper(world.database, f"{OLD} WHERE number = 100001", "UPDATE collection SET is_by_hand = 0")

        said = [(each.place, each.is_warning) for each in await found(world)]
        assert said == [("invoice 100001, credit", True), ("invoice 100002, credit", False)]
