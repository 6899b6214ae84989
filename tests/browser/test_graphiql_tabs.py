"""GraphiQL in a real browser on a fresh demo: every operation answers with data at the first press."""

from __future__ import annotations

import json
import shutil

import pytest

from app.http.graphiql_guide import GUIDE
from app.http.static_files import FOLDER
from tests.browser.demo import running_demo
from tests.browser.pages import needs_browser, opened

pytestmark = [
    needs_browser,
    pytest.mark.skipif(
        not (FOLDER / "vendor").is_dir(),
        reason="needs GraphiQL's files: `python3 scripts/dev.py demo` copies them with npm",
    ),
]

STREAMS = {"SummaryWatch"}
RUN = ".graphiql-execute-button"
SHOWN = "(name) => document.querySelector('.graphiql-tab-active').innerText.trim() === name"
"""GraphiQL has read the operation: it names the tab after it, and will run it."""


def open_page(watched):
    watched.page.goto("/graphql")
    watched.page.wait_for_selector(RUN)


def press(page, name):
    """Open an operation from the guide, run it, and return the answer."""
    page.click(f'[data-operation="{name}"]')
    page.wait_for_function(SHOWN, arg=name)
    with page.expect_response(lambda answer: _runs(answer.request, name)) as waiting:
        page.click(RUN)
    return waiting.value.json()


def _runs(request, name):
    sent = request.post_data or "{}"
    return (
        request.method == "POST" and request.url.endswith("/graphql") and json.loads(sent).get("operationName") == name
    )


def is_refusal(value):
    return isinstance(value, dict) and {"code", "message"} <= value.keys()


@pytest.mark.parametrize("screen", [screen for screen, _ in GUIDE])
def test_every_operation_of_a_screen_answers_with_data_at_the_first_press(demo, screen):
    names = [name for name, _ in dict(GUIDE)[screen]]
    with opened(demo) as watched:
        open_page(watched)
        watched.page.wait_for_selector("[data-operation]")
        answers = {name: press(watched.page, name) for name in names if name not in STREAMS}
    failed = {
        name: answer
        for name, answer in answers.items()
        if "errors" in answer or any(value is None or is_refusal(value) for value in answer["data"].values())
    }
    assert failed == {}
    assert watched.complaints == []


def test_a_subscription_shows_its_first_event(demo):
    with opened(demo) as watched:
        open_page(watched)
        page = watched.page
        page.click('[data-operation="SummaryWatch"]')
        page.wait_for_function(SHOWN, arg="SummaryWatch")
        page.click(RUN)
        page.wait_for_selector(".graphiql-response >> text=billingSummaryUpdated")
    assert watched.complaints == []


@pytest.mark.parametrize("width", [1280, 1024, 390])
def test_the_run_button_and_the_answer_are_in_sight(demo, width):
    with opened(demo, width=width, color_scheme="dark") as watched:
        open_page(watched)
        for part in (RUN, ".graphiql-response", "#flex-persona", "#flex-time"):
            box = watched.page.locator(part).first.bounding_box()
            assert box is not None, part
            assert box["width"] > 30, part
            assert box["x"] + box["width"] <= width + 1, part
    assert watched.complaints == []


def test_the_clock_moves_by_a_day(demo):
    with opened(demo) as watched:
        open_page(watched)
        page = watched.page
        page.wait_for_function("() => document.getElementById('flex-time').textContent !== ''")
        before = page.text_content("#flex-time")
        page.click("text=+ 1 day")
        page.wait_for_function("(before) => document.getElementById('flex-time').textContent > before", arg=before)
        assert page.text_content("#flex-time")[:10] > before[:10]


def test_the_reference_finds_what_is_typed(demo):
    with opened(demo, width=390) as watched:
        watched.page.goto("/docs")
        watched.page.fill("#search", "PAYMENT_DECLINED")
        watched.page.click("#found a >> nth=0")
        assert watched.page.locator("#PAYMENT_DECLINED").is_visible()
        assert watched.page.evaluate("document.documentElement.scrollWidth <= 390")
    assert watched.complaints == []


@pytest.mark.parametrize("address", ["/sandbox/messages", "/sandbox/gallery"])
def test_every_link_to_a_message_is_in_sight_on_a_phone(demo, address):
    with opened(demo, width=390) as watched:
        watched.page.goto(address)
        rights = watched.page.eval_on_selector_all("a", "(all) => all.map((a) => a.getBoundingClientRect().right)")
        assert len(rights) > 20
        assert max(rights) <= 390
        assert watched.page.evaluate("document.documentElement.scrollWidth <= 390")
    assert watched.complaints == []


def test_it_sends_any_text_to_a_server_that_runs_known_documents_alone(seeded_demo, tmp_path):
    shutil.copytree(seeded_demo, tmp_path / "demo")
    text = "query Free { viewer { role } }"
    with running_demo(tmp_path, FLEX_DOCUMENTS="enforce") as address, opened(address) as watched:
        page = watched.page
        open_page(watched)
        press(page, "ViewerShow")
        page.click(".graphiql-query-editor .CodeMirror")
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(text)
        page.wait_for_function(SHOWN, arg="Free")
        with page.expect_response(lambda answer: _runs(answer.request, "Free")) as waiting:
            page.click(RUN)
        assert waiting.value.json()["data"] == {"viewer": {"role": "ADMIN"}}
        headers = {"authorization": waiting.value.request.headers["authorization"]}
        elsewhere = page.request.post("/graphql", headers=headers, data={"query": text})
        assert [error["extensions"]["code"] for error in elsewhere.json()["errors"]] == ["PERSISTED_DOCUMENT_REQUIRED"]
    assert watched.complaints == []


def test_an_address_names_the_operation_that_it_opens(demo):
    with opened(demo) as watched:
        watched.page.goto("/graphql#PlansList")
        watched.page.wait_for_selector(RUN)
        watched.page.wait_for_function(SHOWN, arg="PlansList")
        assert watched.complaints == []
