"""What makes the product run on a laptop: tested like the rest of it."""
