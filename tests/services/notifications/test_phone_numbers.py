"""Numbers that a business would have, in the countries of a setting (rule 41)."""

from __future__ import annotations

import pytest

from app.domain.contacts import InvalidContact
from app.services.notifications.phone_numbers import is_callable, read_phone

HOME = ("US", "CA")
ORDINARY = {
    "(202) 555-0143": "+12025550143",
    "+1 416 555 0143": "+14165550143",
    "1-800-356-9377": "+18003569377",
    "+1 202 555 0143 ": "+12025550143",
}
NOT_CALLED = [
    "+1 900 555 0143",  # premium
    "+1 500 555 0143",  # follows a person
    "+1 876 555 0143",  # Jamaica, in spite of its +1
    "+1 242 555 0143",  # the Bahamas
    "+44 20 7946 0958",
    "+44 909 879 0000",  # premium, abroad
    "+7 495 123 45 67",
    "+870 773 111 632",  # by satellite
    "+979 123 456 789",  # premium everywhere
    "202 555 0143 ext. 7",
    "911",
    "12345",
    "nobody",
]


class TestReading:
    @pytest.mark.parametrize("text", ORDINARY)
    def test_an_ordinary_number_is_kept_in_its_normal_form(self, text):
        assert read_phone(text, HOME) == ORDINARY[text]
        assert is_callable(ORDINARY[text], HOME)

    @pytest.mark.parametrize("text", NOT_CALLED)
    def test_a_premium_or_foreign_number_or_none_at_all_is_refused(self, text):
        with pytest.raises(InvalidContact) as refused:
            read_phone(text, HOME)
        assert refused.value.field == "phone"
        assert not is_callable(text.replace(" ", ""), HOME)

    def test_other_countries_are_those_of_the_setting(self):
        assert read_phone("020 7946 0958", ("GB",)) == "+442079460958"
        for text in ("+44 909 879 0000", "+44 843 123 4567", "+44 76 4012 3456", "+1 202 555 0143"):
            with pytest.raises(InvalidContact):  # premium, shared cost, a pager, and abroad from there
                read_phone(text, ("GB",))
