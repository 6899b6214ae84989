"""The reference portal on a fresh demo, as an admin uses it, by mouse and by keyboard, and with axe on every state."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime, timedelta

import pytest

from app.domain.periods import BILLING_ZONE
from app.sandbox.braintree_gateway.process import ask_gateway
from app.sandbox.tokens import SandboxTokens
from tests.browser.demo import clock, make_key, send
from tests.browser.portal import fill_card, opened_portal

pytestmark = pytest.mark.usefixtures("all_is_there")

SCREENS = {
    "Summary": "/billing/summary",
    "Plan": "/billing/plan",
    "Invoices": "/billing/invoices",
    "Payment Method": "/billing/payment-methods",
    "Payment Contacts": "/billing/contacts",
    "Add Ons": "/billing/add-ons",
    "Alerts": "/settings/alerts",
}
GOOD, DECLINED = "3530 1113 3330 0000", "4000 1111 1111 1115"
MOST_SCRIPT_BYTES, MOST_FILES = 150_000, 30


class TestFirstView:
    def test_is_one_request_and_few_small_files(self, demo):
        with opened_portal(demo) as portal:
            files, scripts = [], []

            def note(answer):
                if "/portal/" in answer.url:
                    files.append(answer.url)
                if answer.url.endswith((".js", ".mjs")) and "/portal/" in answer.url:
                    scripts.append(answer)

            portal.page.on("response", note)
            portal.open("/")
            portal.page.wait_for_selector("canvas")
            assert portal.page.url == f"{demo}/billing/summary"
            assert portal.asked == ["SummaryOpen"]
            assert len([name for name in files if "graphql-sse" not in name]) <= MOST_FILES
            assert sum(len(gzip.compress(answer.body())) for answer in scripts) <= MOST_SCRIPT_BYTES

    def test_each_screen_is_one_request(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/summary")
            for tab in list(SCREENS)[1:6]:
                portal.asked.clear()
                portal.go(tab)
                assert len(portal.asked) == 1, tab


class TestLook:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing_on_any_screen_or_pop_up(self, demo, scheme):
        found = []
        with opened_portal(demo, color_scheme=scheme) as portal:
            for name, path in SCREENS.items():
                portal.open(path)
                found += portal.check(f"{name}, {scheme}")
            for path, button in (
                ("/billing/plan", "Change to 1,000 Minutes"),
                ("/billing/plan", "Change to Economy"),
                ("/billing/contacts", "Add"),
                ("/billing/payment-methods", "Add"),
            ):
                portal.open(path)
                portal.press(button)
                portal.page.wait_for_selector("dialog[open] footer button")
                portal.page.wait_for_function("() => !document.querySelector('dialog .skeleton')")
                found += portal.check(f"{button}, {scheme}")
            portal.open("/billing/invoices")
            portal.page.get_by_role("button", name=re.compile("^What changed")).first.click()
            portal.page.wait_for_selector("dialog .lines")
            found += portal.check(f"difference, {scheme}")
            portal.page.get_by_role("button", name="Close").first.click()
            portal.page.get_by_role("rowheader").get_by_role("link").last.click()
            portal.page.get_by_role("button", name="Show the calls").first.click()
            portal.page.wait_for_selector("main table")
            portal.settle()
            found += portal.check(f"invoice, {scheme}")
        assert found == [], "\n".join(found)

    @pytest.mark.parametrize("width", [360, 640])
    def test_nothing_is_wider_than_a_phone_or_a_window_at_200_per_cent(self, demo, width):
        with opened_portal(demo, width=width) as portal:
            for name, path in SCREENS.items():
                portal.open(path)
                wide = portal.page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert wide <= 0, (name, wide)


class TestCards:
    def test_declined_then_verified_then_added(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/payment-methods")
            portal.press("Add")
            fill_card(portal, DECLINED)
            portal.page.get_by_label("I authorize").check()
            portal.press("Verify my Card")
            assert "declined" in portal.page.locator("dialog .failure").inner_text()
            fill_card(portal, "1234 5678 9012 3456")
            portal.press("Verify my Card")
            fields = portal.page.frame_locator("iframe.card-frame")
            assert fields.locator("#number-error").inner_text() == "This card number is not valid."
            assert fields.get_by_label("Expires").input_value() == "12/30"
            fill_card(portal, GOOD)
            portal.press("Verify my Card")
            assert "JCB ending in 0000 was verified" in portal.page.locator("dialog .done").inner_text()
            portal.press("Add")
            assert portal.page.locator("main > .done").inner_text() == "JCB ending in 0000 was added."
            portal.page.get_by_role("heading", name="JCB ending in 0000").wait_for()
            digits = re.sub(r"\D", "", "".join(portal.sent))
            assert not any(number.replace(" ", "") in digits for number in (GOOD, DECLINED))

    def test_closing_after_verifying_leaves_nothing(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/payment-methods")
            before = portal.page.locator(".methods h3").all_inner_texts()
            portal.press("Add")
            fill_card(portal, "6011 1111 1111 1117")
            portal.page.get_by_label("I authorize").check()
            portal.press("Verify my Card")
            portal.page.locator("dialog .done").wait_for()
            portal.press("Cancel")
            portal.open("/billing/payment-methods")
            assert portal.page.locator(".methods h3").all_inner_texts() == before

    def test_a_declined_default_is_rescued_by_a_back_up(self, demo, demo_folder):
        ask_gateway(demo_folder / "demo", "force", on="1881", code="2000", times=1)
        with opened_portal(demo) as portal:
            portal.open("/billing/invoices")
            row = portal.page.get_by_role("row").filter(has=portal.page.locator(".tag.open")).first
            row.get_by_role("link").click()
            portal.settle()
            portal.press("Pay", exact=False)
            portal.page.locator(".tag.paid").wait_for()
            attempts = portal.page.get_by_role("list", name="Payments, credits and reversals").inner_text()
            assert "Visa ending in 1881" in attempts
            assert "MasterCard ending in 4444" in attempts


class TestKeyboard:
    def test_buys_an_add_on_and_changes_the_plan(self, demo):
        with opened_portal(demo) as portal:
            page = portal.page
            portal.open("/billing/add-ons")
            buy = page.get_by_role("button", name=re.compile("^Buy ")).first
            name = buy.get_attribute("aria-label").removeprefix("Buy ")
            buy.focus()
            page.keyboard.press("Enter")
            page.wait_for_selector("dialog .sums")
            self.tab_to(page, "terms")
            page.keyboard.press("Space")
            self.tab_to(page, "Buy")
            page.keyboard.press("Enter")
            assert portal.done() == f"{name} is active."

            portal.go("Plan")
            page.get_by_role("button", name="Change to 1,000 Minutes").focus()
            page.keyboard.press("Enter")
            page.wait_for_selector("dialog .sums")
            self.tab_to(page, "when")
            page.keyboard.press("ArrowRight")
            page.wait_for_function(
                "() => document.querySelector('dialog .sums') && !document.querySelector('dialog .skeleton')"
            )
            self.tab_to(page, "Ok")
            page.keyboard.press("Enter")
            assert "1,000 Minutes from" in portal.done()

    @staticmethod
    def tab_to(page, wanted):
        """Press Tab until the focus is on a field of that name, or a button of that text; it stays in the pop-up."""
        for _ in range(40):
            page.keyboard.press("Tab")
            focus = page.evaluate(
                "() => [document.activeElement.name || document.activeElement.id || document.activeElement.textContent,"
                " Boolean(document.activeElement.closest('dialog'))]"
            )
            if focus[0].strip() == wanted:
                assert focus[1]
                return
        raise AssertionError(f"no way to {wanted} by the keyboard")

    def test_a_closed_pop_up_gives_the_focus_back(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/contacts")
            portal.page.get_by_role("button", name="Add", exact=True).focus()
            portal.page.keyboard.press("Enter")
            portal.page.wait_for_selector("dialog[open]")
            portal.page.keyboard.press("Escape")
            portal.page.wait_for_selector("dialog", state="detached")
            assert portal.page.evaluate("document.activeElement.textContent") == "Add"


class TestContacts:
    def test_confirms_from_the_mail_that_was_caught(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/contacts")
            portal.press("Add")
            portal.page.get_by_role("textbox", name="Name").fill("Payroll")
            portal.page.get_by_role("textbox", name="Email").fill("nobody")
            portal.press("Add")
            portal.page.locator("#email-error").wait_for()
            assert portal.page.get_by_role("textbox", name="Name").input_value() == "Payroll"
            portal.page.get_by_role("textbox", name="Email").fill("payroll@harbor-dental.example")
            portal.press("Add")
            assert portal.done() == "Payroll was added and is asked to confirm."
            card = portal.page.get_by_role("listitem").filter(has_text="payroll@harbor-dental.example")
            assert "Not confirmed yet" in card.inner_text()
            self.agree(portal, demo)
            portal.open("/billing/contacts")
            assert "Confirmed" in card.inner_text()

    @staticmethod
    def agree(portal, demo):
        """Read the mail in the catcher, follow its link, and agree."""
        page = portal.page.context.new_page()
        for _ in range(60):
            page.goto(f"{demo}/sandbox/messages")
            row = page.get_by_role("row").filter(has_text="payroll@harbor-dental.example")
            if row.count():
                break
            page.wait_for_timeout(500)
        row.first.get_by_role("link").first.click()
        page.wait_for_load_state()
        html = page.content() + "".join(frame.content() for frame in page.frames)
        link = re.search(r"https?://[^\s\"'<>]+/confirm[^\s\"'<>]*", html)
        assert link, html[:2_000]
        page.goto(re.sub(r"^https?://[^/]+", demo, link[0].replace("&amp;", "&")))
        page.get_by_role("button").first.click()
        page.wait_for_load_state()
        page.close()


class TestAlerts:
    def test_are_on_and_switched_one_by_one(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/settings/alerts")
            boxes = portal.page.get_by_role("checkbox")
            assert all(boxes.nth(place).is_checked() for place in range(boxes.count()))
            portal.page.get_by_label("Invoice ready").uncheck()
            portal.open("/settings/alerts")
            assert not portal.page.get_by_label("Invoice ready").is_checked()
            assert portal.page.get_by_label("Payment failed").is_checked()


class TestTrouble:
    def test_a_member_sees_the_summary_alone(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/summary")
            portal.page.get_by_label("View as").select_option("member")
            portal.page.wait_for_load_state()
            portal.settle()
            tabs = portal.page.get_by_role("navigation", name="Billing").get_by_role("link")
            assert tabs.all_inner_texts() == ["Summary"]
            portal.open("/billing/invoices")
            assert portal.page.locator(".failure").get_attribute("data-code") == "FORBIDDEN"

    def test_a_server_that_is_gone_is_told_and_what_was_typed_stays(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/contacts")
            portal.press("Add")
            portal.page.get_by_role("textbox", name="Name").fill("Books")
            portal.page.get_by_role("textbox", name="Email").fill("books2@harbor-dental.example")
            portal.page.route("**/graphql", lambda route: route.abort())
            portal.press("Add")
            failure = portal.page.locator("dialog .failure")
            failure.wait_for()
            assert failure.get_attribute("data-code") == "SERVICE_UNAVAILABLE"
            assert portal.page.get_by_role("textbox", name="Name").input_value() == "Books"
            portal.page.unroute("**/graphql")
            portal.press("Add")
            assert portal.done().startswith("Books was added")

    def test_a_session_that_is_over_is_told_after_a_new_token_was_tried(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/summary")
            refused = {"status": 401, "content_type": "application/json", "body": '{"errors": []}'}
            portal.page.route("**/graphql", lambda route: route.fulfill(**refused))
            portal.asked.clear()
            portal.page.get_by_role("link", name="Plan", exact=True).click()
            portal.page.get_by_role("button", name="Sign in again").wait_for()
            assert portal.asked == ["PlanOpen", "PlanOpen"]

    def test_a_lost_answer_is_asked_for_again_under_the_same_key(self, demo):
        with opened_portal(demo) as portal:
            portal.open("/billing/plan")
            portal.press("Change to 2,500 Minutes")
            portal.page.wait_for_selector("dialog .sums")
            portal.page.get_by_label("Next month").check()
            portal.page.wait_for_function(
                "() => document.querySelector('dialog .sums') && !document.querySelector('dialog .skeleton')"
            )
            lost = []

            def lose(route):
                if "PlanChangeConfirm" in (route.request.post_data or "") and not lost:
                    lost.append(route.fetch())
                    route.abort()
                else:
                    route.continue_()

            portal.page.route("**/graphql", lose)
            portal.press("Ok")
            assert "2,500 Minutes from" in portal.done()
            presses = [json.loads(sent) for sent in portal.sent if "PlanChangeConfirm" in sent]
            assert len(presses) == 2
            assert presses[0]["variables"] == presses[1]["variables"]


class TestMonthEnd:
    def test_the_invoice_of_the_morning_is_the_preview_of_the_evening_before(self, demo):
        lines = "main .lines > li > .line"
        with opened_portal(demo) as portal:
            while self.month(demo) == self.month(demo, days=1):
                clock(demo, "DAY")
            portal.open("/billing/invoices")
            newest = portal.page.get_by_role("row").nth(1).inner_text().split("\t")[0]
            portal.open("/billing/summary")
            preview = portal.page.locator(".invoice .lines > li > .line").all_inner_texts()
            due = portal.page.locator(".invoice .sums > div").last.inner_text()
            clock(demo, "MONTH")
            for _ in range(60):
                portal.open("/billing/invoices")
                if portal.page.get_by_role("row").nth(1).inner_text().split("\t")[0] != newest:
                    break
                portal.page.wait_for_timeout(1_000)
            portal.page.get_by_role("rowheader").get_by_role("link").first.click()
            portal.page.get_by_role("heading", name="Documents").wait_for()
            assert portal.page.locator(lines).all_inner_texts() == preview
            amounts = portal.page.locator(".sums > div").all_inner_texts()
            assert any(due.split("\n")[-1] in each for each in amounts)

    @staticmethod
    def month(demo, days=0):
        now = datetime.fromisoformat(clock(demo)["now"]) + timedelta(days=days)
        return now.astimezone(BILLING_ZONE).isoformat()[:7]


ACCOUNT = "portal-check"
HOSTILE = "<img src=x onerror=alert(1)> & \"Sons\" 'Ltd' {{7*7}}"


@pytest.fixture(scope="module")
def keys(demo, demo_folder):
    return {purpose: make_key(demo_folder / "demo", purpose) for purpose in ("service", "ingest")}


@pytest.fixture(scope="module")
def tokens(demo, demo_folder, keys):
    """Tokens of the two admins of an account of its own, whose names no page may take for code."""
    month = clock(demo)["written"][:7]
    users = [
        {"id": name, "email": f"{name}@portal-check.example", "name": f"{HOSTILE} {name}", "role": "ADMIN"}
        for name in ("first", "second")
    ]
    body = {"name": HOSTILE, "plan": "100", "paidSinceOn": f"{month}-01", "users": users}
    send(demo, "PUT", f"/internal/accounts/{ACCOUNT}", keys["service"], body)
    signer = SandboxTokens.open(demo_folder / "demo")
    return {user["id"]: signer.sign(subject=user["id"], account=ACCOUNT) for user in users}


def sign_in(portal, token: str) -> None:
    def as_this_person(route):
        route.continue_(headers={**route.request.headers, "authorization": f"Bearer {token}"})

    portal.page.route("**/graphql", as_this_person)


class TestNewAccount:
    def test_each_admin_has_every_alert_and_chooses_for_themselves(self, demo, tokens):
        for name in ("first", "second"):
            with opened_portal(demo) as portal:
                sign_in(portal, tokens[name])
                portal.open("/settings/alerts")
                boxes = portal.page.get_by_role("checkbox")
                assert boxes.count() > 10
                assert all(boxes.nth(place).is_checked() for place in range(boxes.count()))
                if name == "first":
                    portal.page.get_by_label("Plan changed").uncheck()

    def test_a_call_moves_the_summary_and_a_crossed_limit_is_mailed(self, demo, tokens, keys):
        with opened_portal(demo) as portal:
            sign_in(portal, tokens["first"])
            portal.open("/billing/summary")
            assert HOSTILE in portal.page.locator(".user").inner_text()
            figure = portal.page.locator("[data-live]")
            assert figure.inner_text().startswith("0 min")
            call = {
                "eventId": "portal-1",
                "account": ACCOUNT,
                "startedAt": datetime.fromisoformat(clock(demo)["now"]).isoformat(timespec="seconds"),
                "scriptSeconds": 85 * 60,
                "recordingSeconds": 85 * 60,
            }
            (result,) = send(demo, "POST", "/ingest/calls", keys["ingest"], [call])["results"]
            assert result["outcome"] == "ACCEPTED"
            portal.page.wait_for_function("() => !document.querySelector('[data-live]').innerText.startsWith('0 min')")
            for name, path in SCREENS.items():
                portal.open(path)
                assert portal.check(name) == []
            assert "<notifications@sasdesk.com>" in self.mail(portal, demo)

    @staticmethod
    def mail(portal, demo):
        """Return the source of the first mail to the first admin."""
        page = portal.page.context.new_page()
        row = page.get_by_role("row").filter(has_text="first@portal-check.example")
        for _ in range(60):
            page.goto(f"{demo}/sandbox/messages")
            if row.count():
                break
            page.wait_for_timeout(500)
        address = row.first.get_by_role("link").first.get_attribute("href").partition("?")[0]
        return page.request.get(f"{demo}{address}?part=source").text()
