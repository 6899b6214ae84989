"""The forms of the Payment Contacts tab, the switches of the alerts, and the button that sends an invoice again."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.alerts import load_contact, load_contacts, load_subscriptions
from app.graphql.queries.invoices import load_invoice
from app.graphql.types.alert import (
    AlertSubscriptionsUpdated,
    UpdateAlertSubscriptionsInput,
    UpdateAlertSubscriptionsResult,
)
from app.graphql.types.notification import InvoiceResent, ResendInvoiceInput, ResendInvoiceResult
from app.graphql.types.payment_contact import (
    AddPaymentContactInput,
    AddPaymentContactResult,
    ContactConfirmationResent,
    PaymentContactAdded,
    PaymentContactRemoved,
    PaymentContactUpdated,
    RemovePaymentContactInput,
    RemovePaymentContactResult,
    ResendContactConfirmationInput,
    ResendContactConfirmationResult,
    UpdatePaymentContactInput,
    UpdatePaymentContactResult,
)
from app.services.cycle import alert_subscriptions
from app.services.invoices import resend_invoice
from app.services.notifications import payment_contacts

AddInput = Annotated[AddPaymentContactInput, strawberry.argument(description="The contact to add.")]
UpdateInput = Annotated[UpdatePaymentContactInput, strawberry.argument(description="The contact's new details.")]
RemoveInput = Annotated[RemovePaymentContactInput, strawberry.argument(description="The contact to remove.")]
AskAgainInput = Annotated[ResendContactConfirmationInput, strawberry.argument(description="Whom to ask again.")]
SwitchInput = Annotated[UpdateAlertSubscriptionsInput, strawberry.argument(description="The alerts to switch.")]
ResendInput = Annotated[ResendInvoiceInput, strawberry.argument(description="The invoice to send again.")]


@strawberry.type
class AlertMutations:
    """Mutations of contacts and alerts."""

    @mutation_field(
        permission=Permission.MANAGE_CONTACTS,
        description=(
            "Adds a payment contact, who receives billing messages once their addresses are confirmed. The admins and "
            "the confirmed contacts are notified. Contacts can be changed ten times an hour and thirty times a day."
        ),
    )
    async def add_payment_contact(self, info: Info, input: AddInput) -> AddPaymentContactResult:
        """Resolve `addPaymentContact`."""
        added = await payment_contacts.add_contact(
            info.context.services, await info.context.caller(), input.contact.details()
        )
        contacts = await load_contacts(info)
        contact = next((contact for contact in contacts if contact.id == added), None)
        return PaymentContactAdded(contact=contact, payment_contacts=contacts)

    @mutation_field(
        permission=Permission.MANAGE_CONTACTS,
        description="Changes a payment contact. All fields are replaced. A new address has to be confirmed.",
    )
    async def update_payment_contact(self, info: Info, input: UpdateInput) -> UpdatePaymentContactResult:
        """Resolve `updatePaymentContact`."""
        await payment_contacts.update_contact(
            info.context.services, await info.context.caller(), input.contact_id, input.contact.details()
        )
        return PaymentContactUpdated(contact=await load_contact(info, input.contact_id))

    @mutation_field(
        permission=Permission.MANAGE_CONTACTS,
        description=(
            "Removes a payment contact. Messages that are still queued for the contact are not sent. A confirmed email "
            "address is notified."
        ),
    )
    async def remove_payment_contact(self, info: Info, input: RemoveInput) -> RemovePaymentContactResult:
        """Resolve `removePaymentContact`."""
        await payment_contacts.remove_contact(info.context.services, await info.context.caller(), input.contact_id)
        return PaymentContactRemoved(contact_id=input.contact_id, payment_contacts=await load_contacts(info))

    @mutation_field(
        permission=Permission.MANAGE_CONTACTS,
        description=(
            "Asks a payment contact again to confirm an email address or phone number: at most twice, 24 hours apart."
        ),
    )
    async def resend_contact_confirmation(self, info: Info, input: AskAgainInput) -> ResendContactConfirmationResult:
        """Resolve `resendContactConfirmation`."""
        await payment_contacts.resend_confirmation(
            info.context.services, await info.context.caller(), input.contact_id, input.channel
        )
        return ContactConfirmationResent(contact=await load_contact(info, input.contact_id))

    @mutation_field(
        permission=Permission.MANAGE_ALERTS,
        description="Switches alerts on or off for the signed-in admin. Other admins' alerts are not changed.",
    )
    async def update_alert_subscriptions(self, info: Info, input: SwitchInput) -> UpdateAlertSubscriptionsResult:
        """Resolve `updateAlertSubscriptions`."""
        changes = {change.kind: change.is_on for change in input.changes}
        await alert_subscriptions.switch_alerts(info.context.services, await info.context.caller(), changes=changes)
        return AlertSubscriptionsUpdated(alert_subscriptions=await load_subscriptions(info))

    @mutation_field(
        permission=Permission.SEND_INVOICES,
        description=(
            "Sends an invoice email again, to you and to the payment contacts who receive invoices. "
            "Limited to three times an hour."
        ),
    )
    async def resend_invoice(self, info: Info, input: ResendInput) -> ResendInvoiceResult:
        """Resolve `resendInvoice`."""
        caller, viewer = await info.context.caller(), info.context.seen_viewer
        requester = resend_invoice.Requester(viewer.user_id, viewer.user_name, viewer.user_email)
        sent_to = await resend_invoice.resend_invoice(
            info.context.services, caller, requester=requester, invoice_id=input.invoice_id
        )
        return InvoiceResent(invoice=await load_invoice(info, input.invoice_id), sent_to=sent_to)
