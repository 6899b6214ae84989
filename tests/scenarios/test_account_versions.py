"""The version of an account moves with everything that its Summary shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

from sqlalchemy import Table
from sqlalchemy.sql import visitors

from app.domain.taxes import TaxRate
from app.graphql.contract import read_contract
from app.repositories.pages.account_versions import ACCOUNT_VERSIONS
from app.repositories.pages.billing_summary import BILLING_SUMMARY
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.repositories.reader import Page
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.waive_charge import waive_charge
from app.services.common.caller import Caller
from app.services.plans.change_lines import add_line, end_line
from tests.factories.calls import a_call
from tests.till import MASTERCARD, VISA
from tests.wallet import Wallet
from tests.world import ACCOUNT, World, pacific

STAFF = Caller(ACCOUNT, "staff:office")
WHY = {"reason": "Agreed by phone"}

COUNTED = {
    "usage_day": "usage_seq counts every call",
    "ledger_posting": "ledger_seq counts every posting",
    "write_off_share": "a share belongs to a posting",
    "invoice": "an invoice is issued with its postings, or opens a month: next_cycle_on",
    "invoice_line": "as its invoice",
    "month_simulation": "made as the month closes: next_cycle_on",
    "payment_attempt": "its answer changes the collection, or comes with a posting",
}
"""Tables of a Summary that a counter or a column of the account tells of."""

SHOWN = "query { billingSummary { ...SummaryParts projection { explanation } upgradeForecast { on } } }"


def tables(page: Page[Any]) -> set[str]:
    return {each.name for part in page.parts.values() for each in visitors.iterate(part) if isinstance(each, Table)}


def test_every_table_of_a_summary_decides_about_its_version():
    shown = tables(BILLING_SUMMARY) | tables(PLAN_ADVICE)
    assert shown - tables(ACCOUNT_VERSIONS) == set(COUNTED)


async def version(world: World) -> object:
    (versions,) = await world.database.reader.load(ACCOUNT_VERSIONS.request(accounts=[ACCOUNT]))
    return versions[ACCOUNT]


async def shown(world: World) -> Any:
    document = read_contract().find("SummaryWatch").document
    fragments = document[document.index("fragment") :]
    return await world.data(f"{SHOWN}\n{fragments}")


async def steps(wallet: Wallet) -> AsyncIterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """What customers, staff and the system do, in an order in which it can be done."""
    world, services = wallet.world, wallet.world.services

    async def preview(plan: str, when: str) -> str:
        asked = {"planId": plan, "when": when}
        query = "query Q($planId: ID!, $when: ChangeWhen!) { planChangePreview(planId: $planId, when: $when) "
        answer = await world.data(query + "{ ... on PlanChangeQuote { id } } }", variables=asked)
        return str(answer["planChangePreview"]["id"])

    async def change_plan(plan: str, when: str) -> None:
        sent = {"input": {"quoteId": await preview(plan, when), "idempotencyKey": f"{plan}-{when}"}}
        answer = await world.data(
            "mutation M($input: ChangePlanInput!) { changePlan(input: $input) { __typename } }", variables=sent
        )
        assert answer["changePlan"] == {"__typename": "PlanChanged"}

    call = a_call(started_at=pacific(2026, 7, 13, 9))
    yield "a call", lambda: world.add_calls(call)
    correction = call._replace(event_id="c-2", corrects=call.event_id, script_seconds=10, recording_seconds=10)
    yield "a correction", lambda: world.add_calls(correction)
    yield "a card", lambda: wallet.add(VISA)
    yield "another default", lambda: wallet.add(MASTERCARD, makes_default=True)
    _, second = await wallet.on_file()
    yield "the other default", lambda: wallet.set_default(second)
    yield "a removal", lambda: wallet.remove(second)
    yield (
        "taxes",
        lambda: set_taxes(services, STAFF, taxes=[TaxRate("City tax", 12_500)], valid_from=date(2026, 8, 1), **WHY),
    )
    yield (
        "other taxes of that day",
        lambda: set_taxes(services, STAFF, taxes=[TaxRate("City tax", 22_500)], valid_from=date(2026, 8, 1), **WHY),
    )
    added = await add_charge(services, STAFF, title="Script work", amount_cents=50_00, reference="1", **WHY)
    yield "a charge", lambda: add_charge(services, STAFF, title="Set-up", amount_cents=9_00, reference="2", **WHY)
    yield "a waiver", lambda: waive_charge(services, STAFF, charge_id=added.charge_id, **WHY)
    yield "a line", lambda: add_line(services, STAFF, reference="3", **WHY)
    yield "its end", lambda: end_line(services, STAFF, reference="3", **WHY)
    yield "credit", lambda: grant_goodwill(services, STAFF, amount_cents=3_00, reference="5", **WHY)
    yield "a check", lambda: world.pay(20_00)
    yield "a plan for the next month", lambda: change_plan("plan_220_2020", "NEXT_CYCLE")
    yield "a plan for now", lambda: change_plan("plan_500_1990", "NOW")
    yield "a new month", lambda: world.advance_to(pacific(2026, 8, 2))
    yield "a collection", wallet.till.collect


async def test_it_moves_with_what_is_done(wallet: Wallet):
    await wallet.world.add_account()
    await wallet.world.advance_to(pacific(2026, 7, 14, 12))
    before = await shown(wallet.world), await version(wallet.world)
    async for name, act in steps(wallet):
        await act()
        after = await shown(wallet.world), await version(wallet.world)
        assert after[0] != before[0], f"{name} shows nothing: the story is wrong"
        assert after[1] != before[1], f"the version does not tell of {name}"
        before = await shown(wallet.world), await version(wallet.world)


async def test_it_stays_while_nothing_is_done(wallet: Wallet):
    await wallet.world.add_account()
    before = await version(wallet.world)
    await shown(wallet.world)
    assert await version(wallet.world) == before
