"""Any JSON, and any bytes, sent to the addresses of other systems: answered or refused, never a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.accounts import Role
from tests.database import copied_database
from tests.http.service import CALL, JSON, NDJSON, Service, a_service_at_noon, outcomes, refusal
from tests.services.books import differences
from tests.world import ACCOUNT, World

ANY_TEXT = st.text(max_size=6)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
INSTANTS = st.datetimes().map(lambda at: f"{at.isoformat()}Z") | st.just(CALL["startedAt"])
CALLS = st.fixed_dictionaries(
    {
        "eventId": st.sampled_from(["1", "2", "3"]) | ANYTHING,
        "account": st.just(ACCOUNT) | ANYTHING,
        "startedAt": INSTANTS | ANYTHING,
    },
    optional={
        "scriptSeconds": st.integers(-1, 90_000) | ANYTHING,
        "billable": st.booleans() | ANYTHING,
        "disposition": ANYTHING,
        "corrects": st.sampled_from(["1", "2", "3"]) | ANYTHING,
        "x": ANYTHING,
    },
)
DAYS = st.dates().map(str) | ANYTHING
ACCOUNT_BODIES = st.fixed_dictionaries(
    {"name": ANY_TEXT | ANYTHING, "plan": st.sampled_from(["100", "220"]) | ANYTHING},
    optional={
        "trialEndsOn": DAYS,
        "paidSinceOn": DAYS,
        "users": st.lists(
            st.fixed_dictionaries(
                {
                    "id": ANY_TEXT,
                    "email": st.just("a@example.com") | ANYTHING,
                    "name": ANY_TEXT,
                    "role": st.sampled_from(Role) | ANYTHING,
                }
            ),
            max_size=3,
        )
        | ANYTHING,
    },
)


@pytest.fixture(scope="module")
async def flex(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One database for all examples: what an odd one leaves behind must not trouble the next."""
    async with copied_database(migrated_file, tmp_path_factory.mktemp("anything")) as database:
        yield await a_service_at_noon(await World.create(database))


class TestAnythingAtAll:
    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(batch=st.lists(CALLS | ANYTHING, max_size=4))
    async def test_calls_are_answered_item_by_item(self, flex, batch):
        assert len(outcomes(await flex.send(batch))) == len(batch)
        body = b"\n".join(map(orjson.dumps, batch))
        assert len(outcomes(await flex.send(body, headers=NDJSON))) == len(batch)

    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
    @given(body=st.binary(max_size=40), is_ndjson=st.booleans())
    async def test_bytes_are_answered_or_refused(self, flex, body, is_ndjson):
        answer = await flex.send(body, headers=NDJSON if is_ndjson else JSON)

        assert answer.status_code == 200 or refusal(answer)[:2] == (400, "BAD_REQUEST")

    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(body=ACCOUNT_BODIES | ANYTHING, account=st.sampled_from(["1", "2", ACCOUNT]))
    async def test_accounts_are_put_or_refused(self, flex, body, account):
        answer = await flex.put(account, body=orjson.dumps(body))

        assert answer.status_code in {200, 201} or refusal(answer)[:2] in {(422, "BAD_INPUT"), (409, "BAD_INPUT")}

    async def test_the_books_are_sound_afterwards(self, flex):
        assert await differences(flex.world.database) == []
