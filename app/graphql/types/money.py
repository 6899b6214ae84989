"""The only form in which money leaves the schema: exact digits, a currency, and the text for people."""

from enum import StrEnum
from functools import lru_cache
from typing import Annotated

import strawberry

from app.formatting import format_money
from app.graphql.enums import described_enum
from app.graphql.fields import computed
from app.graphql.scalars import DecimalText


class CurrencyCode(StrEnum):
    """The currencies that accounts are billed in."""

    USD = "USD"


described_enum(
    CurrencyCode,
    description="The ISO 4217 code of a currency.",
    values={CurrencyCode.USD: "United States dollar, with two decimals."},
)

LocaleArgument = Annotated[
    str,
    strawberry.argument(
        description="The locale to format for, such as `en-US` or `de-DE`. An unknown locale falls back to `en-US`."
    ),
]


AMOUNTS_KEPT = 8_192


@lru_cache(maxsize=AMOUNTS_KEPT)
def write_cents(cents: int) -> str:
    """Return integer cents as dollars with two decimals: 496770 is `4967.70`."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}{dollars}.{rest:02d}"


@strawberry.type(description="An amount of money, exact to the cent.")
class Money:
    """Built from integer cents with `Money.of`."""

    cents: strawberry.Private[int]
    amount: DecimalText = strawberry.field(
        description=(
            "The amount with exactly the decimals of its currency, as a string. Negative for an "
            "amount owed to the customer."
        )
    )
    currency_code: CurrencyCode = strawberry.field(description="The currency.")

    @classmethod
    @lru_cache(maxsize=AMOUNTS_KEPT)
    def of(cls, cents: int) -> "Money":
        """Return integer cents as money for clients; equal amounts are one object, which nobody changes."""
        return cls(cents=cents, amount=DecimalText(write_cents(cents)), currency_code=CurrencyCode.USD)

    @computed(description="The amount formatted for display, such as `$4,967.70`.")
    def formatted(self, locale: LocaleArgument = "en-US") -> str:
        """Return the text for people."""
        return format_money(self.cents, self.currency_code.value, locale)
