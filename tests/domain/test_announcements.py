"""Facts of a message go into a row and come back the same."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.alerts import AlertKind
from app.domain.announcements import (
    FACTS,
    OPERATOR_ALERT,
    PaymentFailed,
    PaymentReceived,
    Reactivated,
    WrongFacts,
    read_facts,
    suspension_subject,
    write_facts,
)
from app.domain.confirmations import CONFIRMATION, REMOVAL


class TestFacts:
    def test_every_kind_has_its_facts(self):
        assert set(FACTS) == {*AlertKind, CONFIRMATION, REMOVAL, OPERATOR_ALERT}

    @pytest.mark.parametrize(
        ("kind", "facts"),
        [
            (AlertKind.PAYMENT_RECEIVED, PaymentReceived(100, "Check 7", date(2026, 8, 1), (100001, 100002), 0)),
            (AlertKind.PAYMENT_FAILED, PaymentFailed(100001, 100, "Visa", "Declined", None)),
        ],
    )
    def test_they_come_back_as_they_went(self, kind, facts):
        assert read_facts(kind, write_facts(kind, facts)) == facts

    def test_facts_of_another_kind_are_refused(self):
        with pytest.raises(WrongFacts, match="INVOICE_READY does not say Reactivated"):
            write_facts(AlertKind.INVOICE_READY, Reactivated(date(2026, 8, 1)))


class TestSubjects:
    def test_a_suspension_is_warned_of_once_for_its_day(self):
        days = [date(2026, 8, 22), date(2026, 8, 22), date(2026, 8, 23)]
        assert len({suspension_subject("acc", on) for on in days}) == 2
