"""The card form of the sandbox on a page of another port: the number stays in the gateway's frame."""

from __future__ import annotations

import json
import re

import pytest

from app.graphql.contract import FOLDER
from tests.browser.pages import needs_browser, opened, served

pytestmark = needs_browser

GOOD, DECLINED, UNKNOWN = "4111 1111 1111 1111", "4000 1111 1111 1115", "4242 4242 4242 4242"
PAGE = """<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
<style>main { color-scheme: dark; --card-field-accent: rgb(1, 2, 3) }</style><main><div id="card"></div></main>"""

MOUNT = """async (token) => {
  const { mount } = await import("/sandbox.js");
  window.states = [];
  window.form = await mount(document.getElementById("card"), token, { onChange: (state) => states.push(state) });
}"""
TOKENIZE = """async () => {
  try { return await form.tokenize(); } catch (error) { return { name: error.name, fields: error.fields }; }
}"""
ASK = """async ([address, token, body]) => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0];
}"""

STRANGERS = ["https://shop.example", "null", "*", "http://127.0.0.1.example:80", ""]
FRAME = """async ([address, parents]) => {
  window.heard = [];
  addEventListener("message", ({ data }) => heard.push(data));
  for (const [number, parent] of parents.entries()) {
    const parameters = new URLSearchParams({ parent, tokenizer: `${address}/x`, authorization: "a" });
    const frame = document.createElement("iframe");
    frame.id = `frame-${number}`;
    frame.src = `${address}/card-fields/card_fields.html?${parameters}`;
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.body.append(frame);
    await loaded;
  }
}"""


@pytest.fixture
def shop(tmp_path):
    """A page of a portal developer's, on a port of its own, with the files of the card form."""
    for name in ("form.js", "sandbox.js"):
        (tmp_path / name).write_text((FOLDER / "portal" / "card-form" / name).read_text())
    (tmp_path / "index.html").write_text(PAGE)
    with served(tmp_path) as address:
        yield address


class Shop:
    """The page in a browser, and what it sent to the API."""

    def __init__(self, page, demo: str, token: str) -> None:
        self.page, self.demo, self.token, self.sent = page, demo, token, []
        page.on("request", self._note)
        agreement = self.ask("PaymentAgreementShow", {})
        self.agreed = {"authorize": True, "agreementVersion": agreement["version"]}
        self.form_token = self.ask("PaymentFormTokenCreate", {"agreementVersion": agreement["version"]})["clientToken"]
        page.evaluate(MOUNT, self.form_token)
        self.fields = page.frame_locator("iframe")

    def _note(self, request) -> None:
        if request.url.startswith(self.demo):
            self.sent.append(f"{request.url} {request.post_data or ''} {request.headers}")

    def ask(self, operation: str, variables: dict):
        found = json.loads((FOLDER / "persisted-documents.json").read_text())
        document = next(key for key, text in found.items() if re.search(rf"\b{operation}\b", text))
        body = {"documentId": document, "operationName": operation, "variables": variables}
        return self.page.evaluate(ASK, [f"{self.demo}/graphql", self.token, body])

    def type(self, number: str, cvv: str = "123") -> None:
        for label, value in (("Card number", number), ("Expires", "12/30"), ("Security code", cvv)):
            self.fields.get_by_label(label).fill(value)

    def verify(self, number: str, key: str):
        self.type(number)
        made = self.page.evaluate(TOKENIZE)
        return self.ask("PaymentMethodVerify", {"idempotencyKey": key, **made, **self.agreed})

    def error(self, name: str) -> str:
        return self.fields.locator(f"#{name}-error").inner_text()


def test_from_the_number_to_the_method_on_file(demo, demo_folder, shop):
    token = json.loads((demo_folder / "demo" / "personas.json").read_text())["admin"]["token"]
    with opened(shop) as watched:
        watched.page.goto(f"{shop}/index.html")
        page = Shop(watched.page, demo, token)

        looks = page.fields.locator("html").evaluate(
            "(html) => [getComputedStyle(html).colorScheme, html.style.getPropertyValue('--accent')]"
        )
        assert looks == ["dark", "rgb(1, 2, 3)"]

        page.type("4111 1111 1111 1112", cvv="1")
        refused = watched.page.evaluate(TOKENIZE)
        assert (refused["name"], sorted(refused["fields"])) == ("CardFormError", ["cvv", "number"])
        assert page.error("number") == refused["fields"]["number"]
        page.type(UNKNOWN)
        assert list(watched.page.evaluate(TOKENIZE)["fields"]) == ["number"]
        assert page.error("number") == "Credit card number is not an accepted test number."

        declined = page.verify(DECLINED, "declined")
        assert declined["__typename"] == "CardVerificationFailed"
        assert "declined" in declined["message"]

        verified = page.verify(GOOD, "good")
        assert (verified["__typename"], verified["displayName"]) == ("PaymentMethodVerified", "Visa ending in 1111")
        added = page.ask(
            "PaymentMethodAdd",
            {
                "idempotencyKey": "good",
                "verificationId": verified["verificationId"],
                **page.agreed,
                "makeDefault": False,
            },
        )
        assert added["paymentMethod"]["displayName"] == "Visa ending in 1111"

        last = watched.page.evaluate("() => states.at(-1)")
        assert all(last[name]["isValid"] for name in ("number", "expirationDate", "cvv", "postalCode"))
        assert (last["number"]["isEmpty"], last["postalCode"]["isEmpty"]) == (False, True)
        assert set(last["number"]) == {"isEmpty", "isValid", "isFocused"}

        assert len(page.sent) >= 5
        digits = re.sub(r"\D", "", "".join(page.sent))
        assert not any(re.sub(r"\D", "", number) in digits for number in (GOOD, DECLINED, UNKNOWN))

        height = watched.page.locator("iframe").evaluate("(frame) => frame.getBoundingClientRect().height")
        content = page.fields.locator("html").evaluate("(html) => html.scrollHeight")
        assert content <= height + 1
        watched.page.evaluate("() => form.unmount()")
        assert watched.page.locator("iframe").count() == 0


def test_the_frame_works_for_no_page_of_another_machine(demo, demo_folder, shop):
    gateway = json.loads((demo_folder / "demo" / "gateway.json").read_text())
    address = f"http://127.0.0.1:{gateway['port']}"
    with opened(shop) as watched:
        watched.page.goto(f"{shop}/index.html")
        watched.page.evaluate(FRAME, [address, STRANGERS])
        for number in range(len(STRANGERS)):
            fields = watched.page.frame_locator(f"#frame-{number}")
            fields.get_by_text("These fields are part of a payment form").wait_for()
            assert not fields.locator("#number").is_visible()
        assert watched.page.evaluate("() => heard") == []
