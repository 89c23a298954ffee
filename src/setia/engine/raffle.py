"""Drawing a raffle so that everybody can draw it again: from a seed that was promised, and the tickets.

Before tickets close, the SHA-256 of a secret seed is published. At the draw the seed is told, and with it anybody can
compute the winners. What somebody adds from outside at the draw (`entropy`, such as the numbers of a public lottery)
nobody knew when the promise was made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Ticket(NamedTuple):
    """The tickets of one redemption. Ids are those that callers know."""

    redemption: str
    member: str
    quantity: int

    @property
    def line(self) -> str:
        """How they stand in the list that is hashed."""
        return f"{self.redemption} {self.member} {self.quantity}"


def promise(seed: str) -> str:
    """What is published before the draw."""
    return hashlib.sha256(seed.encode()).hexdigest()


def digest_of(tickets: Sequence[Ticket]) -> str:
    """The SHA-256 of all tickets, in the order of their redemptions, a line for each."""
    return hashlib.sha256("\n".join(ticket.line for ticket in tickets).encode()).hexdigest()


def draw(seed: str, entropy: str, tickets: Sequence[Ticket], winners: int) -> list[Ticket]:
    """The redemptions that win, in the order of the draw: so many, or all members who have tickets, each once.

    The n-th number is the SHA-256 of `seed:digest:entropy:n` modulo the tickets of those who have not won yet; they
    are counted in the order of their redemptions.
    """
    digest, left = digest_of(tickets), list(tickets)
    won: list[Ticket] = []
    while left and len(won) < winners:
        text = f"{seed}:{digest}:{entropy}:{len(won) + 1}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()) % sum(ticket.quantity for ticket in left)
        ends = accumulate(ticket.quantity for ticket in left)
        won.append(next(ticket for ticket, end in zip(left, ends, strict=True) if number < end))
        left = [ticket for ticket in left if ticket.member != won[-1].member]
    return won
