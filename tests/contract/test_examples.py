"""Every recorded example is played again on the live application, and has to come out as it is written.

What the change of an answer means is for a person to read: `python -m tests.contract.record` writes the new answers.
"""

from __future__ import annotations

import json

import pytest
from graphql import OperationType

from app.graphql.compiled.replay import Replay
from tests.contract.examples import CONTRACT, EXAMPLES, Example, examples
from tests.contract.record import write
from tests.contract.seeds import PERSONAS, SEEDS
from tests.trips import counted_trips

start = Replay.__init__

ALL = {example.name: example for example in examples()}
MOST_TRIPS = 2

KEYS = {"as", "at", "seed", "variables", "httpStatus", "response"}
EXTRAS = {"request", "fault", "after", "documents", "meanwhile", "events", "isComplete"}
QUERIES = {operation.name for operation in CONTRACT.operations if operation.kind is OperationType.QUERY}


class TestExamples:
    @pytest.mark.parametrize("name", ALL)
    async def test_it_is_answered_as_recorded_and_a_query_in_two_trips_at_most(self, stage, name):
        replayed = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Replay, "__init__", lambda self, *given, **more: replayed.append(start(self, *given, **more)))
            async with stage.prepared(ALL[name]) as played, counted_trips() as trips:
                assert await played.send(ALL[name]) == ALL[name].answer
        if ALL[name].operation in QUERIES:
            assert trips.count <= MOST_TRIPS, trips.statements
        if "errors" not in (ALL[name].content["response"] or {}):
            assert not replayed, "compiled execution met something that it does not know"

    @pytest.mark.parametrize("name", ALL)
    def test_its_file_has_the_agreed_parts(self, name):
        content = ALL[name].content
        assert content.keys() >= KEYS
        assert content.keys() <= KEYS | EXTRAS
        assert content["seed"] in SEEDS
        assert content["as"] is None or content["as"] in PERSONAS

    def test_every_operation_has_an_example_that_succeeds(self):
        shown = {one.operation for one in ALL.values() if one.is_done}
        assert shown == {operation.name for operation in CONTRACT.operations}

    def test_every_folder_belongs_to_an_operation(self):
        folders = {path.name for path in EXAMPLES.iterdir()}
        assert folders == {operation.name for operation in CONTRACT.operations}


class TestRecording:
    @pytest.mark.parametrize("name", ["ViewerShow/admin", "ViewerShow/by-put"])
    async def test_a_changed_answer_is_written_back_as_it_was(self, stage, tmp_path, name):
        path = tmp_path / "example.json"
        original = ALL[name].path.read_text(encoding="utf-8")
        path.write_text(original.replace("errors", "mistakes").replace("AA0101", "XX"), encoding="utf-8")
        example = Example(path, json.loads(path.read_text(encoding="utf-8")))
        assert write(example, await stage.play(ALL[name]))
        assert path.read_text(encoding="utf-8") == original
        assert not write(example, await stage.play(ALL[name]))
