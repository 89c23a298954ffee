"""What comes back of an order."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class ReturnedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Part of one line that comes back: so much of its quantity, or so much of its amount."""

    line: int
    quantity: Decimal | None = None
    amount: int | None = None


class Returned(msgspec.Struct, frozen=True, omit_defaults=True):
    """One return: lines, an amount over all of them in proportion, or (neither) everything that is left."""

    lines: tuple[ReturnedLine, ...] = ()
    amount: int | None = None
