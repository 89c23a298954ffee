"""The app with a program, members and keys, as `api_world` makes it."""

from api_world import world

__all__ = ["world"]
