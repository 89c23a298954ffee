"""Coupons: who holds them, what they have been used for, and how many are made."""
