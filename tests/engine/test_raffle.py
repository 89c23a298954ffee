"""Draws: whoever has seed and tickets gets the same winners, and each ticket has the same chance."""

from __future__ import annotations

import hashlib
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from setia.engine.raffle import Ticket, digest_of, draw, promise

TICKETS = [Ticket("red_1", "mem_a", 1), Ticket("red_2", "mem_b", 2), Ticket("red_3", "mem_a", 1)]


def test_the_promise_is_the_hash_of_the_seed() -> None:
    assert promise("abc") == hashlib.sha256(b"abc").hexdigest()


def test_the_digest_is_that_of_a_line_for_each_redemption() -> None:
    assert digest_of(TICKETS) == hashlib.sha256(b"red_1 mem_a 1\nred_2 mem_b 2\nred_3 mem_a 1").hexdigest()


def test_the_winners_follow_from_what_is_published() -> None:
    number = int(hashlib.sha256(f"s:{digest_of(TICKETS)}:e:1".encode()).hexdigest(), 16) % 4
    first = [TICKETS[0], TICKETS[1], TICKETS[1], TICKETS[2]][number]
    won = draw("s", "e", TICKETS, 2)
    assert won[0] == first
    assert sorted(ticket.member for ticket in won) == ["mem_a", "mem_b"]
    assert draw("s", "e", [], 3) == []


def test_chances_go_by_tickets() -> None:
    found = Counter(draw(str(seed), "", TICKETS, 1)[0].redemption for seed in range(4000))
    assert 900 < found["red_1"] < 1100
    assert 1900 < found["red_2"] < 2100


@given(
    seed=st.text(max_size=20),
    quantities=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=12),
    winners=st.integers(1, 20),
)
def test_each_member_wins_once_and_all_do_where_there_are_enough(
    seed: str, quantities: list[tuple[int, int]], winners: int
) -> None:
    tickets = [Ticket(f"red_{place}", f"mem_{member}", many) for place, (member, many) in enumerate(quantities)]
    won = draw(seed, "", tickets, winners)
    members = [ticket.member for ticket in won]
    assert len(members) == len(set(members)) == min(winners, len({ticket.member for ticket in tickets}))
    assert set(won) <= set(tickets)
    assert draw(seed, "", tickets, winners) == won
