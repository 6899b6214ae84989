"""Advice about plans: the account's own months on each of them, and months that might be."""

from typing import Annotated

import strawberry

from app.domain.add_ons import AddOnNotAvailable
from app.domain.recommendation import MOST_MONTHS
from app.domain.what_if import LinesOutOfRange, MinutesOutOfRange, usage_of_minutes
from app.graphql.context import Info
from app.graphql.cost import cost
from app.graphql.errors import BadInput
from app.graphql.permissions import Permission, root_field
from app.graphql.types.add_on import read_add_on_id
from app.graphql.types.plan_advice import PlanAdvice, WhatIf
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.services.plans.plan_advice import plan_advice, plan_advice_dates, what_if_month
from app.views.plan_advice import PlanAdviceFacts

MonthsArgument = Annotated[
    int, strawberry.argument(description="The maximum number of full months to look back, from 1 to 12.")
]
LiveArgument = Annotated[int, strawberry.argument(description="Live minutes in the month.")]
PatchArgument = Annotated[int, strawberry.argument(description="Minutes of patched calls.")]
IvrArgument = Annotated[int, strawberry.argument(description="Automated (IVR) minutes.")]
AddOnsArgument = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="The ids of the add-ons, from `addOns`. Defaults to those that the account has."),
]
LinesArgument = Annotated[
    int | None,
    strawberry.argument(description="The number of additional lines. Defaults to those that the account has."),
]


async def load_advice(info: Info, months: int = MOST_MONTHS) -> PlanAdviceFacts | None:
    """Return the facts of advice about the caller's account."""
    return await info.context.load(PLAN_ADVICE, **plan_advice_dates(info.context.clock.now(), months))


@strawberry.type
class PlanAdviceQueries:
    """Root fields of advice."""

    @root_field(
        costs=[cost(450)],
        permission=Permission.VIEW_PLANS,
        description=(
            "The plan that would have cost least for the account's own usage, with the bills on every plan on sale."
        ),
    )
    async def plan_advice(self, info: Info, months: MonthsArgument = MOST_MONTHS) -> PlanAdvice | None:
        """Resolve `planAdvice`."""
        if not 1 <= months <= MOST_MONTHS:
            raise BadInput(f"`months` is {months}. Ask for 1 to {MOST_MONTHS}.")
        facts = await load_advice(info, months)
        return PlanAdvice.of(plan_advice(facts), facts.snapshot) if facts else None

    @root_field(
        costs=[cost(300)],
        permission=Permission.VIEW_PLANS,
        description="The cost of a full month with the given usage and add-ons on each plan.",
    )
    async def what_if(
        self,
        info: Info,
        live_minutes: LiveArgument,
        patch_minutes: PatchArgument = 0,
        ivr_minutes: IvrArgument = 0,
        add_on_ids: AddOnsArgument = None,
        additional_lines: LinesArgument = None,
    ) -> WhatIf | None:
        """Resolve `whatIf`."""
        facts = await load_advice(info)
        if facts is None:
            return None
        owner = facts.snapshot.account_id
        codes = None if add_on_ids is None else [read_add_on_id(one, owner) for one in add_on_ids]
        try:
            usage = usage_of_minutes(live_minutes=live_minutes, patch_minutes=patch_minutes, ivr_minutes=ivr_minutes)
            found = what_if_month(facts, usage=usage, add_on_codes=codes, additional_lines=additional_lines)
        except (AddOnNotAvailable, LinesOutOfRange, MinutesOutOfRange) as error:
            raise BadInput(str(error)) from None
        return WhatIf.of(found, facts.snapshot)
