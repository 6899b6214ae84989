"""GraphiQL for developers: one page with the contract's operations as tabs, and in the sandbox a choice of who asks."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.responses import HTMLResponse

from app.http.static_files import ADDRESS, FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

    from app.domain.json_values import JsonObject
    from app.graphql.contract import Contract, Operation

log = structlog.get_logger("http")

CDN = "https://cdn.jsdelivr.net/npm/"


@dataclass(frozen=True, slots=True)
class Asset:
    """A browser file of others: its name among the copied files, its place in its npm package, and its hash.

    The four packages go together; another version of the explorer breaks the page when it is opened.
    """

    name: str
    package: str
    version: str
    path: str
    integrity: str

    @property
    def address(self) -> str:
        """Where the file lies on the public network."""
        return f"{CDN}{self.package}@{self.version}/{self.path}"


ASSETS = (
    Asset(
        name="react.production.min.js",
        package="react",
        version="18.3.1",
        path="umd/react.production.min.js",
        integrity="sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    Asset(
        name="react-dom.production.min.js",
        package="react-dom",
        version="18.3.1",
        path="umd/react-dom.production.min.js",
        integrity="sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    Asset(
        name="graphiql.min.js",
        package="graphiql",
        version="4.1.2",
        path="graphiql.min.js",
        integrity="sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
    ),
    Asset(
        name="graphiql.min.css",
        package="graphiql",
        version="4.1.2",
        path="graphiql.min.css",
        integrity="sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
    ),
    Asset(
        name="plugin-explorer.umd.js",
        package="@graphiql/plugin-explorer",
        version="4.0.6",
        path="dist/index.umd.js",
        integrity="sha384-gXYG2RCFRuAiKUaKTbKxOVlvr0U9z0D/V/l5jdvRSH46vQ+9cpkG2d3ByiggUYvD",
    ),
    Asset(
        name="plugin-explorer.css",
        package="@graphiql/plugin-explorer",
        version="4.0.6",
        path="dist/style.css",
        integrity="sha384-XffIsImDMwexX8UM/Bg3tss0MZOeQmZcnHzk0avUrw9ff0IQ2g9j7QLA6m2lz5D0",
    ),
)

GUIDE = (
    ("SummaryShow", "The Summary tab: plan, usage so far, balances, and the next invoice as it stands."),
    ("NextInvoiceShow", "Every line of the next invoice says by which rule and arithmetic it came about."),
    ("ForecastShow", "Where the month is heading, and on what that rests."),
    ("UsageShow", "One month, day by day. Set the month to a past one, such as 2026-05, or to nonsense: BAD_INPUT."),
    ("UsageHistoryShow", "Month after month, as a chart wants it."),
    ("CallsList", "The calls behind the minutes; go on with the end cursor."),
    ("PlansList", "What each plan would cost this month."),
    ("PlanAdviceShow", "Your own months on every plan: which one fits, or why to stay."),
    ("WhatIfShow", "The slider: a month of so many minutes, on every plan."),
    ("PlanChangePreview", "What a change would cost, to the cent. Try plan_economy_1990: refused, with its numbers."),
    ("PlanChangeConfirm", "Confirm a quote: paste its id. Send it twice: one invoice. As a member: FORBIDDEN."),
    ("PlanChangeCancel", "Preview and confirm with NEXT_CYCLE, then take it back: no money moves."),
    ("AddOnsList", "The add-ons with their terms, and whether you have them."),
    ("AddOnPreview", "What the rest of the month would cost."),
    ("AddOnActivate", "Buy it: paste the quote's id. Other terms than those in force are refused."),
    ("AddOnCancel", "It stays usable until the end of the month."),
    ("AddOnKeep", "Changed your mind? Nothing is invoiced."),
    ("PaymentMethodsList", "How you pay: the default, then the back-ups in order."),
    ("PaymentAgreementShow", "What the box “I authorize” stands for."),
    ("PaymentFormTokenCreate", "What a payment form begins with; it names no customer."),
    (
        "PaymentMethodAdd",
        "Verify and add: fake-processor-declined-visa-nonce is refused. Unauthorized: nothing is sent.",
    ),
    ("PaymentMethodSetDefault", "Charge another one first; open invoices are tried with it at once."),
    ("BackupPaymentMethodsReorder", "Who comes next when the default fails."),
    ("PaymentMethodRemove", "The last one stays while it is needed; a back-up becomes the default."),
    ("EntitlementsShow", "What the add-ons unlock today."),
    ("InvoicesList", "All invoices, newest first. Ask as a member: FORBIDDEN. As another account: its own."),
    ("InvoiceShow", "One invoice, its arithmetic, every charge, and document links. Ask as another account: null."),
    ("InvoicePay", "Pay now: the default card, then the back-ups. Press twice with one key: one charge."),
    ("OpenBalancePay", "Everything that is open, the oldest first."),
    ("InvoiceLineCallsShow", "From the lines of a bill down to the calls that they charge."),
    ("LineCallsList", "The rest of the calls behind one line."),
    ("InvoiceDifferenceShow", "Why did the bill change? Two invoices side by side, with the causes."),
    ("InvoiceResend", "The invoice's mail once more: it is at /sandbox/messages. The fourth time: RATE_LIMITED."),
    ("ContactsList", "Who else is told about billing. As the billing desk: FORBIDDEN."),
    ("ContactAdd", "Add somebody; a phone number of 12345 names its field."),
    ("ContactUpdate", "Paste a contact's id. The other contacts hear of it."),
    ("ContactConfirmationResend", "Ask again whether somebody agrees; within 24 hours: RATE_LIMITED."),
    ("ContactRemove", "Nothing more is sent there, not even what waits."),
    ("AlertsList", "Your own switches, and what this month has told and will tell."),
    ("AlertsUpdate", "Switch PAYMENT_METHOD_CHANGED off: refused, for it protects the account."),
    ("NotificationsList", "What was told to whom, and its outcome."),
    ("ActivityList", "Who did what, newest first; the request id is the one that the app saw."),
    ("PlanHistoryList", "How the plan came to be what it is."),
    ("ViewerShow", "Who you are, and what your role allows."),
    ("NodeShow", "Anything by its id."),
)
"""What to try, in an order that tells a story; each step opens the tab of its operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Somebody that the page can ask as; `account` is the external id that the token is for."""

    key: str
    label: str
    token: str
    account: str


def graphiql_page(*, contract: Contract, personas: Sequence[Persona] = (), folder: Path = FOLDER) -> ASGIApp:
    """Return the page as an ASGI application. Personas exist in the sandbox alone: their tokens are in the page.

    The browser files come from `folder`/vendor when the right versions lie there, else from a public network address.
    """
    is_local = all(_integrity(folder / "vendor" / asset.name) == asset.integrity for asset in ASSETS)
    if not is_local:
        log.info(
            "GraphiQL's files are not on this machine: browsers load them from a public address, checked by their "
            "hashes. `python3 scripts/dev.py demo` copies them here when npm is installed.",
            address=CDN,
        )
    template = Template((folder / "graphiql.html").read_text(encoding="utf-8"))
    page = template.substitute(
        styles="\n".join(_style(asset, is_local=is_local) for asset in ASSETS if asset.name.endswith(".css")),
        scripts="\n".join(_script(asset, is_local=is_local) for asset in ASSETS if asset.name.endswith(".js")),
        config=as_script_data(page_config(contract, personas)),
    )
    headers = {"content-security-policy": content_policy(is_local=is_local), "cache-control": "no-store"}
    return HTMLResponse(page, headers=headers)


def page_config(contract: Contract, personas: Sequence[Persona]) -> JsonObject:
    """Return what the boot script works with, as JSON values."""
    steps = {name: text for name, text in GUIDE if contract.find(name)}
    tabs = sorted(contract.operations, key=lambda operation: _place(operation, list(steps)))
    return {
        "endpoint": "/graphql",
        "storage": f"flex-billing:{contract.fingerprint}:",
        "tabs": [
            {
                "name": operation.name,
                "query": operation.document,
                "variables": dict(operation.variables),
                "about": steps.get(operation.name, operation.comment),
            }
            for operation in tabs
        ],
        "personas": [
            {"key": persona.key, "label": persona.label, "account": persona.account, "token": persona.token}
            for persona in personas
        ],
    }


def as_script_data(value: object) -> str:
    """Return JSON that can stand inside a script element: nothing in it can end the element or open another."""
    text = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def content_policy(*, is_local: bool) -> str:
    """Return the page's content policy: our own scripts, and only the very files of others that it names."""
    foreign = "" if is_local else " " + " ".join(asset.address for asset in ASSETS)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{foreign}",
            f"style-src 'self' 'unsafe-inline'{foreign}",  # the editor and its menus style themselves from script
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _place(operation: Operation, steps: list[str]) -> tuple[int, str]:
    return (steps.index(operation.name) if operation.name in steps else len(steps), operation.name)


def _style(asset: Asset, *, is_local: bool) -> str:
    return f'<link rel="stylesheet" href="{_address(asset, is_local=is_local)}" {_checks(asset)}>'


def _script(asset: Asset, *, is_local: bool) -> str:
    return f'<script src="{_address(asset, is_local=is_local)}" {_checks(asset)} defer></script>'


def _address(asset: Asset, *, is_local: bool) -> str:
    return f"{ADDRESS}/vendor/{asset.name}" if is_local else asset.address


def _checks(asset: Asset) -> str:
    return f'integrity="{asset.integrity}" crossorigin="anonymous"'


def _integrity(path: Path) -> str | None:
    if not path.is_file():
        return None
    return "sha384-" + b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
