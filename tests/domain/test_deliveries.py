"""When a message is tried again, and when it is given up (rule 37)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.deliveries import MOST_ATTEMPTS, MailAnswer, MailResult, is_given_up, pause_after


class TestRetries:
    def test_pauses_grow_and_stay_within_a_fifth_of_their_length(self):
        pauses = [pause_after(attempt, "ntf_1") for attempt in range(1, MOST_ATTEMPTS)]
        assert pauses == sorted(pauses)
        assert timedelta(minutes=1) <= pauses[0] < timedelta(seconds=72)
        assert timedelta(hours=12) <= pauses[-1] < timedelta(hours=15)

    def test_those_that_failed_together_do_not_come_back_together(self):
        assert len({pause_after(1, f"ntf_{at}") for at in range(20)}) > 5

    def test_a_message_is_given_up_after_more_than_three_days(self):
        assert not is_given_up(MOST_ATTEMPTS - 1)
        assert is_given_up(MOST_ATTEMPTS)
        assert sum((pause_after(n, "x") for n in range(1, MOST_ATTEMPTS)), timedelta()) > timedelta(days=3) - timedelta(
            hours=12
        )


class TestMailAnswer:
    @pytest.mark.parametrize(
        ("result", "was_offered", "counts"),
        [
            (MailResult.ACCEPTED, True, True),
            (MailResult.LATER, False, True),
            (MailResult.UNREACHABLE, True, True),
            (MailResult.UNREACHABLE, False, False),
        ],
    )
    def test_a_mail_was_tried_unless_no_server_was_there(self, result, was_offered, counts):
        assert MailAnswer(result, "said", was_offered=was_offered).counts is counts
