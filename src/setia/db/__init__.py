"""The database: the embedded server, the engine, transactions, identifiers and migrations."""
