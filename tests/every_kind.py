"""One account whose life has an invoice of every kind, with every kind of line, told to the real services.

July on plan 100, changed to 220, with an add-on bought on the 15th; its calls outgrow that too, so that it is upgraded
to 500 as it closes. In August tax begins, a credit note is written over July's upgrade, a charge is added and a call of
July comes in late; on the 10th the account is closed. By number: 100001 July, 100002 change of plan, 100003
add-on, 100004 upgrade, 100005 August, 100006 credit note, 100007 the final invoice.
"""

from __future__ import annotations

from datetime import date

from app.domain.plan_changes import When
from app.domain.taxes import TaxRate
from app.repositories import unit_of_work
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.set_taxes import set_taxes
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.cycle.close_account import close_account
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import QuoteSigner
from app.services.plans.switch_add_on import activate_add_on, preview_add_on
from app.views.account_snapshot import AccountSnapshot
from tests.factories.calls import a_call
from tests.services.staff import WHY, by_ann
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


async def tell_every_kind(world: World) -> None:
    """Live through it, up to noon of 10 August 2026."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    await move_to(world, "220")
    await world.advance_to(pacific(2026, 7, 15, 12))
    await buy(world, "on_call")
    await world.advance_to(pacific(2026, 7, 20, 12))
    await world.add_calls(talk("july", pacific(2026, 7, 20, 9), 600, patch_seconds=450, ivr_seconds=200))
    await set_tax(world)
    await world.advance_to(pacific(2026, 8, 2, 12))
    await give_back(world, 100_004, {1: 50_00}, "note")
    await world.advance_to(pacific(2026, 8, 10, 12))
    await world.add_calls(
        talk("late", pacific(2026, 7, 31, 9), 10),
        talk("august", pacific(2026, 8, 3, 9), 110, patch_seconds=60, ivr_seconds=60),
    )
    await charge(world, "Script rewritten", 40_00)
    await close_account(world.services, by_ann(), **WHY)


def talk(name: str, started_at, minutes: int, **seconds):
    """A call of so many live minutes."""
    return a_call(event_id=name, started_at=started_at, script_seconds=minutes * MINUTE, **seconds)


async def move_to(world: World, code: str, when: When = When.NOW) -> str | None:
    """Change the plan, at once unless told; returns the id of the invoice."""
    signer, snapshot = _signer(world), await _standing(world)
    target = snapshot.catalogue.get(code, snapshot.today)
    quote = preview_plan_change(snapshot, target.id, when, signer).quote
    changed = await change_plan(
        world.services,
        Caller(ACCOUNT, "test"),
        signer=signer,
        quote_token=quote.token,
        idempotency_key=world.ids.new("key"),
    )
    return changed.invoice_id


async def buy(world: World, code: str) -> str:
    """Buy an add-on; returns the id of the invoice."""
    signer = _signer(world)
    offered = preview_add_on(await _standing(world), code, signer)
    bought = await activate_add_on(
        world.services,
        Caller(ACCOUNT, "test"),
        signer=signer,
        quote_token=offered.quote.token,
        terms_version=offered.version.terms_version,
        idempotency_key=world.ids.new("key"),
    )
    return bought.invoice_id


async def set_tax(world: World, *, valid_from: date = date(2026, 8, 1), rate: int = 65_000) -> None:
    """Let the account pay tax."""
    await set_taxes(world.services, by_ann(), taxes=[TaxRate("Kansas sales tax", rate)], valid_from=valid_from, **WHY)


async def charge(world: World, title: str, amount_cents: int) -> None:
    """Add a single charge to the next invoice."""
    reference = world.ids.new("ref")
    await add_charge(world.services, by_ann(), title=title, amount_cents=amount_cents, reference=reference, **WHY)


async def give_back(world: World, number: int, cents_by_line: dict[int, int | None], reference: str) -> None:
    """Write a credit note over an invoice."""
    await issue_credit_note(
        world.services, by_ann(), invoice_number=number, cents_by_line=cents_by_line, reference=reference, **WHY
    )


def _signer(world: World) -> QuoteSigner:
    return QuoteSigner("a secret of the tests, 32 bytes long or more", world.clock, world.ids)


async def _standing(world: World) -> AccountSnapshot:
    return await unit_of_work.read(world.database, lambda uow: load_snapshot(uow, ACCOUNT, world.clock.now()))
