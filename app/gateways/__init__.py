"""The outside world, one vendor per file; vendor words and vendor exceptions end here."""
