"""Payment contacts and the hours of their calls (rule 39)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import (
    CallingHours,
    Channel,
    ContactDetails,
    InvalidContact,
    TooManyContacts,
    changed_fields,
    check_details,
)

CARLA = ContactDetails(
    name="Carla Coe",
    title="Bookkeeper",
    email="carla@example.com",
    phone="+12025550143",
    channels=frozenset(Channel),
    kinds=frozenset({AlertKind.PAYMENT_FAILED}),
)


def refused(**changes) -> str:
    with pytest.raises(InvalidContact) as refusal:
        check_details(replace(CARLA, **changes))
    return refusal.value.field


class TestDetails:
    @pytest.mark.parametrize(
        "name", ["Carla Coe", "Dr. J.R. O'Neil-Smith", "مريم الزهراء", "李小龙", '<b>Bob</b> & "Co"']
    )
    def test_a_name_is_any_that_prints(self, name):
        check_details(replace(CARLA, name=name, title=""))

    @pytest.mark.parametrize("name", [" ", "", "x" * 81, "two\nlines", "nul\0", "\u202eeod", "\u200b", "a\u2028b"])
    def test_a_name_that_is_blank_long_or_unprintable_is_refused(self, name):
        assert refused(name=name) == "name"

    @pytest.mark.parametrize("title", ["two\nlines", "x" * 81, " "])
    def test_a_title_is_held_to_the_same_but_may_be_empty(self, title):
        assert refused(title=title) == "title"
        check_details(replace(CARLA, title="", name="x" * 80))

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"channels": frozenset()}, "channels"),
            ({"email": None}, "email"),
            ({"phone": None}, "phone"),
            ({"kinds": frozenset()}, "kinds"),
            ({"kinds": frozenset({AlertKind.ALLOWANCE_EXCEEDED})}, "kinds"),
            ({"hours": CallingHours("Mars/Olympus")}, "timeZone"),
            ({"hours": CallingHours(opens_at=time(17), closes_at=time(9))}, "callingHours"),
        ],
    )
    def test_what_cannot_be_names_its_field(self, changes, field):
        assert refused(**changes) == field

    def test_only_what_the_channels_need_is_needed(self):
        check_details(replace(CARLA, phone=None, channels=frozenset({Channel.EMAIL})))
        check_details(replace(CARLA, email=None, channels=frozenset({Channel.PHONE_CALL})))

    def test_there_are_ten_at_most(self):
        assert "at most 10" in str(TooManyContacts())

    def test_changes_are_named_in_the_order_of_the_form(self):
        after = replace(CARLA, is_active=False, name="Carla Cole")
        assert changed_fields(CARLA, after) == ("name", "is_active")


class TestCallingHours:
    """Of the contact's own day, whatever the clocks do."""

    @pytest.mark.parametrize(
        ("instant", "opens"),
        [
            (datetime(2026, 8, 3, 12, 59, tzinfo=UTC), datetime(2026, 8, 3, 13, tzinfo=UTC)),
            (datetime(2026, 8, 3, 13, tzinfo=UTC), datetime(2026, 8, 3, 13, tzinfo=UTC)),
            (datetime(2026, 8, 3, 20, 59, tzinfo=UTC), datetime(2026, 8, 3, 20, 59, tzinfo=UTC)),
            (datetime(2026, 8, 3, 21, tzinfo=UTC), datetime(2026, 8, 4, 13, tzinfo=UTC)),
            (datetime(2026, 10, 31, 22, tzinfo=UTC), datetime(2026, 11, 1, 14, tzinfo=UTC)),
        ],
    )
    def test_a_call_waits_for_the_hours(self, instant, opens):
        assert CallingHours("America/New_York").next_open(instant) == opens

    def test_they_end_on_the_contacts_own_day(self):
        at = datetime(2026, 8, 3, 13, tzinfo=UTC)
        assert CallingHours("America/New_York").closes_after(at) == datetime(2026, 8, 3, 21, tzinfo=UTC)

    def test_hours_that_the_spring_change_skips_are_read_with_the_offset_before_it(self):
        hours = CallingHours("America/New_York", time(2, 30), time(2, 45))
        night = datetime(2026, 3, 8, 6, tzinfo=UTC)
        assert hours.next_open(night) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
