"""What comes back while members are merged: afterwards each has what it would have had without the merges."""

import itertools
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from api_world import World
from moving.movers import ask, give, member, open_club, post, rows, sound
from moving.pairs import merged, parted

pytestmark = pytest.mark.slow

LATER = "2099-01-01T00:00:00Z"
SALES = {"top_up": {"points": "stars", "price": "0.01"}}
REWARDS = {"coffee": {"kind": "voucher", "cost": {"stars": 15}}}
WHO = st.integers(0, 2)
KINDS = ["give", "lasting", "sell", "hold", "redeem", "send", "get"]
BEFORE = st.tuples(st.sampled_from(KINDS), WHO, st.integers(1, 40))
MEANWHILE = st.tuples(st.sampled_from(["reverse", "unsell", "cancel", "refund"]), st.integers(0, 9))
_LOTS = """
SELECT point_type, remaining, pending, expires_at FROM lot WHERE member_id = %s AND is_open ORDER BY 1, 4, 2, 3
"""


class Trio:
    """Three members who may be one, somebody else, and what was made of them, to be taken back."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.done = world, name, 0
        self.three = [member(world, f"{name}{one}", 30) for one in "abc"]
        self.other = member(world, f"{name}o", 30)
        self.made: dict[str, list[str]] = {"reverse": [], "unsell": [], "cancel": [], "refund": []}

    def before(self, what: str, who: int, amount: int) -> None:
        """Something whose points can come back."""
        self.done += 1
        one, reference = self.three[who], f"{self.name}-{self.done}"
        match what:
            case "give":
                give(self.world, one, amount)
            case "lasting":
                give(self.world, one, amount, expires_at=LATER)
            case "sell":
                body = {"member": one, "sale": "top_up", "points": amount, "money": amount, "reference": reference}
                self.keep("unsell", post(self.world, "/v1/point-sales", body))
            case "send":
                self.keep("reverse", ask(self.world, one, self.other, amount))
            case "get":
                self.keep("reverse", ask(self.world, self.other, one, amount))
            case _:
                body = {"member": one, "reward": "coffee", "reference": reference, "confirm": what == "redeem"}
                answer = post(self.world, "/v1/redemptions", body)
                self.keep("refund" if what == "redeem" else "cancel", answer)

    def keep(self, how: str, answer: Any) -> None:
        assert answer.status_code in {201, 409}, answer.text
        self.made[how] += [answer.json()["id"]] if answer.status_code == 201 else []

    def back(self, what: str, which: int) -> int:
        """Take something back; gives the status."""
        found = self.made[what]
        if not found:
            return 0
        one = found[which % len(found)]
        path = {"reverse": f"transfers/{one}/reverse", "unsell": f"point-sales/{one}/refund"}
        body: Any = {"reason": "x", "partly": True} if what == "reverse" else {"reason": "x"}
        sent = None if what in {"cancel", "refund"} else body
        status: int = post(self.world, f"/v1/{path.get(what, f'redemptions/{one}/{what}')}", sent).status_code
        return status

    def has(self) -> list[list[tuple[Any, ...]]]:
        return [rows(self.world, _LOTS, one.removeprefix("mem_")) for one in [*self.three, self.other]]


def test_what_comes_back_meanwhile_is_whose_it_would_have_been(world: World) -> None:
    open_club(world, sales=SALES, rewards=REWARDS)
    played = 0

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.lists(BEFORE, min_size=1, max_size=6), st.lists(MEANWHILE, max_size=5), st.sampled_from(["ab", "abc"]))
    def play(before: list[tuple[str, int, int]], meanwhile: list[tuple[str, int]], people: str) -> None:
        nonlocal played
        played += 1
        merging, apart = Trio(world, f"{played}m"), Trio(world, f"{played}p")
        for step in before:
            merging.before(*step)
            apart.before(*step)
        chain = merging.three[: len(people)]
        made = [merged(world, main, duplicate) for duplicate, main in itertools.pairwise(chain)]
        assert [merging.back(*step) for step in meanwhile] == [apart.back(*step) for step in meanwhile]
        sound(world)
        for identity in reversed(made):
            parted(world, identity)
        assert merging.has() == apart.has()
        sound(world)

    play()
