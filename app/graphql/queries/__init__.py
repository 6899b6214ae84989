"""Root query fields, one file per noun."""
