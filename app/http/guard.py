"""What one operation may cost, how much an account may spend in a minute, and whose turn it is."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.error_codes import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.http.fairness import QueueFull, SlowLane, Turns
from app.ports import Rate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from app.domain.json_values import JsonObject
    from app.ports import Allowance, Claims, RateLimiter

BY_TOKEN = Rate("token", 60_000)
BY_ACCOUNT = Rate("account", 240_000)
BAD_TOKENS = Rate("bad token", 30)
MEMBERS_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOptions:
    """The limits of GraphQL operations; costs in points (`app/graphql/cost.py`).

    `by_token` is what one person may spend, `by_account` all of an account's together; `bad_tokens` are counted by the
    address that they come from. Operations that cost more than `expensive` run one at a time: a fifth of what is
    allowed, so that no operation of the contract is one.
    """

    cost: int = 7_000
    expensive: int = 1_400
    by_token: Rate = BY_TOKEN
    by_account: Rate = BY_ACCOUNT
    bad_tokens: Rate = BAD_TOKENS
    running: int = 2
    waiting: int = 30


@dataclass(frozen=True, slots=True)
class Budget:
    """What an operation costs, and the most that one may cost; in points."""

    requested: int
    limit: int

    @property
    def is_exceeded(self) -> bool:
        """Tell whether the operation costs more than it may."""
        return self.requested > self.limit

    def extension(self, remaining: int) -> JsonObject:
        """Return the entry of `extensions` that tells the client, with the points that are left of the minute's."""
        return {"cost": {"requested": self.requested, "limit": self.limit, "remaining": remaining}}


class TooManyOperations(Refused):
    """The account, or the person, asks for more than it may just now."""


class Guard:
    """Admits operations."""

    def __init__(self, limiter: RateLimiter, options: GuardOptions) -> None:
        self._limiter = limiter
        self._turns = Turns(options.running, options.waiting)
        self._slow_lane = SlowLane()
        self._members: OrderedDict[Claims, None] = OrderedDict()
        self.options = options

    async def refuse_bad_token(self, address: str | None) -> None:
        """Count a token that cannot be trusted. Good tokens from the address are not slowed: people share addresses.

        :raises Refused: with status 429 when too many came from there.
        """
        allowance = await self._limiter.spend(self.options.bad_tokens, address or "")
        if not allowance.is_spent:
            raise too_many(self.options.bad_tokens, allowance, "Too many requests with a token that is not valid.")

    async def spend(self, claims: Claims, points: int) -> int:
        """Spend what is about to be done, before anything is read for it, and return what is left of the minute's.

        An account pays for its known members alone, so that nobody can spend what is another's.
        :raises TooManyOperations: when the minute's points are spent.
        """
        options, remaining = self.options, self.options.by_token.most
        rates = [(options.by_token, f"{claims.account} {claims.subject}")]
        if claims in self._members:
            rates.append((options.by_account, claims.account))
        for rate, key in rates:
            allowance = await self._limiter.spend(rate, key, max(1, points))
            if not allowance.is_spent:
                raise too_many(rate, allowance, "Too much was asked for within a minute.", TooManyOperations)
            remaining = min(remaining, allowance.remaining)
        return remaining

    @asynccontextmanager
    async def turn(self, claims: Claims) -> AsyncIterator[None]:
        """Wait until the account has fewer operations running than may; strangers wait by themselves.

        :raises Refused: with status 429 when too many wait already.
        """
        key = claims.account if claims in self._members else f"{claims.account} {claims.subject}"
        try:
            async with self._turns.turn(key):
                yield
        except QueueFull:
            message = "Too many operations of this account are waiting. Send fewer at once."
            raise TooManyOperations(
                answers.TOO_MANY_REQUESTS, ErrorCode.RATE_LIMITED, message, retry_after_seconds=1
            ) from None

    def lane(self, points: int) -> AbstractAsyncContextManager[None]:
        """Return what an operation of that cost waits for before it runs."""
        return self._slow_lane.turn() if points > self.options.expensive else nullcontext()

    def remember_member(self, claims: Claims) -> None:
        """Remember that the membership behind the claims is real."""
        self._members[claims] = None
        self._members.move_to_end(claims)
        if len(self._members) > MEMBERS_KEPT:
            self._members.popitem(last=False)


def too_many(rate: Rate, allowance: Allowance, what: str, kind: type[Refused] = Refused) -> Refused:
    """Return the refusal of what would spend more than a rate has left."""
    wait = allowance.retry_after_seconds
    return kind(
        answers.TOO_MANY_REQUESTS,
        ErrorCode.RATE_LIMITED,
        f"{what} Try again in {wait} seconds.",
        headers=[
            (b"ratelimit-policy", f'"{rate.name}";q={rate.most};w={rate.seconds}'.encode()),
            (b"ratelimit", f'"{rate.name}";r={allowance.remaining};t={wait}'.encode()),
        ],
        retry_after_seconds=wait,
    )
