"""How somebody is reached, as clients see it."""

from app.domain.contacts import Channel
from app.graphql.enums import described_enum

__all__ = ["Channel"]

described_enum(
    Channel,
    name="ContactChannel",
    description="How somebody is reached.",
    values={Channel.EMAIL: "By e-mail.", Channel.PHONE_CALL: "By a phone call of our operators."},
)
