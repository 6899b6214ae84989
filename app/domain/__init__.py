"""The pure core: frozen values and functions that the accountant could read; the standard library alone, no I/O."""
