"""The details of a confirmed change as JSON, as they are stored with it and under its idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from app.domain.checkouts import AddOnDetails, CheckoutAction, CheckoutDetails, PlanChangeDetails

if TYPE_CHECKING:
    from collections.abc import Mapping

Details = TypeVar("Details", bound=CheckoutDetails)

_ADAPTERS: dict[type, TypeAdapter[Any]] = {
    PlanChangeDetails: TypeAdapter(PlanChangeDetails),
    AddOnDetails: TypeAdapter(AddOnDetails),
}
_STORED_NAMES = {"previous_plan": "from"}
_NAMES = {stored: name for name, stored in _STORED_NAMES.items()}


def write_details(details: CheckoutDetails) -> dict[str, Any]:
    """Return the details as JSON."""
    content = _ADAPTERS[type(details)].dump_python(details, mode="json")
    return {_STORED_NAMES.get(name, name): value for name, value in content.items()}


def read_details(kind: type[Details], content: Mapping[str, Any]) -> Details:
    """Return the details of one kind from JSON."""
    details: Details = _ADAPTERS[kind].validate_python(
        {_NAMES.get(name, name): value for name, value in content.items()}
    )
    return details


def details_of(action: CheckoutAction, content: Mapping[str, Any]) -> CheckoutDetails:
    """Return the details that an action stored."""
    if action is CheckoutAction.CHANGE_PLAN:
        return read_details(PlanChangeDetails, content)
    return read_details(AddOnDetails, content)
