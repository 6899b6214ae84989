"""Who agreed to hear from an account, and how often they are asked (rule 41)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.alerts import AlertKind
from app.domain.confirmations import (
    CONFIRMATION,
    AskedTooSoon,
    ConfirmationsUsedUp,
    ContactAddress,
    NothingToConfirm,
    address_key,
    answer_of,
    check_request,
)
from app.domain.contacts import Channel, ConfirmationState, PaymentContact
from app.domain.deliveries import CallOutcome
from tests.domain.test_contacts import CARLA

NOON = datetime(2026, 7, 10, 19, tzinfo=UTC)
DAY = timedelta(hours=24)
ASKED = ContactAddress("acc", Channel.EMAIL, "carla@example.com", ConfirmationState.UNCONFIRMED, 1, NOON)


class TestRequests:
    def test_an_address_is_asked_again_after_a_day_and_twice_at_most(self):
        with pytest.raises(AskedTooSoon) as refused:
            check_request(ASKED, NOON + DAY - timedelta(seconds=1))
        assert refused.value.retry_at == NOON + DAY
        check_request(ASKED, NOON + DAY)
        check_request(replace(ASKED, requests=2), NOON + DAY)
        with pytest.raises(ConfirmationsUsedUp, match="3 times"):
            check_request(replace(ASKED, requests=3), NOON + 100 * DAY)

    def test_one_that_was_never_asked_may_be_at_once(self):
        check_request(replace(ASKED, requests=0, requested_at=None), NOON)
        assert "answered already" in str(NothingToConfirm())

    def test_two_spellings_are_one_address(self):
        assert address_key("Carla@Example.com") == address_key("CARLA@example.COM") == ASKED.key


class TestAnswers:
    @pytest.mark.parametrize(
        ("outcome", "agrees"),
        [
            (CallOutcome.ANSWERED, True),
            (CallOutcome.DECLINED, False),
            (CallOutcome.WRONG_NUMBER, False),
            *((outcome, None) for outcome in ("VOICEMAIL", "NO_ANSWER", "BUSY", "NOT_MADE")),
        ],
    )
    def test_the_first_call_is_answered_by_its_outcome(self, outcome, agrees):
        assert answer_of(CONFIRMATION, CallOutcome(outcome)) is agrees

    def test_a_later_one_tells_a_wrong_number_alone(self):
        told = {outcome: answer_of(AlertKind.PAYMENT_FAILED, outcome) for outcome in CallOutcome}
        assert {outcome: agrees for outcome, agrees in told.items() if agrees is not None} == {
            CallOutcome.WRONG_NUMBER: False
        }


class TestContact:
    @pytest.mark.parametrize("state", [None, ConfirmationState.UNCONFIRMED, ConfirmationState.DECLINED])
    def test_it_is_told_nowhere_until_that_is_confirmed(self, state):
        contact = PaymentContact("pct", "acc", CARLA, state, ConfirmationState.CONFIRMED)
        assert contact.confirmed_address(Channel.EMAIL) is None
        assert contact.confirmed_address(Channel.PHONE_CALL) == "+12025550143"
        agreed = replace(contact, email_state=ConfirmationState.CONFIRMED)
        assert agreed.confirmed_address(Channel.EMAIL) == "carla@example.com"

    def test_nor_where_it_is_not_to_be_reached(self):
        both = ConfirmationState.CONFIRMED
        mail_alone = replace(CARLA, channels=frozenset({Channel.EMAIL}))
        assert PaymentContact("pct", "acc", mail_alone, both, both).confirmed_address(Channel.PHONE_CALL) is None
        idle = replace(CARLA, is_active=False)
        assert PaymentContact("pct", "acc", idle, both, both).confirmed_address(Channel.EMAIL) is None
