"""Plans and their prices."""

from enum import StrEnum
from functools import lru_cache

import strawberry

from app.domain.money import UNIT_PRICE_PER_CENT
from app.formatting import format_unit_price
from app.graphql.enums import described_enum
from app.graphql.fields import computed
from app.graphql.scalars import DecimalText
from app.graphql.types.money import CurrencyCode, LocaleArgument, Money, write_cents
from app.graphql.types.node import Node
from app.views import plans as views


class PriceUnit(StrEnum):
    """The unit of a unit price."""

    MINUTE = "MINUTE"


described_enum(
    PriceUnit,
    description="The unit of a unit price.",
    values={PriceUnit.MINUTE: "One minute. Usage is billed by the second at one sixtieth of the price."},
)


@lru_cache(maxsize=1_024)
def write_rate(rate: int) -> str:
    """Return ten-thousandths of a dollar with two decimals, or four where it has them: 12900 is `1.29`."""
    cents, rest = divmod(rate, UNIT_PRICE_PER_CENT)
    return write_cents(cents) + (f"{rest:02d}" if rest else "")


@strawberry.type(description="The price of one unit, which can be finer than a cent.")
class UnitPrice:
    """Built from ten-thousandths of a dollar with `UnitPrice.of`."""

    rate: strawberry.Private[int]
    amount: DecimalText = strawberry.field(
        description="The price as a string, with two decimals, or four if it is finer than a cent."
    )
    currency_code: CurrencyCode = strawberry.field(description="The currency.")
    per: PriceUnit = strawberry.field(description="The unit.")

    @classmethod
    def of(cls, rate: int, per: PriceUnit = PriceUnit.MINUTE) -> "UnitPrice":
        """Return a price in ten-thousandths of a dollar for clients."""
        return cls(rate=rate, amount=DecimalText(write_rate(rate)), currency_code=CurrencyCode.USD, per=per)

    @computed(description="The price formatted for display, without the unit, such as `$1.29`.")
    def formatted(self, locale: LocaleArgument = "en-US") -> str:
        """Return the text for people."""
        return format_unit_price(self.rate, self.currency_code.value, locale)


@strawberry.type(description="A plan at one set of prices. An account keeps its prices when new ones are introduced.")
class Plan(Node):
    """Built from a plan of the core with `Plan.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the plan at these prices.")
    code: str = strawberry.field(description="A short code for the plan, the same at all its prices, such as `220`.")
    display_name: str = strawberry.field(description="The name to show, such as `220 Minutes`.")
    base: Money = strawberry.field(description="The base price of a full month before usage, charged in advance.")
    included_minutes: int = strawberry.field(description="The live minutes included in a full month.")
    overage_rate: UnitPrice = strawberry.field(description="The price of live time above the included minutes.")
    cost_effective_to_minutes: int | None = strawberry.field(
        description=(
            "Up to this many live minutes in a full month, no larger plan is cheaper. Null on the largest plan."
        )
    )

    @classmethod
    def of(cls, plan: views.Plan) -> "Plan":
        """Return a plan for clients."""
        version = plan.version
        return cls(
            id=strawberry.ID(version.id),
            code=version.code,
            display_name=version.name,
            base=Money.of(version.base_cents),
            included_minutes=version.included_minutes,
            overage_rate=UnitPrice.of(version.overage_rate),
            cost_effective_to_minutes=plan.cost_effective_minutes,
        )
