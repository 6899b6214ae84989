"""An id stands for one state of the world: no query says of it what another query of the same moment contradicts."""

from __future__ import annotations

from itertools import groupby

import orjson
import pytest
from graphql import OperationType, parse

from app.graphql.schema import graphql_schema
from tests.contract.cache import Asked, Cache
from tests.contract.examples import CONTRACT, Example, examples


def asked_by(example: Example) -> Asked:
    document = example.content.get("request", {}).get("query") or CONTRACT.find(example.operation).document
    return Asked(parse(document), example.content["variables"])


def is_mutation(example: Example) -> bool:
    return CONTRACT.find(example.operation).kind is OperationType.MUTATION


def moment(example: Example) -> str:
    """Whose cache it is, at which instant, after which mutations: one example's answer is true there and then."""
    done = [*example.steps, example]
    while done and not is_mutation(done[-1]):
        done.pop()
    steps = [[step.operation, *(step.content.get(part) for part in ("as", "variables", "fault"))] for step in done]
    place = [example.content[part] for part in ("seed", "as", "at")]
    return orjson.dumps([*place, steps], option=orjson.OPT_SORT_KEYS).decode()


def is_whole(example: Example) -> bool:
    """Whether an answer has data and no errors; where something went wrong, fields are null that have a value."""
    response = example.content["response"] or {}
    return bool(response.get("data")) and "errors" not in response


WITH_DATA = sorted((example for example in examples() if is_whole(example)), key=moment)
MOMENTS = {key: list(group) for key, group in groupby(WITH_DATA, key=moment)}


class TestRecordedExamples:
    @pytest.mark.parametrize("together", MOMENTS.values(), ids=lambda together: together[0].name)
    def test_no_query_changes_what_another_said_of_the_same_id(self, together: list[Example]):
        cache = Cache(graphql_schema)
        found = {
            example.name: [
                str(conflict) for conflict in cache.write(asked_by(example), example.content["response"]["data"])
            ]
            for example in together
        }
        assert {name: said for name, said in found.items() if said} == {}

    def test_enough_examples_speak_of_the_same_moment(self):
        assert max(len(together) for together in MOMENTS.values()) > 30
