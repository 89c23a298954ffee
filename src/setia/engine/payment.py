"""What gift cards paid for an order, or got back of it, as outcomes keep it."""

from __future__ import annotations

import msgspec


class CardPaid(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a gift card paid for an order, in the smallest unit; below 0 it got so much back.

    `left` is on it afterwards, `hint` is the end of its code, `card` and `use` are ids. `refused` says why a card that
    was shown paid nothing.
    """

    hint: str
    amount: int
    left: int
    card: str | None = None
    use: str | None = None
    refused: str | None = None


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order comes to that gift cards were shown for, what they paid, and the `rest` after all tenders.

    Of a return, amounts are below 0: what comes back, to cards and otherwise.
    """

    total: int
    rest: int
    cards: list[CardPaid] = []
