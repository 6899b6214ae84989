"""Who may do what: each role's permissions, the one way to declare a root field, and sections that some roles miss."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from app.domain.accounts import Role
from app.graphql.context import Context
from app.graphql.cost import Costs
from app.graphql.enums import described_enum
from app.graphql.errors import Forbidden
from app.graphql.refusals import as_member
from app.views.viewer import Viewer


class Permission(StrEnum):
    """What a role can be allowed."""

    VIEW_ACCOUNT = "VIEW_ACCOUNT"
    VIEW_SUMMARY = "VIEW_SUMMARY"
    VIEW_USAGE = "VIEW_USAGE"
    VIEW_PLANS = "VIEW_PLANS"
    VIEW_INVOICES = "VIEW_INVOICES"
    VIEW_PAYMENT_DETAILS = "VIEW_PAYMENT_DETAILS"
    CHANGE_PLAN = "CHANGE_PLAN"
    MANAGE_PAYMENT_METHODS = "MANAGE_PAYMENT_METHODS"
    PAY_INVOICES = "PAY_INVOICES"
    VIEW_ACTIVITY = "VIEW_ACTIVITY"
    SEND_INVOICES = "SEND_INVOICES"
    MANAGE_ALERTS = "MANAGE_ALERTS"
    MANAGE_CONTACTS = "MANAGE_CONTACTS"
    VIEW_NOTIFICATIONS = "VIEW_NOTIFICATIONS"


described_enum(
    Permission,
    description="What your role allows on this account. Show only the tabs and buttons that these permissions allow.",
    values={
        Permission.VIEW_ACCOUNT: "See who you are, your role, and the account's name and state.",
        Permission.VIEW_SUMMARY: (
            "See the Billing Summary: the plan, this month's usage, and a preview of the next invoice."
        ),
        Permission.VIEW_USAGE: "See usage by month and day, and the underlying calls.",
        Permission.VIEW_PLANS: "See the plans and add-ons, and what each would cost.",
        Permission.VIEW_INVOICES: "See invoices with their lines, payments and documents.",
        Permission.CHANGE_PLAN: "Change the plan, and switch add-ons on and off.",
        Permission.MANAGE_PAYMENT_METHODS: "Add, order and remove payment methods.",
        Permission.PAY_INVOICES: "Pay open invoices now.",
        Permission.VIEW_ACTIVITY: "See who did what to the account, and when.",
        Permission.SEND_INVOICES: "Resend invoices by email.",
        Permission.MANAGE_ALERTS: "See and switch your own alerts.",
        Permission.MANAGE_CONTACTS: "See, add, change and remove payment contacts.",
        Permission.VIEW_NOTIFICATIONS: "See the messages sent for this account and their delivery status.",
        Permission.VIEW_PAYMENT_DETAILS: "See payment methods, the open balance and account credit.",
    },
)

described_enum(
    Role,
    description="The role of a user on an account.",
    values={
        Role.ADMIN: "Sees and changes everything, including people.",
        Role.BILLING: "Sees and changes everything in billing except payment contacts and roles.",
        Role.MEMBER: "Sees usage and the Billing Summary, without payment details.",
    },
)

EVERYTHING = frozenset(Permission)
ADMINS_ALONE = frozenset({Permission.MANAGE_ALERTS, Permission.MANAGE_CONTACTS, Permission.VIEW_NOTIFICATIONS})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: EVERYTHING,
    Role.BILLING: EVERYTHING - ADMINS_ALONE,
    Role.MEMBER: frozenset({Permission.VIEW_ACCOUNT, Permission.VIEW_SUMMARY, Permission.VIEW_USAGE}),
}

Resolver = Callable[..., Any]


def may(viewer: Viewer, permission: Permission) -> bool:
    """Tell whether the viewer's role includes a permission."""
    return permission in PERMISSIONS[viewer.role]


def demand(viewer: Viewer, permission: Permission) -> None:
    """Let pass who may, and refuse the others.

    :raises Forbidden: naming the role and who can change it.
    """
    if not may(viewer, permission):
        raise Forbidden(
            f"Your role {viewer.role.value} on this account does not include {permission.value}. "
            "Ask an administrator of the account to change your role, or to do this for you."
        )


class RootGuard(FieldExtension):
    """Checks the caller's role once the one trip has brought it; a refusal outranks any other failure of the field."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def resolve_async(self, next_: Resolver, source: Any, info: Any, **arguments: Any) -> Any:
        """Resolve the field, and hand the value out only when the role allows it."""
        context: Context = info.context
        try:
            value = await next_(source, info, **arguments)
        except Exception as error:
            demand(await context.viewer(), self.permission)
            member = as_member(error)
            if member is None:
                raise
            return member
        demand(await context.viewer(), self.permission)
        return value


class MutationGuard(FieldExtension):
    """Checks the caller's role before anything is done, and turns an expected refusal into a member of the result."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def resolve_async(self, next_: Resolver, source: Any, info: Any, **arguments: Any) -> Any:
        """Do it, or say why not."""
        context: Context = info.context
        demand(await context.viewer(), self.permission)
        try:
            return await next_(source, info, **arguments)
        except Exception as error:
            member = as_member(error)
            if member is None:
                raise
            return member


class SectionGuard(FieldExtension):
    """Leaves a section out, as null and without an error, for a role that may not see it."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def allows(self, context: Context) -> bool:
        """Tell whether the caller's role may see the section."""
        return may(context.seen_viewer, self.permission)

    def resolve(self, next_: Resolver, source: Any, info: Any, **arguments: Any) -> Any:
        """Resolve the section, or answer null."""
        return next_(source, info, **arguments) if self.allows(info.context) else None

    async def resolve_async(self, next_: Resolver, source: Any, info: Any, **arguments: Any) -> Any:
        """Resolve the section, or answer null."""
        return await next_(source, info, **arguments) if self.allows(info.context) else None


def root_field(
    *, permission: Permission, description: str, name: str | None = None, costs: Costs = ()
) -> StrawberryField:
    """Declare an asynchronous resolver as a root field that needs a permission; every root field is made so."""
    field: StrawberryField = strawberry.field(
        name=name, description=description, directives=costs, extensions=[RootGuard(permission)]
    )
    return field


def mutation_field(*, permission: Permission, description: str, costs: Costs = ()) -> StrawberryField:
    """Declare an asynchronous resolver as a mutation that needs a permission; every mutation is made so."""
    field: StrawberryField = strawberry.mutation(
        description=description, directives=costs, extensions=[MutationGuard(permission)]
    )
    return field


def section(*, permission: Permission, description: str, name: str | None = None, costs: Costs = ()) -> StrawberryField:
    """Declare a nullable field that is null for a role without the permission."""
    field: StrawberryField = strawberry.field(
        name=name, description=description, directives=costs, extensions=[SectionGuard(permission)]
    )
    return field


def permission_of(field: StrawberryField) -> Permission | None:
    """Return the permission that a field was declared with, for the test that lists fields without one."""
    guards = [
        extension for extension in field.extensions if isinstance(extension, RootGuard | MutationGuard | SectionGuard)
    ]
    return guards[0].permission if guards else None
