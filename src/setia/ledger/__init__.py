"""The ledger: points as money. README.md beside this file says what it promises."""
