"""Whatever people and tills do in whatever order: no point, no unit of stock and no code is lost or made."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from api_world import World
from rewards.counter import REWARDS, code, do, findings, member, open_shop, overdue, rows

pytestmark = pytest.mark.slow

STEP = st.one_of(
    st.tuples(st.sampled_from(["hold", "redeem"]), st.sampled_from(["coffee", "mug", "half"]), st.integers(1, 2)),
    st.tuples(
        st.sampled_from(["confirm", "part", "cancel", "refund", "use", "release"]), st.integers(0, 5), st.just(0)
    ),
    st.tuples(st.just("overdue"), st.just(0), st.just(0)),
)


class Play:
    """A shop with one member, and everything that was redeemed so far."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.who = member(world, 1000, f"p{number}")
        self.made: list[dict[str, Any]] = []
        self.codes: dict[int, str] = {}

    def step(self, what: str, subject: Any, quantity: int) -> None:
        if what == "overdue":
            overdue(self.world)
        elif what in {"hold", "redeem"}:
            self.ask(subject, quantity, at_once=what == "redeem")
        elif self.made:
            self.act(what, subject % len(self.made))

    def ask(self, reward: str, quantity: int, *, at_once: bool) -> None:
        body = {"member": self.who, "reward": reward, "quantity": quantity, "confirm": at_once}
        answer = self.world.call(
            "POST", "/v1/redemptions", json=body | {"reference": f"{self.number}/{len(self.made)}"}
        )
        assert answer.status_code in {201, 409}, answer.text
        if answer.status_code == 201:
            self.made.append(answer.json())
            self.keep(len(self.made) - 1, answer.json())

    def act(self, what: str, place: int) -> None:
        redemption = self.made[place]["id"]
        if what == "use" and place in self.codes:
            more = {"total": 700} if self.made[place]["reward"] == "half" else {}
            answer = code(self.world, "redeem", code=self.codes[place], reference=redemption, **more)
        elif what == "release":
            answer = code(self.world, "release", reference=redemption)
        elif what == "part":
            answer = do(self.world, redemption, "confirm", quantity=1)
        elif what != "use":
            answer = do(self.world, redemption, what)
        else:
            return
        assert answer.status_code in {200, 404, 409, 422}, answer.text
        if answer.status_code == 200 and what in {"confirm", "part"}:
            self.keep(place, answer.json())

    def keep(self, place: int, answer: dict[str, Any]) -> None:
        if answer["code"] is not None:
            self.codes[place] = answer["code"]


def test_nothing_is_lost_or_made(world: World) -> None:
    half = {"kind": "discount", "cost": {"stars": 200}, "worth": {"amount": "5.00"}, "quantities": {"most": 2}}
    open_shop(world, rewards={"coffee": REWARDS["coffee"], "mug": REWARDS["mug"], "half": half})
    played = 0

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEP, max_size=14))
    def play(steps: list[tuple[str, Any, int]]) -> None:
        nonlocal played
        played += 1
        shop = Play(world, played)
        for step in steps:
            shop.step(*step)
        assert findings(world) == []
        [(available, held, taken)] = rows(
            world,
            """
            SELECT available, held, (SELECT coalesce(sum(t.amount), 0) FROM redemption r
                CROSS JOIN LATERAL json_to_recordset(r.parts) AS t (amount bigint)
                WHERE r.member_id = w.member_id AND r.state IN ('held', 'confirmed', 'partly'))
            FROM wallet w JOIN member_identifier i USING (member_id) WHERE i.value = %s AND w.point_type = 'stars'
            """,
            f"P{played}",
        )
        [(redeemed,)] = rows(
            world,
            """
            SELECT coalesce(sum(t.amount), 0) FROM redemption r JOIN member_identifier i USING (member_id)
            CROSS JOIN LATERAL json_to_recordset(r.parts) AS t (amount bigint)
            WHERE i.value = %s AND r.state IN ('confirmed', 'partly')
            """,
            f"P{played}",
        )
        assert available + held + redeemed == 1000
        assert held == taken - redeemed

    play()
