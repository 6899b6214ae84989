"""Who is asking, as the portal's header shows it."""

import strawberry

from app.domain.accounts import AccountStatus, Role
from app.graphql.enums import described_enum
from app.graphql.permissions import PERMISSIONS, Permission
from app.graphql.types.node import Node
from app.views import viewer as views

described_enum(
    AccountStatus,
    description="Whether the account is served.",
    values={
        AccountStatus.ACTIVE: "The account is in service.",
        AccountStatus.SUSPENDED: "Service is suspended. The Billing Summary says what is open.",
        AccountStatus.CLOSED: "The account is closed. Its invoices can still be read.",
    },
)

PAST_DUE = {
    views.PastDue.DECLINED: "An invoice could not be charged. Pay the open balance, or add another payment method.",
    views.PastDue.RETURNED: "Your bank returned a payment, so its invoice is open again. Pay the open balance, or add "
    "another payment method.",
    views.PastDue.CHARGED_BACK: "Your bank took a disputed payment back, so its invoice is open again. Pay the open "
    "balance, or ask us.",
    views.PastDue.REFUNDED: "We refunded a payment, so its invoice is open again. Nothing is charged for it by itself: "
    "pay it, or ask us if you need not.",
    views.PastDue.SUSPENSION_ANNOUNCED: "An invoice is overdue, and your service is about to be suspended. Pay the "
    "open balance.",
}
BANNERS = {
    AccountStatus.SUSPENDED: "Your service is suspended. Pay the open balance to have it restored.",
    AccountStatus.CLOSED: "This account is closed. Invoices and calls can still be read.",
}


@strawberry.type(description="A person who signs in to the portal.")
class User(Node):
    """One user."""

    id: strawberry.ID = strawberry.field(description="Stays the same for as long as the person is known to us.")
    email: str = strawberry.field(description="The address that the person signs in with.")
    name: str = strawberry.field(description="The person's name.")


@strawberry.type(description="A customer of the answering service: who is served, and who is billed.")
class Account(Node):
    """One account, as its members may see it."""

    id: strawberry.ID = strawberry.field(description="Stays the same for as long as the account exists.")
    external_id: str = strawberry.field(description="The account's number in the rest of SAS Flex, such as `AA0101`.")
    name: str = strawberry.field(description="The name of the company.")
    status: AccountStatus = strawberry.field(description="Whether the account is served.")


@strawberry.type(description="You: the person signed in, on the account that you chose when you signed in.")
class Viewer:
    """Built from the session look-up with `Viewer.of`."""

    user: User = strawberry.field(description="Who you are.")
    account: Account = strawberry.field(description="The account that every answer is about.")
    role: Role = strawberry.field(description="What you are on this account.")
    permissions: list[Permission] = strawberry.field(description="What your role allows on this account.")
    banner: str | None = strawberry.field(
        description="What to tell everybody on this account at the top of each page, or null when all is well."
    )

    @classmethod
    def of(cls, found: views.Viewer) -> "Viewer":
        """Return the session for clients."""
        return cls(
            user=User(id=strawberry.ID(found.user_id), email=found.user_email, name=found.user_name),
            account=Account(
                id=strawberry.ID(found.account_id),
                external_id=found.account_external_id,
                name=found.account_name,
                status=found.account_status,
            ),
            role=found.role,
            permissions=[permission for permission in Permission if permission in PERMISSIONS[found.role]],
            banner=BANNERS.get(found.account_status, PAST_DUE[found.past_due] if found.past_due else None),
        )
