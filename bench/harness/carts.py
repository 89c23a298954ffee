"""Carts to ask about: a process of its own, with requests written beforehand; and the promotions that apply to them.

It reads one `Asking` as JSON from stdin and writes one `Measured` as JSON to stdout.
"""

import json
import random
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.harness.answers import WrongAnswer
from bench.harness.load import Loop, Measured

LINES = 20
GROUPS = 6
STACKING: dict[str, Any] = {"groups": {f"g{place}": {} for place in range(GROUPS)}}
"""The groups of the promotions; of each the best one applies."""
_ARTICLES, _CATEGORIES, _CARTS = 40, 20, 200


@dataclass(frozen=True, slots=True)
class Asking:
    """What to ask: carts of 20 lines, of members chosen at random."""

    port: int
    key: str
    clients: int
    seconds: float
    cards: list[str]
    seed: int


def promotions(number: int) -> dict[str, Any]:
    """So many promotions of all kinds. On a cart of 20 lines about a third of them apply."""
    return {f"promotion_{place}": _promotion(place) for place in range(number)}


def _promotion(place: int) -> dict[str, Any]:
    category, article = f"category {place % _CATEGORIES}", f"article {place % _ARTICLES}"
    kinds: tuple[dict[str, Any], ...] = (
        {"lines": f'line.category == "{category}"', "discount": {"percent": 5}},
        {"lines": f'line.sku == "{article}"', "discount": {"amount": "0.05", "on": "lines"}},
        {"when": f"event.gross >= {50 + place}.0", "discount": {"amount": "1.00"}},
        {"lines": f'line.category == "{category}"', "discount": {"percent": 100, "every": 3}},
        {"discount": {"percent": 10, "codes": [f"CODE{place}"]}},
        {"schedule": {"ends": "2020-01-01"}, "discount": {"percent": 7}},
        {"when": f'"tag {place}" in member.tags', "discount": {"percent": 3}},
        {
            "lines": f'line.sku == "{article}"',
            "discount": {"percent": 50, "on": "cheapest"},
            "group": f"g{place % GROUPS}",
        },
    )
    return {"on": "purchase", "priority": place % 5, **kinds[place % len(kinds)]}


def requests(load: Asking) -> Iterator[bytes]:
    """Requests without end."""
    chosen = random.Random(load.seed)
    head = (
        "POST /v1/calculate HTTP/1.1\r\nHost: setia\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {load.key}\r\nContent-Length: "
    )
    carts = [json.dumps(_cart(chosen)) for _ in range(_CARTS)]
    while True:
        body = chosen.choice(carts).replace("CARD", chosen.choice(load.cards))
        yield f"{head}{len(body)}\r\n\r\n{body}".encode()


def _cart(chosen: random.Random) -> dict[str, Any]:
    lines = [
        {
            "sku": f"article {article}",
            "quantity": chosen.randint(1, 4),
            "amount": f"{chosen.randint(100, 4000) / 100:.2f}",
            "category": f"category {article % _CATEGORIES}",
        }
        for article in chosen.sample(range(_ARTICLES), LINES)
    ]
    member = {"card": "CARD"}
    return {"type": "purchase", "member": member, "pricing": "before", "codes": ["CODE4"], "lines": lines}


def check(answer: bytes) -> None:
    """Refuse anything but a 200."""
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswer(f"not answered: {answer[:2000]!r}")


def send(load: Asking) -> Measured:
    """Ask, and count the answers; raises WrongAnswer at the first one that is no answer."""
    connections = [socket.create_connection(("127.0.0.1", load.port)) for _ in range(load.clients)]
    try:
        return Loop(connections, requests(load), check, 1, None).run(load.seconds)
    finally:
        for connection in connections:
            connection.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches it with its parent, which says what there is to say
    json.dump(asdict(send(Asking(**json.load(sys.stdin)))), sys.stdout)
