"""An account comes to be, is brought up to date, and is settled by its first invoice (rules 9, 10)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.accounts import AccountStatus, Role
from app.domain.plans import PlanNotAvailable
from app.repositories import unit_of_work
from app.services.usage.put_account import (
    AccountAlreadyBilled,
    AccountParticulars,
    InvalidExternalId,
    Member,
    MemberNamedTwice,
    PaidStartMissing,
    PaidStartTooFar,
    PutAccount,
    paid_start,
    put_account,
)
from tests.services.books import differences, dump, events, invoices, lines, rows
from tests.world import ACCOUNT, World, pacific

ANN = Member("user-1", "ann@example.com", "Ann Ames", Role.ADMIN)
BOB = Member("user-2", "bob@example.com", "Bob Byrd", Role.MEMBER)


async def put(world: World, **changes: Any) -> PutAccount:
    given: dict[str, Any] = {
        "external_id": ACCOUNT,
        "name": "Harbor Dental",
        "plan_code": "100",
        "paid_since_on": date(2026, 8, 1),
    }
    return await put_account(world.services, particulars=AccountParticulars(**{**given, **changes}), actor="key:flex")


async def people(world: World, account: str = ACCOUNT) -> list[tuple[str, str, str, Role]]:
    async def work(uow: unit_of_work.UnitOfWork) -> Any:
        return await uow.users.members((await uow.accounts.get_by_external_id(account)).id)

    return [(u.subject, u.email, u.name, role) for u, role in await unit_of_work.read(world.database, work)]


class TestCreating:
    async def test_an_account_is_there_with_its_people_and_one_event(self, world):
        put_ = await put(world, members=(BOB, ANN))

        account = put_.account
        assert put_.is_new
        assert (account.external_id, account.name, account.status) == (ACCOUNT, "Harbor Dental", AccountStatus.ACTIVE)
        assert (account.plan_version_id, account.next_cycle_on) == ("plan_100_2020", date(2026, 8, 1))
        assert await people(world) == [
            ("user-1", "ann@example.com", "Ann Ames", Role.ADMIN),
            ("user-2", "bob@example.com", "Bob Byrd", Role.MEMBER),
        ]
        (event,) = await events(world.database)
        assert (event.kind, event.actor, event.subject_id) == ("account.created", "key:flex", account.id)
        assert event.data == {"members": ["user-1 ADMIN", "user-2 MEMBER"]}
        assert await differences(world.database) == []

    async def test_rule_9_paid_service_starts_the_day_after_the_trial(self, world):
        account = (await put(world, paid_since_on=None, trial_ends_on=date(2026, 9, 10))).account

        assert (account.trial_ends_on, account.paid_starts_on) == (date(2026, 9, 10), date(2026, 9, 11))
        assert account.next_cycle_on == date(2026, 9, 1)
        due = rows(world.database, "SELECT next_close_at, adjustable_from_on FROM account")
        assert due == [("2026-09-11 13:00:00.000000", "2026-06-01")]

    async def test_rule_9_a_trial_that_ends_with_a_month_starts_the_next(self):
        assert paid_start(date(2026, 12, 31), None) == date(2027, 1, 1)
        assert paid_start(date(2026, 12, 31), date(2027, 1, 1)) == date(2027, 1, 1)
        assert paid_start(date(2026, 12, 31), date(2027, 2, 15)) == date(2027, 2, 15)

    async def test_the_plan_is_taken_at_the_prices_of_the_first_paid_day(self, world):
        old = await put(world, external_id="1", paid_since_on=date(2019, 12, 31))
        new = await put(world, external_id="2", paid_since_on=date(2020, 1, 1))

        assert old.account.plan_version_id == "plan_100_2015"
        assert new.account.plan_version_id == "plan_100_2020"

    async def test_one_person_may_belong_to_several_accounts(self, world):
        await put(world, external_id="1", members=(ANN,))
        await put(world, external_id="2", members=(Member("user-1", "ann@example.com", "Ann Ames", Role.MEMBER),))

        assert [(await people(world, account))[0][3] for account in ("1", "2")] == [Role.ADMIN, Role.MEMBER]
        assert rows(world.database, "SELECT count(*) FROM app_user") == [(1,)]


class TestAgain:
    async def test_the_same_particulars_twice_write_nothing(self, world):
        await put(world, members=(ANN, BOB))
        before = dump(world.database)

        again = await put(world, members=(BOB, ANN))

        assert not again.is_new
        assert dump(world.database) == before

    async def test_the_paid_day_said_twice_over_is_the_same(self, world):
        await put(world, paid_since_on=None, trial_ends_on=date(2026, 7, 31))
        before = dump(world.database)

        await put(world, paid_since_on=date(2026, 8, 1), trial_ends_on=date(2026, 7, 31))

        assert dump(world.database) == before

    async def test_before_the_first_invoice_everything_may_change(self, world):
        await put(world)
        changed = await put(world, name="Harbor Dental Group", plan_code="220", paid_since_on=date(2026, 9, 11))

        assert (changed.is_new, changed.account.plan_version_id) == (False, "plan_220_2020")
        event = (await events(world.database))[-1]
        assert (event.kind, event.data) == (
            "account.changed",
            {
                "name": ["Harbor Dental", "Harbor Dental Group"],
                "paid_starts_on": ["2026-08-01", "2026-09-11"],
                "plan_version_id": ["plan_100_2020", "plan_220_2020"],
            },
        )
        await world.advance_to(pacific(2026, 9, 30))
        assert await lines(world.database) == [[("BASE", "2026-09", 7_97 * 20)]]
        assert await differences(world.database) == []

    async def test_a_paid_start_brought_forward_is_billed_at_once(self, world):
        await put(world, paid_since_on=None, trial_ends_on=date(2026, 8, 14))
        world.clock.instant = pacific(2026, 7, 20)
        await put(world, paid_since_on=date(2026, 7, 20), trial_ends_on=None)

        assert await world.advance_to(pacific(2026, 7, 20, 6)) == 1


class TestAfterTheFirstInvoice:
    @pytest.fixture
    async def billed(self, world: World) -> World:
        await put(world, members=(ANN,))
        await world.advance_to(pacific(2026, 9, 2))
        return world

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"plan_code": "220"}, "the plan"),
            ({"paid_since_on": date(2026, 8, 2)}, "the paid start"),
            ({"trial_ends_on": date(2026, 7, 31)}, "the end of the trial"),
            (
                {"trial_ends_on": date(2026, 8, 31), "paid_since_on": None, "plan_code": "220", "name": "Other"},
                "the end of the trial and the paid start and the plan",
            ),
        ],
    )
    async def test_plan_and_paid_start_are_settled_and_nothing_is_written(self, billed, changes, named):
        before = dump(billed.database)

        with pytest.raises(AccountAlreadyBilled) as refusal:
            await put(billed, **changes, members=(BOB,))

        assert str(refusal.value) == (
            f"Account 'AA0101' has been invoiced: {named} cannot be changed here any more. "
            "Send the values that were sent before, or that it has by now."
        )
        assert dump(billed.database) == before

    async def test_the_name_may_change_and_issued_invoices_keep_the_old_one(self, billed):
        renamed = await put(billed, name="Harbor Dental Group")

        assert (renamed.account.name, renamed.account.next_cycle_on) == ("Harbor Dental Group", date(2026, 10, 1))
        await billed.advance_to(pacific(2026, 10, 1, 6))
        names = [name for (name,) in rows(billed.database, "SELECT account_name FROM invoice ORDER BY number")]
        assert names == ["Harbor Dental", "Harbor Dental", "Harbor Dental Group"]
        assert await differences(billed.database) == []

    async def test_the_same_particulars_tell_how_far_the_account_is(self, billed):
        again = await put(billed)

        assert again.account.next_cycle_on == date(2026, 10, 1)
        assert len(await invoices(billed.database)) == 2


class TestPeople:
    async def test_none_leaves_them_as_they_are(self, world):
        await put(world, members=(ANN,))
        await put(world, name="Other")

        assert [subject for subject, *_ in await people(world)] == ["user-1"]

    @pytest.mark.parametrize(
        ("members", "told"),
        [
            ((BOB,), ["user-2 MEMBER"]),
            ((Member("user-1", "ann@example.com", "Ann Ames", Role.MEMBER),), ["user-1 MEMBER"]),
            ((Member("user-1", "new@example.com", "Ann Ames", Role.ADMIN),), ["user-1 ADMIN"]),
            ((), []),
        ],
        ids=["another person", "another role", "another address", "nobody"],
    )
    async def test_they_are_replaced_as_a_whole_with_one_event(self, world, members, told):
        await put(world, members=(ANN,))

        await put(world, members=members)

        assert await people(world) == [(m.subject, m.email, m.name, m.role) for m in members]
        kinds = [(event.kind, event.data.get("members")) for event in await events(world.database)]
        assert kinds == [("account.created", ["user-1 ADMIN"]), ("account.changed", told)]

    async def test_an_account_without_people_stays_without_them_silently(self, world):
        await put(world, members=())
        before = dump(world.database)

        await put(world, members=())

        assert dump(world.database) == before


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "error", "message"),
        [
            ({"paid_since_on": None}, PaidStartMissing, "Give `trialEndsOn`, the last day of the trial, or"),
            (
                {"trial_ends_on": date(2026, 8, 1)},
                PaidStartMissing,
                "Paid service cannot begin on 2026-08-01, before the trial has ended on 2026-08-01.",
            ),
            ({"paid_since_on": date.max}, PaidStartTooFar, "Check the year"),
            ({"trial_ends_on": date.max, "paid_since_on": None}, PaidStartTooFar, "Check the year"),
            ({"plan_code": "221"}, PlanNotAvailable, "There is no plan '221' on sale on 2026-08-01. Choose one of:"),
            ({"paid_since_on": date.min}, PlanNotAvailable, "There is no plan '100' on sale on "),
            ({"external_id": ""}, InvalidExternalId, "An account's id has 1 to 128 visible ASCII characters"),
            ({"external_id": "A" * 129}, InvalidExternalId, "An account's id has 1 to 128 visible ASCII characters"),
            ({"external_id": "A\n"}, InvalidExternalId, "An account's id has 1 to 128 visible ASCII characters"),
            ({"members": (ANN, BOB, ANN)}, MemberNamedTwice, "User 'user-1' is named more than once."),
        ],
    )
    async def test_a_refused_account_is_told_why_and_nothing_is_written(self, world, changes, error, message):
        before = dump(world.database)

        with pytest.raises(error) as refusal:
            await put(world, **changes)

        assert str(refusal.value).startswith(message)
        assert dump(world.database) == before
