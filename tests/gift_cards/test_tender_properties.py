"""Orders that cards pay for and that come back in any parts: cards get back what they paid, and never more."""

from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from api_world import World
from gift_cards.drawer import findings, issued, money, open_shop
from setia.events.rebuild import rebuild_states

pytestmark = pytest.mark.slow

CAMPAIGNS = {
    "big": {"on": "purchase", "when": "event.total >= 60.0", "discount": {"percent": 15}},
    "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
    "no_cards": {"on": "purchase", "basis": {"paid_with_gift_card": False}, "earn": {"status": "1 per 1.00"}},
}


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[int], list[int], bool, list[int]]:
    """Lines and cards in cents, whether prices are before promotions, and the order in which lines come back."""
    lines = draw(st.lists(st.integers(1, 5000), min_size=1, max_size=4))
    cards = draw(st.lists(st.integers(1, 8000), min_size=1, max_size=3))
    some = draw(st.permutations(range(len(lines))))
    return lines, cards, draw(st.booleans()), list(some[: draw(st.integers(0, len(lines)))])


def cents(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def test_cards_get_back_what_they_paid(world: World) -> None:
    open_shop(world, campaigns=CAMPAIGNS)
    world.enrol(card="1")
    played = 0

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(stories())
    def play(story: tuple[list[int], list[int], bool, list[int]]) -> None:
        nonlocal played
        played += 1
        lines, amounts, before, returned = story
        cards = [issued(world, amount) for amount in amounts]
        order: dict[str, Any] = {
            "type": "purchase",
            "external_id": f"o{played}",
            "member": {"card": "1"},
            "lines": [{"sku": f"s{n}", "amount": f"{amount / 100:.2f}"} for n, amount in enumerate(lines)],
            "tenders": [{"type": "gift_card", "code": card["code"]} for card in cards],
            "pricing": "before" if before else "final",
        }
        paid = send(world, order)["payment"]
        whole = sum(lines)
        total = cents(paid["total"])
        # The promotion takes each line's part down to whole cents, and the parts add up.
        assert total == (whole if not before or whole < 6000 else whole - (whole * 15 + 50) // 100)
        assert cents(paid["rest"]) == max(0, total - sum(amounts))
        taken = [cents(one["amount"]) for one in paid["gift_cards"]]
        assert sum(taken) == min(total, sum(amounts))
        back = 0
        for n, line in enumerate(returned):
            body = {"type": "return", "external_id": f"r{played}/{n}", "member": {"card": "1"}}
            told = send(world, body | {"data": {"order": f"o{played}", "lines": [{"line": line}]}})["payment"]
            to_cards = -sum(cents(one["amount"]) for one in told["gift_cards"])
            back += to_cards
            assert to_cards >= 0
            assert cents(told["total"]) == -to_cards + cents(told["rest"])
        assert back <= sum(taken)
        if len(returned) == len(lines):
            assert back == sum(taken)
        assert sum(sum(money(world, card)) for card in cards) == sum(amounts) - sum(taken) + back
        assert findings(world) == []

    play()
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def send(world: World, body: dict[str, Any]) -> dict[str, Any]:
    answer = world.call("POST", "/v1/events", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
