"""A token for the payment form, with which a browser or a phone talks to the gateway by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.agreements import check_authorization

if TYPE_CHECKING:
    from app.services.payment_methods.vault_service import VaultService


async def create_payment_form_token(vault: VaultService, *, agreement_version: str | None = None) -> str:
    """Return a token that names no customer: nothing can be kept or deleted with it behind our back.

    :raises AuthorizationRequired: when the form is going to show an agreement that is not in force.
    :raises GatewayUnavailable: when the gateway cannot be asked.
    """
    if agreement_version is not None:
        check_authorization(vault.agreement, is_given=True, version=agreement_version)
    return await vault.services.payments.form_token()
