"""Any life of an account goes by the rules: each bill, refusal and balance is the reference model's, step by step.

Holds rules 4 and 6-28, 35 and 36 together, with charge first among them (rule 17) where there is a card.
`python -m tests.scenarios.account_lives` is the long form.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios.account_lives import Stage
from tests.scenarios.account_stories import FIRST_DAYS, JUMPS, KINDS, Action, Story, random_story

NUMBERS = st.integers(0, (1 << 16) - 1)
ACTIONS = st.builds(Action, st.sampled_from(KINDS), st.sampled_from(JUMPS), NUMBERS, NUMBERS)
STORIES = st.builds(
    Story,
    st.sampled_from(FIRST_DAYS),
    st.just(1) | st.integers(2, 28),
    st.integers(0, 4),
    st.lists(ACTIONS).map(tuple),
    st.booleans(),
)
COVERED = {
    "closed",
    "call",
    "call refused",
    "changed NOW",
    "changed NEXT_CYCLE",
    "preview: AlreadyOnPlan",
    "preview: DowngradeNotCostEffective",
    "confirm: QuoteStale",
    "same key, other body",
    "cancelled change: True",
    "upgraded: True",
    "upgraded at close",
    "upgraded for good",
    "bought",
    "charged",
    "confirm: PaymentDeclined",
    "buy: PaymentDeclined",
    "buy: QuoteStale",
}


@pytest.fixture(scope="module")
async def stage(migrated_file: Path) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stage.set_up(migrated_file, Path(folder)) as stage:
            yield stage


class TestAccountLives:
    @settings(max_examples=200)
    @given(story=STORIES)
    async def test_go_by_the_rules_in_any_story(self, stage, story):
        await stage.tell(story)

    async def test_of_fixed_seeds_pass_through_everything_the_rules_provide_for(self, stage):
        told: Counter[str] = Counter()
        for number in range(40):
            told += await stage.tell(random_story(f"suite/{number}"), is_thorough=number % 8 == 0)

        assert COVERED - told.keys() == set()
