"""Setia: a self-hosted loyalty platform.

A program is a versioned definition, whatever happens to a member is an event, a pure engine decides each event and
explains the decision, and a double-entry ledger keeps the points.
"""

__version__ = "0.1.0.dev0"
