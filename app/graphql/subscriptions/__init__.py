"""Root fields of the subscription type."""
