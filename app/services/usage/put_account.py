"""SAS Flex tells us about an account: who it is, when it begins to pay, on which plan, who may look (rules 9, 10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from app.domain.accounts import (
    LONGEST_EXTERNAL_ID_CHARACTERS,
    Account,
    AccountStatus,
    Role,
    User,
    cycle_runs_at,
    first_cycle_on,
    is_external_id,
)
from app.domain.events.accounts import AccountChanged, AccountOpened
from app.domain.events.event import change_of
from app.domain.names import is_blank, is_breaking
from app.domain.policies import policies_on
from app.domain.proration import paid_start_after_trial
from app.repositories import unit_of_work
from app.services.usage.follow_people import replace_members

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.ports import Clock, Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


LATEST_PAID_START = date(2999, 12, 1)
"""Beyond any contract; a year typed with a digit too many is refused instead of waited for."""


class InvalidParticulars(ValueError):
    """The account cannot be as it is described; the message says what to change."""


class PaidStartMissing(InvalidParticulars):
    """Neither a trial end nor a paid start is given, or they contradict each other."""

    def __init__(self, trial_ends_on: date | None, paid_since_on: date | None) -> None:
        if trial_ends_on is None:
            detail = "Give `trialEndsOn`, the last day of the trial, or `paidSinceOn`, the first paid day."
        else:
            detail = f"Paid service cannot begin on {paid_since_on}, before the trial has ended on {trial_ends_on}."
        super().__init__(detail)
        self.trial_ends_on = trial_ends_on
        self.paid_since_on = paid_since_on


class PaidStartTooFar(InvalidParticulars):
    """The first paid day lies beyond any contract."""

    def __init__(self, on: date) -> None:
        super().__init__(f"Check the year: paid service would begin after {LATEST_PAID_START}, by the date {on}.")
        self.on = on


class InvalidExternalId(InvalidParticulars):
    """The account's id is empty, too long, or holds something else than visible ASCII."""

    def __init__(self, external_id: str) -> None:
        super().__init__(
            f"An account's id has 1 to {LONGEST_EXTERNAL_ID_CHARACTERS} visible ASCII characters and no blank."
        )
        self.external_id = external_id


class InvalidName(InvalidParticulars):
    """The name of the account or of a person cannot be read, or breaks the line it is shown on."""

    def __init__(self, whose: str) -> None:
        super().__init__(
            f"The name of {whose} is blank, or holds a control, bidirectional or line-separator character. Send it "
            "without."
        )
        self.whose = whose


class MemberNamedTwice(InvalidParticulars):
    """One person is given two roles."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"User {subject!r} is named more than once. Give each person one role.")
        self.subject = subject


class AccountAlreadyBilled(ValueError):
    """Plan and paid start are settled once an account has its first invoice."""

    def __init__(self, external_id: str, changed: Sequence[str]) -> None:
        super().__init__(
            f"Account {external_id!r} has been invoiced: {' and '.join(changed)} cannot be changed here any more. "
            "Send the values that were sent before, or that it has by now."
        )
        self.external_id = external_id
        self.changed = tuple(changed)


@dataclass(frozen=True, slots=True)
class Member:
    """A person who may look into the account; `subject` is what the identity provider calls them."""

    subject: str
    email: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class AccountParticulars:
    """What SAS Flex says of an account. `members` None leaves the people as they are."""

    external_id: str
    name: str
    plan_code: str
    trial_ends_on: date | None = None
    paid_since_on: date | None = None
    members: tuple[Member, ...] | None = None


@dataclass(frozen=True, slots=True)
class PutAccount:
    """The account as it stands now, and whether it is new."""

    account: Account
    is_new: bool


async def put_account(services: Services, *, particulars: AccountParticulars, actor: str) -> PutAccount:
    """Create the account or bring it up to date; the same particulars twice change nothing.

    The plan is taken at the prices on sale on the first paid day (rule 9: the day after the trial's last). Once the
    account is invoiced, or its customer has changed it, the plan is changed elsewhere: told again it changes nothing.
    :raises InvalidParticulars: when no first paid day follows from them, or the id or the people cannot be so.
    :raises PlanNotAvailable: when no such plan is on sale on that day.
    :raises AccountAlreadyBilled: when the plan or the paid start of an invoiced account would change.
    """
    _check_names(particulars)

    async def work(uow: UnitOfWork) -> PutAccount:
        return await _put(uow, services.clock, services.ids, particulars, actor)

    return await unit_of_work.write(services.database, work)


def paid_start(trial_ends_on: date | None, paid_since_on: date | None) -> date:
    """Return the first paid day (rule 9).

    :raises PaidStartMissing: when none follows, or it would lie within the trial.
    :raises PaidStartTooFar: when it would lie in another millennium.
    """
    for given in (trial_ends_on, paid_since_on):
        if given is not None and given >= LATEST_PAID_START:
            raise PaidStartTooFar(given)
    if trial_ends_on is None:
        if paid_since_on is None:
            raise PaidStartMissing(None, None)
        return paid_since_on
    earliest = paid_start_after_trial(trial_ends_on)
    if paid_since_on is not None and paid_since_on < earliest:
        raise PaidStartMissing(trial_ends_on, paid_since_on)
    return paid_since_on or earliest


def _check_names(particulars: AccountParticulars) -> None:
    name = particulars.external_id
    if not is_external_id(name):
        raise InvalidExternalId(name)
    _check_name("the account", particulars.name)
    for member in particulars.members or ():
        _check_name(f"user {member.subject!r}", member.name)
    subjects = [member.subject for member in particulars.members or ()]
    for subject in subjects:
        if subjects.count(subject) > 1:
            raise MemberNamedTwice(subject)


def _check_name(whose: str, name: str) -> None:
    if is_blank(name) or is_breaking(name):
        raise InvalidName(whose)


async def _put(uow: UnitOfWork, clock: Clock, ids: Ids, particulars: AccountParticulars, actor: str) -> PutAccount:
    known = await uow.accounts.find_by_external_id(particulars.external_id, lock=True)
    wanted = await _wanted(uow, particulars, known, ids)
    changes = AccountChanged() if known is None else _changes(known, wanted)
    is_changed = changes != AccountChanged()
    if known is None:
        await uow.accounts.add(wanted, next_close_at=_first_close(wanted), created_at=clock.now())
    elif is_changed:
        wanted = await _change(uow, known, wanted, changes)
    else:
        wanted = known
    if known is None or await uow.account_plans.named(known.id) != particulars.plan_code:
        await uow.account_plans.name(wanted.id, particulars.plan_code)
    people = await _put_members(uow, clock, ids, wanted.id, particulars.members)
    if known is None or is_changed or people is not None:
        event = AccountOpened(members=people) if known is None else replace(changes, members=people)
        await uow.events.record(event, ids=ids, actor=actor, at=clock.now(), account_id=wanted.id, subject_id=wanted.id)
    return PutAccount(wanted, is_new=known is None)


async def _wanted(uow: UnitOfWork, particulars: AccountParticulars, known: Account | None, ids: Ids) -> Account:
    starts_on = paid_start(particulars.trial_ends_on, particulars.paid_since_on)
    return Account(
        id=ids.new("acc") if known is None else known.id,
        external_id=particulars.external_id,
        name=particulars.name,
        status=AccountStatus.ACTIVE if known is None else known.status,
        trial_ends_on=particulars.trial_ends_on,
        paid_starts_on=starts_on,
        plan_version_id=await _plan_id(uow, particulars, known, starts_on),
        next_cycle_on=first_cycle_on(starts_on),
    )


async def _plan_id(uow: UnitOfWork, particulars: AccountParticulars, known: Account | None, starts_on: date) -> str:
    """Return the version of the plan on the first paid day; the one that was told before changes nothing told again."""
    code, catalogue = particulars.plan_code, await uow.plans.catalogue()
    if known is None:
        return catalogue.get(code, starts_on).id
    told = await uow.account_plans.named(known.id)
    chosen = next(version.code for version in catalogue.versions if version.id == known.plan_version_id)
    was_changed = code == told != chosen  # by the customer, since it was told
    if was_changed or (await _is_settled(uow, known) and (told is None or code in {told, chosen})):
        return known.plan_version_id
    return catalogue.get(code, starts_on).id


async def _is_settled(uow: UnitOfWork, account: Account) -> bool:
    """Tell whether anything was invoiced, be it in the trial: an invoice is computed again from these facts."""
    if account.status is AccountStatus.CLOSED:
        return True
    return await uow.invoices.last_issued_at(account.id) is not None


def _changes(known: Account, wanted: Account) -> AccountChanged:
    return AccountChanged(
        name=change_of(known.name, wanted.name),
        trial_ends_on=change_of(known.trial_ends_on, wanted.trial_ends_on),
        paid_starts_on=change_of(known.paid_starts_on, wanted.paid_starts_on),
        plan_version_id=change_of(known.plan_version_id, wanted.plan_version_id),
    )


async def _change(uow: UnitOfWork, known: Account, wanted: Account, changes: AccountChanged) -> Account:
    """Store what changed and return the account as it is then."""
    if await _is_settled(uow, known):
        settled = [words for name, words in _SETTLED.items() if getattr(changes, name) is not None]
        if settled:
            raise AccountAlreadyBilled(known.external_id, settled)
        await uow.accounts.rename(known.id, wanted.name)
        return replace(known, name=wanted.name)
    await uow.accounts.save(wanted, next_close_at=_first_close(wanted))
    return wanted


async def _put_members(
    uow: UnitOfWork, clock: Clock, ids: Ids, account_id: str, members: Sequence[Member] | None
) -> tuple[str, ...] | None:
    """Make these people the membership and return it as text, or None when nothing changed."""
    if members is None:
        return None
    before = await uow.users.members(account_id)
    after = []
    for member in members:
        user = User(ids.new("usr"), member.subject, member.email, member.name)
        after.append((await uow.users.put(user, created_at=clock.now()), member.role))
    if sorted(before, key=_subject) == sorted(after, key=_subject):
        return None
    await replace_members(uow, account_id, before, after, clock.now())
    return tuple(f"{user.subject} {role}" for user, role in sorted(after, key=_subject))


def _subject(member: tuple[User, Role]) -> str:
    return member[0].subject


_SETTLED = {
    "trial_ends_on": "the end of the trial",
    "paid_starts_on": "the paid start",
    "plan_version_id": "the plan",
}
"""What the first invoice settles, by the account's fields and in words."""


def _first_close(account: Account) -> datetime:
    return cycle_runs_at(account.next_cycle_on, account.paid_starts_on, policies_on(account.paid_starts_on))
