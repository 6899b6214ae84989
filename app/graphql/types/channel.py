"""How somebody is reached, as clients see it."""

from app.domain.contacts import Channel
from app.graphql.enums import described_enum

__all__ = ["Channel"]

described_enum(
    Channel,
    name="ContactChannel",
    description="The channel through which a person is contacted.",
    values={Channel.EMAIL: "Email.", Channel.PHONE_CALL: "A phone call by our operators."},
)
