"""After a mutation nothing on a screen is stale: what it returns by id, and the operations that `after-mutations.json`
says to load again, bring a client's cache to what a fresh start would show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import OperationType, parse

from app.graphql.contract import FOLDER
from app.graphql.schema import graphql_schema
from tests.contract.after_mutations import TABLE, readme_section, returned_by
from tests.contract.cache import TYPE, Asked, Cache
from tests.contract.examples import CONTRACT, HTTP_OK, Example, Play, Stage, examples
from tests.contract.screens import Screen, ask, open_screens, with_typenames

MUTATIONS = {one.name for one in CONTRACT.operations if one.kind is OperationType.MUTATION}
WITNESSES = {"ActivityList", "InvoicesList", "NotificationsList", "PaymentMethodsList", "SummaryShow"}
"""The screens on which whatever a mutation did leaves a trace."""


Fetched = list[tuple[Screen, Any]]
"""Open screens, with what a fetch of each shows."""


def result_of(answer: dict[str, Any]) -> dict[str, Any]:
    (result,) = (value for name, value in answer["data"].items() if name != TYPE)
    return result


def by_result() -> dict[tuple[str, str], list[Example]]:
    """The recorded answers to mutations, by operation and type of the result; without those to a press again."""
    found = defaultdict(list)
    for example in examples():
        status, response, *_ = example.answer
        is_replayed = example.path.stem.endswith("-again")
        if example.operation in MUTATIONS and status == HTTP_OK and "errors" not in response and not is_replayed:
            found[example.operation, result_of(response)[TYPE]].append(example)
    return found


BY_RESULT = by_result()
CHANGING = [key for key in BY_RESULT if key[1] in TABLE.get(key[0], {})]
OTHERS = [key for key in BY_RESULT if key not in CHANGING]


def differences(shown: Any, fresh: Any, path: str = "") -> Iterator[str]:
    """Name each place where a screen out of the cache is not what a fresh fetch shows."""
    if isinstance(fresh, dict) and isinstance(shown, dict):
        for name in fresh:
            yield from differences(shown.get(name), fresh[name], f"{path}.{name}")
    elif isinstance(fresh, list) and isinstance(shown, list) and len(fresh) == len(shown):
        for at, (old, new) in enumerate(zip(shown, fresh, strict=True)):
            yield from differences(old, new, f"{path}[{at}]")
    elif shown != fresh:
        yield f"{path}: {shown!r} instead of {fresh!r}"


class Client:
    """An app with screens open: it keeps what it is told by id, and reads its screens from that."""

    def __init__(self, play: Play, example: Example) -> None:
        self.play = play
        self.example = example
        self.cache = Cache(graphql_schema)
        self.screens: list[Screen] = []

    async def fetch(self) -> Fetched:
        """Ask for every open screen."""
        return [(screen, await ask(self.play, self.example, screen)) for screen in self.screens]

    async def open(self, names: set[str] | None = None) -> list[str]:
        """Open every screen, or those of some operations, and return where one contradicts another."""
        every = await open_screens(self.play, self.example)
        self.screens = [screen for screen in every if names is None or screen.operation in names]
        return [
            f"{screen} {conflict}"
            for screen, data in await self.fetch()
            for conflict in self.cache.write(screen.asked, data)
        ]

    async def press(self) -> str:
        """Send the mutation of the example, and keep what it returns; returns the type of its result."""
        text = with_typenames(self.example.operation)
        content = self.example.content | {"request": {"query": text}}
        _, answer, *_ = await self.play.send(Example(self.example.path, content))
        self.cache.write(Asked(parse(text), self.example.content["variables"]), answer["data"])
        return result_of(answer)[TYPE]

    def stale(self, fresh: Fetched) -> dict[str, list[str]]:
        """What screens show out of the cache that is not so, by operation."""
        found: dict[str, list[str]] = {}
        for screen, data in fresh:
            places = [f"{screen}{place}" for place in differences(self.cache.read(screen.asked), data)]
            if places:
                found.setdefault(screen.operation, []).extend(places)
        return found


class TestScreens:
    @pytest.mark.parametrize(("operation", "result"), CHANGING)
    async def test_what_the_table_names_is_stale_and_loading_that_again_mends_every_screen(
        self, stage: Stage, operation: str, result: str
    ):
        refetch, stale = set(TABLE[operation][result]["refetch"]), set()
        for example in BY_RESULT[operation, result]:
            async with stage.prepared(example) as play:
                client = Client(play, example)
                assert await client.open() == []
                assert await client.press() == result
                fresh = await client.fetch()
                before = client.stale(fresh)
                for screen, data in fresh:
                    if screen.operation in refetch:
                        client.cache.write(screen.asked, data)
                assert client.stale(fresh) == {}
                stale |= set(before)
        assert refetch <= stale, "the table says to load again what no example shows to be stale"

    @pytest.mark.parametrize(("operation", "result"), OTHERS)
    async def test_a_result_that_the_table_does_not_have_changes_no_screen(
        self, stage: Stage, operation: str, result: str
    ):
        example = BY_RESULT[operation, result][0]
        async with stage.prepared(example) as play:
            client = Client(play, example)
            await client.open(WITNESSES)
            assert await client.press() == result
            assert client.stale(await client.fetch()) == {}


class TestTable:
    def test_it_names_operations_results_and_screens_that_there_are(self):
        assert set(TABLE) <= MUTATIONS
        named = {name for results in TABLE.values() for then in results.values() for name in then["refetch"]}
        assert named <= {operation.name for operation in CONTRACT.operations} - MUTATIONS
        assert {(name, result) for name, results in TABLE.items() for result in results} <= set(BY_RESULT)

    @pytest.mark.parametrize(("operation", "result"), CHANGING)
    def test_it_says_what_comes_back_by_its_id(self, operation: str, result: str):
        assert TABLE[operation][result]["returns"] == returned_by(operation).get(result, [])

    def test_the_page_has_it(self):
        text = (FOLDER / "README.md").read_text(encoding="utf-8")
        assert readme_section() in text, "python -m tests.contract.after_mutations writes it"
