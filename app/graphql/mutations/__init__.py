"""Root mutation fields, one file per noun; at most twelve lines each."""
