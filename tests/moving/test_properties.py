"""Whatever members do before: merged and parted they are as before; whatever they do meanwhile, no point is lost."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from api_world import World
from moving.movers import ask, exchange, member, open_club, post, rows, sound
from moving.pairs import merged, parted, undo, whole

pytestmark = pytest.mark.slow

REWARDS = {"coffee": {"kind": "voucher", "cost": {"stars": 15}}}
CAMPAIGNS = {
    "base": {"on": "purchase", "earn": {"stars": "1 per 1.00", "status": "1 per 1.00"}},
    "later": {"on": "visit", "earn": {"stars": 9}, "available_after": "3d", "limits": [{"uses": 2}]},
    "card": {"on": "purchase", "offer": {"for": "everybody", "progress": {"orders": 3}}, "earn": {"miles": 7}},
}
TIERS = [
    {
        "id": "status",
        "metric": "points.status.earned",
        "window": "rolling 12mo",
        "validity": "12mo",
        "levels": [{"id": "green", "from": 0}, {"id": "silver", "from": 40}, {"id": "gold", "from": 90}],
    },
    {
        "id": "fans",
        "metric": "spend",
        "window": "period",
        "validity": "12mo",
        "levels": [{"id": "one", "from": 0}, {"id": "two", "from": 60, "keep_from": 10}],
    },
]
POINTS = {
    "stars": {"negative": "allow", "expiry": {"after": "6mo"}},
    "miles": {"expiry": {"inactivity": "30d"}},
    "status": {"spendable": False},
}
QUIET = ["visit", "hold", "redeem", "end", "refund", "return", "level", "tag"]
MAY_FAIL = dict.fromkeys(["hold", "redeem", "end", "refund", "send", "exchange"], (409,))
SIDE = st.integers(0, 1)
STEP = st.one_of(
    st.tuples(st.just("buy"), SIDE, st.integers(1, 60)),
    st.tuples(st.sampled_from(QUIET), SIDE, st.just(0)),
    st.tuples(st.sampled_from(["give", "take", "send", "exchange"]), SIDE, st.integers(1, 30)),
)
Steps = st.lists(STEP, max_size=8)


class Play:
    """Two members, a third one, and what was done so far."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number, self.done = world, number, 0
        self.two = [member(world, f"{number}a"), member(world, f"{number}b")]
        self.third = member(world, f"{number}c")
        self.orders: list[tuple[int, str]] = []
        self.made: list[str] = []

    def step(self, what: str, side: int, amount: int) -> None:
        self.done += 1
        name = f"{self.number}-{self.done}"
        if (what in {"end", "refund"} and not self.made) or (what == "return" and not self.orders):
            return
        answer = self.shop(what, side, amount, name) or self.staff(what, self.two[side], amount, name)
        assert answer is not None, what
        assert answer.status_code in {200, 201, *MAY_FAIL.get(what, ())}, (what, answer.text)

    def shop(self, what: str, side: int, amount: int, name: str) -> Any:
        """What members do."""
        match what:
            case "buy":
                self.orders.append((side, name))
                return self.event("purchase", side, name, lines=[{"sku": "a", "amount": f"{amount}.00"}])
            case "visit":
                return self.event("visit", side, name)
            case "return":
                owner, order = self.orders.pop()
                return self.event("return", owner, name, data={"order": order})
            case "send":
                return ask(self.world, self.two[side], self.third, amount)
            case "exchange":
                return exchange(self.world, self.two[side], amount)
            case _:
                return None

    def staff(self, what: str, who: str, amount: int, name: str) -> Any:
        """What is done for them."""
        match what:
            case "hold" | "redeem":
                body = {"member": who, "reward": "coffee", "reference": name, "confirm": what == "redeem"}
                answer = post(self.world, "/v1/redemptions", body)
                self.made += [answer.json()["id"]] if answer.status_code == 201 else []
                return answer
            case "end" | "refund":
                done = "confirm" if what == "end" else "refund"
                return post(self.world, f"/v1/redemptions/{self.made[-1]}/{done}", None)
            case "level":
                body = {"level": "silver", "reason": "x"}
                return self.world.call("PUT", f"/v1/members/{who}/tiers/status", json=body)
            case "tag":
                return self.world.call("PATCH", f"/v1/members/{who}", json={"tags": ["x"]})
            case _:
                body = {"points": "stars", "amount": amount if what == "give" else -amount, "reason": "x"}
                return post(self.world, f"/v1/members/{who}/adjustments", body, key=name)

    def event(self, kind: str, side: int, name: str, **more: Any) -> Any:
        body = {"type": kind, "external_id": name, "member": {"card": f"{self.number}{'ab'[side]}"}, **more}
        return self.world.call("POST", "/v1/events", json=body)

    def points(self) -> list[tuple[Any, ...]]:
        """All that the two have, of each type: in their wallets and in what they have redeemed."""
        return rows(
            self.world,
            """
            SELECT p.point_type, sum(ledger_change('available', p.source, p.destination, p.amount)
                                     + ledger_change('pending', p.source, p.destination, p.amount)
                                     + ledger_change('held', p.source, p.destination, p.amount)),
                   sum(ledger_change('redeemed', p.source, p.destination, p.amount))
            FROM posting p WHERE p.member_id = ANY (%s::uuid[]) GROUP BY p.point_type ORDER BY p.point_type
            """,
            [one.removeprefix("mem_") for one in self.two],
        )


@pytest.fixture
def club(world: World) -> World:
    open_club(
        world,
        points=POINTS,
        tiers=TIERS,
        rewards=REWARDS,
        campaigns=CAMPAIGNS,
        exchanges={"miles_to_stars": {"give": {"stars": 3}, "get": {"miles": 2}}},
    )
    return world


def test_merged_and_parted_they_are_as_before(club: World) -> None:
    played = 0

    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(Steps)
    def play(steps: list[tuple[str, int, int]]) -> None:
        nonlocal played
        played += 1
        shop = Play(club, played)
        for step in steps:
            shop.step(*step)
        before, points = [whole(club, one) for one in shop.two], shop.points()
        identity = merged(club, *shop.two)
        sound(club)
        assert shop.points() == points
        parted(club, identity)
        assert [whole(club, one) for one in shop.two] == before
        assert shop.points() == points
        sound(club)

    play()


def test_whatever_happens_meanwhile_no_point_is_lost(club: World) -> None:
    played = 0

    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(Steps, Steps)
    def play(steps: list[tuple[str, int, int]], meanwhile: list[tuple[str, int, int]]) -> None:
        nonlocal played
        played += 1
        shop = Play(club, played)
        for step in steps:
            shop.step(*step)
        identity = merged(club, *shop.two)
        for step in meanwhile:
            shop.step(*step)
        points = shop.points()
        sound(club)
        answer = undo(club, identity, short=True)
        assert answer.status_code == 200, answer.text
        assert shop.points() == points
        sound(club)

    play()
