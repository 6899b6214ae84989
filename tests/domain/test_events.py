"""Events of the audit log: each is stored under its kind and its fields for ever, and comes back as it went."""

from __future__ import annotations

import importlib
import json
import pkgutil
import string
from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app.domain.events
from app.domain.accounts import AccountStatus
from app.domain.events.accounts import (
    AccountChanged,
    AccountClosed,
    AccountOpened,
    AccountTaxesSet,
    SuspensionAnnounced,
)
from app.domain.events.event import Event, change_of, read_event, stored_name, write_event
from app.domain.events.invoices import InvoiceIssued, OneTimeChargeAdded
from app.domain.events.kinds import EVENTS
from app.domain.events.operations import DatabaseRestored, InvoiceNumbersSkipped
from app.domain.events.payments import ChargeDeclined, PaymentRequested
from app.domain.events.plans import CatalogueChanged, PlanChanged
from app.domain.events.reversals import DisputeLost, PaymentRefunded
from app.domain.invoice_drafts import InvoiceKind
from app.domain.plan_changes import When
from app.domain.refunds import DisputeState, RefundKind

# Rows of every release have these kinds, so none is ever renamed or left out. The first are shown to customers.
SHOWN = {
    "account": "changed closed created reactivated suspended",
    "add_on": "activated cancelled kept",
    "alerts": "switched",
    "call": "reported",
    "charge": "added adopted waived",
    "checkout": "declined",
    "collection": "resumed",
    "contact": "added changed confirmed declined removed requested",
    "credit": "applied granted settled",
    "credit_note": "issued",
    "dispute": "lost opened won",
    "invoice": "issued recovered resent voided written_off",
    "late_fee": "added",
    "line": "added ended",
    "mail": "allowed complained",
    "message": "queued_again",
    "payment": "declined failed prepaid received recorded refunded requested returned voided_elsewhere",
    "payment_method": (
        "added declined default_changed failed missing removed reordered revoked updated_by_bank verification_expired "
        "verified"
    ),
    "plan": "change_cancelled change_scheduled changed upgraded",
    "refund": "adopted failed refused",
    "suspension": "scheduled",
    "tax": "set",
    "taxes": "set",
}
INTERNAL = {
    "catalogue": "changed loaded",
    "database": "restored",
    "gateway": "reconciled swept",
    "invoice_numbers": "skipped",
    "key": "created revoked",
    "notice": "dismissed quarantined reopened",
    "quarantine": "discarded released",
    "transaction": "accepted",
    "usage": "recorded",
}

CHARGE = {"number": 100_001, "method": "pm_1", "method_name": "Visa", "attempt": "att_1", "is_open": True}
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def classes() -> list[type[Event]]:
    """Every class with a kind of its own, wherever it is."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.iter_modules(app.domain.events.__path__, "app.domain.events.")
    ]
    found = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    return [each for each in found if issubclass(each, Event) and "kind" in vars(each)]


def kinds_of(verbs: dict[str, str]) -> set[str]:
    return {f"{noun}.{verb}" for noun, listed in verbs.items() for verb in listed.split()}


def names_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


class TestKinds:
    def test_no_two_classes_share_a_kind(self):
        assert sorted(each.kind for each in classes()) == sorted(EVENTS)

    def test_every_kind_of_a_stored_row_is_known(self):
        assert {kind for kind, each in EVENTS.items() if each.sentence is not None} == kinds_of(SHOWN)
        assert {kind for kind, each in EVENTS.items() if each.sentence is None} == kinds_of(INTERNAL)

    @pytest.mark.parametrize("kind", EVENTS)
    def test_a_sentence_names_fields_of_its_class(self, kind):
        names = {stored_name(field.name) for field in fields(EVENTS[kind])}
        assert names_in(EVENTS[kind].sentence or "") <= names


class TestStoredForm:
    @pytest.mark.parametrize("kind", EVENTS)
    @given(data=st.data())
    @settings(max_examples=10)
    def test_every_event_comes_back_as_it_went(self, kind, data):
        event = data.draw(st.from_type(EVENTS[kind]))
        assert read_event(EVENTS[kind], json.loads(json.dumps(write_event(event)))) == event

    @pytest.mark.parametrize(
        ("event", "stored"),
        [
            (
                InvoiceIssued(number=100_001, month="2026-08", amount_due_cents=139_00),
                {"number": 100_001, "month": "2026-08", "amount_due_cents": 139_00},
            ),
            (
                InvoiceIssued(number=100_001, kind_=InvoiceKind.FINAL, month="2026-08", amount_due_cents=0),
                {"number": 100_001, "kind": "FINAL", "month": "2026-08", "amount_due_cents": 0},
            ),
            (
                PlanChanged(plan="plan_2", when=When.NOW, effective_on=date(2026, 8, 1), from_="plan_1", invoice=None),
                {"plan": "plan_2", "when": "NOW", "effective_on": "2026-08-01", "from": "plan_1", "invoice": None},
            ),
            (AccountChanged(trial_ends_on=(None, date(2026, 7, 31))), {"trial_ends_on": [None, "2026-07-31"]}),
            (AccountOpened(), {}),
            (AccountOpened(members=()), {"members": []}),
            (
                SuspensionAnnounced(number=100_001, suspend_at=NOON, amount_cents=1),
                {"number": 100_001, "suspend_at": "2026-08-01T12:00:00+00:00", "amount_cents": 1},
            ),
            (
                AccountTaxesSet(valid_from=date(2026, 8, 1), taxes=((), ("Sales tax 6.5 %",)), reason="R"),
                {"valid_from": "2026-08-01", "taxes": [[], ["Sales tax 6.5 %"]], "reason": "R"},
            ),
            (
                OneTimeChargeAdded(title="Script", amount_cents=40_00, reason="R"),
                {"title": "Script", "amount_cents": 40_00, "state": [None, "WAITING"], "reason": "R"},
            ),
            (
                PaymentRefunded(**CHARGE, amount_cents=1, refund="rfd_1", kind_=RefundKind.VOID, reason="R"),
                {**CHARGE, "amount_cents": 1, "refund": "rfd_1", "kind": "VOID", "reason": "R"},
            ),
            (
                DisputeLost(**CHARGE, amount_cents=1, dispute="dsp_1", was=DisputeState.OPEN),
                {**CHARGE, "amount_cents": 1, "dispute": "dsp_1", "was": "OPEN"},
            ),
            (
                ChargeDeclined(number=1, amount_cents=2, method="pm", attempt="att", code="refused", severity=None),
                {"number": 1, "amount_cents": 2, "method": "pm", "attempt": "att", "code": "refused", "severity": None},
            ),
            (PaymentRequested(invoices=2), {"invoices": 2}),
            (
                CatalogueChanged(added=("a",), ended={"b": "2026-09-01"}, reason="R"),
                {"added": ["a"], "ended": {"b": "2026-09-01"}, "reason": "R"},
            ),
            (InvoiceNumbersSkipped(from_=100_007, before=100_010), {"from": 100_007, "before": 100_010}),
            (DatabaseRestored(data_until=None, next_number=7), {"data_until": None, "next_number": 7}),
        ],
    )
    def test_the_stored_form_is_that_of_every_release(self, event, stored):
        assert json.dumps(write_event(event)) == json.dumps(stored)


class TestOlderRows:
    def test_what_a_row_lacks_is_none(self):
        row = {"status": ["ACTIVE", "CLOSED"], "reason": "Ticket 4711."}
        closed = read_event(AccountClosed, row)
        assert (closed.status, closed.reason) == ((AccountStatus.ACTIVE, AccountStatus.CLOSED), "Ticket 4711.")
        assert (closed.final_invoice, closed.paid_out_cents) == (None, None)

    def test_what_only_a_row_has_is_left_out(self):
        row = {"number": 100_001, "month": "2026-08", "amount_due_cents": 1, "due": "2026-08-01"}
        assert read_event(InvoiceIssued, row) == InvoiceIssued(number=100_001, month="2026-08", amount_due_cents=1)


class TestChangeOf:
    def test_has_both_values_or_nothing(self):
        assert change_of("Quiet Law", "Loud Law") == ("Quiet Law", "Loud Law")
        assert change_of(None, None) is None
