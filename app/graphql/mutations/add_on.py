"""The switches of the add-ons."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.add_ons import load_add_on, load_entitlements
from app.graphql.queries.billing_summary import load_summary
from app.graphql.queries.invoices import load_invoice
from app.graphql.types.add_on import (
    ActivateAddOnInput,
    ActivateAddOnResult,
    AddOnActivated,
    AddOnCancelled,
    AddOnKept,
    CancelAddOnInput,
    CancelAddOnResult,
    KeepAddOnInput,
    KeepAddOnResult,
    add_on_id,
    read_add_on_id,
)
from app.services.plans import switch_add_on

ActivateInput = Annotated[
    ActivateAddOnInput, strawberry.argument(description="The quote to confirm, and the accepted terms.")
]
CancelInput = Annotated[CancelAddOnInput, strawberry.argument(description="The add-on to cancel.")]
KeepInput = Annotated[KeepAddOnInput, strawberry.argument(description="The add-on to keep.")]


async def read_code(info: Info, id: str) -> str:
    """Return the code of the caller's add-on of that id."""
    return read_add_on_id(id, (await info.context.viewer()).account_id)


@strawberry.type
class AddOnMutations:
    """Mutations of the add-ons."""

    @mutation_field(
        permission=Permission.CHANGE_PLAN,
        description=(
            "Buys an add-on by confirming its quote and accepting its terms. It is active as soon "
            "as its invoice is paid."
        ),
    )
    async def activate_add_on(self, info: Info, input: ActivateInput) -> ActivateAddOnResult:
        """Resolve `activateAddOn`."""
        bought = await switch_add_on.activate_add_on(
            info.context.services,
            await info.context.caller(),
            signer=info.context.writes.signer,
            payment_runner=info.context.writes.payment_runner,
            quote_token=input.quote_id,
            terms_version=input.terms_version,
            idempotency_key=input.idempotency_key,
        )
        return AddOnActivated(
            status=bought.outcome,
            add_on=await load_add_on(info, add_on_id(info.context.seen_viewer.account_id, bought.details.add_on)),
            invoice=await load_invoice(info, bought.invoice_id) if bought.invoice_id else None,
            entitlements=await load_entitlements(info),
            billing_summary=await load_summary(info),
        )

    @mutation_field(
        permission=Permission.CHANGE_PLAN,
        description="Cancels an add-on. It stays active until the end of this month, and nothing is refunded.",
    )
    async def cancel_add_on(self, info: Info, input: CancelInput) -> CancelAddOnResult:
        """Resolve `cancelAddOn`."""
        code = await read_code(info, input.add_on_id)
        await switch_add_on.cancel_add_on(info.context.services, await info.context.caller(), code=code)
        return AddOnCancelled(add_on=await load_add_on(info, input.add_on_id), billing_summary=await load_summary(info))

    @mutation_field(
        permission=Permission.CHANGE_PLAN,
        description="Withdraws the cancellation of an add-on while it is still active. Nothing is invoiced now.",
    )
    async def keep_add_on(self, info: Info, input: KeepInput) -> KeepAddOnResult:
        """Resolve `keepAddOn`."""
        code = await read_code(info, input.add_on_id)
        await switch_add_on.keep_add_on(info.context.services, await info.context.caller(), code=code)
        return AddOnKept(add_on=await load_add_on(info, input.add_on_id), billing_summary=await load_summary(info))
