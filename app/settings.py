"""The settings, read from the environment once; main and the command line hand plain values on from here."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "FLEX_"
DATABASE_FILE = "flex-billing.db"
DEFAULT_DATA = Path(".demo")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
SHORTEST_SECRET = 32
FEWEST_SECRET_CHARACTERS = 10
"""How many different characters a secret has at least; 32 random ones have more than 20."""
RATE_LIMITS_OFF = "off"
REGION = re.compile(r"[A-Z]{2}")
SNS_TOPIC = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
MAIL_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")


class Environment(StrEnum):
    """Where we run: on a laptop with nothing outside, or for real customers."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class BraintreeEnvironment(StrEnum):
    """Which of Braintree's two gateways is used."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class SettingsUnusable(ValueError):
    """The settings are wrong or incomplete; `problems` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings cannot be used: " + "; ".join(problems) + ".")
        self.problems = problems


Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Every setting; the environment variable is `FLEX_` and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    env: Environment = Field(Environment.SANDBOX, description="sandbox or production")
    data: Path = Field(DEFAULT_DATA, description="folder of the sandbox's files, and of the database unless told")
    database_url: SecretStr | None = Field(None, description="sqlite or postgresql; a file in the data folder if unset")
    allowed_hosts: Names = Field(LOOPBACK_HOSTS, description="host names that we answer for, with commas between")
    cors_origins: Names = Field((), description="origins of the portal, exactly, with commas between")
    token_issuer: str | None = Field(None, description="`iss` of the access tokens")
    token_audience: str | None = Field(None, description="`aud` of the access tokens")
    jwks_url: str | None = Field(None, description="address of the identity provider's public keys")
    jwks: str | None = Field(None, description="those keys as a JWKS document, instead of the address")
    signing_secret: SecretStr | None = Field(None, description="secret behind document links, 32 characters or more")
    public_url: str | None = Field(None, description="where customers reach us, such as https://billing.example")
    braintree_environment: BraintreeEnvironment | None = Field(
        None, description="sandbox or production of Braintree; a gateway of this machine if unset"
    )
    braintree_merchant_id: str | None = Field(None, description="merchant at Braintree")
    braintree_public_key: str | None = Field(None, description="Braintree's public key of that merchant")
    braintree_private_key: SecretStr | None = Field(None, description="Braintree's private key of that merchant")
    portal_url: str | None = Field(None, description="where the portal's pages are, for the links in mails")
    smtp_url: SecretStr | None = Field(None, description="mail server, such as smtps://user:password@mail.example")
    smtp_utf8: bool = Field(
        default=False,
        description="the mail server speaks SMTPUTF8, so that addresses such as jörg@example.com can be given",
    )
    mail_from: str = Field("notifications@sasdesk.com", description="the address that every mail comes from")
    calls_webhook_url: str | None = Field(None, description="the operator's system, which makes our phone calls")
    calls_webhook_secret: SecretStr | None = Field(None, description="secret that those calls are signed with")
    phone_regions: Names = Field(
        ("US", "CA"), description="countries that contacts can be called in, by their two letters, with commas between"
    )
    ses_topic: str | None = Field(
        None, description="ARN of the SNS topic by which Amazon SES tells of bounces and complaints, where it sends"
    )
    operator_mail: str | None = Field(
        None, description="address of the operator on call, told what the program cannot settle"
    )
    ticker_seconds: float = Field(2.0, ge=0.05, le=3600, description="how often the server looks for due months")
    trusted_proxies: Names = Field(
        (), description="addresses or networks of proxies whose X-Forwarded-For is believed, with commas between"
    )
    rate_limits_url: str = Field(
        "memory://",
        description="where rate limits are counted: memory://, redis://host:port for several machines, or off",
    )
    documents: Literal["off", "prefer", "log-unknown", "enforce"] = Field(
        "prefer", description="whether operations may be sent by their ids (not when off), and must be (enforce)"
    )
    execution: Literal["compiled", "plain", "compared"] = Field(
        "compiled", description="how operations are executed; compared logs where compiled and plain execution differ"
    )
    graphiql: bool | None = Field(None, description="show GraphiQL to browsers; by default in the sandbox only")

    @field_validator("allowed_hosts", "cors_origins", "trusted_proxies", "phone_regions", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _refuse_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any("*" in origin for origin in value):
            raise ValueError("name each origin exactly, without an asterisk")
        if "null" in value:
            raise ValueError("`null` is the origin of any local file; name the portal's own")
        return value

    @field_validator("phone_regions")
    @classmethod
    def _require_regions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(REGION.fullmatch(region) is None for region in value):
            raise ValueError("name countries by their two capital letters, such as US,CA")
        return value

    @field_validator("rate_limits_url")
    @classmethod
    def _require_rate_storage(cls, value: str) -> str:
        if value != RATE_LIMITS_OFF and not value.startswith(("memory://", "redis://", "rediss://")):
            raise ValueError("it begins with memory:// or redis://, or is off")
        return value

    @field_validator("public_url", "portal_url", "calls_webhook_url")
    @classmethod
    def _require_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("it begins with https://")
        return value

    @field_validator("mail_from", "operator_mail")
    @classmethod
    def _require_mail_address(cls, value: str | None) -> str | None:
        if value is not None and MAIL_ADDRESS.fullmatch(value) is None:
            raise ValueError("it is a mail address, such as notifications@sasdesk.com")
        return value

    @field_validator("ses_topic")
    @classmethod
    def _require_topic(cls, value: str | None) -> str | None:
        if value is not None and SNS_TOPIC.fullmatch(value) is None:
            raise ValueError("it is the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:bounces")
        return value

    @field_validator("signing_secret", "calls_webhook_secret")
    @classmethod
    def _require_length(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"it needs {SHORTEST_SECRET} characters or more")
        if value is not None and _can_be_guessed(value.get_secret_value()):
            raise ValueError("it can be guessed; make one, for example with `openssl rand -base64 48`")
        return value

    @property
    def is_sandbox(self) -> bool:
        """Tell whether nothing here is real."""
        return self.env is Environment.SANDBOX

    @property
    def shows_graphiql(self) -> bool:
        """Tell whether browsers get GraphiQL."""
        return self.is_sandbox if self.graphiql is None else self.graphiql

    @property
    def has_own_gateway(self) -> bool:
        """Tell whether payments go to a gateway of this machine: in the sandbox, unless told otherwise."""
        return self.is_sandbox and self.braintree_environment is None

    @property
    def database(self) -> str:
        """The URL of the database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data / DATABASE_FILE}"

    def require_complete(self) -> None:
        """Make sure that production does not run on what is meant for a laptop, nor a laptop on what is real.

        :raises SettingsUnusable: with everything that is missing or out of place, when it would.
        """
        missing = [] if self.is_sandbox else list(self._missing())
        missing += self._missing_of_braintree()
        if missing:
            raise SettingsUnusable(missing)

    def _missing_of_braintree(self) -> Iterator[str]:
        if self.has_own_gateway:
            return
        for name, use in (
            ("braintree_environment", "say which of Braintree's gateways to use"),
            ("braintree_merchant_id", "say whose account at Braintree is paid into"),
            ("braintree_public_key", "take it from Braintree's control panel"),
            ("braintree_private_key", "take it from Braintree's control panel"),
        ):
            if getattr(self, name) is None:
                yield f"{PREFIX}{name.upper()} is missing: {use}"
        if self.is_sandbox and self.braintree_environment is BraintreeEnvironment.PRODUCTION:
            yield "FLEX_BRAINTREE_ENVIRONMENT is production, and this is the sandbox: nothing here may be real"

    def _missing(self) -> Iterator[str]:
        if self.database_url is None and "data" not in self.model_fields_set:
            yield "FLEX_DATABASE_URL or FLEX_DATA is missing: say where the database is"
        if self.jwks is None and self.jwks_url is None:
            yield "FLEX_JWKS_URL or FLEX_JWKS is missing: say whose tokens to trust"
        for name, use in (
            ("token_issuer", "say who issues the tokens"),
            ("token_audience", "say whom the tokens are for"),
            ("public_url", "say where customers reach us"),
            ("signing_secret", "make one, for example with `openssl rand -base64 48`"),
            ("portal_url", "say where the portal is, for the links in mails"),
            ("smtp_url", "say which mail server takes our mail"),
        ):
            if getattr(self, name) is None:
                yield f"{PREFIX}{name.upper()} is missing: {use}"
        if self.calls_webhook_url is not None and self.calls_webhook_secret is None:
            yield "FLEX_CALLS_WEBHOOK_SECRET is missing: the operator's system must know that calls come from us"
        yield from self._unsafe()
        if "allowed_hosts" not in self.model_fields_set:
            yield "FLEX_ALLOWED_HOSTS is missing: say by which host names we are known"

    def _unsafe(self) -> Iterator[str]:
        for name in ("public_url", "portal_url", "calls_webhook_url", "jwks_url"):
            if (getattr(self, name) or "").startswith("http://"):
                yield f"{PREFIX}{name.upper()} begins with http://: in production it has to be https://"
        if any(origin.startswith("http://") for origin in self.cors_origins):
            yield "FLEX_CORS_ORIGINS names an origin with http://: in production each has to be https://"

    def table(self) -> list[tuple[str, str, str, str]]:
        """Return name, value, origin and description of every setting; what is secret is not shown."""
        rows = []
        for name, field in type(self).model_fields.items():
            origin = "environment" if name in self.model_fields_set else "default"
            rows.append((f"{PREFIX}{name.upper()}", _shown(getattr(self, name)), origin, field.description or ""))
        return rows


def read_settings(**overrides: Any) -> Settings:  # noqa: ANN401  (values of any setting)
    """Return the settings of the environment; `overrides` win.

    :raises SettingsUnusable: when a value has the wrong form.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise SettingsUnusable(
            [f"{PREFIX}{str(each['loc'][0]).upper()}: {_sentence(each['msg'])}" for each in found]
        ) from None


def _can_be_guessed(secret: str) -> bool:
    """Tell whether a secret is made of a few characters, or of something shorter that is repeated."""
    is_repetition = secret in (secret + secret)[1:-1]
    return is_repetition or len(set(secret)) < FEWEST_SECRET_CHARACTERS


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set, not shown)"
    if isinstance(value, tuple):
        return ", ".join(value) or "(none)"
    return "(unset)" if value is None else str(value)
