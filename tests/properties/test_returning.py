"""Orders, returns and cancelled returns in any order while time passes: the points are those of what was kept.

What an order gives is known for what is left of it: a point for each euro, and 20 more from 50.00 on. Whatever has come
back and gone again, the member has that of all orders together, less what was spent. In the end everything comes back,
and nothing is left but what is owed.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from api_world import World
from clock.try_out import TryOut, program
from setia.events.verify import verify

BEGIN = dt.datetime(2025, 11, 20, 12, tzinfo=dt.UTC)
REVIEW = {"per": "member", "every": "1d", "more_than": {"events": 1}, "on": ["purchase"], "then": "review"}
_names = itertools.count()


class Order:
    """Lines of one unit each, in euros; `back` are the returns that stand: external id -> the lines, None for all."""

    def __init__(self, lines: list[int], reward: int) -> None:
        self.lines = lines
        self.reward = reward
        self.back: dict[str, list[int]] = {}

    @property
    def left(self) -> list[int]:
        gone = {line for lines in self.back.values() for line in lines}
        return [euros for line, euros in enumerate(self.lines) if line not in gone]

    @property
    def points(self) -> int:
        """What it gives, less what its reward costs, which comes back with the last line."""
        paid = sum(self.left)
        return paid + (20 if paid >= 50 else 0) - (self.reward if self.left else 0)


class Returning(RuleBasedStateMachine):
    """One member of a test program whose clock jumps ahead."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.now = BEGIN
        self.numbers = itertools.count()
        self.orders: dict[str, Order] = {}
        self.spent = 0

    @initialize(waits=st.sampled_from([0, 3]), reviews=st.booleans(), merges=st.booleans())
    def begin(self, waits: int, *, reviews: bool, merges: bool) -> None:
        stars: dict[str, Any] = {"negative": "allow"} | ({"available_after": f"{waits}d"} if waits else {})
        campaigns = {
            "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
            "big": {"on": "purchase", "when": "event.total >= 50.0", "earn": {"stars": 20}},
            "fee": {"on": "visit", "deduct": {"stars": 15}},
        }
        whole = program(campaigns=campaigns, **stars)
        whole["program"]["id"] = f"back-{next(_names)}"
        # It takes nothing off, so that what the order earns does not hang on it.
        whole["rewards"] = {"gift": {"kind": "product", "cost": {"stars": 10}, "items": ["gift"]}}
        if reviews:
            whole["velocity"] = {"fast": REVIEW}
        self.here = TryOut.begin(self.world, BEGIN.isoformat(), whole)
        self.member = self.here.enrol("1")
        self.merges = merges

    # -------------------------------------------------------------------------------------------------------- rules

    @rule(days=st.integers(1, 3))
    def pass_time(self, days: int) -> None:
        self.now += dt.timedelta(days=days)
        self.here.advance(self.now.isoformat())
        self.compare()

    @rule(lines=st.lists(st.integers(1, 60), min_size=1, max_size=3), redeems=st.booleans())
    def buy(self, lines: list[int], *, redeems: bool) -> None:
        name = f"o{next(self.numbers)}"
        redeems = redeems and self._balance()[0] >= 10
        sent = [{"sku": f"x{line}", "amount": f"{euros}.00"} for line, euros in enumerate(lines)]
        more: dict[str, Any] = {"pricing": "before", "redeem": [{"reward": "gift"}]} if redeems else {}
        self._send("purchase", name, lines=sent, **more)
        self.orders[name] = Order(lines, 10 if redeems else 0)
        self.compare()

    @rule()
    def pay_the_fee(self) -> None:
        self._send("visit", f"v{next(self.numbers)}")
        self.spent += 15
        self.compare()

    @precondition(lambda self: any(order.left for order in self.orders.values()))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, order in self.orders.items() if order.left]))
        order = self.orders[name]
        gone = {line for lines in order.back.values() for line in lines}
        there = [line for line in range(len(order.lines)) if line not in gone]
        lines = data.draw(st.lists(st.sampled_from(there), min_size=1, unique=True))
        number = f"r{next(self.numbers)}"
        self._send("return", number, data={"order": name, "lines": [{"line": line} for line in lines]})
        order.back[number] = lines
        self.compare()

    @precondition(lambda self: any(order.back for order in self.orders.values()))
    @rule(data=st.data())
    def cancel_a_return(self, data: st.DataObject) -> None:
        known = [(order, number) for order in self.orders.values() for number in order.back]
        order, number = data.draw(st.sampled_from(known))
        again = order.reward if not order.left else 0
        sent = {"type": "cancel", "external_id": f"c{next(self.numbers)}", "member": {"card": "1"}}
        answer = self.here.call("POST", "/v1/events", json=sent | {"data": {"order": number}})
        if again and answer.status_code == 422:
            assert self._balance()[0] < again  # its reward cannot be paid for again
            return
        assert answer.status_code == 201, answer.text
        del order.back[number]
        self.compare()

    @precondition(lambda self: self.merges)
    @rule()
    def merge_into_another_one(self) -> None:
        """Somebody else stands for the member from now on, with all the lots; a review would keep them apart."""
        self.approve()
        number = next(self.numbers)
        other = self.here.enrol(f"other-{number}")
        path = f"/v1/members/{other}/merge"
        self.here.made("POST", path, duplicate=self.member, reason="the same", idempotency_key=f"m{number}")
        self.member, self.merges = other, False
        self.compare()

    @rule()
    def approve(self) -> None:
        for found in self.here.call("GET", "/v1/reviews?state=open").json()["items"]:
            self.here.made("POST", f"/v1/reviews/{found['id']}/approve", reason="looked at it")
        self.compare()

    def compare(self) -> None:
        assert sum(self._balance()) == sum(order.points for order in self.orders.values()) - self.spent

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        for name, order in self.orders.items():
            self._send("cancel", f"e{next(self.numbers)}", data={"order": name})
            order.back["all"] = list(range(len(order.lines)))
        assert self._balance() == (-self.spent, 0)
        assert verify(self.world.database).findings == []

    def _send(self, kind: str, name: str, **more: Any) -> None:
        self.here.made("POST", "/v1/events", type=kind, external_id=name, member={"card": "1"}, **more)

    def _balance(self) -> tuple[int, int]:
        wallets = self.here.call("GET", f"/v1/members/{self.member}/wallets").json()["wallets"]
        return next(((one["available"], one["pending"]) for one in wallets if one["points"] == "stars"), (0, 0))


def test_points_are_those_of_what_was_kept(world: World) -> None:
    run_state_machine_as_test(
        lambda: Returning(world),  # type: ignore[arg-type] # anything that makes a machine
        settings=settings(
            max_examples=15, stateful_step_count=25, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )
