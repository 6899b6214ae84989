"""A token for the payment form, with which a browser or a phone talks to the gateway by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.agreements import check_authorization
from app.ports import Rate
from app.services.payment_methods.add_payment_method import TooManyAttempts

if TYPE_CHECKING:
    from app.services.common.caller import Caller
    from app.services.payment_methods.vault_service import VaultService


FORM_TOKENS = Rate("form token", 30, 3_600)
"""For an account; a form needs one each time it is opened."""


async def create_payment_form_token(
    vault: VaultService, caller: Caller, *, agreement_version: str | None = None
) -> str:
    """Return a token that names no customer: nothing can be kept or deleted with it behind our back.

    :raises TooManyAttempts: when the account has had too many within an hour.
    :raises AuthorizationRequired: when the form is going to show an agreement that is not in force.
    :raises GatewayUnavailable: when the gateway cannot be asked.
    """
    if agreement_version is not None:
        check_authorization(vault.agreement, is_given=True, version=agreement_version)
    allowance = await vault.services.rate_limiter.spend(FORM_TOKENS, caller.account)
    if not allowance.is_spent:
        raise TooManyAttempts(vault.services.real_now() + timedelta(seconds=allowance.retry_after_seconds))
    return await vault.services.payments.form_token()
