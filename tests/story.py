"""A small history to look at from every side: July's calls, a correction and a late call in August, and two payments.

Invoice 100001 opens July ($139.00), 100002 August with July's usage ($237.50), 100003 September with the corrections of
July ($146.81). The payments cover the first two; what is left becomes credit for the third. July stays below the 177
minutes up to which its plan is cost-effective, so that nothing upgrades it.
"""

from __future__ import annotations

from app.domain.usage import CallReport
from tests.factories.calls import a_call
from tests.world import ACCOUNT, World, pacific

JULY_CALLS = 40


def july_calls(account: str = ACCOUNT) -> list[CallReport]:
    """Two to three calls a day of the first fourteen days; live seconds count up from 240."""
    return [
        a_call(
            account=account,
            event_id=f"{account}/july/{at}",
            started_at=pacific(2026, 7, 1 + at % 14, 9, at),
            script_seconds=240 + at,
            recording_seconds=200,
            patch_seconds=20,
            ivr_seconds=30,
            disposition="MESSAGE",
        )
        for at in range(JULY_CALLS)
    ]


def late_calls(account: str = ACCOUNT) -> list[CallReport]:
    """A call of July that came in late, one that is free, and a correction of the third call."""
    return [
        a_call(
            account=account,
            event_id=f"{account}/late",
            started_at=pacific(2026, 7, 20, 9),
            script_seconds=600,
            recording_seconds=0,
        ),
        a_call(account=account, event_id=f"{account}/free", started_at=pacific(2026, 7, 21, 9), is_billable=False),
        a_call(
            account=account,
            event_id=f"{account}/corrected",
            started_at=pacific(2026, 7, 3, 9),
            script_seconds=10,
            recording_seconds=0,
            corrects=f"{account}/july/2",
        ),
    ]


async def tell(world: World, *, account: str = ACCOUNT, name: str = "Harbor Dental") -> None:
    """Live through the history, up to noon of 2 September 2026."""
    await world.add_account(account, name=name)
    await world.advance_to(pacific(2026, 7, 15, 12))
    await world.add_calls(*july_calls(account))
    await world.advance_to(pacific(2026, 8, 2, 12))
    await world.add_calls(*late_calls(account))
    await world.pay(150_00, account=account, reference="1042")
    await world.pay(326_50, account=account, reference="1043")
    await world.advance_to(pacific(2026, 9, 2, 12))


async def invoice_ids(world: World, *, account: str = ACCOUNT) -> list[str]:
    """The ids of the account's invoices, oldest first."""
    data = await world.data("{ invoices { nodes { id } } }", account=account)
    return [node["id"] for node in reversed(data["invoices"]["nodes"])]
