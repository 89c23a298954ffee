"""The app with a program that has coupons."""

from api_world import world

__all__ = ["world"]
