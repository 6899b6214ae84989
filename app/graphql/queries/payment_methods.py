"""What the Payment Methods tab asks for."""

import strawberry

from app.domain.periods import billing_date
from app.graphql.context import Info
from app.graphql.cost import cost
from app.graphql.permissions import Permission, root_field
from app.graphql.types.payment_method import PaymentAgreement, PaymentMethod, PaymentMethodList, payment_method_of
from app.repositories.pages.payment_methods import PAYMENT_METHODS


async def load_payment_methods(info: Info) -> PaymentMethodList | None:
    """Return the methods on file of the caller's account."""
    found = await info.context.load(PAYMENT_METHODS)
    return PaymentMethodList.of(found, billing_date(info.context.clock.now())) if found else None


async def load_payment_method(info: Info, id: str) -> PaymentMethod | None:
    """Return one method on file of the caller's account."""
    found = await info.context.load(PAYMENT_METHODS)
    today = billing_date(info.context.clock.now())
    return next((payment_method_of(each, today) for each in (found.methods if found else ()) if each.id == id), None)


@strawberry.type
class PaymentMethodQueries:
    """Root fields about payment methods."""

    @root_field(
        costs=[cost(150)],
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="The payment methods on file: the default, and the back-ups in order.",
    )
    async def payment_methods(self, info: Info) -> PaymentMethodList | None:
        """Resolve `paymentMethods`."""
        return await load_payment_methods(info)

    @root_field(
        permission=Permission.VIEW_PAYMENT_DETAILS,
        description="The agreement to show beside the consent box when a payment method is added.",
    )
    async def payment_agreement(self, info: Info) -> PaymentAgreement | None:
        """Resolve `paymentAgreement`."""
        return PaymentAgreement.of(info.context.agreement)
