"""Plans, add-ons and lines: quotes, changes, upgrades, advice and the catalogue."""
