"""A database of an earlier release, and the program that made it."""
