"""The addresses for the rest of SAS Flex: it tells us of accounts and their taxes, and asks what is unlocked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints
from pydantic.alias_generators import to_camel
from starlette.routing import Route

from app.domain.accounts import KeyPurpose, Role
from app.domain.add_ons import ENTITLEMENTS
from app.domain.explanations import percent
from app.domain.invoice_lines import TAXABLE_KINDS, LineKind
from app.domain.periods import billing_date
from app.domain.plans import PlanNotAvailable
from app.domain.taxes import ONE_PER_CENT, TaxRate
from app.error_codes import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.http.application import guarded
from app.http.body import read_body
from app.http.json_body import read_as
from app.http.service_key import BODY_SECONDS, Only, authenticated
from app.repositories.accounts import AccountNotFound
from app.repositories.pages.entitlements import ENTITLEMENTS as ENTITLEMENTS_PAGE
from app.services.adjustments import set_taxes
from app.services.common.caller import Caller
from app.services.common.staff_actions import InvalidTitle
from app.services.usage import put_account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from app.domain.json_values import JsonObject
    from app.services.common.services import Services

LARGEST_ACCOUNT_BODY = 100_000


def account_routes(services: Services) -> Sequence[BaseRoute]:
    """Return the routes about accounts, each behind its body limit and its key."""
    accounts = guarded(PutAccount(services), largest_body=LARGEST_ACCOUNT_BODY, seconds=BODY_SECONDS)
    tax = guarded(PutTax(services), largest_body=LARGEST_ACCOUNT_BODY, seconds=BODY_SECONDS)
    taxes = guarded(PutTaxes(services), largest_body=LARGEST_ACCOUNT_BODY, seconds=BODY_SECONDS)
    entitlements = guarded(Entitlements(services), largest_body=0, seconds=BODY_SECONDS)
    return [
        Route("/internal/accounts/{account}/entitlements", Only(entitlements, "GET")),
        Route("/internal/accounts/{account}/tax", Only(tax, "PUT")),
        Route("/internal/accounts/{account}/taxes", Only(taxes, "PUT")),
        Route("/internal/accounts/{account}", Only(accounts, "PUT")),
    ]


def _line_of_text(longest: int) -> StringConstraints:
    """Text with nothing in it that a database, a mail header or a page would trip over."""
    return StringConstraints(min_length=1, max_length=longest, pattern=r"^[^\x00-\x1f\x7f]*$")


_Day = Annotated[date, Field(strict=True)]
"""`YYYY-MM-DD` and nothing else: a number would be read as seconds since 1970."""

_TaxableKind = Literal[
    LineKind.BASE,
    LineKind.ADD_ON,
    LineKind.ADDITIONAL_LINE,
    LineKind.OVERAGE,
    LineKind.PATCH,
    LineKind.IVR,
    LineKind.CHARGE,
    LineKind.LATE_FEE,
]


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


_Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]


class _TaxBody(BaseModel):
    """The one tax that an account pays from a day on; 0 ends it."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    name: Annotated[str, _line_of_text(128)]
    percent: _Percent
    valid_from: _Day


class _RateBody(BaseModel):
    """One of several taxes; without kinds it applies to every charge."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    name: Annotated[str, _line_of_text(128)]
    percent: _Percent
    kinds: Annotated[list[_TaxableKind], Field(max_length=len(TAXABLE_KINDS))] = []


class _TaxesBody(BaseModel):
    """All the taxes that an account pays from a day on; an empty list ends them."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    valid_from: _Day
    taxes: Annotated[list[_RateBody], Field(max_length=set_taxes.MOST_TAXES)]


class PutAccount:
    """`PUT /internal/accounts/{id}`: creates the account, or brings it up to date; twice the same changes nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        body = read_as(_AccountBody, await read_body(receive))
        try:
            put = await put_account.put_account(
                self._services, particulars=_particulars(scope["path_params"]["account"], body), actor=f"key:{key.name}"
            )
        except (PlanNotAvailable, put_account.InvalidParticulars) as error:
            raise Refused(answers.UNPROCESSABLE, ErrorCode.BAD_INPUT, str(error)) from error
        except put_account.AccountAlreadyBilled as error:
            raise Refused(answers.CONFLICT, ErrorCode.BAD_INPUT, str(error)) from error
        account = put.account
        answer: JsonObject = {
            "id": account.id,
            "externalId": account.external_id,
            "name": account.name,
            "status": account.status,
            "trialEndsOn": _written(account.trial_ends_on),
            "paidStartsOn": _written(account.paid_starts_on),
        }
        await answers.send_json(send, answers.CREATED if put.is_new else answers.OK, answer)


class PutTaxes:
    """`PUT /internal/accounts/{id}/taxes`: all that the account pays from a day on; whoever knows tax law tells us."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        body = read_as(_TaxesBody, await read_body(receive))
        taxes = [TaxRate(tax.name, int(tax.percent * ONE_PER_CENT), tuple(tax.kinds)) for tax in body.taxes]
        known = await self.put(scope["path_params"]["account"], taxes, body.valid_from, key.name)
        said = [{"name": tax.name, "percent": percent(tax.rate), "kinds": list(tax.kinds)} for tax in known.taxes.taxes]
        answer: JsonObject = {"validFrom": _written(body.valid_from), "taxes": said}
        await answers.send_json(send, answers.CREATED if known.is_new else answers.OK, answer)

    async def put(self, account: str, taxes: Sequence[TaxRate], valid_from: date, key_name: str) -> set_taxes.TaxesSet:
        """Store the taxes of an account, by its external id.

        :raises Refused: when there is no such account, the list cannot be used, or it begins too early.
        """
        try:
            return await set_taxes.set_taxes(
                self._services,
                Caller(account, f"key:{key_name}"),
                taxes=taxes,
                valid_from=valid_from,
                reason="told by the tax provider",
            )
        except AccountNotFound as error:
            raise Refused(answers.NOT_FOUND, ErrorCode.NOT_FOUND, str(error)) from error
        except (InvalidTitle, set_taxes.InvalidTaxes) as error:
            raise Refused(answers.UNPROCESSABLE, ErrorCode.BAD_INPUT, str(error)) from error
        except set_taxes.TaxBackdated as error:
            raise Refused(answers.CONFLICT, ErrorCode.BAD_INPUT, str(error)) from error


class PutTax(PutTaxes):
    """`PUT /internal/accounts/{id}/tax`: the short form for an account that pays one tax, or none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        body = read_as(_TaxBody, await read_body(receive))
        taxes = [TaxRate(body.name, int(body.percent * ONE_PER_CENT))]
        known = await self.put(scope["path_params"]["account"], taxes, body.valid_from, key.name)
        answer = {"name": body.name, "percent": str(body.percent), "validFrom": _written(body.valid_from)}
        await answers.send_json(send, answers.CREATED if known.is_new else answers.OK, answer)


class Entitlements:
    """`GET /internal/accounts/{id}/entitlements`: what the account's add-ons unlock today, in one cheap read."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one request."""
        await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        account = scope["path_params"]["account"]
        today = billing_date(self._services.clock.now())
        (names,) = await self._services.database.reader.load(ENTITLEMENTS_PAGE.request(account=account, today=today))
        if names is None:
            raise Refused(answers.NOT_FOUND, ErrorCode.NOT_FOUND, f"There is no account {account!r}.")
        unlocked = {name: name in names for name in ENTITLEMENTS}
        await answers.send_json(send, answers.OK, {"account": account, "on": _written(today), "entitlements": unlocked})


def _written(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


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
