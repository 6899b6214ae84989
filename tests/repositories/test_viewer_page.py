"""The session look-up on both engines: a member is found, and nobody by way of another account."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.accounts import AccountStatus, Role
from app.models.accounts import AccountRow, MembershipRow, UserRow
from app.models.plans import PlanVersionRow
from app.repositories.database import Database
from app.repositories.pages.viewer import VIEWER
from app.views.viewer import Viewer

NOW = datetime(2026, 8, 31, 7, tzinfo=UTC)


def an_account(number: int) -> AccountRow:
    return AccountRow(
        id=f"acc_{number}",
        external_id=f"AA010{number}",
        name=f"Company {number}",
        status=AccountStatus.ACTIVE,
        paid_starts_on=date(2026, 1, 1),
        plan_version_id="plv_1",
        next_cycle_on=date(2026, 9, 1),
        adjustable_from_on=date(2026, 6, 1),
        created_at=NOW,
    )


@pytest.fixture
async def members(migrated_url):
    """Two accounts: Ann is an admin of the first and a member of the second, Bob has no account."""
    database = Database.open(migrated_url)

    async def write(session):
        session.add(
            PlanVersionRow(
                id="plv_1",
                code="test-100",
                name="Flex 100",
                base_cents=13_900,
                included_minutes=100,
                overage_rate=12_900,
                valid_from=date(1990, 1, 1),
            )
        )
        await session.flush()
        session.add_all([an_account(1), an_account(2)])
        for name in ("ann", "bob"):
            session.add(
                UserRow(id=f"usr_{name}", subject=f"sub-{name}", email=f"{name}@x.test", name=name, created_at=NOW)
            )
        await session.flush()
        session.add(MembershipRow(account_id="acc_1", user_id="usr_ann", role=Role.ADMIN))
        session.add(MembershipRow(account_id="acc_2", user_id="usr_ann", role=Role.MEMBER))

    await database.run_tx(write)
    yield database
    await database.close()


class TestViewerPage:
    async def test_a_member_is_found_with_the_role_of_that_account(self, members):
        first, second = await members.reader.load(
            VIEWER.request(subject="sub-ann", account="AA0101"), VIEWER.request(subject="sub-ann", account="AA0102")
        )
        assert first == Viewer(
            user_id="usr_ann",
            user_email="ann@x.test",
            user_name="ann",
            role=Role.ADMIN,
            account_id="acc_1",
            account_external_id="AA0101",
            account_name="Company 1",
            account_status=AccountStatus.ACTIVE,
        )
        assert (second.role, second.account_id) == (Role.MEMBER, "acc_2")
        assert isinstance(second.role, Role)
        assert isinstance(second.account_status, AccountStatus)

    @pytest.mark.parametrize(
        ("subject", "account"),
        [("sub-bob", "AA0101"), ("sub-ann", "AA0103"), ("sub-ann", "acc_1"), ("usr_ann", "AA0101"), ("", "")],
    )
    async def test_anybody_else_is_not(self, members, subject, account):
        assert await members.reader.load(VIEWER.request(subject=subject, account=account)) == [None]
