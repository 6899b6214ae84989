"""Phone numbers that a business would have, in the countries that calls are made to (rule 41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.contacts import InvalidContact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phonenumbers import PhoneNumber


def read_phone(text: str, regions: Sequence[str]) -> str:
    """Return a phone number as E.164 text; without a country code it is in the first of the regions.

    :raises InvalidContact: when it is none that could be called, or none that is called.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, regions[0])
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number) or number.extension:
        raise InvalidContact("phone", "This phone number cannot be called. Write it as +1 202 555 0143.")
    if phonenumbers.region_code_for_number(number) not in regions:
        raise InvalidContact("phone", f"Calls are made to numbers in these countries alone: {', '.join(regions)}.")
    if not _is_of_a_business(number):
        raise InvalidContact("phone", "Calls are made to ordinary numbers alone. Give an office, mobile or free one.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_callable(number: str, regions: Sequence[str]) -> bool:
    """Tell whether a number that was accepted once is one that is called today."""
    try:
        return read_phone(number, regions) == number
    except InvalidContact:
        return False


def _is_of_a_business(number: PhoneNumber) -> bool:
    """Tell whether a number is of a type that a business has: no premium or shared cost, pager, voicemail, unknown."""
    from phonenumbers import PhoneNumberType, number_type

    return number_type(number) in {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOIP,
    }
