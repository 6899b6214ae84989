"""What staff do to an account's bills: credit notes, voids, write-offs, payments by check, refunds, charges, taxes."""
