"""Rules of the pure core: exact values, no doubles, no database."""
