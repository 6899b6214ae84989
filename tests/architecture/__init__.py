"""What the shape of the source must be, checked by reading it."""
