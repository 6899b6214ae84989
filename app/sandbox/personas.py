"""Who can be played in the sandbox: the demo's personas with their tokens, and somebody of any role on any account."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.accounts import Role, User
from app.domain.events.accounts import AccountChanged
from app.http.graphiql import Persona
from app.repositories import unit_of_work
from app.services.usage.follow_people import replace_members

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from app.repositories.unit_of_work import UnitOfWork
    from app.sandbox.tokens import SandboxTokens
    from app.services.common.caller import Caller
    from app.services.common.services import Services

PERSONAS_FILE = "personas.json"

TITLES = {Role.ADMIN: "Administrator", Role.BILLING: "Billing desk", Role.MEMBER: "Front desk"}
"""What somebody of a role is called: an office, not a person."""

LABELS = {
    "admin": "Administrator",
    "billing": "Billing desk",
    "member": "Front desk (member)",
    "other_admin": "Administrator of another account",
}


@dataclass(frozen=True, slots=True)
class Seat:
    """A persona's place: the key in personas.json, the account (by external id), and the role there."""

    key: str
    account: str
    role: Role

    @property
    def subject(self) -> str:
        """What the identity provider calls them."""
        return subject_of(self.account, self.role)


def subject_of(account: str, role: Role) -> str:
    """Return what the sandbox's identity provider calls somebody of a role on an account (by external id)."""
    return f"sandbox|{account}|{role.lower()}"


def email_of(account: str, role: Role) -> str:
    """Return the address of an office; `.example` belongs to nobody."""
    desk = "".join(letter for letter in account.lower().replace("_", "-") if letter.isalnum() or letter == "-")
    return f"{role.lower()}@{desk.strip('-') or 'account'}.example"


def write_personas(folder: Path, tokens: SandboxTokens, seats: Iterable[Seat], graphql_url: str) -> dict[str, str]:
    """Mint the tokens of the personas, write personas.json whole or not at all, and return the tokens by key."""
    minted = {seat.key: tokens.sign(subject=seat.subject, account=seat.account) for seat in seats}
    written = {seat.key: {"token": minted[seat.key], "account": seat.account, "url": graphql_url} for seat in seats}
    draft = folder / f".{PERSONAS_FILE}.{os.getpid()}"
    draft.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / PERSONAS_FILE)
    return minted


def read_personas(folder: Path) -> list[Persona]:
    """Return the personas of a data folder for the developers' page; none when there are none to be read."""
    try:
        found = json.loads((folder / PERSONAS_FILE).read_text(encoding="utf-8"))
        return [
            Persona(key=key, label=LABELS.get(key, key), token=each["token"], account=each["account"])
            for key, each in found.items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


async def ensure_member(services: Services, caller: Caller, *, role: Role) -> str:
    """Return the subject of somebody with the role on the account (by external id), and let one join if nobody has it.

    :raises AccountNotFound: when there is no such account.
    """

    async def work(uow: UnitOfWork) -> str:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        members = await uow.users.members(owner.id)
        for user, held in members:
            if held is role:
                return user.subject
        now = services.clock.now()
        newcomer = User(
            services.ids.new("usr"), subject_of(caller.account, role), email_of(caller.account, role), TITLES[role]
        )
        joined = await uow.users.put(newcomer, created_at=now)
        others = [(user, held) for user, held in members if user.id != joined.id]
        await replace_members(uow, owner.id, members, [*others, (joined, role)], now)
        people = tuple(f"{user.subject} {held}" for user, held in [*members, (joined, role)])
        await uow.events.record(
            AccountChanged(members=people),
            ids=services.ids,
            actor=caller.actor,
            at=now,
            account_id=owner.id,
            subject_id=owner.id,
        )
        return joined.subject

    return await unit_of_work.write(services.database, work)
