"""The golden vectors of the books, each told through the product: nothing is billed twice, nothing given back twice.

The customer changes plans, pays and adds cards over GraphQL; staff act by services, in some stories by the command line
too. What a preview showed is what is billed, and `verify` finds no fault afterwards, on both databases.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest

from app.domain.invoice_lines import LineKind
from app.domain.metering import Outcome
from app.repositories.database import Database
from tests.command_line import CommandLine
from tests.factories.calls import a_call
from tests.gateway import LocalGateway
from tests.postgres import fresh_database
from tests.scenarios.office import Books, Office, StaffAtCommandLine, StaffAtServices
from tests.till import Till
from tests.world import World, pacific

FIRST = 100_001
AUGUST_2 = pacific(2026, 8, 2, 12)
PAID = ("PAID", "0.00")
SALES_TAX = {"Sales tax": "10"}
OVERAGE, IVR = LineKind.OVERAGE, LineKind.IVR

by_services = pytest.mark.parametrize("staff", ["services"], indirect=True)
by_both = pytest.mark.parametrize("staff", ["services", "command line"], indirect=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with every table and no row, on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "flex-billing.db"
        path.write_bytes(migrated_file.read_bytes())
        yield f"sqlite+aiosqlite:///{path}"
        return
    template = request.getfixturevalue("migrated_postgres")
    with fresh_database(request.getfixturevalue("postgres_server"), template) as fresh:
        yield fresh


@pytest.fixture
async def till(url: str, gateway: LocalGateway) -> AsyncIterator[Till]:
    """The product at noon of 1 August 2026, with prices and no account yet."""
    database = Database.open(url)
    try:
        yield Till(await World.create(database, now=pacific(2026, 8, 1, 12), payments=gateway.payments()), gateway)
    finally:
        await database.close()


@pytest.fixture
def staff(request: pytest.FixtureRequest, till: Till, url: str, tmp_path: Path):
    if request.param == "services":
        return StaffAtServices(till)
    return StaffAtCommandLine(till, CommandLine(tmp_path, tmp_path, {"FLEX_DATABASE_URL": url}))


@pytest.fixture
def office(till: Till, staff) -> Office:
    return Office(till, staff)


def all_paid(count: int) -> dict[int, tuple[str, str]]:
    """So many invoices, all of them paid."""
    return dict.fromkeys(range(FIRST, FIRST + count), PAID)


async def talk(office: Office, seconds: int, *, name: str, **call: object) -> None:
    """A call of 31 August, told of that evening or later."""
    office.world.clock.instant = max(office.world.clock.now(), pacific(2026, 8, 31, 18))
    at = pacific(2026, 8, 31, 9)
    told = a_call(event_id=name, started_at=at, script_seconds=seconds, recording_seconds=0, **call)
    (metered,) = await office.world.add_calls(told)
    assert metered.outcome is Outcome.ACCEPTED


class TestPositions:
    @by_both
    async def test_p1_a_credit_note_over_all_of_a_month_is_kept_when_it_moves_to_economy(self, office: Office):
        await office.begin("500")
        await office.add_card()
        await office.pay()
        await office.staff.note(FIRST)

        changed = await office.change_to("Economy")

        assert changed == [("BASE", "39.00"), ("CREDIT_KEPT", "-39.00")]
        assert (await office.words(100_003))[1] == "Credit kept from credit note 100002"
        assert await office.books() == Books(all_paid(3), open_balance="0.00", credit="499.00")
        assert (await office.net(), office.charged()) == (0, [499_00])

    @by_both
    async def test_p2_a_downgrade_of_an_unpaid_month_lowers_what_is_open(self, office: Office):
        await office.begin("100")

        changed = await office.change_to("Economy")

        assert changed == [("BASE", "39.00"), ("BASE_REVERSAL", "-139.00")]
        assert await office.books() == Books({FIRST: ("OPEN", "39.00"), 100_002: PAID}, "39.00", "0.00")
        refused = await office.staff.refuse_note(FIRST, ["1=0.01"])
        assert refused == (
            "$0.01 cannot be credited: $0.00 is left of line 1 of invoice 100001 (taken back by invoice 100002)."
        )
        refused = await office.staff.refuse_note(100_002, ["1=39.01"])
        assert refused == "$39.01 cannot be credited: $39.00 is left of line 1 of invoice 100002."
        await office.staff.note(100_002, ["1=39.00"])
        assert await office.books() == Books(all_paid(3), "0.00", "0.00")

    @by_services
    async def test_p3_after_a_downgrade_only_what_is_still_billed_can_be_credited(self, office: Office):
        await office.begin("500", card=True)

        changed = await office.change_to("220")

        assert changed == [("BASE", "239.00"), ("BASE_REVERSAL", "-499.00")]
        assert await office.books() == Books(all_paid(2), "0.00", "260.00")
        assert await office.staff.refuse_note(FIRST) == "Invoice 100001 has nothing left to credit."
        refused = await office.staff.refuse_note(100_002, ["1=239.01"])
        assert "$239.00 is left of line 1 of invoice 100002" in refused
        await office.staff.note(100_002)
        assert await office.books() == Books(all_paid(3), "0.00", "499.00")
        assert await office.net() == 0

    @by_services
    async def test_p4_what_was_never_paid_and_is_written_off_never_becomes_credit(self, office: Office):
        await office.begin("500")
        await office.staff.write_off(FIRST)

        changed = await office.change_to("Economy")

        assert changed == [("BASE", "39.00"), ("CREDIT_KEPT", "-39.00")]
        assert (await office.words(100_002))[1] == "Credit kept from the write-off of invoice 100001"
        books = await office.books()
        assert books == Books({FIRST: ("UNCOLLECTIBLE", "499.00"), 100_002: PAID}, "0.00", "0.00")

    @by_services
    async def test_p5_a_correction_gives_back_what_is_still_billed_of_overage_and_no_more(self, office: Office):
        await self.bill_overage_late_and_credit_it(office)
        await talk(office, 50 * 60, name="corrected", corrects="talk")

        assert await office.close_month(11) == [("BASE", "139.00"), ("ADJUSTMENT", "-12.90")]
        assert await office.books() == Books(all_paid(5), "0.00", "0.00")
        assert (await office.net(8, OVERAGE), office.charged()[-1]) == (0, 98_15)  # 139.00 - 12.90 - 27.95

    @by_services
    async def test_p6_more_calls_after_a_note_are_billed_beside_it(self, office: Office):
        await self.bill_overage_late_and_credit_it(office)
        await talk(office, 10 * 60, name="more")

        assert await office.close_month(11) == [("BASE", "139.00"), ("ADJUSTMENT", "12.90")]
        assert await office.books() == Books(all_paid(5), "0.00", "0.00")
        assert (await office.net(8, OVERAGE), office.charged()[-1]) == (25_80, 123_95)  # 139.00 + 12.90 - 27.95

    async def bill_overage_late_and_credit_it(self, office: Office) -> None:
        """Overage of $27.95 paid in September, $12.90 more in October; then a note over the first."""
        await office.begin("100", card=True)
        await talk(office, 100 * 60 + 1300, name="talk")
        assert await office.close_month(9) == [("BASE", "139.00"), ("OVERAGE", "27.95")]
        await talk(office, 10 * 60, name="late")
        assert await office.close_month(10) == [("BASE", "139.00"), ("ADJUSTMENT", "12.90")]
        assert office.charged() == [139_00, 166_95, 151_90]
        await office.staff.note(100_002, ["2=27.95"])

    @by_services
    async def test_p7_a_partial_note_is_given_once_when_the_bill_goes_down(self, office: Office):
        await office.begin("500", card=True)
        await office.staff.note(FIRST, ["1=100.00"])

        changed = await office.change_to("Economy")

        assert changed == [("BASE", "39.00"), ("BASE_REVERSAL", "-399.00")]
        assert await office.total(100_003) == "-360.00"
        assert await office.books() == Books(all_paid(3), "0.00", "460.00")
        assert await office.net() == 39_00

    @by_services
    async def test_p7_a_partial_note_is_kept_when_the_bill_goes_up(self, office: Office):
        await office.begin("500", card=True)
        await office.staff.note(FIRST, ["1=100.00"])

        changed = await office.change_to("1,000")

        assert changed == [("BASE", "949.00"), ("BASE_REVERSAL", "-399.00"), ("CREDIT_KEPT", "-100.00")]
        assert await office.total(100_003) == "450.00"
        assert await office.books() == Books(all_paid(3), "0.00", "0.00")
        assert office.charged() == [499_00, 350_00]

    @by_both
    async def test_p8_a_downgrade_after_a_refund_lowers_what_is_open_again(self, office: Office):
        await office.begin("500")
        await office.add_card()
        await office.pay()
        office.till.gateway.settle()
        await office.staff.refund(FIRST, "499.00")
        assert await office.books() == Books({FIRST: ("OPEN", "499.00")}, "499.00", "0.00")

        changed = await office.change_to("Economy")

        assert changed == [("BASE", "39.00"), ("BASE_REVERSAL", "-499.00")]
        assert await office.books() == Books({FIRST: ("OPEN", "39.00"), 100_002: PAID}, "39.00", "0.00")
        (order,) = office.till.gateway.ledger().values()
        assert (order["captured_cents"], order["refunded_cents"]) == (499_00, 499_00)

    @by_services
    async def test_p9_a_card_added_after_a_downgrade_is_charged_what_is_left(self, office: Office):
        await office.begin("500")
        await office.change_to("Economy")

        await office.add_card()
        await office.staff.run_due()

        assert office.charged() == [39_00]
        assert await office.books() == Books(all_paid(2), "0.00", "0.00")
        assert await office.till.disagreements() == []

    @by_services
    @pytest.mark.parametrize("second_note", [True, False])
    async def test_p10_one_more_note_on_the_way_changes_no_net(self, office: Office, second_note: bool):
        await office.begin("500", card=True)
        await office.staff.note(FIRST, ["1=100.00"])
        await office.change_to("1,000")
        if second_note:
            await office.staff.note(100_003, ["1=50.00"])

        changed = await office.change_to("500")

        reversed_amount = "-799.00" if second_note else "-849.00"
        assert changed == [("BASE", "499.00"), ("BASE_REVERSAL", reversed_amount), ("CREDIT_KEPT", "-100.00")]
        assert await office.net() == 399_00
        assert await office.books() == Books(all_paid(5 if second_note else 4), "0.00", "450.00")
        assert office.charged() == [499_00, 350_00]

    @by_services
    async def test_p11_two_notes_are_both_kept_on_the_way_back_up(self, office: Office):
        await office.begin("500", card=True)
        await office.staff.note(FIRST, ["1=100.00"])
        assert await office.change_to("Economy") == [("BASE", "39.00"), ("BASE_REVERSAL", "-399.00")]
        await office.staff.note(100_003, ["1=10.00"])

        changed = await office.change_to("500")

        assert changed == [("BASE", "499.00"), ("BASE_REVERSAL", "-29.00"), ("CREDIT_KEPT", "-110.00")]
        assert await office.net() == 389_00
        assert await office.books() == Books(all_paid(5), "0.00", "110.00")
        assert office.charged() == [499_00]

    @by_both
    async def test_p12_money_for_what_was_written_off_recovers_it(self, office: Office):
        await office.begin("500")
        await office.staff.write_off(FIRST)
        assert await office.net() == 0

        await office.staff.check("499.00")

        assert await office.books() == Books(all_paid(1), "0.00", "0.00")
        assert await office.net() == 499_00

    @by_services
    async def test_p12_a_part_of_the_money_recovers_a_part(self, office: Office):
        await office.begin("500")
        await office.staff.write_off(FIRST)

        await office.staff.check("200.00")

        assert await office.books() == Books({FIRST: ("UNCOLLECTIBLE", "299.00")}, "0.00", "0.00")
        assert await office.net() == 200_00
        await office.staff.check("300.00")
        assert await office.books() == Books(all_paid(1), "0.00", "1.00")
        assert await office.net() == 499_00

    @by_services
    async def test_p13_a_downgrade_a_write_off_and_back_up_bills_the_difference(self, office: Office):
        await office.begin("100")
        await office.change_to("Economy")
        await office.staff.write_off(FIRST)
        await office.add_card()

        changed = await office.change_to("100")

        assert changed == [("BASE", "139.00"), ("CREDIT_KEPT", "-39.00")]
        assert await office.books() == Books(
            {FIRST: ("UNCOLLECTIBLE", "39.00"), 100_002: PAID, 100_003: PAID}, "0.00", "0.00"
        )
        assert office.charged() == [100_00]

    @by_services
    async def test_p14_a_note_over_one_kind_of_usage_leaves_the_other_alone(self, office: Office):
        await office.begin("100", card=True)
        await talk(office, 100 * 60 + 1300, name="talk", ivr_seconds=222 * 60)
        assert await office.close_month(9) == [("BASE", "139.00"), ("OVERAGE", "27.95"), ("IVR", "33.30")]
        await office.staff.note(100_002, ["3=33.30"])
        await talk(office, 100 * 60, name="corrected", ivr_seconds=222 * 60, corrects="talk")

        assert await office.close_month(10) == [("BASE", "139.00"), ("ADJUSTMENT", "-27.95")]
        assert (await office.net(8, OVERAGE), await office.net(8, IVR)) == (0, 0)
        assert await office.books() == Books(all_paid(4), "0.00", "0.00")
        assert office.charged() == [139_00, 200_25, 77_75]  # 139.00 - 27.95 - 33.30


class TestTaxes:
    @by_both
    async def test_t1_a_reversal_gives_back_no_tax_that_was_not_billed(self, office: Office):
        await office.begin("500", card=True)
        await office.staff.taxes(date(2026, 8, 2), SALES_TAX)
        await office.go_on_to(AUGUST_2)

        changed = await office.change_to("220")

        assert changed == [("BASE", "239.00"), ("BASE_REVERSAL", "-499.00"), ("TAX", "23.90")]
        assert await office.total(100_002) == "-236.10"
        assert await office.books() == Books(all_paid(2), "0.00", "236.10")

    @by_services
    async def test_t2_a_reversal_gives_back_the_tax_of_then(self, office: Office):
        await office.begin("500", card=True, taxes={"Sales tax": "20"})
        assert await office.lines(FIRST) == [("BASE", "499.00"), ("TAX", "99.80")]
        await office.staff.taxes(date(2026, 8, 2), {})
        await office.go_on_to(AUGUST_2)

        changed = await office.change_to("220")

        assert changed == [("BASE", "239.00"), ("BASE_REVERSAL", "-499.00"), ("TAX", "-99.80")]
        assert await office.total(100_002) == "-359.80"
        assert await office.books() == Books(all_paid(2), "0.00", "359.80")

    @by_services
    async def test_t3_a_correction_gives_back_no_tax_beside_a_base_that_is_taxed(self, office: Office):
        await office.begin("Economy", card=True)
        await talk(office, 70 * 60, name="talk")
        assert await office.close_month(9) == [("BASE", "39.00"), ("OVERAGE", "97.30")]
        await office.staff.taxes(date(2026, 10, 1), {"Sales tax": "9.25"})
        await talk(office, 30, name="corrected", corrects="talk")

        assert await office.close_month(10) == [("BASE", "39.00"), ("ADJUSTMENT", "-96.60"), ("TAX", "3.61")]
        assert await office.total(100_003) == "-53.99"
        assert await office.books() == Books(all_paid(3), "0.00", "53.99")
        assert await office.net(8, OVERAGE) == 70

    @by_services
    async def test_t4_a_rate_may_have_three_decimals(self, office: Office):
        await office.begin("1,000", taxes={"Sales tax": "8.875"})

        assert await office.lines(FIRST) == [("BASE", "949.00"), ("TAX", "84.22")]
        assert await office.books() == Books({FIRST: ("OPEN", "1033.22")}, "1033.22", "0.00")

    @by_both
    async def test_t5_two_taxes_are_two_lines_that_round_on_their_own(self, office: Office):
        await office.begin("100", taxes={"State tax": "6.5", "City tax": "1.25"})

        assert await office.lines(FIRST) == [("BASE", "139.00"), ("TAX", "9.04"), ("TAX", "1.74")]
        assert await office.books() == Books({FIRST: ("OPEN", "149.78")}, "149.78", "0.00")

    @by_services
    async def test_t6_a_note_with_its_tax_is_kept_when_the_month_moves_to_economy(self, office: Office):
        await office.begin("500", card=True, taxes=SALES_TAX)
        assert office.charged() == [548_90]
        await office.staff.note(FIRST)

        changed = await office.change_to("Economy")

        assert changed == [("BASE", "39.00"), ("CREDIT_KEPT", "-39.00"), ("TAX", "3.90"), ("TAX", "-3.90")]
        assert await office.total(100_003) == "0.00"
        assert await office.books() == Books(all_paid(3), "0.00", "548.90")
