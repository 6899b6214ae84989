"""What comes out of an operation: values, errors with codes, and of a fault nothing but its request id."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import strawberry
import structlog
from strawberry.schema.config import StrawberryConfig

from app.domain.accounts import Role
from app.domain.periods import Period as BillingPeriod
from app.error_codes import MASKED_MESSAGE, ErrorCode
from app.graphql.connections import AfterArgument, Connection, FirstArgument, open_window, page_of, write_cursor
from app.graphql.context import Asked, Context, GraphQLOptions, Info
from app.graphql.documents import DocumentStore, RuleSet
from app.graphql.errors import ApiError, BadInput
from app.graphql.execution import Executor
from app.graphql.permissions import Permission, root_field, section
from app.graphql.scalars import SCALARS
from app.graphql.schema import BillingSchema
from app.graphql.types.common import Period
from app.graphql.types.money import Money
from app.ports import Claims
from tests.fakes.edge import FakeReader, FixedClock, a_page, a_viewer

ROWS = a_page("rows")


@strawberry.type
class Item:
    name: str


@strawberry.type
class Box:
    label: str

    @section(permission=Permission.VIEW_PAYMENT_DETAILS, description="Payment.")
    def payment(self) -> str | None:
        return "Visa 4242"

    @section(permission=Permission.VIEW_PAYMENT_DETAILS, description="Payment, after a wait.")
    async def late_payment(self) -> str | None:
        return "Visa 4242"

    @strawberry.field
    def broken(self) -> int:
        raise ValueError("card 4111111111111111")


@strawberry.type
class Query:
    @root_field(permission=Permission.VIEW_SUMMARY, description="A box.")
    async def box(self, info: Info) -> Box | None:
        return Box(label=await info.context.load(ROWS))

    @root_field(permission=Permission.VIEW_INVOICES, description="Not for members.")
    async def invoices(self, info: Info) -> Box | None:
        return Box(label=await info.context.load(ROWS))

    @root_field(permission=Permission.VIEW_INVOICES, description="Refuses its argument.")
    async def picky(self, info: Info, month: str) -> int | None:
        raise BadInput(f"{month} is not a month.")

    @root_field(permission=Permission.VIEW_SUMMARY, description="Breaks.")
    async def breaks(self, info: Info) -> int | None:
        raise RuntimeError("SELECT secret FROM table")

    @root_field(permission=Permission.VIEW_SUMMARY, description="Returns what its type is not.")
    async def wrong(self, info: Info) -> int | None:
        return "text with a secret"  # type: ignore[return-value]

    @root_field(permission=Permission.VIEW_SUMMARY, description="Never null, but null.")
    async def must(self, info: Info) -> int:
        return None  # type: ignore[return-value]

    @root_field(permission=Permission.VIEW_SUMMARY, description="Busy.")
    async def busy(self, info: Info) -> int | None:
        raise ApiError(ErrorCode.TIMEOUT, "Busy. Try again.")

    @root_field(permission=Permission.VIEW_SUMMARY, description="Adds one.")
    async def add(self, info: Info, number: int = 1) -> int | None:
        return number + 1

    @root_field(permission=Permission.VIEW_SUMMARY, description="Gives back what it takes.")
    async def echo(
        self, info: Info, on: date | None = None, at: datetime | None = None, of: Decimal | None = None
    ) -> str | None:
        return repr(on or at or of)

    @root_field(permission=Permission.VIEW_SUMMARY, description="Money.")
    async def money(self, info: Info) -> list[Money] | None:
        return [Money.of(cents) for cents in (496_770, -5, 0)]

    @root_field(permission=Permission.VIEW_SUMMARY, description="Time.")
    async def at(self, info: Info) -> datetime | None:
        return datetime(2026, 8, 31, 7, 0, 0, 123_999, tzinfo=UTC)

    @root_field(permission=Permission.VIEW_SUMMARY, description="A period.")
    async def period(self, info: Info) -> Period | None:
        return Period.of(BillingPeriod.parse("2026-08"))

    @root_field(permission=Permission.VIEW_SUMMARY, description="Items.")
    async def items(
        self, info: Info, first: FirstArgument = 20, after: AfterArgument = None
    ) -> Connection[Item] | None:
        window = open_window(info, kind="items", first=first, after=after, keys=(str, int))
        info.context.reads._reader.parameters["window"] = window
        rows = await info.context.load(ROWS)
        total = 99 if window.is_counted else None
        return page_of(rows, window, node=lambda row: Item(name=row[0]), keys=lambda row: row, total=total)


SCHEMA = BillingSchema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))._schema
RULES = RuleSet(allows_introspection=True, shows_suggestions=True)
STORE = DocumentStore(SCHEMA, RULES)


class Operation:
    """One operation as a user of a role, with what it read."""

    def __init__(self, *, role: Role | None = Role.ADMIN, rows: object = "label") -> None:
        self.reader = FakeReader(viewer=a_viewer(role=role) if role else None, rows=rows)

    async def run(self, text: str, **variables: object) -> dict:
        context = Context.open(
            Asked("req_1", Claims("user-1", "AA0101")),
            clock=FixedClock(),
            reader=self.reader,
            options=GraphQLOptions(),
        )
        document = STORE.prepare(text)
        answer = await Executor(SCHEMA, RULES).run(document, document.find_operation(None), variables, context)
        return json.loads(json.dumps(answer.body))


def error_of(body: dict) -> dict:
    (error,) = body["errors"]
    return error


class TestTrips:
    async def test_an_operation_makes_one_trip_with_the_session_in_it(self):
        operation = Operation()
        assert await operation.run("{ box { label } invoices { label } }") == {
            "data": {"box": {"label": "label"}, "invoices": {"label": "label"}}
        }
        assert operation.reader.trips == [["viewer", "rows", "rows"]]

    async def test_an_operation_that_reads_nothing_asks_for_the_session(self):
        operation = Operation()
        assert await operation.run("{ add }") == {"data": {"add": 2}}
        assert operation.reader.trips == [["viewer"]]
        assert operation.reader.parameters == {"viewer": {"subject": "user-1", "account": "AA0101"}}


class TestPermissions:
    async def test_a_role_without_the_permission_is_refused_in_words(self):
        body = await Operation(role=Role.MEMBER).run("{ invoices { label } box { label } }")
        assert body["data"] == {"invoices": None, "box": {"label": "label"}}
        assert error_of(body) == {
            "message": "Your role MEMBER on this account does not include VIEW_INVOICES. Ask an administrator of the "
            "account to change your role, or to do this for you.",
            "extensions": {"code": "FORBIDDEN", "requestId": "req_1", "retryable": False},
            "locations": [{"line": 1, "column": 3}],
            "path": ["invoices"],
        }

    async def test_a_refusal_outranks_a_bad_argument(self):
        body = await Operation(role=Role.MEMBER).run('{ picky(month: "x") }')
        assert error_of(body)["extensions"]["code"] == "FORBIDDEN"

    async def test_a_user_who_is_no_member_any_more_is_told_what_to_do(self):
        body = await Operation(role=None).run("{ box { label } }")
        assert body["data"] == {"box": None}
        assert error_of(body)["extensions"]["code"] == "FORBIDDEN"
        assert "not a member of this account any more" in error_of(body)["message"]

    async def test_a_section_is_null_without_an_error_for_a_role_that_may_not_see_it(self):
        text = "{ box { label payment latePayment } }"
        assert await Operation(role=Role.MEMBER).run(text) == {
            "data": {"box": {"label": "label", "payment": None, "latePayment": None}}
        }
        assert await Operation(role=Role.BILLING).run(text) == {
            "data": {"box": {"label": "label", "payment": "Visa 4242", "latePayment": "Visa 4242"}}
        }


class TestErrors:
    @pytest.mark.parametrize("text", ["{ breaks }", "{ wrong }", "{ must }", "{ box { broken } }"])
    async def test_a_fault_is_masked_and_logged_once_without_its_text(self, text):
        with structlog.testing.capture_logs() as logs:
            body = await Operation().run("query Summary " + text)
        error = error_of(body)
        assert error["message"] == MASKED_MESSAGE
        assert error["extensions"] == {"code": "INTERNAL", "requestId": "req_1", "retryable": True}
        (entry,) = logs
        assert (entry["event"], entry["log_level"], entry["operation"]) == ("field failed", "error", "Summary")
        assert "secret" not in str(entry)
        assert "4111" not in str(entry)

    async def test_a_database_that_fails_is_a_fault_of_every_field_that_needs_it(self):
        operation = Operation()
        operation.reader.views["rows"] = RuntimeError("host=db password=x")
        body = await operation.run("{ box { label } add }")
        assert body["data"] == {"box": None, "add": 2}
        assert error_of(body)["message"] == MASKED_MESSAGE

    async def test_an_expected_failure_keeps_its_words_and_its_path(self):
        body = await Operation().run('{ second: picky(month: "Aug") }')
        assert error_of(body) == {
            "message": "Aug is not a month.",
            "extensions": {"code": "BAD_INPUT", "requestId": "req_1", "retryable": False},
            "locations": [{"line": 1, "column": 3}],
            "path": ["second"],
        }

    async def test_a_failure_says_whether_to_try_again(self):
        assert error_of(await Operation().run("{ busy }"))["extensions"]["retryable"] is True

    @pytest.mark.parametrize("value", ["x", 1.5, 2**40, [1]])
    async def test_a_variable_that_does_not_fit_is_bad_input_without_data(self, value):
        body = await Operation().run("query ($n: Int!) { add(number: $n) }", n=value)
        assert set(body) == {"errors"}
        assert error_of(body)["extensions"]["code"] == "BAD_INPUT"

    async def test_a_variable_that_only_execution_can_refuse_is_bad_input_with_its_path(self):
        body = await Operation().run("query ($n: Int = 1) { add(number: $n) }", n=None)
        assert error_of(body)["extensions"]["code"] == "BAD_INPUT"
        assert error_of(body)["path"] == ["add"]


class TestScalars:
    async def test_money_has_exact_digits_a_currency_and_a_text_for_people(self):
        body = await Operation().run('{ money { amount currencyCode us: formatted de: formatted(locale: "de-DE") } }')
        assert body["data"]["money"] == [
            {"amount": "4967.70", "currencyCode": "USD", "us": "$4,967.70", "de": "4.967,70\xa0$"},
            {"amount": "-0.05", "currencyCode": "USD", "us": "-$0.05", "de": "-0,05\xa0$"},
            {"amount": "0.00", "currencyCode": "USD", "us": "$0.00", "de": "0,00\xa0$"},
        ]

    async def test_instants_have_three_decimals_and_a_z_and_periods_their_zone(self):
        body = await Operation().run("{ at period { startsOn endsBefore timeZone } }")
        assert body["data"] == {
            "at": "2026-08-31T07:00:00.123Z",
            "period": {"startsOn": "2026-08-01", "endsBefore": "2026-09-01", "timeZone": "America/Los_Angeles"},
        }

    @pytest.mark.parametrize(
        ("argument", "kind", "value", "read"),
        [
            ("on", "Date", "2026-02-28", "datetime.date(2026, 2, 28)"),
            ("at", "DateTime", "2026-08-31T00:00:00-07:00", repr(datetime(2026, 8, 31, 7, tzinfo=UTC))),
            ("at", "DateTime", "2026-08-31t07:00:00.5z", repr(datetime(2026, 8, 31, 7, 0, 0, 500_000, tzinfo=UTC))),
            (
                "at",
                "DateTime",
                "2026-08-31T07:00:00.123456789Z",
                repr(datetime(2026, 8, 31, 7, 0, 0, 123_456, tzinfo=UTC)),
            ),
            ("of", "Decimal", "-4967.70", "Decimal('-4967.70')"),
        ],
    )
    async def test_values_are_read_in_their_one_spelling(self, argument, kind, value, read):
        body = await Operation().run(f"query ($v: {kind}) {{ echo({argument}: $v) }}", v=value)
        assert body == {"data": {"echo": read}}

    @pytest.mark.parametrize(
        ("argument", "kind", "value"),
        [
            ("on", "Date", "2026-02-30"),
            ("on", "Date", "20260228"),
            ("on", "Date", "2026-02-28T00:00:00Z"),
            ("on", "Date", 2026),
            ("at", "DateTime", "2026-08-31"),
            ("at", "DateTime", "2026-08-31T07:00:00"),
            ("at", "DateTime", "2026-08-31T25:00:00Z"),
            ("at", "DateTime", "0001-01-01T00:00:00+10:00"),
            ("at", "DateTime", "\uff12026-08-31T07:00:00Z"),
            ("of", "Decimal", "1e9"),
            ("of", "Decimal", "NaN"),
            ("of", "Decimal", 1.5),
            ("of", "Decimal", "1" * 19),
        ],
    )
    async def test_other_spellings_are_refused_with_an_example(self, argument, kind, value):
        body = await Operation().run(f"query ($v: {kind}) {{ echo({argument}: $v) }}", v=value)
        assert error_of(body)["extensions"]["code"] == "BAD_INPUT"
        assert "Write it as a string such as" in error_of(body)["message"]


THREE = [("a", 1), ("b", 2), ("c", 3)]


class TestConnections:
    async def test_a_page_has_its_items_its_cursors_and_whether_more_follow(self):
        body = await Operation(rows=THREE).run(
            "{ items(first: 2) { nodes { name } edges { cursor node { name } } "
            "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
        )
        cursors = [write_cursor("items", row) for row in THREE]
        assert body["data"]["items"] == {
            "nodes": [{"name": "a"}, {"name": "b"}],
            "edges": [{"cursor": cursors[0], "node": {"name": "a"}}, {"cursor": cursors[1], "node": {"name": "b"}}],
            "pageInfo": {
                "hasNextPage": True,
                "hasPreviousPage": False,
                "startCursor": cursors[0],
                "endCursor": cursors[1],
            },
        }

    async def test_a_cursor_brings_its_keys_back(self):
        operation = Operation(rows=[])
        body = await operation.run(
            "query ($c: String) { items(after: $c) { pageInfo { hasNextPage hasPreviousPage endCursor } } }",
            c=write_cursor("items", ("ü", -7)),
        )
        assert body["data"]["items"]["pageInfo"] == {
            "hasNextPage": False,
            "hasPreviousPage": True,
            "endCursor": None,
        }
        assert operation.reader.parameters["window"].after == ("ü", -7)
        assert operation.reader.parameters["window"].fetch == 21

    @pytest.mark.parametrize(
        ("text", "counted"),
        [
            ("{ items { totalCount } }", 99),
            ("{ items { ...F } } fragment F on ItemConnection { ... { total: totalCount } }", 99),
            ("{ items { nodes { name } } }", None),
        ],
    )
    async def test_the_whole_list_is_counted_only_when_asked_for(self, text, counted):
        operation = Operation(rows=[])
        body = await operation.run(text)
        assert operation.reader.parameters["window"].is_counted is (counted is not None)
        assert list(body["data"]["items"].values()) == [counted or []]

    @pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
    async def test_a_page_size_out_of_bounds_is_refused_with_the_bounds(self, first):
        body = await Operation().run("query ($n: Int!) { items(first: $n) { totalCount } }", n=first)
        assert error_of(body)["message"] == (
            f"`first` is {first}. Ask for 1 to 100 items, and for more of them with `after`."
        )
        assert (error_of(body)["extensions"]["code"], error_of(body)["path"]) == ("BAD_INPUT", ["items"])

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "x",
            "!!!!",
            "ü",
            "bnVsbA",
            "W10",
            "A" * 600,
            "_____w",
            write_cursor("calls", ("a", 1)),
            write_cursor("items", ("a",)),
            write_cursor("items", (1, "a")),
            write_cursor("items", ("a", True)),
            write_cursor("items", ("a", 1)) + "AAAA",
        ],
    )
    async def test_a_cursor_that_was_tampered_with_is_bad_input_with_its_path(self, cursor):
        body = await Operation().run("query ($c: String) { items(after: $c) { totalCount } }", c=cursor)
        assert error_of(body)["message"] == "This cursor is not one of this list's. Start again without `after`."
        assert (error_of(body)["extensions"]["code"], error_of(body)["path"]) == ("BAD_INPUT", ["items"])


class TestDeadline:
    async def test_a_cancelled_operation_leaves_nothing_running(self):
        operation = Operation()

        async def never(_requests):
            await asyncio.Event().wait()

        operation.reader.load_each = never
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await operation.run("{ box { label } invoices { label } }")
