"""Storage: the engine, transactions, one file per noun, and page reads; rows stay inside this room."""
