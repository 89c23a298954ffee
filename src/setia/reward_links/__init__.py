"""Reward links: sent for a reason, worth an amount, paid for only when the recipient has chosen."""
