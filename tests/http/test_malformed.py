"""Whatever is sent, to whatever door: it is refused in words, nothing breaks, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from app.error_codes import ErrorCode
from tests.doors import Doors
from tests.http.malformed import corpus
from tests.services.books import dump
from tests.till import Till

FEWEST = 200
PAGES = ("/contacts/confirm/", "/documents/", "/unsubscribe/", "/sandbox/", "/static/")
"""Addresses that browsers open; a refusal is a page or a plain sentence there."""


@pytest.fixture
async def doors(till: Till, tmp_path: Path) -> Doors:
    return await Doors.open(till, tmp_path)


def is_typed(answer: httpx2.Response) -> bool:
    """Whether every error has a code that clients know, and the id of the request."""
    errors = answer.json()["errors"]
    known = set(ErrorCode.__members__) - {ErrorCode.INTERNAL.name}
    named = {error["extensions"]["requestId"] for error in errors} == {answer.headers["x-request-id"]}
    return named and {error["extensions"]["code"] for error in errors} <= known


class TestCorpus:
    async def test_every_request_is_refused_and_changes_nothing(self, doors):
        requests = corpus(doors)
        assert len(requests) >= FEWEST
        assert {doors.requests[door].path for door in doors.requests} <= {
            request.path for request in requests.values()
        } | {"/health/live", "/health/ready"}
        before = dump(doors.world.database)
        wrong = {}
        with capture_logs() as logs:
            for name, request in requests.items():
                answer = await doors.send(request)
                if not 400 <= answer.status_code < 500:
                    wrong[name] = (answer.status_code, answer.text[:200])
                elif not request.path.startswith(PAGES) and request.method != "HEAD" and not is_typed(answer):
                    wrong[name] = answer.text[:200]
        assert wrong == {}
        assert dump(doors.world.database) == before
        assert [entry for entry in logs if entry["log_level"] in {"error", "critical"}] == []
        said = str(logs)
        assert [part for part in ("Traceback", "4111", "made-up", "private", "eyJ") if part in said] == []
