"""Payment methods: added, removed, ordered, and kept in step with the vault."""
