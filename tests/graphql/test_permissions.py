"""Every root field has a permission, and every role's permissions are those that the contract names."""

from __future__ import annotations

import pytest
import strawberry

from app.domain.accounts import Role
from app.graphql.enums import described_enum
from app.graphql.permissions import PERMISSIONS, Permission, may, permission_of
from app.graphql.schema import schema
from tests.fakes.edge import a_viewer


def unguarded(root: type) -> list[str]:
    return [field.python_name for field in root.__strawberry_definition__.fields if permission_of(field) is None]


class TestRootFields:
    def test_every_root_field_has_a_permission(self):
        roots = [root for root in (schema.query, schema.mutation, schema.subscription) if root]
        assert [name for root in roots for name in unguarded(root)] == []

    def test_a_field_without_one_is_found(self):
        @strawberry.type
        class Query:
            @strawberry.field
            def loose(self) -> int:
                return 1

        assert unguarded(Query) == ["loose"]


class TestRoles:
    def test_every_role_may_do_what_the_contract_says(self):
        assert PERMISSIONS[Role.ADMIN] == set(Permission)
        admins_alone = {Permission.MANAGE_CONTACTS, Permission.MANAGE_ALERTS, Permission.VIEW_NOTIFICATIONS}
        assert PERMISSIONS[Role.BILLING] == set(Permission) - admins_alone
        assert PERMISSIONS[Role.MEMBER] == {Permission.VIEW_ACCOUNT, Permission.VIEW_SUMMARY, Permission.VIEW_USAGE}
        assert set(PERMISSIONS) == set(Role)

    @pytest.mark.parametrize(("role", "is_allowed"), [(Role.ADMIN, True), (Role.BILLING, True), (Role.MEMBER, False)])
    def test_invoices_are_not_for_members(self, role, is_allowed):
        assert may(a_viewer(role=role), Permission.VIEW_INVOICES) is is_allowed


class TestDescribedEnums:
    def test_a_member_without_a_description_is_refused(self):
        with pytest.raises(ValueError, match="Role and its descriptions differ in BILLING, MEMBER"):
            described_enum(Role, description="x", values={Role.ADMIN: "x"})
