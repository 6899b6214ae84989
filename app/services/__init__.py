"""One module per use case, each reading as the button's story: load, decide, save, tell."""
