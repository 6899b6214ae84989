"""Invoices over HTTP: the list, one with the usage and calls behind its lines, and what a role may see."""

from __future__ import annotations

import pytest

from app.domain.accounts import Role
from app.domain.invoice_drafts import InvoiceStatus
from tests.factories.calls import a_call
from tests.story import invoice_ids, tell
from tests.trips import counted_trips
from tests.world import World, pacific

LIST = """query List($filter: InvoiceFilter, $first: Int! = 20, $after: String) {
  invoices(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { number status }
  }
}"""

SHOW = """query Show($id: ID!) { invoice(id: $id) {
  id number kind kindDisplayName status statusDisplayName corrects accountName issuedAt dueOn paidAt hash
  period { startsOn endsBefore }
  subtotal { amount } tax { amount } total { amount }
  creditApplied { amount } creditCreated { amount } amountDue { amount } balance { amount }
  payments { kind amount { amount } receivedOn reference } credits { amount { amount } grantedOn origin }
  lines { __typename id kind displayName amount { amount } period { startsOn } explanation { rule arithmetic }
    ... on PlanLine { planCode planName paidDays }
    ... on UsageLine { quantity { seconds minutes } rate { amount per } }
    ... on AdjustmentLine { usageKind monthCharges { amount } alreadyBilled { amount } creditKept { amount } } }
} }"""

BEHIND = """query Behind($id: ID!, $first: Int! = 20, $after: String) { invoice(id: $id) { lines { kind
  ... on MeteredLine {
    usage { live { seconds } patch { seconds } ivr { seconds } callCount
            days { on live { seconds } patch { seconds } ivr { seconds } callCount } }
    calls(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
      nodes { id startedAt live { seconds } patch { seconds } ivr { seconds } isBilled isCorrected corrects } } }
} } }"""

EVERYTHING = """{ invoices { nodes { id lines { id ... on MeteredLine {
  usage { callCount } calls(first: 3) { nodes { id } } } } payments { reference } credits { origin } } } }"""


@pytest.fixture
async def told(world: World) -> World:
    await tell(world)
    return world


async def show(world: World, number: int, query: str = SHOW, **variables) -> dict:
    ids = await invoice_ids(world)
    data = await world.data(query, variables={"id": ids[number - 100_001], **variables})
    return data["invoice"]


def metered(invoice: dict) -> dict[str, dict]:
    return {line["kind"]: line for line in invoice["lines"] if "calls" in line}


class TestInvoice:
    async def test_shows_every_part_of_an_invoice(self, told):
        invoice = await show(told, 100_002)
        lines = invoice.pop("lines")
        payments = invoice.pop("payments")
        assert invoice.pop("id").startswith("inv_")
        assert len(invoice.pop("hash")) == 64
        assert invoice == {
            "number": "100002",
            "kind": "CYCLE",
            "kindDisplayName": "Monthly invoice",
            "corrects": None,
            "status": "PAID",
            "statusDisplayName": "Paid",
            "accountName": "Harbor Dental",
            "issuedAt": "2026-08-01T13:00:00.000Z",
            "dueOn": "2026-08-01",
            "paidAt": "2026-08-02T19:00:00.000Z",
            "period": {"startsOn": "2026-08-01", "endsBefore": "2026-09-01"},
            "subtotal": {"amount": "237.50"},
            "tax": {"amount": "0.00"},
            "total": {"amount": "237.50"},
            "creditApplied": {"amount": "0.00"},
            "creditCreated": {"amount": "0.00"},
            "amountDue": {"amount": "237.50"},
            "balance": {"amount": "0.00"},
            "credits": [],
        }
        assert [(each["amount"]["amount"], each["reference"]) for each in payments] == [
            ("11.00", "1042"),
            ("226.50", "1043"),
        ]
        assert [(line["__typename"], line["kind"], line["amount"]["amount"]) for line in lines] == [
            ("PlanLine", "BASE", "139.00"),
            ("UsageLine", "OVERAGE", "94.17"),
            ("UsageLine", "PATCH", "1.33"),
            ("UsageLine", "IVR", "3.00"),
        ]

    async def test_lines_tell_what_their_kind_knows_and_how_they_were_worked_out(self, told):
        base, overage, *_ = (await show(told, 100_002))["lines"]
        assert (base["planCode"], base["planName"], base["paidDays"]) == ("100", "100 Minutes", 31)
        assert overage["quantity"] == {"seconds": 4380, "minutes": "73.00"}
        assert overage["rate"] == {"amount": "1.29", "per": "MINUTE"}
        assert overage["period"] == {"startsOn": "2026-07-01"}
        assert overage["explanation"]["rule"] == 7
        assert overage["explanation"]["arithmetic"].endswith("73 min × $1.29 a minute = $94.17")

    async def test_a_correction_shows_both_its_sides_kind_by_kind_and_credit_pays_first(self, told):
        """Rules 25 and 35."""
        invoice = await show(told, 100_003)
        corrections = invoice["lines"][1:]
        assert {line["__typename"] for line in corrections} == {"AdjustmentLine"}
        assert [
            (line["usageKind"], *(line[part]["amount"] for part in ("monthCharges", "alreadyBilled", "amount")))
            for line in corrections
        ] == [
            ("OVERAGE", "102.08", "94.17", "7.91"),
            ("PATCH", "1.30", "1.33", "-0.03"),
            ("IVR", "2.93", "3.00", "-0.07"),
        ]
        assert {line["creditKept"]["amount"] for line in corrections} == {"0.00"}
        assert invoice["credits"] == [
            {
                "amount": {"amount": "100.00"},
                "grantedOn": "2026-08-02",
                "origin": "A payment was larger than what was open",
            }
        ]
        assert (invoice["amountDue"]["amount"], invoice["balance"]["amount"]) == ("46.81", "46.81")
        assert (invoice["status"], invoice["paidAt"]) == ("OPEN", None)

    async def test_an_issued_invoice_stays_as_it_is_whatever_comes_in(self, told):
        """Rules 27 and 28."""
        before = await show(told, 100_002, SHOW), await show(told, 100_002, BEHIND)
        await told.add_calls(
            a_call(event_id="later", started_at=pacific(2026, 7, 30, 9)),
            a_call(event_id="again", started_at=pacific(2026, 7, 30, 9), corrects="AA0101/july/39"),
        )
        await told.advance_to(pacific(2026, 10, 2, 12))
        assert (await show(told, 100_002, SHOW), await show(told, 100_002, BEHIND)) == before

    @pytest.mark.parametrize("invoice_id", ["inv_00000000000000000000000000", "", "acc_1", "inv_' OR 1=1 --"])
    async def test_an_unknown_id_is_null(self, told, invoice_id):
        assert (await told.data(SHOW, variables={"id": invoice_id})) == {"invoice": None}


class TestUnderlyingUsage:
    async def test_days_and_calls_add_up_to_the_line(self, told):
        lines = metered(await show(told, 100_002, BEHIND, first=100))
        for kind, name in (("OVERAGE", "live"), ("PATCH", "patch"), ("IVR", "ivr")):
            usage, calls = lines[kind]["usage"], lines[kind]["calls"]
            total = sum(call[name]["seconds"] for call in calls["nodes"])
            assert usage[name]["seconds"] == sum(day[name]["seconds"] for day in usage["days"]) == total
            assert usage["callCount"] == calls["totalCount"] == 40
        assert lines["OVERAGE"]["usage"]["live"]["seconds"] == 10_380

    async def test_the_calls_of_a_correction_are_those_between_the_two_invoices(self, told):
        """Rule 25: the late ones, the correction, and the call that it took the place of."""
        correction = metered(await show(told, 100_003, BEHIND))["ADJUSTMENT"]
        shown = [
            (call["live"]["seconds"], call["isBilled"], call["isCorrected"]) for call in correction["calls"]["nodes"]
        ]
        assert shown == [(10, True, False), (242, False, True), (600, True, False), (150, False, False)]
        assert correction["calls"]["nodes"][0]["corrects"] == correction["calls"]["nodes"][1]["id"]
        assert correction["usage"]["live"]["seconds"] == 10_380 - 242 + 10 + 600

    async def test_a_call_behind_a_line_says_how_it_stands_today(self, told):
        """An id stands for one state of the world (decision 0021): the list of calls says the same of it."""
        overage = metered(await show(told, 100_002, BEHIND, first=100))["OVERAGE"]
        assert {call["isCorrected"] for call in overage["calls"]["nodes"]} == {False, True}

    async def test_pages_follow_each_other_without_gap_while_calls_come_in(self, told):
        seen, after = [], None
        while True:
            page = metered(await show(told, 100_002, BEHIND, first=7, after=after))["OVERAGE"]["calls"]
            seen += [call["startedAt"] for call in page["nodes"]]
            await told.add_calls(a_call(event_id=f"new {len(seen)}", started_at=pacific(2026, 7, 31, 9, len(seen))))
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert len(seen) == 40
        assert seen == sorted(seen)

    async def test_calls_of_the_trial_stand_behind_no_line(self, world):
        """Rule 10."""
        await world.add_account(trial_ends_on=pacific(2026, 7, 10).date())
        await world.advance_to(pacific(2026, 7, 20, 12))
        await world.add_calls(
            a_call(event_id="trial", started_at=pacific(2026, 7, 10, 9), ivr_seconds=600),
            a_call(event_id="paid", started_at=pacific(2026, 7, 11, 9), ivr_seconds=60),
        )
        await world.advance_to(pacific(2026, 8, 2, 12))
        ivr = metered(await show(world, 100_002, BEHIND))["IVR"]
        assert (ivr["usage"]["ivr"]["seconds"], ivr["calls"]["totalCount"]) == (60, 1)

    async def test_a_cursor_of_another_list_is_refused(self, told):
        ids = await invoice_ids(told)
        other = (await told.data("{ calls(first: 1) { pageInfo { endCursor } } }"))["calls"]["pageInfo"]["endCursor"]
        body = await told.graphql(BEHIND, variables={"id": ids[1], "after": other})
        assert body["errors"][0]["extensions"]["code"] == "BAD_INPUT"
        assert body["errors"][0]["path"] == ["invoice", "lines", 1, "calls"]


class TestInvoices:
    async def test_they_come_newest_first_and_are_counted(self, told):
        found = (await told.data(LIST))["invoices"]
        assert [node["number"] for node in found["nodes"]] == ["100003", "100002", "100001"]
        assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (3, False)

    @pytest.mark.parametrize(
        ("narrowed", "numbers"),
        [
            ({"status": "OPEN"}, ["100003"]),
            ({"status": "PAID"}, ["100002", "100001"]),
            ({"status": "DRAFT"}, []),
            ({"month": "2026-08"}, ["100002"]),
            ({"month": "2026-08", "status": "OPEN"}, []),
            ({"month": "1999-01"}, []),
        ],
    )
    async def test_they_are_narrowed(self, told, narrowed, numbers):
        found = (await told.data(LIST, variables={"filter": narrowed}))["invoices"]
        assert [node["number"] for node in found["nodes"]] == numbers
        assert found["totalCount"] == len(numbers)

    async def test_pages_are_stable_while_invoices_are_issued(self, told):
        first = (await told.data(LIST, variables={"first": 2}))["invoices"]
        await told.advance_to(pacific(2026, 10, 2, 12))
        after = first["pageInfo"]["endCursor"]
        rest = (await told.data(LIST, variables={"first": 2, "after": after}))["invoices"]
        assert [node["number"] for node in first["nodes"] + rest["nodes"]] == ["100003", "100002", "100001"]
        assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
        assert rest["pageInfo"]["hasPreviousPage"] is True

    @pytest.mark.parametrize(
        "variables",
        [
            {"filter": {"month": "2026-13"}},
            {"filter": {"month": "August"}},
            {"first": 0},
            {"first": 101},
            {"after": "x"},
        ],
    )
    async def test_a_bad_argument_is_bad_input_with_its_path(self, told, variables):
        (error,) = (await told.graphql(LIST, variables=variables))["errors"]
        assert (error["extensions"]["code"], error["path"]) == ("BAD_INPUT", ["invoices"])

    async def test_every_status_has_a_name(self, told):
        names = {
            value["name"]
            for value in (await told.data('{ __type(name: "InvoiceStatus") { enumValues { name } } }'))["__type"][
                "enumValues"
            ]
        }
        assert names == {status.value for status in InvoiceStatus}


class TestLookingAhead:
    """The list reads lines and payments only for who asks for them, in whatever way."""

    @pytest.mark.parametrize(
        "query",
        [
            (
                "{ invoices { nodes { ...Row } } } fragment Row on Invoice { number ...Lines } "
                "fragment Lines on Invoice { lines { kind } }"
            ),
            (
                "{ invoices { nodes { ...Row } edges { node { ...Row ... on Node { id ...Row } } } } } "
                "fragment Row on Invoice { number lines { kind } }"
            ),
            "{ invoices { nodes { number ... on Invoice { lines { kind } } } } }",
        ],
    )
    async def test_lines_are_found_through_fragments(self, told, query):
        nodes = (await told.data(query))["invoices"]["nodes"]
        assert [len(node["lines"]) for node in nodes] == [4, 4, 1]

    async def test_a_list_without_lines_reads_none(self, told):
        row = "fragment Row on Invoice { number balance { amount } }"
        async with counted_trips() as trips:
            await told.data("{ invoices { nodes { ...Row } edges { node { ...Row } } } } " + row)
        assert "invoice_line.inputs" not in trips.statements[0]


class TestWhoMaySee:
    @pytest.mark.parametrize("field", ["invoices { totalCount }", 'invoice(id: "x") { id }'])
    async def test_a_member_is_refused(self, told, field):
        body = await told.graphql(f"{{ {field} }}", by=Role.MEMBER)
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    async def test_another_account_sees_nothing_of_it(self, told):
        await told.add_account("AA0202")
        for invoice_id in await invoice_ids(told):
            assert await told.data(SHOW, variables={"id": invoice_id}, account="AA0202") == {"invoice": None}
        assert (await told.data(LIST, account="AA0202"))["invoices"]["nodes"] == []


class TestTrips:
    async def test_an_invoice_takes_one_trip_and_what_is_behind_its_lines_one_more(self, told):
        ids = await invoice_ids(told)
        for query, count in ((SHOW, 1), (BEHIND, 2)):
            async with counted_trips() as trips:
                await told.data(query, variables={"id": ids[1]})
            assert trips.count == count

    async def test_ten_times_the_invoices_and_calls_take_no_more_trips(self, told):
        async with counted_trips() as few:
            await told.data(EVERYTHING)
        await told.advance_to(pacific(2028, 12, 2, 12))
        await told.add_calls(
            *(a_call(event_id=f"many {at}", started_at=pacific(2028, 11, 1, 9, at % 60)) for at in range(400))
        )
        await told.advance_to(pacific(2029, 1, 2, 12))
        async with counted_trips() as many:
            data = await told.data(EVERYTHING.replace("invoices", "invoices(first: 100)"))
        assert len(data["invoices"]["nodes"]) >= 30
        assert (few.count, many.count) == (2, 2)

    async def test_lines_at_different_depths_share_the_second_trip(self, told):
        ids = await invoice_ids(told)
        both = "{ a: " + BEHIND[BEHIND.index("invoice(") : -1].replace("$id", f'"{ids[1]}"') + " b: " + EVERYTHING[1:]
        both = both.replace("first: $first, after: $after", "first: 2")
        async with counted_trips() as trips:
            await told.data(both)
        assert trips.count == 2
