"""Purchases of a coffee bar as bytes: everything is written beforehand but who buys and the purchase's own id.

The numbers put in have a fixed width, so that the length of a body is known before they are.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

CARD_DIGITS = 8
_ID_DIGITS = 9
_CARD = "C" * CARD_DIGITS
_ID = "N" * _ID_DIGITS
LINES = 3
# Iced drinks stay out: in summer they use a budget that all members share, and the figures would follow the season.
_MENU = (
    {"sku": "espresso", "category": "coffee", "amount": "2.40"},
    {"sku": "cappuccino", "category": "coffee", "amount": "3.60", "labels": ["oat_milk"]},
    {"sku": "latte", "category": "coffee", "amount": "4.10", "labels": ["own_cup"]},
    {"sku": "filter", "category": "coffee", "amount": "2.90"},
    {"sku": "croissant", "category": "food", "amount": "2.20"},
    {"sku": "cheesecake", "category": "food", "amount": "4.80"},
    {"sku": "beans_250g", "category": "beans", "amount": "9.90", "quantity": 2},
    {"sku": "gift_card_20", "category": "gifts", "amount": "20.00", "labels": ["gift_card"]},
)
_LOCATIONS = ("mitte", "neukoelln", "altona")


@dataclass(frozen=True, slots=True)
class Basket:
    """One body, cut where the card and the id go."""

    head: bytes
    middle: bytes
    tail: bytes

    @property
    def length(self) -> int:
        """The length of the whole body."""
        return len(self.head) + _ID_DIGITS + len(self.middle) + CARD_DIGITS + len(self.tail)

    def body(self, number: int, card: int) -> bytes:
        """The body of the purchase `number`, bought with `card`."""
        return b"%b%09d%b%08d%b" % (self.head, number, self.middle, card, self.tail)


def card_text(card: int) -> str:
    """A card as members carry it."""
    return f"{card:0{CARD_DIGITS}d}"


def baskets(source: str, occurred_at: str, number: int = 64) -> list[Basket]:
    """Write different purchases, the same ones every time. Ids are unique within `source`."""
    chance = random.Random(7)
    return [_basket(source, occurred_at, chance) for _ in range(number)]


def _basket(source: str, occurred_at: str, chance: random.Random) -> Basket:
    event = {
        "type": "purchase",
        "external_id": _ID,
        "source": source,
        "member": {"card": _CARD},
        "occurred_at": occurred_at,
        "channel": "pos",
        "location": chance.choice(_LOCATIONS),
        "currency": "EUR",
        "lines": chance.sample(_MENU, LINES),
    }
    head, _, rest = json.dumps(event, separators=(",", ":")).partition(_ID)
    middle, _, tail = rest.partition(_CARD)
    return Basket(head.encode(), middle.encode(), tail.encode())


def requests(key: str, several: list[Basket], cards: range, seed: int) -> Iterator[bytes]:
    """Whole HTTP requests of one purchase each, without end."""
    heads = [_head("/v1/events", key, basket.length) for basket in several]
    chance = random.Random(seed)
    number = 0
    while True:
        index = number % len(several)
        yield heads[index] + several[index].body(number, chance.choice(cards))
        number += 1


def batches(key: str, several: list[Basket], cards: range, seed: int, size: int) -> Iterator[bytes]:
    """Whole HTTP requests of `size` purchases each, without end."""
    chance = random.Random(seed)
    number = 0
    while True:
        events = [several[i % len(several)].body(i, chance.choice(cards)) for i in range(number, number + size)]
        body = b'{"events":[%b]}' % b",".join(events)
        yield _head("/v1/events/batch", key, len(body)) + body
        number += size


def _head(path: str, key: str, length: int) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        f"content-length: {length}",
    )
    return "\r\n".join([*lines, "", ""]).encode()
