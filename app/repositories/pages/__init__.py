"""Page reads: one statement over any tables becomes one view."""
