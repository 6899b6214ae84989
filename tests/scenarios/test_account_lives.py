"""Any life of an account goes by the rules: each bill, refusal and balance is the reference model's, step by step.

Holds rules 4 and 6-28, 35 and 36 together, with charge first among them (rule 17) where there is a card, all that staff
do, and the properties of `account_properties`. `python -m tests.scenarios.account_lives` is the long form.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios.account_lives import Stage, pairs_of
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
    *KINDS,
    "call",
    "call refused",
    "charged",
    "corrected in a closed month",
    "upgraded at close",
    "preview: AlreadyOnPlan",
    "confirm: QuoteStale",
    "confirm: PaymentDeclined",
    "note: NothingLeftToCredit",
    "void: InvoiceNotVoidable",
    "same key, other body",
}
SHARES = 6
MOST_STORIES = 100


@pytest.fixture(scope="module")
async def stage(migrated_file: Path) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stage.set_up(migrated_file, Path(folder)) as stage:
            yield stage


class TestAccountLives:
    @settings(max_examples=30)
    @given(story=STORIES)
    async def test_go_by_the_rules_in_any_story(self, stage, story):
        await stage.tell(story)

    @pytest.mark.parametrize("share", range(SHARES))
    async def test_of_fixed_seeds_go_by_the_rules(self, stage, share):
        for number in range(20):
            await stage.tell(random_story(f"suite/{share}/{number}", most_pairs=2))

    async def test_pass_through_every_kind_of_act(self, stage):
        told: Counter[str] = Counter()
        for number in range(MOST_STORIES):
            life = await stage.tell(random_story(f"suite/{number}"), is_thorough=number % 20 == 0)
            told.update({*life.told} | {*life.acts})
            if told.keys() >= COVERED:
                return

        assert COVERED - told.keys() == set()


def test_an_act_comes_soon_after_another_with_two_between_them_at_most():
    assert pairs_of(["a", "b", "c", "d", "a"]) == Counter(
        [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("b", "a"), ("c", "d"), ("c", "a"), ("d", "a")]
    )
