"""Lengths of time: exact in seconds, and in minutes as the portal shows them."""

from functools import lru_cache

import strawberry

from app.domain.durations import hundredths_of_minutes
from app.graphql.fields import computed
from app.graphql.scalars import DecimalText
from app.graphql.types.money import write_cents


@lru_cache(maxsize=8_192)
def write_minutes(seconds: int) -> str:
    """Return whole seconds as minutes with two decimals, rounded half up: 3,742 is `62.37`."""
    return write_cents(hundredths_of_minutes(seconds))


@strawberry.type(description="A length of time. Bills are calculated from seconds; minutes are for display.")
class Duration:
    """Built from seconds with `Duration.of`."""

    seconds: int = strawberry.field(description="The exact length in seconds.")

    @classmethod
    def of(cls, seconds: int) -> "Duration":
        """Return whole seconds as a duration for clients."""
        return cls(seconds=seconds)

    @computed(description="The length in minutes with two decimals, rounded half up.")
    def minutes(self) -> DecimalText:
        """Return the text of the minutes."""
        return DecimalText(write_minutes(self.seconds))
