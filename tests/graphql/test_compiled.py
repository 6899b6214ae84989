"""Compiled execution against graphql-core: the same data, errors and paths, for good values and for broken ones."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse
from strawberry.schema.config import StrawberryConfig

from app.graphql.compiled.operation import CompiledOperation
from app.graphql.compiled.writer import NotCompiled
from app.graphql.documents import Document, RuleSet
from app.graphql.execution import ExecutionMode, Executor
from app.graphql.scalars import SCALARS

DONE: list[str] = []


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Shape:
    name: str


@strawberry.type
class Square(Shape):
    side: int


@strawberry.type
class Circle(Shape):
    radius: int | None


@strawberry.type
class Box:
    """Holds whatever a test puts into it, of the right class or not."""

    id: strawberry.ID
    colour: Colour
    amount: Decimal
    since: date
    at: datetime | None
    is_open: bool
    shapes: list[Shape]
    shape: Annotated[Square | Circle, strawberry.union("AnyShape")] | None
    tags: list[str | None]
    grid: list[list[int]]
    held: strawberry.Private[Any] = None

    @strawberry.field
    def scaled(self, by: int = 2, colours: list[Colour] | None = None) -> int:
        return by * 10 + len(colours or ())

    @strawberry.field
    def asked_by(self, info: strawberry.Info[Any, None]) -> str:
        return f"{info.context.request_id} {info.field_name}"

    @strawberry.field
    async def inner(self, depth: int = 1) -> Box | None:
        await asyncio.sleep(0)
        if isinstance(self.held, Exception):
            raise self.held
        return a_box() if depth else None

    @strawberry.field
    def broken(self) -> str:
        if isinstance(self.held, Exception):
            raise self.held
        return self.held


def a_box(**changes: Any) -> Box:
    good: dict[str, Any] = {
        "id": strawberry.ID("box_1"),
        "colour": Colour.RED,
        "amount": Decimal("12.50"),
        "since": date(2026, 8, 31),
        "at": datetime(2026, 8, 31, 7, tzinfo=UTC),
        "is_open": True,
        "shapes": [Square(name="s", side=2), Circle(name="c", radius=None)],
        "shape": Circle(name="c", radius=3),
        "tags": ["a", None],
        "grid": [[1, 2], []],
        "held": "whole",
    }
    return Box(**good | changes)


@strawberry.type
class Query:
    @strawberry.field
    async def box(self, info: strawberry.Info[Any, None], number: int = 0) -> Box | None:
        given = info.context.boxes[number]
        if isinstance(given, Exception):
            raise given
        return given

    @strawberry.field
    async def sure(self, info: strawberry.Info[Any, None]) -> Box:
        return info.context.boxes[0]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def act(self, info: strawberry.Info[Any, None], name: str) -> Box:
        DONE.append(name)
        if name == "fails":
            raise ValueError(name)
        return info.context.boxes[0]


SCHEMA = strawberry.Schema(
    query=Query, mutation=Mutation, types=[Square, Circle], config=StrawberryConfig(scalar_map=SCALARS)
)._schema


class Asked:
    """As much of a context as the resolvers here need."""

    request_id = "req_1"

    def __init__(self, *boxes: Any) -> None:
        self.boxes = boxes


ALL = """
fragment Parts on Box {
  __typename id colour amount since at isOpen tags grid
  shapes { __typename name ... on Square { side } }
  shape { ... on Circle { radius } ... on Square { edge: side } }
}
"""


def a_document(text: str) -> Document:
    node = parse(text)
    operations = [found for found in node.definitions if isinstance(found, OperationDefinitionNode)]
    return Document(node, {found.name.value if found.name else None: found for found in operations})


async def run(text: str, *boxes: Any, mode: ExecutionMode, variables: Any = None) -> dict[str, Any]:
    document = a_document(text)
    (operation,) = document.operations.values()
    rules = RuleSet(allows_introspection=True, shows_suggestions=True)
    executor = Executor(SCHEMA, rules, mode)
    document.compiled(SCHEMA, operation)  # the next run is the second one
    return (await executor.run(document, operation, variables or {}, Asked(*boxes))).body


async def both(text: str, *boxes: Any, variables: Any = None) -> dict[str, Any]:
    """The answer, which is the same either way."""
    plain = await run(text, *boxes, mode=ExecutionMode.PLAIN, variables=variables)
    compiled = await run(text, *boxes, mode=ExecutionMode.COMPILED, variables=variables)
    assert compiled == plain
    return compiled


def compiled(text: str) -> CompiledOperation:
    document = a_document(text)
    (operation,) = document.operations.values()
    return CompiledOperation(SCHEMA, document.node, operation)


class TestGoodValues:
    async def test_every_kind_of_value_is_completed(self):
        answer = await both("{ box { ...Parts } }" + ALL, a_box())
        assert answer["data"]["box"] == {
            "__typename": "Box",
            "id": "box_1",
            "colour": "RED",
            "amount": "12.50",
            "since": "2026-08-31",
            "at": "2026-08-31T07:00:00.000Z",
            "isOpen": True,
            "tags": ["a", None],
            "grid": [[1, 2], []],
            "shapes": [
                {"__typename": "Square", "name": "s", "side": 2},
                {"__typename": "Circle", "name": "c"},
            ],
            "shape": {"radius": 3},
        }

    async def test_it_is_graphql_core_no_more(self, monkeypatch):
        monkeypatch.setattr("app.graphql.execution.execute", None)
        answer = await run("{ box { ...Parts } }" + ALL, a_box(), mode=ExecutionMode.COMPILED)
        assert answer["data"]["box"]["id"] == "box_1"

    async def test_nothing_is_null_where_it_may_be(self):
        answer = await both(
            "{ box { at shape { __typename } } other: box(number: 1) { id } }", a_box(at=None, shape=None), None
        )
        assert answer["data"] == {"box": {"at": None, "shape": None}, "other": None}

    async def test_selections_of_one_field_are_merged(self):
        answer = await both(
            "{ box { id shape { ... on Circle { name } } } box { since shape { ... on Circle { radius } } } }", a_box()
        )
        assert answer["data"]["box"] == {"id": "box_1", "shape": {"name": "c", "radius": 3}, "since": "2026-08-31"}

    @pytest.mark.parametrize(
        ("arguments", "variables", "expected"),
        [
            ("", {}, 20),
            ("(by: 3, colours: [RED, BLUE])", {}, 32),
            ("(by: $by, colours: $colours)", {"by": 4, "colours": ["BLUE"]}, 41),
            ("(by: $by)", {}, 70),
            ("(colours: [RED, $one])", {"one": "RED"}, 22),
        ],
    )
    async def test_arguments_are_constants_or_variables(self, arguments, variables, expected):
        text = f"query Q($by: Int! = 7, $colours: [Colour!], $one: Colour! = RED) {{ box {{ scaled{arguments} }} }}"
        used = [name for name in ("$by", "$colours", "$one") if name in arguments]
        declared = {"$by": "$by: Int! = 7", "$colours": "$colours: [Colour!]", "$one": "$one: Colour! = RED"}
        head = f"query Q({', '.join(declared[name] for name in used)})" if used else "query Q"
        answer = await both(text.replace(text[: text.index("{")], f"{head} "), a_box(), variables=variables)
        assert answer["data"] == {"box": {"scaled": expected}}

    async def test_resolvers_are_told_of_the_operation(self):
        answer = await both("{ box { askedBy } }", a_box())
        assert (
            answer["data"]["box"]["askedBy"] == "req_1 asked_by" or answer["data"]["box"]["askedBy"] == "req_1 askedBy"
        )

    async def test_fields_that_wait_keep_their_places(self):
        text = "{ box { id inner { since inner(depth: 0) { id } at } colour } }"
        answer = await both(text, a_box())
        assert list(answer["data"]["box"]) == ["id", "inner", "colour"]
        assert answer["data"]["box"]["inner"]["inner"] is None

    async def test_constant_directives_are_followed(self):
        answer = await both(
            "{ box { id @skip(if: true) since @include(if: true) ... @include(if: false) { at } } }", a_box()
        )
        assert answer["data"] == {"box": {"since": "2026-08-31"}}


BROKEN = {
    "null where none may be": {"id": None},
    "another class": {"id": 7},
    "a text for a number": {"grid": [["x"]]},
    "a number too large": {"grid": [[2**31]]},
    "a truth for a number": {"grid": [[True]]},
    "no member of the enum": {"colour": "green"},
    "the text of a member": {"colour": "red"},
    "no date": {"since": "tomorrow"},
    "an instant for a date": {"since": datetime(2026, 8, 31, tzinfo=UTC)},
    "an instant without a zone": {"at": datetime(2026, 8, 31, tzinfo=UTC).replace(tzinfo=None)},
    "a float for a decimal": {"amount": 12.5},
    "a number for a truth": {"is_open": 1},
    "no list": {"tags": 7},
    "a set for a list": {"tags": {"a"}},
    "another object": {"shape": a_box()},
    "a list with null": {"shapes": [None]},
    "a list with another object": {"shapes": [Square(name="s", side=1), a_box()]},
    "a broken object in a list": {"shapes": [Square(name="s", side=1), Square(name=None, side=2)]},
    "null in a list of lists": {"grid": [None]},
}


class TestBrokenValues:
    @pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
    async def test_errors_are_graphql_cores_own(self, changes):
        await both("{ box { ...Parts } other: box(number: 1) { id } }" + ALL, a_box(**changes), a_box())

    @pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
    async def test_below_a_field_that_waits_too(self, changes):
        text = "{ box { id inner { broken } ...Parts } }" + ALL
        await both(text, a_box(**changes))

    async def test_an_exception_of_a_root_field_nulls_it_alone(self):
        answer = await both("{ box { id } other: box(number: 1) { id } }", ValueError("gone"), a_box())
        assert answer["data"] == {"box": None, "other": {"id": "box_1"}}
        assert answer["errors"][0]["path"] == ["box"]

    async def test_an_exception_of_a_method_goes_up_to_the_next_null(self):
        answer = await both("{ sure { id broken } }", a_box(held=ValueError("gone")))
        assert answer["data"] is None
        assert answer["errors"][0]["path"] == ["sure", "broken"]

    async def test_an_exception_of_a_field_that_waits(self):
        answer = await both("{ box { id inner { id } } }", a_box(held=ValueError("gone")))
        assert answer["data"] == {"box": {"id": "box_1", "inner": None}}

    async def test_variables_that_do_not_fit(self):
        answer = await both("query Q($n: Int!) { box(number: $n) { id } }", a_box(), variables={"n": "x"})
        assert "data" not in answer


class TestMutations:
    async def test_they_run_one_after_the_other_and_each_once(self):
        DONE.clear()
        text = 'mutation { one: act(name: "one") { id } two: act(name: "two") { id } }'
        answer = await run(text, a_box(), mode=ExecutionMode.COMPILED)
        assert (DONE, answer["data"]["two"]) == (["one", "two"], {"id": "box_1"})

    async def test_a_broken_answer_does_not_run_them_again(self):
        DONE.clear()
        answer = await run('mutation { act(name: "one") { id } }', a_box(id=None), mode=ExecutionMode.COMPILED)
        assert (DONE, answer["data"]) == (["one"], None)

    async def test_none_is_run_after_one_that_fails(self):
        DONE.clear()
        text = 'mutation { one: act(name: "fails") { id } two: act(name: "two") { id } }'
        answer = await both(text, a_box())
        assert (DONE, answer["data"]) == (["fails", "fails"], None)


class TestWhatIsLeft:
    @pytest.mark.parametrize(
        "text",
        [
            "query Q($no: Boolean!) { box { id @skip(if: $no) } }",
            "query Q($no: Boolean!) { box { ...F } } fragment F on Box { id @include(if: $no) }",
            "{ __schema { queryType { name } } }",
            "{ __typename }",
        ],
    )
    def test_it_is_left_to_graphql_core(self, text):
        with pytest.raises(NotCompiled):
            compiled(text)

    async def test_and_is_answered(self):
        text = "query Q($no: Boolean!) { box { id @skip(if: $no) since } }"
        answer = await both(text, a_box(), variables={"no": True})
        assert answer["data"] == {"box": {"since": "2026-08-31"}}

    def test_a_fragment_in_several_places_is_written_once(self):
        source = compiled("{ a: box { ...F } b: box { ...F } } fragment F on Box { id since }").source
        assert source.count("o.since") == 1


class TestComparing:
    async def test_a_difference_is_logged_and_graphql_core_believed(self, monkeypatch):
        written = []
        monkeypatch.setattr("app.graphql.execution.log.error", lambda *said, **_: written.append(said))

        async def wrong(self, _call):
            return {"box": {"id": "another"}}

        monkeypatch.setattr(CompiledOperation, "_complete", lambda self, _roots, call: wrong(self, call))
        answer = await run("{ box { id } }", a_box(), mode=ExecutionMode.COMPARED)
        assert (answer["data"], written) == ({"box": {"id": "box_1"}}, [("compiled execution differs",)])
