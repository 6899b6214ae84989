"""The add-ons, what one would cost, and what they unlock."""

from typing import Annotated

import strawberry

from app.domain.periods import billing_date
from app.graphql.context import Info
from app.graphql.cost import cost, holds
from app.graphql.permissions import Permission, root_field
from app.graphql.types.add_on import AddOn, AddOnChangePreviewResult, AddOnQuote, Entitlements, read_add_on_id
from app.repositories.pages.account_snapshot import ACCOUNT_SNAPSHOT
from app.repositories.pages.entitlements import ENTITLEMENTS
from app.services.common.account_snapshot import snapshot_dates
from app.services.plans.add_on_offers import add_on_offers
from app.services.plans.switch_add_on import preview_add_on

AddOnIdArgument = Annotated[
    strawberry.ID, strawberry.argument(description="The id of the add-on to buy, from `addOns`.")
]


async def load_add_ons(info: Info) -> list[AddOn] | None:
    """Return the add-ons of the caller's account."""
    snapshot = await info.context.load(ACCOUNT_SNAPSHOT, **snapshot_dates(info.context.clock.now()))
    return [AddOn.of(offer) for offer in add_on_offers(snapshot)] if snapshot else None


async def load_add_on(info: Info, id: str) -> AddOn | None:
    """Return one add-on of the caller's account by its id."""
    return next((add_on for add_on in await load_add_ons(info) or () if add_on.id == id), None)


async def load_entitlements(info: Info) -> Entitlements | None:
    """Return what the add-ons of the caller's account unlock today."""
    names = await info.context.load(ENTITLEMENTS, today=billing_date(info.context.clock.now()))
    return None if names is None else Entitlements.of(names, (await info.context.viewer()).account_id)


@strawberry.type
class AddOnQueries:
    """Root fields about add-ons."""

    @root_field(
        costs=[cost(250), holds(6)],
        permission=Permission.VIEW_PLANS,
        description="The add-ons on sale today and those that the account has, by name.",
    )
    async def add_ons(self, info: Info) -> list[AddOn] | None:
        """Resolve `addOns`."""
        return await load_add_ons(info)

    @root_field(
        costs=[cost(250)],
        permission=Permission.CHANGE_PLAN,
        description="A quote for buying an add-on now, or the reason it cannot be bought.",
    )
    async def add_on_change_preview(self, info: Info, add_on_id: AddOnIdArgument) -> AddOnChangePreviewResult | None:
        """Resolve `addOnChangePreview`."""
        snapshot = await info.context.load(ACCOUNT_SNAPSHOT, **snapshot_dates(info.context.clock.now()))
        if snapshot is None:
            return None
        code = read_add_on_id(add_on_id, snapshot.account_id)
        return AddOnQuote.of(preview_add_on(snapshot, code, info.context.writes.signer))

    @root_field(
        permission=Permission.VIEW_ACCOUNT,
        description="The features that the account's add-ons switch on today. Show only what is true here.",
    )
    async def entitlements(self, info: Info) -> Entitlements | None:
        """Resolve `entitlements`."""
        return await load_entitlements(info)
