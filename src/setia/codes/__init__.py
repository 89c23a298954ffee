"""Codes that are worth something: how they are made, kept and known again, and limits on guessing them."""
