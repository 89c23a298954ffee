"""Whatever a family does in whatever order, with reviews, freezes and sales between: no point is lost or made."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings

from api_world import World
from events.shop import enrolled, findings, go_live, program, purchase, rows, send
from households.family import PAY, POINTS, join, leave, look, pooled
from rewards.counter import do, overdue
from setia.events.rebuild import rebuild_states

pytestmark = pytest.mark.slow

WHO = st.integers(0, 2)
STEP = st.one_of(
    st.tuples(st.sampled_from(["earn", "buy", "return"]), WHO, st.integers(1, 40)),
    st.tuples(st.sampled_from(["join", "leave", "freeze", "unfreeze"]), WHO, st.just(0)),
    st.tuples(st.sampled_from(["spend", "hold", "draw", "give", "pay"]), WHO, st.integers(1, 60)),
    st.tuples(st.sampled_from(["confirm", "cancel", "refund", "part"]), st.integers(0, 5), st.just(0)),
    st.tuples(st.sampled_from(["approve", "void", "overdue", "give_back"]), st.integers(0, 3), st.just(0)),
)
VELOCITY = {"much": {"per": "member", "every": "1h", "more_than": {"points": "60 stars"}, "on": "purchase"}}
SALES = {"any": {"points": "stars", "price": "0.01"}}


class Family:
    """Three members, a household of the first, and everything that was done so far."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number, self.done = world, number, 0
        self.cards = [f"f{number}x{one}" for one in range(3)]
        self.members = [enrolled(world, card) for card in self.cards]
        made = world.call(
            "POST", "/v1/households", json={"owner": self.members[0]}, headers={"Idempotency-Key": f"f{number}"}
        )
        self.house = made.json()["id"]
        self.redeemed: list[str] = []
        self.orders: list[tuple[int, str]] = []
        self.sales: list[str] = []

    def step(self, what: str, which: int, amount: int) -> None:
        self.done += 1
        acts: dict[str, Callable[[int, int], Response | None]] = {
            "earn": self._earn,
            "return": self._bring_back,
            "buy": self._buy,
            "give_back": self._give_back,
            "join": self._join,
            "leave": self._leave,
            "freeze": self._freeze,
            "unfreeze": self._unfreeze,
            "spend": self._spend,
            "hold": self._hold,
            "pay": self._pay,
            "draw": self._draw,
            "give": self._give,
            "approve": self._approve,
            "void": self._void,
            "overdue": self._overdue,
        }
        answer = acts[what](which, amount) if what in acts else self._end(what, which)
        if answer is not None:
            assert answer.status_code < 500, (what, answer.text)

    def _earn(self, which: int, amount: int) -> Response:
        order = f"{self.number}/{self.done}"
        self.orders.append((which, order))
        return send(self.world, purchase(order, f"{amount}.00", member={"card": self.cards[which]}))

    def _bring_back(self, which: int, _: int) -> Response | None:
        if not self.orders:
            return None
        owner, order = self.orders[which % len(self.orders)]
        back = {"type": "return", "external_id": f"r{self.number}/{self.done}", "data": {"order": order}}
        return send(self.world, back | {"member": {"card": self.cards[owner]}})

    def _buy(self, which: int, amount: int) -> Response:
        body = {"member": self.members[which], "sale": "any", "points": amount, "money": amount}
        answer = self.world.call("POST", "/v1/point-sales", json=body | {"reference": f"{self.number}/{self.done}"})
        self.sales += [answer.json()["id"]] if answer.status_code == 201 else []
        return answer

    def _give_back(self, which: int, _: int) -> Response | None:
        if not self.sales:
            return None
        sale = self.sales[which % len(self.sales)]
        return self.world.call("POST", f"/v1/point-sales/{sale}/refund", json={"reason": "x"})

    def _join(self, which: int, _: int) -> Response:
        return join(self.world, self.house, self.members[which])

    def _leave(self, which: int, _: int) -> Response:
        return leave(self.world, self.house, self.members[which])

    def _freeze(self, which: int, _: int) -> Response:
        return self.world.call("POST", f"/v1/members/{self.members[which]}/points/freeze", json={"reason": "x"})

    def _unfreeze(self, which: int, _: int) -> Response:
        return self.world.call("POST", f"/v1/members/{self.members[which]}/points/unfreeze", json={"reason": "x"})

    def _spend(self, which: int, amount: int) -> Response:
        return self._redeem(which, amount, confirm=True)

    def _hold(self, which: int, amount: int) -> Response:
        return self._redeem(which, amount, confirm=False)

    def _redeem(self, which: int, amount: int, *, confirm: bool) -> Response:
        body = {"member": self.members[which], "reward": "pay", "quantity": amount, "confirm": confirm}
        path = f"/v1/households/{self.house}/redemptions"
        return self._kept(self.world.call("POST", path, json=body | {"reference": f"{self.number}/{self.done}"}))

    def _pay(self, which: int, amount: int) -> Response:
        body = {"member": self.members[which], "points": amount, "confirm": True}
        path = "/v1/payments"
        return self._kept(self.world.call("POST", path, json=body | {"reference": f"{self.number}/{self.done}"}))

    def _kept(self, answer: Response) -> Response:
        self.redeemed += [answer.json()["id"]] if answer.status_code == 201 else []
        return answer

    def _draw(self, which: int, amount: int) -> Response:
        return pooled(self.world, self.house, "draws", self.members[which], amount)

    def _give(self, which: int, amount: int) -> Response:
        return pooled(self.world, self.house, "contributions", self.members[which], amount)

    def _end(self, what: str, which: int) -> Response | None:
        """Confirm, cancel or refund a redemption."""
        if not self.redeemed:
            return None
        redemption = self.redeemed[which % len(self.redeemed)]
        return do(self.world, redemption, "confirm", quantity=1) if what == "part" else do(self.world, redemption, what)

    def _approve(self, which: int, _: int) -> Response | None:
        return self._decide("approve", which)

    def _void(self, which: int, _: int) -> Response | None:
        return self._decide("void", which)

    def _decide(self, what: str, which: int) -> Response | None:
        waiting = self.world.call("GET", "/v1/reviews?state=open").json()["items"]
        if not waiting:
            return None
        review = waiting[which % len(waiting)]["id"]
        return self.world.call("POST", f"/v1/reviews/{review}/{what}", json={"reason": "x"})

    def _overdue(self, _: int, __: int) -> None:
        overdue(self.world)

    def check(self) -> None:
        """The pool is never more than what its members have, and everything that came in is somewhere."""
        seen = look(self.world, self.house)
        for one in seen["members"]:
            wallet = self.world.call("GET", f"/v1/members/{one['member']}/wallets").json()["wallets"][0]
            assert 0 <= one["contribution"]["stars"] <= max(0, wallet["available"])


def test_nothing_is_lost_or_made(world: World) -> None:
    settings_of: dict[str, Any] = {"households": {"leaving": "leave", "order": "even", "share": 60}}
    go_live(world, program(points=POINTS, rewards={"pay": PAY}, sales=SALES, velocity=VELOCITY, **settings_of))
    played = 0

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEP, min_size=4, max_size=20))
    def play(steps: list[tuple[str, int, int]]) -> None:
        nonlocal played
        played += 1
        family = Family(world, played)
        for which in range(3):  # most of what is tried needs more than one, and some points
            family.step("join", which, 0)
            family.step("earn", which, 30)
        for step in steps:
            family.step(*step)
        family.check()
        assert findings(world) == []
        assert rebuild_states(world.database, world.program_id, check=True).different == 0
        [(outside, inside)] = rows(
            world,
            """
            SELECT (SELECT coalesce(sum(CASE WHEN source IN ('issued', 'adjusted', 'transferred', 'redeemed')
                                              AND destination IN ('available', 'pending', 'held') THEN amount
                                             WHEN destination IN ('issued', 'adjusted', 'transferred', 'redeemed')
                                              AND source IN ('available', 'pending', 'held') THEN -amount
                                             ELSE 0 END), 0) FROM posting WHERE point_type = 'stars'),
                   (SELECT coalesce(sum(available + pending + held), 0) FROM wallet WHERE point_type = 'stars')
            """,
        )
        assert outside == inside

    play()
