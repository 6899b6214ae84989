"""What the portal shows when something is refused, gone, late or empty: its sentence, what was typed, and axe on it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from app.graphql.contract import FOLDER
from app.sandbox.braintree_gateway.process import ask_gateway
from app.sandbox.tokens import SandboxTokens
from tests.browser.demo import clock, make_key, send
from tests.browser.portal import Portal, browser, card_fields, fill_card, portal_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Route

pytestmark = pytest.mark.usefixtures("all_is_there")

SENTENCES = {
    code: meaning["suggestedCopy"] for code, meaning in json.loads((FOLDER / "errors.json").read_text("utf-8")).items()
}
CONTRACT = json.loads((FOLDER / "portal" / "contract.json").read_text("utf-8"))
IDS = {each["name"]: f"sha256:{each['id']}" for each in CONTRACT["operations"]}
ACCOUNT = "portal-states"
DECLINED = "4000 1111 1111 1115"
API = "**/graphql"
AS = """token => {
    const getToken = async ({ isRefused }) => (isRefused && window.renewed) || window.token;
    let host;
    window.token = token;
    Object.defineProperty(window, "flex", { get: () => host, set: (made) => { host = { ...made, getToken }; } });
}"""
"""The page is somebody's, and while it is open may become somebody else's."""

EXCEPTION = "sqlalchemy.exc.OperationalError: connection refused"


@dataclass(frozen=True)
class World:
    """A demo, the browser that is used on it, and the tokens of its people."""

    browser: Browser
    address: str
    tokens: dict[str, str]

    def ask(self, operation: str, **variables: Any) -> Any:
        """Ask the API as another session of the account's admin would, and return the one thing asked for."""
        body = {"documentId": IDS[operation], "operationName": operation, "variables": variables}
        data = send(self.address, "POST", "/graphql", self.tokens["admin"], body)["data"]
        return next(value for field, value in data.items() if field != "viewer")

    def plan(self, name: str) -> str:
        """Return the id of a plan on sale."""
        return next(each["plan"]["id"] for each in self.ask("PlansList") if each["plan"]["displayName"] == name)

    def invoices(self) -> list[str]:
        """Return the numbers of the account's invoices."""
        return [each["node"]["number"] for each in self.ask("InvoicesList", first=50)["edges"]]

    @contextmanager
    def opened(self, person: str, path: str, *, hears: str = "nothing") -> Iterator[Portal]:
        """Open a screen as somebody; of requests that fail the browser may say what is told here, and nothing else."""
        with portal_in(self.browser, self.address) as portal:
            portal.page.add_init_script(f"({AS})({json.dumps(self.tokens[person])})")
            portal.open(path)
            yield portal
            assert [said for said in portal.excused if hears not in said] == []


@pytest.fixture(scope="module")
def world(demo, demo_folder) -> Iterator[World]:
    """An account with a card and 400 minutes used on 220 Minutes, one with neither, and two of the demo's own."""
    keys = {purpose: make_key(demo_folder / "demo", purpose) for purpose in ("service", "ingest")}
    now = clock(demo)
    signer = SandboxTokens.open(demo_folder / "demo")
    tokens = {
        name: signer.sign(subject=f"sandbox|{account}|admin", account=account)
        for name, account in (("declining", "bright-spark-electric"), ("trial", "meadow-lane-bakery"))
    }
    for account, people in ((ACCOUNT, {"admin": "ADMIN", "member": "MEMBER"}), (f"{ACCOUNT}-new", {"new": "ADMIN"})):
        users = [
            {"id": name, "email": f"{name}@{account}.example", "name": name, "role": role}
            for name, role in people.items()
        ]
        body = {"name": account, "plan": "220", "paidSinceOn": f"{now['written'][:7]}-01", "users": users}
        send(demo, "PUT", f"/internal/accounts/{account}", keys["service"], body)
        tokens |= {name: signer.sign(subject=name, account=account) for name in people}
    call = {
        "eventId": "portal-states-1",
        "account": ACCOUNT,
        "startedAt": datetime.fromisoformat(now["now"]).isoformat(timespec="seconds"),
        "scriptSeconds": 400 * 60,
        "recordingSeconds": 400 * 60,
    }
    send(demo, "POST", "/ingest/calls", keys["ingest"], [call])
    with browser() as started:
        made = World(started, demo, tokens)
        give_card(made)
        yield made


def give_card(made: World) -> None:
    version = made.ask("PaymentAgreementShow")["version"]
    card = {"nonce": "fake-valid-visa-nonce", "authorize": True, "agreementVersion": version, "makeDefault": True}
    assert made.ask("PaymentMethodAdd", idempotencyKey="states", **card)["status"] == "ADDED"


def refused(portal: Portal, code: str, place: str = "dialog ") -> Locator:
    """Wait for a refusal, and see that it has its sentence."""
    failure = portal.page.locator(f"{place}.failure").first
    failure.wait_for()
    assert failure.get_attribute("data-code") == code
    assert failure.locator("p > strong").first.inner_text() == SENTENCES[code]
    return failure


def look(portal: Portal, what: str) -> None:
    """See that axe finds nothing, in light and in dark."""
    found = []
    for scheme in ("light", "dark"):
        portal.page.emulate_media(color_scheme=scheme)
        found += portal.check(f"{what}, {scheme}")
    assert found == [], "\n".join(found)


def quoted(portal: Portal) -> None:
    """Wait for the amounts in a pop-up."""
    portal.page.wait_for_selector("dialog .sums")
    portal.page.wait_for_function("() => !document.querySelector('dialog .skeleton')")


def change_to(portal: Portal, plan: str) -> None:
    """Open the pop-up that changes to a plan."""
    portal.press(f"Change to {plan}")
    portal.page.wait_for_selector("dialog[open]")
    portal.page.wait_for_function("() => !document.querySelector('dialog .skeleton')")


def sums(portal: Portal) -> list[str]:
    return portal.page.locator("dialog .sums > div").all_inner_texts()


def example(operation: str, name: str) -> dict[str, Any]:
    """Return a recorded answer of the API."""
    return json.loads((FOLDER / "examples" / operation / f"{name}.json").read_text("utf-8"))["response"]


def answer(portal: Portal, operation: str, body: dict[str, Any], *, status: int = 200) -> None:
    """Answer an operation from here, until `let_through`."""

    def reply(route: Route) -> None:
        if json.loads(route.request.post_data or "{}").get("operationName") == operation:
            kind = "application/graphql-response+json"
            route.fulfill(status=status, content_type=kind, body=json.dumps(body))
        else:
            route.continue_()

    portal.page.route(API, reply)


def let_through(portal: Portal) -> None:
    portal.page.unroute(API)


def wait_out(portal: Portal, *, times: int = 25) -> None:
    """Let the time go by in which the portal asks again by itself."""
    for _ in range(times):
        portal.page.clock.fast_forward(2_000)
        portal.page.wait_for_timeout(30)


def begin_contact(portal: Portal) -> None:
    portal.press("Add")
    portal.page.get_by_role("textbox", name="Name").fill("Payroll")
    portal.page.get_by_role("textbox", name="Email").fill("payroll@portal-states.example")


def typed(portal: Portal) -> list[str]:
    return [portal.page.get_by_role("textbox", name=name).input_value() for name in ("Name", "Email")]


TYPED = ["Payroll", "payroll@portal-states.example"]


class TestStaleQuote:
    def test_is_told_with_the_new_amounts_and_nothing_is_charged_before_those_are_confirmed(self, world):
        with world.opened("admin", "/billing/plan") as portal:
            change_to(portal, "1,000 Minutes")
            quoted(portal)
            before = sums(portal)
            quote = world.ask("PlanChangePreview", planId=world.plan("500 Minutes"), when="NOW")
            changed = world.ask("PlanChangeConfirm", quoteId=quote["id"], idempotencyKey="elsewhere")
            assert changed["status"] == "APPLIED"
            invoices = world.invoices()
            portal.press("Ok")
            failure = refused(portal, "QUOTE_STALE")
            assert re.search(r"Due now: \$[\d,.]+ instead of \$[\d,.]+", failure.inner_text())
            assert portal.page.get_by_label("Now", exact=True).is_checked()
            assert portal.page.locator("dialog").get_by_role("button", name="Ok").is_disabled()
            look(portal, "stale quote")
            portal.press("Show the new amounts")
            quoted(portal)
            assert sums(portal) != before
            assert "500 Minutes" in portal.page.locator("dialog .lines").inner_text()
            assert portal.page.get_by_label("Now", exact=True).is_checked()
            assert portal.page.locator("dialog .failure").count() == 0
            assert world.invoices() == invoices
            look(portal, "the new quote")
            portal.press("Ok")
            assert portal.done().startswith("1,000 Minutes from")
            assert len(world.invoices()) == len(invoices) + 1

    def test_of_an_add_on_leaves_the_terms_accepted_and_other_terms_do_not(self, world):
        with world.opened("admin", "/billing/add-ons") as portal:
            buy = portal.page.get_by_role("button", name=re.compile("^Buy ")).first
            buy.click()
            quoted(portal)
            portal.page.get_by_label("I accept these terms").check()
            quote = world.ask("AddOnPreview", addOnId=world.ask("AddOnsList")[0]["id"])
            stale = {"__typename": "AddOnQuoteStale", "code": "QUOTE_STALE", "message": "", "quote": quote}
            answer(portal, "AddOnActivate", {"data": {"activateAddOn": stale}})
            portal.press("Buy")
            refused(portal, "QUOTE_STALE")
            portal.press("Show the new amounts")
            assert portal.page.get_by_label("I accept these terms").is_checked()
            let_through(portal)
            terms = {"__typename": "TermsNotAccepted", "code": "TERMS_NOT_ACCEPTED", "message": ""}
            terms |= {"termsVersion": quote["terms"]["version"], "terms": quote["terms"]["text"]}
            answer(portal, "AddOnActivate", {"data": {"activateAddOn": terms}})
            portal.asked.clear()
            portal.press("Buy")
            refused(portal, "TERMS_NOT_ACCEPTED")
            look(portal, "terms not accepted")
            assert portal.asked == ["AddOnActivate", "AddOnPreview"]


class TestPlanChange:
    def test_a_downgrade_is_refused_with_its_numbers_and_offered_for_the_next_month(self, world):
        with world.opened("admin", "/billing/plan") as portal:
            change_to(portal, "100 Minutes")
            failure = refused(portal, "DOWNGRADE_NOT_COST_EFFECTIVE")
            assert "400 min" in failure.inner_text()
            look(portal, "refused downgrade")
            portal.page.get_by_label("Next month").check()
            quoted(portal)
            assert portal.page.locator("dialog .failure").count() == 0

    def test_a_declined_payment_is_told_and_can_be_tried_again_in_the_same_pop_up(self, world, demo_folder):
        ask_gateway(demo_folder / "demo", "force", on="*", code="2000")
        try:
            with world.opened("admin", "/billing/plan") as portal:
                change_to(portal, "2,500 Minutes")
                quoted(portal)
                portal.press("Ok")
                refused(portal, "PAYMENT_DECLINED")
                look(portal, "declined payment")
                ask_gateway(demo_folder / "demo", "force", on="*")
                portal.press("Ok")
                assert portal.done().startswith("2,500 Minutes from")
        finally:
            ask_gateway(demo_folder / "demo", "force", on="*")

    def test_an_answer_that_stays_away_or_unknown_is_no_change_yet(self, world):
        with world.opened("admin", "/billing/plan", hears="ERR_FAILED") as portal:
            portal.page.clock.install()
            change_to(portal, "5,000 Minutes")
            portal.page.get_by_label("Next month").check()
            quoted(portal)
            portal.page.route(API, lambda route: route.abort())
            portal.press("Ok")
            portal.page.get_by_role("button", name="Waiting for the answer…").wait_for()
            wait_out(portal)
            refused(portal, "SERVICE_UNAVAILABLE")
            assert portal.page.get_by_label("Next month").is_checked()
            let_through(portal)
            answer(portal, "PlanChangeConfirm", example("PlanChangeConfirm", "payment-pending"))
            portal.press("Ok")
            portal.page.get_by_role("button", name="Waiting for the answer…").wait_for()
            look(portal, "an unknown payment")
            wait_out(portal)
            assert portal.done() == "The change waits for your bank's answer."
            presses = {sent for sent in portal.sent if "PlanChangeConfirm" in sent}
            assert len(presses) == 1


class TestCard:
    def test_declined_keeps_the_form_as_it_is(self, world):
        with world.opened("admin", "/billing/payment-methods") as portal:
            portal.press("Add")
            fill_card(portal, DECLINED)
            portal.page.get_by_label("I authorize").check()
            portal.press("Verify my Card")
            failure = refused(portal, "CARD_VERIFICATION_FAILED")
            assert "Security code: " in failure.inner_text()
            assert portal.page.get_by_label("I authorize").is_checked()
            assert card_fields(portal).get_by_label("Card number").input_value() == DECLINED
            look(portal, "declined card")
            card_fields(portal).get_by_label("Card number").fill("1234")
            portal.press("Verify my Card")
            card_fields(portal).locator("#number-error").wait_for()
            look(portal, "wrong number")

    def test_a_bank_that_does_not_answer_is_told_and_asked_again_under_the_same_key(self, world):
        with world.opened("admin", "/billing/payment-methods") as portal:
            portal.page.clock.install()
            portal.press("Add")
            fill_card(portal, "5555 5555 5555 4444")
            portal.page.get_by_label("I authorize").check()
            answer(portal, "PaymentMethodVerify", example("PaymentMethodVerify", "pending"))
            portal.press("Verify my Card")
            portal.page.get_by_role("button", name="Waiting for the answer…").wait_for()
            wait_out(portal)
            waiting = portal.page.locator("dialog .banner")
            assert "The bank has not answered yet, and nothing was added." in waiting.inner_text()
            assert portal.page.locator("dialog .done").count() == 0
            assert portal.page.locator("dialog").get_by_role("button", name="Add", exact=True).count() == 0
            look(portal, "verification pending")
            let_through(portal)
            portal.press("Ask again")
            assert "ending in 4444 was verified" in portal.page.locator("dialog .done").inner_text()
            presses = {sent for sent in portal.sent if "PaymentMethodVerify" in sent}
            assert len(presses) == 1

    def test_declined_when_everything_open_is_paid(self, world):
        with world.opened("declining", "/billing/summary") as portal:
            portal.press("Pay", exact=False)
            refused(portal, "PAYMENT_DECLINED", "main ")
            look(portal, "open balance declined")


class TestRole:
    def test_a_member_is_told_on_every_screen_that_is_not_theirs(self, world):
        with world.opened("member", "/billing/summary") as portal:
            for path in ("billing/plan", "billing/payment-methods", "billing/contacts", "billing/add-ons",
                         "settings/alerts", "billing/invoices"):  # fmt: skip
                portal.open(f"/{path}")
                failure = refused(portal, "FORBIDDEN", "main ")
                assert failure.inner_text() == SENTENCES["FORBIDDEN"]
                assert portal.page.get_by_role("button", name="Try again").count() == 0
            look(portal, "invoices for a member")

    def test_a_right_that_was_taken_away_meanwhile_leaves_the_form(self, world):
        with world.opened("admin", "/billing/contacts") as portal:
            begin_contact(portal)
            portal.page.evaluate("token => { window.token = token; }", world.tokens["member"])
            portal.press("Add")
            refused(portal, "FORBIDDEN")
            assert typed(portal) == TYPED
            look(portal, "forbidden in a form")


class TestServer:
    def test_gone_is_told_on_a_screen_and_it_is_there_when_the_server_is(self, world):
        with world.opened("admin", "/billing/summary", hears="ERR_FAILED") as portal:
            portal.page.route("**/*", lambda route: route.abort())
            portal.page.get_by_role("link", name="Plan", exact=True).click()
            refused(portal, "SERVICE_UNAVAILABLE", "main ")
            look(portal, "no screen")
            portal.page.unroute("**/*")
            portal.press("Try again")
            portal.page.get_by_role("button", name=re.compile("^Change to")).first.wait_for()
            portal.page.route(API, lambda route: route.abort())
            portal.go("Invoices")
            refused(portal, "SERVICE_UNAVAILABLE", "main section ")
            look(portal, "no data")
            let_through(portal)
            portal.press("Try again")
            portal.page.get_by_role("table").wait_for()

    def test_gone_leaves_a_form(self, world):
        with world.opened("admin", "/billing/contacts", hears="ERR_FAILED") as portal:
            begin_contact(portal)
            portal.page.route(API, lambda route: route.abort())
            portal.press("Add")
            refused(portal, "SERVICE_UNAVAILABLE")
            assert typed(portal) == TYPED
            look(portal, "a form without a server")

    def test_an_exception_is_never_shown(self, world):
        with world.opened("admin", "/billing/contacts") as portal:
            begin_contact(portal)
            for code in ("INTERNAL", "OPERATIONAL_ERROR", None):
                extensions = {"code": code, "requestId": "req_1"} if code else {"requestId": "req_1"}
                error = {"message": EXCEPTION, "path": ["addPaymentContact"], "extensions": extensions}
                answer(portal, "ContactAdd", {"data": None, "errors": [error]})
                portal.press("Add")
                assert "Request id: req_1" in refused(portal, "INTERNAL").inner_text()
                assert EXCEPTION not in portal.page.content()
                assert typed(portal) == TYPED
                let_through(portal)

    def test_an_answer_that_is_late_is_shown_as_loading(self, world):
        with world.opened("admin", "/billing/summary") as portal:
            held: list[Route] = []

            def hold(route: Route) -> None:
                held.append(route)

            portal.page.route(API, hold)
            for tab in ("Plan", "Invoices"):
                portal.page.get_by_role("link", name=tab, exact=True).click()
                portal.page.wait_for_selector(".skeleton")
                look(portal, f"{tab} while it loads")
                while not held:
                    portal.page.wait_for_timeout(50)
                held.pop().continue_()
                portal.settle()


class TestSession:
    def test_over_leaves_a_form_which_can_be_sent_once_it_is_back(self, world):
        with world.opened("admin", "/billing/contacts", hears="401") as portal:
            begin_contact(portal)
            portal.page.evaluate("() => { window.token = 'over'; }")
            portal.press("Add")
            failure = refused(portal, "UNAUTHENTICATED")
            assert failure.get_by_role("button", name="Sign in again").count() == 1
            assert typed(portal) == TYPED
            look(portal, "a form after the session")
            portal.page.evaluate("token => { window.renewed = token; }", world.tokens["admin"])
            portal.press("Add")
            assert portal.done() == "Payroll was added and is asked to confirm."
            assert portal.page.locator("main > .failure").count() == 0

    def test_over_on_a_screen(self, world):
        with world.opened("admin", "/billing/summary", hears="401") as portal:
            portal.page.evaluate("() => { window.token = 'over'; }")
            portal.page.get_by_role("link", name="Plan", exact=True).click()
            refused(portal, "UNAUTHENTICATED", "main ")
            portal.settle()
            look(portal, "a screen after the session")


class TestNothingYet:
    @pytest.mark.parametrize(
        ("person", "sentences"),
        [
            ("new", {"summary": "0 min of"}),
            (
                "trial",
                {
                    "summary": "Your first paid month has not begun.",
                    "invoices": "There is no invoice yet.",
                    "payment-methods": "No payment method is on file.",
                    "contacts": "Nobody else is told about billing.",
                },
            ),
        ],
    )
    def test_a_screen_says_so(self, world, person, sentences):
        with world.opened(person, "/billing/summary") as portal:
            for path, sentence in sentences.items():
                portal.open(f"/billing/{path}")
                assert sentence in portal.page.locator("main").inner_text()
                look(portal, f"{path} of a {person} account")
