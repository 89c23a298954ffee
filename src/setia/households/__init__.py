"""Households: members who spend their points together."""
