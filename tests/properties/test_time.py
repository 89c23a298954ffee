"""Whatever order jobs, repeated jobs, reads and events come in: time does to a member what it should, once.

An oracle in plain Python knows lots and levels of a small program, and nothing of the engine. After each history the
ledger proves itself, and everything is counted again from the journal (law 9).
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from api_world import World
from clock.try_out import TryOut, program
from properties.test_way_in import assert_rebuilt_equal
from setia.events.due_check import is_late
from setia.events.live import LivePrograms
from setia.events.rebuild import rebuild_states
from setia.events.settling import settle_due
from setia.events.verify import verify

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = dt.datetime(2025, 11, 20, 12, tzinfo=dt.UTC)
_names = itertools.count()
CARDS = ("1", "2")


class Lot:
    """Points of one earning: pending until, spendable before."""

    def __init__(self, earned_at: dt.datetime, amount: int, waits: int, lives: int) -> None:
        here = earned_at.astimezone(ZONE)
        available = here.replace(tzinfo=None) + dt.timedelta(days=waits)
        self.available_at = available.replace(tzinfo=ZONE).astimezone(dt.UTC) if waits else earned_at
        last = self.available_at.astimezone(ZONE).date() + dt.timedelta(days=lives + 1)
        self.ends_at = dt.datetime.combine(last, dt.time(), ZONE).astimezone(dt.UTC)
        self.left = amount

    def is_spendable(self, now: dt.datetime) -> bool:
        return self.available_at <= now < self.ends_at


class Oracle:
    """One member: what can be spent at any moment, and which level shows."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.lots: list[Lot] = []
        self.spend: dict[int, int] = {}
        self.gold_until: dt.datetime | None = None
        self.given_until: dt.datetime | None = None

    def spendable(self, now: dt.datetime) -> int:
        return sum(lot.left for lot in self.lots if lot.is_spendable(now))

    def pending(self, now: dt.datetime) -> int:
        return sum(lot.left for lot in self.lots if now < lot.available_at)

    def take(self, wanted: int, now: dt.datetime) -> int:
        """Earliest end first; what is not there is not taken."""
        taken = 0
        for lot in sorted((lot for lot in self.lots if lot.is_spendable(now)), key=lambda lot: lot.ends_at):
            part = min(lot.left, wanted - taken)
            lot.left -= part
            taken += part
        return taken

    def review(self, now: dt.datetime) -> None:
        """Gold is held to the end of the year, and for another one by what that year had."""
        while self.gold_until is not None and self.gold_until <= now:
            ended = self.gold_until.astimezone(ZONE).year - 1
            self.gold_until = _year_end(ended + 1) if self.spend.get(ended, 0) >= self.keep else None

    def buy(self, euros: int, now: dt.datetime) -> None:
        self.review(now)
        year = now.astimezone(ZONE).year
        self.spend[year] = self.spend.get(year, 0) + euros
        if self.gold_until is None and self.spend[year] >= 100:
            self.gold_until = _year_end(year)

    def level(self, now: dt.datetime) -> str:
        self.review(now)
        given = self.given_until is not None and now < self.given_until
        return "gold" if given or self.gold_until is not None else "green"


def _year_end(year: int) -> dt.datetime:
    return dt.datetime(year + 1, 1, 1, tzinfo=ZONE).astimezone(dt.UTC)


class Time(RuleBasedStateMachine):
    """Two members of a test program whose clock jumps ahead; nobody settles unless a rule says so."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.now = BEGIN
        self.numbers = itertools.count()

    @initialize(
        waits=st.sampled_from([0, 3, 14]),
        lives=st.sampled_from([0, 5, 40]),
        keep=st.sampled_from([40, 100]),
        fee=st.integers(1, 60),
    )
    def begin(self, waits: int, lives: int, keep: int, fee: int) -> None:
        self.waits, self.lives, self.fee = waits, lives, fee
        levels = [{"id": "green", "from": 0}, {"id": "gold", "from": 100, "keep_from": keep}]
        stars: dict[str, Any] = {"expiry": {"after": f"{lives}d"}} | ({"available_after": f"{waits}d"} if waits else {})
        campaigns = {
            "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
            "fee": {"on": "visit", "deduct": {"stars": fee}},
        }
        whole = program(campaigns=campaigns, **stars)
        whole["program"]["id"] = f"club-{next(_names)}"
        whole["tiers"] = [{"id": "t", "metric": "spend", "window": "calendar_year", "levels": levels}]
        self.here = TryOut.begin(self.world, BEGIN.isoformat(), whole)
        self.oracles = {card: Oracle(keep) for card in CARDS}
        self.members = {card: self.here.enrol(card) for card in CARDS}

    # -------------------------------------------------------------------------------------------------------- rules

    @rule(days=st.integers(0, 20), hours=st.sampled_from([0, 1, 11, 12]))
    def pass_time(self, days: int, hours: int) -> None:
        """The clock goes on, and nobody does anything about it."""
        self.now += dt.timedelta(days=days, hours=hours)
        with self.world.database.transaction() as tx:
            tx.exec_driver_sql("UPDATE program SET clock = %s WHERE id = %s", (self.now, self.here.program_id))

    @rule(card=st.sampled_from(CARDS), euros=st.integers(0, 80))
    def buy(self, card: str, euros: int) -> None:
        answer = self.here.buy(f"e{next(self.numbers)}", f"{euros}.00", card)
        oracle = self.oracles[card]
        oracle.buy(euros, self.now)
        if euros:
            oracle.lots.append(Lot(self.now, euros, self.waits, self.lives))
        self.compare(card, answer["balances"].get("stars", {"available": 0, "pending": 0}), answer["tiers"]["t"])

    @rule(card=st.sampled_from(CARDS))
    def pay_the_fee(self, card: str) -> None:
        answer = self.here.made(
            "POST", "/v1/events", type="visit", external_id=f"e{next(self.numbers)}", member={"card": card}
        )
        assert answer["granted"].get("stars", 0) == -self.oracles[card].take(self.fee, self.now)

    @rule(card=st.sampled_from(CARDS), much=st.integers(1, 100))
    def take_by_hand(self, card: str, much: int) -> None:
        body = {"points": "stars", "amount": -much, "reason": "Test"}
        path = f"/v1/members/{self.members[card]}/adjustments"
        headers = {"Idempotency-Key": f"k{next(self.numbers)}"}
        answer = self.here.call("POST", path, json=body, headers=headers)
        if much <= self.oracles[card].spendable(self.now):
            assert answer.status_code == 201, answer.text
            assert self.oracles[card].take(much, self.now) == much
        else:
            assert answer.status_code in {409, 422}, answer.text

    @rule(card=st.sampled_from(CARDS), days=st.integers(1, 60))
    def give_gold(self, card: str, days: int) -> None:
        until = self.now + dt.timedelta(days=days)
        body = {"level": "gold", "until": until.isoformat(), "reason": "Test"}
        answer = self.here.call("PUT", f"/v1/members/{self.members[card]}/tiers/t", json=body)
        assert answer.status_code == 200, answer.text
        self.oracles[card].given_until = until
        assert answer.json()["tiers"][0]["level"] == "gold"

    @rule(card=st.sampled_from(CARDS))
    def look(self, card: str) -> None:
        wallets = self.here.call("GET", f"/v1/members/{self.members[card]}/wallets").json()["wallets"]
        [stars] = [wallet for wallet in wallets if wallet["points"] == "stars"]
        [tier] = self.here.call("GET", f"/v1/members/{self.members[card]}/tiers").json()["tiers"]
        self.compare(card, stars, tier["level"])

    @rule(times=st.integers(1, 2))
    def run_the_job(self, times: int) -> None:
        for _ in range(times):
            settle_due(self.world.database, LivePrograms(self.world.database), self.here.program_id, self.now)

    @rule(much=st.sampled_from(["tracking = ''", "tracking = '', counters = '{}'", "due_at = NULL"]))
    def forget_and_rebuild(self, much: str) -> None:
        """Snapshots may be lost at any time: they are made again, and nothing is missed."""
        with self.world.database.transaction() as tx:
            tx.exec_driver_sql(f"UPDATE member_state SET {much} WHERE program_id = %s", (self.here.program_id,))
        rebuild_states(self.world.database, self.here.program_id)

    def compare(self, card: str, stars: dict[str, int], level: str) -> None:
        oracle = self.oracles[card]
        found = stars["available"], stars["pending"], level
        assert found == (oracle.spendable(self.now), oracle.pending(self.now), oracle.level(self.now))

    def teardown(self) -> None:
        if not hasattr(self, "oracles"):
            return
        for card in CARDS:
            self.look(card)
        assert rebuild_states(self.world.database, self.here.program_id, check=True).differences == []
        assert verify(self.world.database).findings == []
        before = self.snapshot()
        with self.world.database.transaction() as tx:
            tx.exec_driver_sql(
                "UPDATE member_state SET tracking = '', counters = '{}', due_at = NULL WHERE program_id = %s",
                (self.here.program_id,),
            )
        rebuild_states(self.world.database, self.here.program_id)
        after = self.snapshot()
        assert [row[:-1] for row in after] == [row[:-1] for row in before]
        for (*_, was), (*_, now) in zip(before, after, strict=True):
            # What was known of the next moment may have been too early, never too late.
            assert not is_late(was, now, self.now)
        assert_rebuilt_equal(self.world.database)

    def snapshot(self) -> list[tuple[Any, ...]]:
        with self.world.database.raw_connection() as connection:
            query = (
                "SELECT member_id, seq, tracking, counters::jsonb, due_at FROM member_state WHERE program_id = %s "
                "ORDER BY member_id"
            )
            return connection.execute(query, (self.here.program_id,)).fetchall()


def test_time_against_an_oracle(world: World) -> None:
    run_state_machine_as_test(
        lambda: Time(world),  # type: ignore[arg-type] # anything that makes a machine
        settings=settings(
            max_examples=10, stateful_step_count=20, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )
