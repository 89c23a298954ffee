"""What comes back of an order."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class ReturnedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Part of one line that comes back: so much of its quantity, or so much of its amount."""

    line: int
    quantity: Decimal | None = None
    amount: int | None = None


class BoughtWith(msgspec.Struct, frozen=True):
    """A reward for which points of an order had been spent that its return could not find with the order any more.

    `amount` of them (smallest unit) went into the redemption. It stands; what becomes of it is for people to decide.
    """

    redemption: str
    reward: str
    points: str
    amount: int


class Returned(msgspec.Struct, frozen=True, omit_defaults=True):
    """One return: lines, an amount over all of them in proportion, or (neither) everything that is left."""

    lines: tuple[ReturnedLine, ...] = ()
    amount: int | None = None
