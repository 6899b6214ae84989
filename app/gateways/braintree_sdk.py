"""The vendor's SDK, imported in this one place and only when it is needed: it takes a while, and it warns."""

from __future__ import annotations

import warnings
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import braintree as sdk
    import requests
    from braintree.util.http import Http
    from requests.adapters import HTTPAdapter

# What it deprecates within itself is its own matter.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"braintree\b")

__all__ = ["open_gateway", "sdk"]

if TYPE_CHECKING:
    from app.gateways.braintree_config import BraintreeConfig

CONNECTIONS = 24


class Transport(Http):  # type: ignore[misc]  # the SDK has no types
    """Carries requests over connections that are shared, kept, and never led elsewhere by the environment."""

    def __init__(self, config: Any, environment: Any = None) -> None:
        super().__init__(config, environment)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(_NoCookies())
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=0)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def http_do(self, http_verb: str, path: str, headers: dict[str, Any], request_body: str) -> list[Any]:
        """Send one request and return its status and text."""
        request = requests.Request(http_verb, path, headers=headers, data=request_body)
        response = self._session.send(
            request.prepare(),
            timeout=self.config.timeout,
            verify=self.environment.ssl_certificate or True,
            allow_redirects=False,
        )
        response.encoding = "utf-8"
        return [response.status_code, response.text]

    def close(self) -> None:
        """Close every connection."""
        self._session.close()


class _NoCookies(DefaultCookiePolicy):
    """Keeps no cookie: threads share the session."""

    def set_ok(self, _cookie: Any, _request: Any) -> bool:
        return False


def open_gateway(config: BraintreeConfig, timeout: tuple[float, float]) -> Any:
    """Return the SDK's gateway for one class of deadlines. Environments differ in the environment object alone."""
    return sdk.BraintreeGateway(
        sdk.Configuration(
            _environment(config),
            merchant_id=config.merchant_id,
            public_key=config.public_key,
            private_key=config.private_key,
            timeout=timeout,
            wrap_http_exceptions=True,
            http_strategy=Transport,
        )
    )


def _environment(config: BraintreeConfig) -> Any:
    if config.environment == "local":
        return sdk.Environment("local", config.host, str(config.port), "", False, None)  # noqa: FBT003
    return sdk.Environment.All[config.environment]
