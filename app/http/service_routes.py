"""The addresses for other systems: calls come in, and SAS Flex tells us about accounts. Each needs a key."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from starlette.routing import Route

from app.domain.accounts import KeyPurpose, Role
from app.domain.add_ons import ENTITLEMENTS
from app.domain.metering import REFUSALS
from app.domain.periods import billing_date
from app.domain.plans import PlanNotAvailable
from app.graphql.errors import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.http.application import guarded
from app.http.body import read_body
from app.repositories.pages.entitlements import ENTITLEMENTS as ENTITLEMENTS_PAGE
from app.services import access_keys, put_account, record_calls
from app.services.call_items import Unreadable, read_call_item, read_call_text
from app.services.record_calls import BATCH_SIZE, Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.domain.metering import Verdict
    from app.ports import Clock, Ids
    from app.repositories.accounts import AccessKey
    from app.repositories.database import Database

LARGEST_BATCH = 5_000
LARGEST_INGEST_BODY = 4_000_000
LARGEST_ACCOUNT_BODY = 100_000
BODY_SECONDS = 30.0
NDJSON = "application/x-ndjson"


def service_routes(*, database: Database, clock: Clock, ids: Ids) -> Sequence[BaseRoute]:
    """Return the routes of other systems, each behind its body limit and its key."""
    ingest = guarded(Ingest(database, clock, ids), largest_body=LARGEST_INGEST_BODY, seconds=BODY_SECONDS)
    accounts = guarded(PutAccount(database, clock, ids), largest_body=LARGEST_ACCOUNT_BODY, seconds=BODY_SECONDS)
    entitlements = guarded(Entitlements(database, clock), largest_body=0, seconds=BODY_SECONDS)
    return [
        Route("/ingest/calls", Only(ingest, "POST")),
        Route("/internal/accounts/{account}/entitlements", Only(entitlements, "GET")),
        Route("/internal/accounts/{account}", Only(accounts, "PUT")),
    ]


class Ingest:
    """`POST /ingest/calls`: a JSON array or NDJSON; one result for each item, in order."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._database, scope, KeyPurpose.INGEST)
        source = key.source or key.name
        items = list(_items(await read_body(receive), answers.header(scope, b"content-type") or "", source))
        if len(items) > LARGEST_BATCH:
            raise Refused(
                answers.BODY_TOO_LARGE,
                ErrorCode.LIMIT_EXCEEDED,
                f"A batch holds at most {LARGEST_BATCH:,} calls; this one has {len(items):,}. Send it in parts.",
            )
        verdicts: list[Verdict] = []
        for start in range(0, len(items), BATCH_SIZE):
            verdicts += await record_calls.record_calls(
                database=self._database,
                clock=self._clock,
                ids=self._ids,
                source=source,
                items=items[start : start + BATCH_SIZE],
                actor=f"key:{key.name}",
            )
        await answers.send_json(send, answers.OK, _report(items, verdicts))


def _line_of_text(longest: int) -> StringConstraints:
    """Text with nothing in it that a database, a mail header or a page would trip over."""
    return StringConstraints(min_length=1, max_length=longest, pattern=r"^[^\x00-\x1f\x7f]*$")


_Day = Annotated[date, Field(strict=True)]
"""`YYYY-MM-DD` and nothing else: a number would be read as seconds since 1970."""


class _UserBody(BaseModel):
    """A person of the account."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    id: Annotated[str, _line_of_text(128)]
    email: EmailStr
    name: Annotated[str, _line_of_text(200)]
    role: Role


class _AccountBody(BaseModel):
    """What SAS Flex says of an account."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    name: Annotated[str, _line_of_text(200)]
    plan: Annotated[str, _line_of_text(40)]
    trial_ends_on: _Day | None = None
    paid_since_on: _Day | None = None
    users: Annotated[list[_UserBody], Field(max_length=500)] | None = None


class PutAccount:
    """`PUT /internal/accounts/{id}`: creates the account, or brings it up to date; twice the same changes nothing."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._database, scope, KeyPurpose.SERVICE)
        body = _account_body(await read_body(receive))
        try:
            put = await put_account.put_account(
                database=self._database,
                clock=self._clock,
                ids=self._ids,
                particulars=_particulars(scope["path_params"]["account"], body),
                actor=f"key:{key.name}",
            )
        except (PlanNotAvailable, put_account.InvalidParticulars) as error:
            raise Refused(answers.UNPROCESSABLE, ErrorCode.BAD_INPUT, str(error)) from error
        except put_account.AccountAlreadyBilled as error:
            raise Refused(answers.CONFLICT, ErrorCode.BAD_INPUT, str(error)) from error
        account = put.account
        answer = {
            "id": account.id,
            "externalId": account.external_id,
            "name": account.name,
            "status": account.status,
            "trialEndsOn": account.trial_ends_on,
            "paidStartsOn": account.paid_starts_on,
        }
        await answers.send_json(send, answers.CREATED if put.is_new else answers.OK, answer)


class Entitlements:
    """`GET /internal/accounts/{id}/entitlements`: what the account's add-ons unlock today, in one cheap read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one request."""
        await authenticated(self._database, scope, KeyPurpose.SERVICE)
        account = scope["path_params"]["account"]
        today = billing_date(self._clock.now())
        (names,) = await self._database.reader.load(ENTITLEMENTS_PAGE.request(account=account, today=today))
        if names is None:
            raise Refused(answers.NOT_FOUND, ErrorCode.NOT_FOUND, f"There is no account {account!r}.")
        unlocked = {name: name in names for name in ENTITLEMENTS}
        await answers.send_json(send, answers.OK, {"account": account, "on": today, "entitlements": unlocked})


async def authenticated(database: Database, scope: Scope, purpose: KeyPurpose) -> AccessKey:
    """Return the key of a request.

    :raises Refused: with status 401 when it has none that opens this.
    """
    scheme, _, secret = (answers.header(scope, b"authorization") or "").partition(" ")
    given = secret.strip() if scheme.lower() == "bearer" else ""
    try:
        return await access_keys.check_key(database=database, secret=given, purpose=purpose)
    except access_keys.KeyRefused as error:
        challenge = ((b"www-authenticate", b"Bearer"),)
        raise Refused(answers.UNAUTHENTICATED, ErrorCode.UNAUTHENTICATED, str(error), challenge) from error


def _items(body: bytes, content_type: str, source: str) -> Iterator[Item]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == NDJSON:
        for position, line in enumerate(body.splitlines(), start=1):
            if line.strip():
                text = line.decode("utf-8", "replace")
                yield Item(position, read_call_text(text, source), text)
        return
    if media_type != answers.JSON:
        raise Refused(
            answers.UNSUPPORTED_MEDIA_TYPE,
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            f"Send calls as a JSON array with content type {answers.JSON}, or one a line with {NDJSON}.",
        )
    for position, value in enumerate(_json_array(body)):
        call = read_call_item(value, source)
        yield Item(position, call, _text(value) if isinstance(call, Unreadable) else None)


def _text(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a JSON value as text; orjson reads deeper nesting than it writes, and no call is nested at all."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return "The item is nested too deep to be kept."


def _json_array(body: bytes) -> list[Any]:
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, f"The body is not JSON: {error}.") from error
    if not isinstance(values, list):
        raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, "The body is JSON, but not an array of calls.")
    return values


def _report(items: Sequence[Item], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    results = []
    for item, verdict in zip(items, verdicts, strict=True):
        outcome = verdict.outcome.value  # a plain text: orjson takes no enum as a key
        counts[outcome] = counts.get(outcome, 0) + 1
        result: dict[str, Any] = {"position": item.position, "outcome": outcome}
        if not isinstance(item.call, Unreadable):
            result["eventId"] = item.call.event_id
        if verdict.reason is not None:
            message = item.call.message if isinstance(item.call, Unreadable) else REFUSALS[verdict.reason]
            result |= {"reason": verdict.reason, "message": message}
        results.append(result)
    return {"counts": counts, "results": results}


def _account_body(body: bytes) -> _AccountBody:
    try:
        return _AccountBody.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refused(answers.UNPROCESSABLE, ErrorCode.BAD_INPUT, f"{place}: {first['msg'].rstrip('.')}.") from error


def _particulars(external_id: str, body: _AccountBody) -> put_account.AccountParticulars:
    members = None
    if body.users is not None:
        members = tuple(put_account.Member(user.id, user.email, user.name, user.role) for user in body.users)
    return put_account.AccountParticulars(
        external_id=external_id,
        name=body.name,
        plan_code=body.plan,
        trial_ends_on=body.trial_ends_on,
        paid_since_on=body.paid_since_on,
        members=members,
    )


class Only:
    """Lets one HTTP method through to an application."""

    def __init__(self, app: ASGIApp, method: str) -> None:
        self._app = app
        self._method = method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["method"] == self._method:
            await self._app(scope, receive, send)
            return
        message = f"This address answers {self._method} only."
        allow = ((b"allow", self._method.encode()),)
        refused = Refused(answers.METHOD_NOT_ALLOWED, ErrorCode.METHOD_NOT_ALLOWED, message, allow)
        await answers.send_refusal(scope, send, refused)
