"""Who is asking, as the portal's header shows it."""

import strawberry

from app.domain.accounts import AccountStatus, Role
from app.graphql.cost import holds
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.permissions import PERMISSIONS, Permission
from app.graphql.types.node import Node
from app.views import viewer as views

described_enum(
    AccountStatus,
    description="Whether the account is served.",
    values={
        AccountStatus.ACTIVE: "The account is in service.",
        AccountStatus.SUSPENDED: "Service is suspended. The Billing Summary shows the open balance.",
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

    id: strawberry.ID = strawberry.field(description="Identifies the person. It never changes.")
    email: str = strawberry.field(description="The address the person signs in with.")
    name: str = strawberry.field(description="The recipient's name.")


@strawberry.type(description="A customer of the answering service: the company that is served and billed.")
class Account(Node):
    """One account, as its members may see it."""

    id: strawberry.ID = strawberry.field(description="Identifies the account. It never changes.")
    external_id: str = strawberry.field(description="The account number used across SAS Flex, such as `AA0101`.")
    name: str = strawberry.field(description="The name of the company.")
    status: AccountStatus = strawberry.field(description="Whether the account is served.")


@strawberry.type(description="The signed-in user on the chosen account.")
class Viewer(Node):
    """Built from the session look-up with `Viewer.of`."""

    id: strawberry.ID = strawberry.field(
        description="Identifies the user on this account. It never changes; role and banner do."
    )
    user: User = strawberry.field(description="The signed-in user.")
    account: Account = strawberry.field(description="The account that every response is about.")
    role: Role = strawberry.field(description="Your role on this account.")
    permissions: list[Permission] = strawberry.field(
        directives=[holds(20)], description="What your role allows on this account."
    )
    banner: str | None = strawberry.field(
        description="A message to show to everyone on this account at the top of each page. Null if there is none."
    )

    @classmethod
    def of(cls, found: views.Viewer) -> "Viewer":
        """Return the session for clients."""
        return cls(
            id=derived_id("viewer", found.account_id, found.user_id.partition("_")[2]),
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
