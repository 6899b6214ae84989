"""The buttons of the Payment Methods tab."""

import asyncio
from typing import Annotated, Any

import strawberry

from app.domain.agreements import check_authorization
from app.domain.periods import billing_date
from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.billing_summary import load_summary
from app.graphql.queries.invoices import load_open_invoices
from app.graphql.queries.payment_methods import load_payment_methods
from app.graphql.types.payment_method import CardVerification, PaymentAuthorization, payment_method_of
from app.graphql.types.payment_method_changes import (
    AdditionStatus,
    AddPaymentMethodInput,
    AddPaymentMethodResult,
    BackupPaymentMethodsReordered,
    CreatePaymentFormTokenInput,
    CreatePaymentFormTokenResult,
    DefaultPaymentMethodSet,
    PaymentFormTokenCreated,
    PaymentMethodAdded,
    PaymentMethodRemoved,
    PaymentMethodVerified,
    RemovePaymentMethodInput,
    RemovePaymentMethodResult,
    ReorderBackupPaymentMethodsInput,
    ReorderBackupPaymentMethodsResult,
    SetDefaultPaymentMethodInput,
    SetDefaultPaymentMethodResult,
    VerifyingStatus,
    VerifyPaymentMethodInput,
    VerifyPaymentMethodResult,
)
from app.services.payment_methods.add_payment_method import (
    AddedMethod,
    add_payment_method,
)
from app.services.payment_methods.create_payment_form_token import create_payment_form_token
from app.services.payment_methods.remove_payment_method import remove_payment_method
from app.services.payment_methods.reorder_backup_payment_methods import reorder_backup_payment_methods
from app.services.payment_methods.set_default_payment_method import set_default_payment_method
from app.services.payment_methods.verify_payment_method import add_verified_payment_method, verify_payment_method

TokenInput = Annotated[
    CreatePaymentFormTokenInput, strawberry.argument(description="The agreement that the form will show.")
]
AddInput = Annotated[
    AddPaymentMethodInput, strawberry.argument(description="The payment method, and the accepted agreement.")
]
VerifyInput = Annotated[
    VerifyPaymentMethodInput, strawberry.argument(description="The payment method, and the accepted agreement.")
]
DefaultInput = Annotated[
    SetDefaultPaymentMethodInput, strawberry.argument(description="The payment method to make the default.")
]
OrderInput = Annotated[
    ReorderBackupPaymentMethodsInput, strawberry.argument(description="The new order of the back-ups.")
]
RemoveInput = Annotated[RemovePaymentMethodInput, strawberry.argument(description="The payment method to remove.")]


async def load_changed(info: Info) -> dict[str, Any]:
    """Return what every change shows: the methods and the summary as they are now, read together."""
    methods, summary = await asyncio.gather(load_payment_methods(info), load_summary(info))
    return {"payment_methods": methods, "billing_summary": summary}


async def load_charged(info: Info) -> dict[str, Any]:
    """As `load_changed`, with the open invoices, which a change of what is charged first has tried again at once."""
    invoices, changed = await asyncio.gather(load_open_invoices(info), load_changed(info))
    return {"open_invoices": invoices, **changed}


async def show_added(info: Info, added: AddedMethod) -> PaymentMethodAdded:
    """Return what adding did, for clients."""
    method, changed = added.method, await load_charged(info)
    today = billing_date(info.context.clock.now())
    return PaymentMethodAdded(
        status=AdditionStatus.PENDING if method is None else AdditionStatus.ADDED,
        payment_method=None if method is None else payment_method_of(method, today),
        verification=CardVerification.of(method.verification) if method and method.verification else None,
        authorization=PaymentAuthorization.of(added.consent),
        **changed,
    )


@strawberry.type
class PaymentMethodMutations:
    """Mutations of the Payment Methods tab."""

    @mutation_field(
        permission=Permission.MANAGE_PAYMENT_METHODS,
        description=(
            "Creates a token with which a payment form talks to the payment gateway directly. Card "
            "numbers never reach this API."
        ),
    )
    async def create_payment_form_token(self, info: Info, input: TokenInput) -> CreatePaymentFormTokenResult:
        """Resolve `createPaymentFormToken`."""
        token = await create_payment_form_token(
            info.context.writes.required_vault,
            await info.context.caller(),
            agreement_version=input.agreement_version,
        )
        return PaymentFormTokenCreated(client_token=token)

    @mutation_field(
        permission=Permission.MANAGE_PAYMENT_METHODS,
        description=(
            "Verifies a payment method with its bank, before it is added: records the agreement and stores the card in "
            "the vault for 15 minutes. It is not on file until it is added, and is deleted if it never is."
        ),
    )
    async def verify_payment_method(self, info: Info, input: VerifyInput) -> VerifyPaymentMethodResult:
        """Resolve `verifyPaymentMethod`."""
        verified = await verify_payment_method(
            info.context.writes.required_vault,
            await info.context.caller(),
            new=input.value(),
            idempotency_key=input.idempotency_key,
        )
        method = verified.method
        return PaymentMethodVerified(
            status=VerifyingStatus.PENDING if method is None else VerifyingStatus.VERIFIED,
            verification_id=strawberry.ID(verified.id),
            expires_at=verified.held_until,
            display_name=None if method is None else method.display_name,
            verification=CardVerification.of(method.verification) if method and method.verification else None,
            authorization=PaymentAuthorization.of(verified.consent),
        )

    @mutation_field(
        permission=Permission.MANAGE_PAYMENT_METHODS,
        description=(
            "Adds a payment method that was verified, or verifies one and adds it in one step: records the agreement, "
            "verifies the card with its bank and stores it in the vault. Open invoices are then charged at once."
        ),
    )
    async def add_payment_method(self, info: Info, input: AddInput) -> AddPaymentMethodResult:
        """Resolve `addPaymentMethod`."""
        caller, vault = await info.context.caller(), info.context.writes.required_vault
        verification_id = input.verified
        if verification_id is None:
            added = await add_payment_method(vault, caller, new=input.value(), idempotency_key=input.idempotency_key)
        else:
            check_authorization(vault.agreement, is_given=input.authorize, version=input.agreement_version)
            added = await add_verified_payment_method(
                vault,
                caller,
                verification_id=verification_id,
                makes_default=input.make_default,
                idempotency_key=input.idempotency_key,
            )
        return await show_added(info, added)

    @mutation_field(
        permission=Permission.MANAGE_PAYMENT_METHODS,
        description=(
            "Makes a payment method the default, which is charged first. The previous default "
            "becomes the first back-up."
        ),
    )
    async def set_default_payment_method(self, info: Info, input: DefaultInput) -> SetDefaultPaymentMethodResult:
        """Resolve `setDefaultPaymentMethod`."""
        await set_default_payment_method(
            info.context.services, await info.context.caller(), method_id=input.payment_method_id
        )
        return DefaultPaymentMethodSet(**await load_charged(info))

    @mutation_field(
        permission=Permission.MANAGE_PAYMENT_METHODS,
        description="Changes the order in which back-ups are charged.",
    )
    async def reorder_backup_payment_methods(self, info: Info, input: OrderInput) -> ReorderBackupPaymentMethodsResult:
        """Resolve `reorderBackupPaymentMethods`."""
        await reorder_backup_payment_methods(
            info.context.services, await info.context.caller(), method_ids=input.payment_method_ids
        )
        return BackupPaymentMethodsReordered(payment_methods=await load_payment_methods(info))

    @mutation_field(
        permission=Permission.MANAGE_PAYMENT_METHODS,
        description="Removes a payment method. If it is the default, the first back-up becomes the default.",
    )
    async def remove_payment_method(self, info: Info, input: RemoveInput) -> RemovePaymentMethodResult:
        """Resolve `removePaymentMethod`."""
        promoted = await remove_payment_method(
            info.context.services, await info.context.caller(), method_id=input.payment_method_id
        )
        changed = await load_changed(info)
        methods = changed["payment_methods"]
        return PaymentMethodRemoved(
            removed_id=input.payment_method_id,
            new_default=methods.default if methods and promoted else None,
            **changed,
        )
