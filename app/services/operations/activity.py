"""The audit log in words: who did what to the account, and what it changed, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.explanations import dollars
from app.views.activity import ActivityEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.views.activity import ActivityFacts

SENTENCES = {
    "account.changed": "Changed the account's particulars or people.",
    "account.closed": "Closed the account.",
    "account.created": "Opened the account.",
    "account.reactivated": "Served the account again: everything that was open is paid.",
    "account.suspended": "Suspended the account: {amount} had been open for too long.",
    "add_on.activated": "Bought the add-on {add_on}.",
    "add_on.cancelled": "Cancelled the add-on {add_on}.",
    "add_on.kept": "Withdrew the cancellation of the add-on {add_on}.",
    "alerts.switched": "Switched their alerts: on {on}; off {off}.",
    "call.reported": "Reported the outcome of a billing phone call.",
    "charge.added": "Added the charge “{title}” of {amount}.",
    "charge.adopted": "Matched a charge of {amount} at the payment gateway to invoice {number}.",
    "charge.waived": "Waived the charge “{title}” of {amount}.",
    "checkout.declined": "Voided invoice {number}: it could not be charged, so nothing was changed.",
    "collection.resumed": "Resumed the collection of invoice {number}.",
    "contact.added": "Added the payment contact {contact}.",
    "contact.changed": "Changed the payment contact {contact}.",
    "contact.removed": "Removed the payment contact {contact}.",
    "credit.granted": "Granted credit of {amount}.",
    "credit.settled": "Settled the credit of the closed account.",
    "credit_note.issued": "Issued the credit note {number} for invoice {corrects}.",
    "dispute.lost": "Lost a dispute: {amount} was charged back, and invoice {number} is open again.",
    "dispute.opened": "A dispute was opened over {amount} that paid invoice {number}.",
    "dispute.won": "Won a dispute: {amount} for invoice {number} stays paid.",
    "invoice.issued": "Issued invoice {number}; {amount_due} was due.",
    "invoice.recovered": "A payment recovered {amount} of invoice {number}, which had been written off.",
    "invoice.resent": "Resent invoice {number} to {sent_to}.",
    "invoice.voided": "Voided invoice {number} and issued {replaced_by} in its place.",
    "invoice.written_off": "Wrote off what was open on invoice {number}.",
    "late_fee.added": "Added a late fee of {amount} for invoice {number}.",
    "line.added": "Added an additional line ({line}).",
    "line.ended": "Ended an additional line ({line}); its last day is the one before {ends_before}.",
    "message.queued_again": "Queued a message again for {sent_to}.",
    "payment.declined": "A charge of {amount} for invoice {number} was declined.",
    "payment.failed": "Could not collect {amount} for invoice {number}.",
    "payment.prepaid": "Recorded a prepayment of {amount}, which became credit.",
    "payment.received": "Charged {amount} to {method_name} for invoice {number}.",
    "payment.recorded": "Recorded a payment of {amount}.",
    "payment.refunded": "Refunded {amount} to {method_name}; it is open again on invoice {number}.",
    "payment.requested": "Requested payment now.",
    "payment.returned": "A payment of {amount} was returned by the bank; it is open again on invoice {number}.",
    "payment.voided_elsewhere": "A charge of {amount} was voided at the gateway; it is open again on invoice {number}.",
    "payment_method.added": "Added the payment method {method_name}.",
    "payment_method.declined": "A bank declined a payment method permanently; it needs attention.",
    "payment_method.default_changed": "Made {method_name} the default payment method.",
    "payment_method.failed": "A payment method could not be added.",
    "payment_method.missing": "{method_name} cannot be charged any more; it needs attention.",
    "payment_method.removed": "Removed the payment method {method_name}.",
    "payment_method.reordered": "Changed the order of the back-up payment methods.",
    "payment_method.revoked": "The payer revoked the agreement for {method_name}; it needs attention.",
    "payment_method.updated_by_bank": "A bank has changed a card on file.",
    "plan.change_cancelled": "Cancelled the scheduled change to {from}; the plan stays {to}.",
    "plan.change_scheduled": "Scheduled the change from {from} to {plan}.",
    "plan.changed": "Changed the plan from {from} to {plan}.",
    "plan.upgraded": "The month's usage outgrew {from}: upgraded to {to}.",
    "refund.adopted": "Matched a refund of {amount} at the payment gateway; it is open again on invoice {number}.",
    "refund.failed": "A refund of {amount} failed and returned to us; our staff will refund it another way.",
    "refund.refused": "The payment gateway declined a refund of {amount}; nothing changed.",
    "suspension.scheduled": "Announced that service will be suspended: {amount} is open on invoice {number}.",
    "tax.set": "Set the tax rate of the account.",
    "taxes.set": "Set the taxes of the account.",
    "credit.applied": "Applied credit to an open invoice.",
}
"""What happened, by the kind of an event; the names in braces are its data, in words."""

_PLAN_NAMES = frozenset({"from", "to", "plan"})
_CENTS = "_cents"
_LISTS = frozenset({"paid", "fields", "off", "on", "sent_to"})
"""What is a list of things; elsewhere two values are before and after."""


def activity(facts: ActivityFacts) -> list[ActivityEntry]:
    """Return the events in words, in their order."""
    return [
        ActivityEntry(
            event=event,
            who=_who(event.actor, event.actor_name),
            what=_what(event.kind, said := dict(_details(event.data, facts))),
            details=[(_title(name), value) for name, value in said.items()],
        )
        for event in facts.events
    ]


def _who(actor: str, name: str | None) -> str:
    kind, _, rest = actor.partition(":")
    if kind == "user":
        return name or "A former user"
    if kind == "staff":
        return f"{rest} of our staff"
    if kind in {"key", "service"}:
        return f"SAS Flex ({rest})"
    if actor == "contact":
        return "The payment contact"
    return "Automatically" if actor == "system" else actor


def _what(kind: str, said: Mapping[str, str]) -> str:
    sentence = SENTENCES.get(kind)
    if sentence is None:
        return f"{_title(kind.replace('.', ' '))}."
    return sentence.format_map(_Said(said))


class _Said(dict[str, str]):
    """Data of an event in words; what an older event does not have is left open."""

    def __missing__(self, name: str) -> str:
        return self.get(name + _CENTS, "…")


def _details(data: Mapping[str, Any], facts: ActivityFacts) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if isinstance(value, list) and len(value) == 2 and name not in _LISTS:
            yield name, " → ".join(_value(name, one, facts) for one in value)
        else:
            yield name, _value(name, value, facts)


def _value(name: str, value: Any, facts: ActivityFacts) -> str:  # noqa: ANN401 -- any JSON value
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return ", ".join(_value(name, one, facts) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{_title(key)}: {_value(key, one, facts)}" for key, one in value.items())
    return _plain_value(name, value, facts)


def _plain_value(name: str, value: Any, facts: ActivityFacts) -> str:  # noqa: ANN401 -- a text, number or truth
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith(_CENTS) and isinstance(value, int):
        return dollars(value)
    names = facts.plan_names if name in _PLAN_NAMES else facts.add_on_names if name == "add_on" else {}
    return names.get(str(value), str(value))


def _title(name: str) -> str:
    """Return a name of data for people: `amount_due_cents` is `Amount due`."""
    return name.removesuffix(_CENTS).replace("_", " ").capitalize()
