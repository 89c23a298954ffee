"""Whatever is held, redeemed, refunded, taken below zero and returned while time passes: lots and balances agree.

An oracle knows lots and one debt. Where orders are returned too, which takes points from here and there, it is silent;
then what has to hold of any history is looked at: the ledger proves itself, no lot holds more than the member has, and
in the end nothing is left but what is owed.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from api_world import World
from clock.try_out import TryOut, program
from setia.events.live import LivePrograms
from setia.events.verify import verify
from setia.rewards.expiring import expire_due

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = dt.datetime(2025, 11, 20, 12, tzinfo=dt.UTC)
_names = itertools.count()


class Lot:
    """Points of one earning. What is released pays what is owed first."""

    def __init__(self, amount: int, available_at: dt.datetime, ends_at: dt.datetime) -> None:
        self.left = amount
        self.available_at = available_at
        self.ends_at = ends_at
        self.released = False


class Held(NamedTuple):
    """What is held, or has been redeemed: its id, the lots it came from, and until when it is held."""

    id: str
    parts: list[tuple[Lot, int]]
    until: dt.datetime


class Oracle:
    """One member: lots, and what is owed."""

    def __init__(self) -> None:
        self.lots: list[Lot] = []
        self.debt = 0

    def pass_to(self, now: dt.datetime) -> None:
        for lot in sorted((one for one in self.lots if not one.released), key=lambda one: one.available_at):
            if lot.available_at <= now:
                lot.released = True
                self._pay([lot])

    def spendable(self, now: dt.datetime) -> list[Lot]:
        return [lot for lot in self.lots if lot.released and lot.ends_at > now and lot.left]

    def available(self, now: dt.datetime) -> int:
        return sum(lot.left for lot in self.spendable(now)) - self.debt

    def take(self, wanted: int, now: dt.datetime) -> list[tuple[Lot, int]]:
        parts = []
        for lot in sorted(self.spendable(now), key=lambda one: one.ends_at):
            part = min(lot.left, wanted)
            if part:
                lot.left -= part
                wanted -= part
                parts.append((lot, part))
        self.debt += wanted
        return parts

    def give_back(self, parts: Sequence[tuple[Lot, int]]) -> None:
        for lot, part in parts:
            lot.left += part
        self._pay([lot for lot, _ in parts])

    def bring(self, lot: Lot, now: dt.datetime) -> None:
        self.lots.append(lot)
        self.pass_to(now)

    def _pay(self, lots: Sequence[Lot]) -> None:
        for lot in lots:
            part = min(lot.left, self.debt)
            lot.left -= part
            self.debt -= part


class Spending(RuleBasedStateMachine):
    """One member of a test program whose clock jumps ahead."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.now = BEGIN
        self.numbers = itertools.count()
        self.held: list[Held] = []
        self.redeemed: list[Held] = []
        self.orders: list[str] = []

    @initialize(
        waits=st.sampled_from([0, 3]),
        lives=st.sampled_from([5, 40]),
        fee=st.sampled_from([40, 150]),
        price=st.sampled_from([1, 10, 40]),
        returns=st.booleans(),
    )
    def begin(self, waits: int, lives: int, fee: int, price: int, *, returns: bool) -> None:
        self.waits, self.lives, self.fee, self.price, self.returns = waits, lives, fee, price, returns
        stars: dict[str, Any] = {"expiry": {"after": f"{lives}d"}, "negative": "allow"}
        stars |= {"available_after": f"{waits}d"} if waits else {}
        campaigns = {
            "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
            "fee": {"on": "visit", "deduct": {"stars": fee}},
        }
        whole = program(campaigns=campaigns, **stars)
        whole["program"]["id"] = f"till-{next(_names)}"
        tea = {"kind": "physical", "cost": {"stars": price}, "hold": "2d", "refund_within": "60d", "refund_grace": "3d"}
        whole["rewards"] = {"tea": tea}
        self.here = TryOut.begin(self.world, BEGIN.isoformat(), whole)
        self.oracle = Oracle()
        self.member = self.here.enrol("1")

    def _is_exact(self) -> bool:
        return not self.returns

    # -------------------------------------------------------------------------------------------------------- rules

    @rule(days=st.integers(0, 6), hours=st.sampled_from([0, 1, 12]))
    def pass_time(self, days: int, hours: int) -> None:
        self.now += dt.timedelta(days=days, hours=hours)
        with self.world.database.transaction() as tx:
            tx.exec_driver_sql("UPDATE program SET clock = %s WHERE id = %s", (self.now, self.here.program_id))
        # Holds end by themselves: late, as soon as anything is done with them.
        expire_due(self.world.database, LivePrograms(self.world.database), self.now, self.here.program_id)
        self.oracle.pass_to(self.now)
        for held in [one for one in self.held if one.until <= self.now]:
            self.held.remove(held)
            self.oracle.give_back(held.parts)

    @rule(euros=st.sampled_from([1, 30, 80]))
    def buy(self, euros: int) -> None:
        order = f"e{next(self.numbers)}"
        self.here.buy(order, f"{euros}.00")
        self.orders.append(order)
        here = self.now.astimezone(ZONE).replace(tzinfo=None) + dt.timedelta(days=self.waits)
        available = here.replace(tzinfo=ZONE).astimezone(dt.UTC)
        last = available.astimezone(ZONE).date() + dt.timedelta(days=self.lives + 1)
        self.oracle.bring(Lot(euros, available, dt.datetime.combine(last, dt.time(), ZONE)), self.now)
        self.compare()

    @rule()
    def pay_the_fee(self) -> None:
        self.here.made("POST", "/v1/events", type="visit", external_id=f"e{next(self.numbers)}", member={"card": "1"})
        self.oracle.take(self.fee, self.now)
        self.compare()

    @precondition(lambda self: self.held or self.redeemed)
    @rule()
    def take_more_than_there_is(self) -> None:
        """What comes back later comes back into a debt."""
        for _ in range(max(0, self._available()) // self.fee + 1):
            self.pay_the_fee()

    @rule(at_once=st.booleans())
    def redeem(self, *, at_once: bool) -> None:
        asked = {"member": self.member, "reward": "tea", "reference": f"r{next(self.numbers)}", "confirm": at_once}
        answer = self.here.call("POST", "/v1/redemptions", json=asked)
        if self._is_exact():
            assert (answer.status_code == 201) == (self.oracle.available(self.now) >= self.price), answer.text
        if answer.status_code == 201:
            parts = self.oracle.take(self.price, self.now) if self._is_exact() else []
            held = Held(answer.json()["id"], parts, self.now + dt.timedelta(days=2))
            (self.redeemed if at_once else self.held).append(held)
        self.compare()

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 9), confirm=st.booleans())
    def end_a_hold(self, number: int, *, confirm: bool) -> None:
        held = self.held.pop(number % len(self.held))
        self.here.made("POST", f"/v1/redemptions/{held.id}/{'confirm' if confirm else 'cancel'}")
        if confirm:
            self.redeemed.append(held)
        else:
            self.oracle.give_back(held.parts)
        self.compare()

    @precondition(lambda self: self.redeemed)
    @rule(number=st.integers(0, 9))
    def refund(self, number: int) -> None:
        held = self.redeemed.pop(number % len(self.redeemed))
        answer = self.here.call("POST", f"/v1/redemptions/{held.id}/refund")
        if answer.status_code != 200:
            assert answer.status_code == 409, answer.text  # after 60 days
            return
        grace = self.now.astimezone(ZONE).replace(tzinfo=None) + dt.timedelta(days=3)
        until = grace.replace(tzinfo=ZONE).astimezone(dt.UTC)
        anew = [(Lot(0, self.now, until), part) if lot.ends_at <= self.now else (lot, part) for lot, part in held.parts]
        for lot, _ in anew:
            if lot not in self.oracle.lots:
                lot.released = True
                self.oracle.lots.append(lot)
        self.oracle.give_back(anew)
        self.compare()

    @precondition(lambda self: self.returns and self.orders)
    @rule(number=st.integers(0, 9))
    def cancel(self, number: int) -> None:
        order = self.orders.pop(number % len(self.orders))
        sent = {"type": "cancel", "external_id": f"e{next(self.numbers)}", "member": {"card": "1"}}
        self.here.made("POST", "/v1/events", **sent, data={"order": order})
        self.compare()

    def compare(self) -> None:
        wallets = self.here.call("GET", f"/v1/members/{self.member}/wallets").json()["wallets"]
        [stars] = [wallet for wallet in wallets if wallet["points"] == "stars"]
        lots = self.here.call("GET", f"/v1/members/{self.member}/lots").json()["lots"]
        open_ = sum(lot["remaining"] for lot in lots if not lot["pending"])
        assert open_ == max(0, stars["available"])
        if self._is_exact():
            assert stars["available"] == self.oracle.available(self.now)

    def teardown(self) -> None:
        if not hasattr(self, "oracle"):
            return
        owed = min(0, self._available())
        for held in list(self.held):
            self.end_a_hold(0, confirm=True)
            assert held not in self.held
        self.pass_time(200, 0)
        # What has ended, ended once: only what was owed and never paid is left. What was pending may have paid.
        left = self._available()
        assert owed <= left <= 0
        if self._is_exact():
            assert left == -self.oracle.debt
        assert verify(self.world.database).findings == []

    def _available(self) -> int:
        wallets = self.here.call("GET", f"/v1/members/{self.member}/wallets").json()["wallets"]
        available: int = next(wallet["available"] for wallet in wallets if wallet["points"] == "stars")
        return available


def test_spending_against_an_oracle(world: World) -> None:
    run_state_machine_as_test(
        lambda: Spending(world),  # type: ignore[arg-type] # anything that makes a machine
        settings=settings(
            max_examples=15, stateful_step_count=30, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )
