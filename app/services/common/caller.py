"""Who acts, and on which account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a use case: the account by its external id, and for the audit log the actor and the request.

    `address` and `user_agent` are those of the client, as far as they are known.
    """

    account: str
    actor: str
    request_id: str | None = None
    address: str | None = None
    user_agent: str | None = None
