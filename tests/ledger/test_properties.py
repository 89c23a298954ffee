"""Random histories on the real database, against an oracle of plain Python dictionaries (I1 to I9, I12, I13)."""

import copy
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ledger.world import Ledger, at, grant, redeem
from setia.engine.state import Balance
from setia.ledger.adjustments import Terms
from setia.ledger.entries import LotKey, Posting
from setia.ledger.lots import LotsExhausted, burn
from setia.ledger.refusals import InsufficientPoints
from setia.ledger.statement import read_statement
from setia.ledger.wallets import load_balances, open_lots, wallets_as_of

LOTS = "stars"
PLAIN = "status"
AMOUNTS = st.integers(1, 9)


@dataclass
class OracleLot:
    left: int
    pending: bool
    ends: int | None
    earned: int


@dataclass
class Oracle:
    """One member: buckets per point type, lots, and what each entry left behind."""

    buckets: dict[str, dict[str, int]] = field(default_factory=dict)
    lots: dict[LotKey, OracleLot] = field(default_factory=dict)
    past: list[tuple[int, dict[str, dict[str, int]]]] = field(default_factory=list)

    @property
    def next_seq(self) -> int:
        return len(self.past) + 1

    def move(self, point_type: str, source: str, destination: str, amount: int) -> None:
        bucket = self.buckets.setdefault(point_type, {"available": 0, "pending": 0, "held": 0})
        for account, change in ((source, -amount), (destination, amount)):
            if account in bucket:
                bucket[account] += change

    def close(self, minute: int) -> None:
        self.past.append((minute, copy.deepcopy(self.buckets)))

    def take(self, amount: int, minute: int) -> list[tuple[LotKey, int]] | None:
        """The parts a burn takes, point by point; None when there are too few."""
        usable = [
            (key, lot) for key, lot in self.lots.items() if not lot.pending and (lot.ends is None or lot.ends > minute)
        ]
        usable.sort(key=lambda item: (item[1].ends is None, item[1].ends or 0, item[1].earned, item[0]))
        points = [key for key, lot in usable for _ in range(lot.left)][:amount]
        if len(points) < amount:
            return None
        return [(key, points.count(key)) for key in dict.fromkeys(points)]


class Histories(RuleBasedStateMachine):
    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self.minute = 0
        self.members = {ledger.enrol(at(0)): Oracle() for _ in range(2)}

    def pick(self, which: int) -> tuple[UUID, Oracle]:
        self.minute += 1
        return list(self.members.items())[which]

    @rule(
        which=st.integers(0, 1),
        amount=AMOUNTS,
        plain=AMOUNTS,
        pending=st.booleans(),
        ends=st.none() | st.integers(1, 9),
    )
    def earn(self, which: int, amount: int, plain: int, pending: bool, ends: int | None) -> None:  # noqa: FBT001 - drawn values
        member, oracle = self.pick(which)
        end = None if ends is None else self.minute + ends
        posting = grant(amount, pending=pending, earned_at=at(self.minute), expires_at=None if end is None else at(end))
        oracle.lots[LotKey(oracle.next_seq, 0)] = OracleLot(amount, pending, end, self.minute)
        oracle.move(LOTS, "issued", posting.destination, amount)
        oracle.move(PLAIN, "issued", "available", plain)
        self.ledger.post(member, posting, grant(plain, PLAIN, lot=False), now=at(self.minute))
        oracle.close(self.minute)

    @rule(which=st.integers(0, 1), amount=st.integers(1, 25))
    def spend(self, which: int, amount: int) -> None:
        member, oracle = self.pick(which)
        with self.ledger.database.raw_connection() as connection:
            lots = open_lots(connection, member, LOTS)
        expected = oracle.take(amount, self.minute)
        try:
            taken = [(lot.key, part) for lot, part in burn(lots, amount, at(self.minute))]
        except LotsExhausted:
            taken = None
        assert taken == expected
        if taken is not None:
            self.ledger.post(member, *(redeem(part, key) for key, part in taken), now=at(self.minute))
            self._taken(oracle, taken, "redeemed")

    @rule(which=st.integers(0, 1), amount=st.integers(-25, 9).filter(bool))
    def adjust(self, which: int, amount: int) -> None:
        member, oracle = self.pick(which)
        if amount > 0:
            done = self.ledger.adjust(member, amount, now=at(self.minute))
            oracle.lots[LotKey(oracle.next_seq, 0)] = OracleLot(amount, False, None, self.minute)
            oracle.move(LOTS, "adjusted", "available", amount)
            oracle.close(self.minute)
            assert done.balance.available == oracle.buckets[LOTS]["available"]
            return
        expected = oracle.take(-amount, self.minute)
        if expected is None:
            with pytest.raises(InsufficientPoints):
                self.ledger.adjust(member, amount, now=at(self.minute))
        else:
            self.ledger.adjust(member, amount, now=at(self.minute))
            self._taken(oracle, expected, "adjusted")

    @rule(which=st.integers(0, 1), amount=st.integers(1, 25))
    def overdraw(self, which: int, amount: int) -> None:
        member, oracle = self.pick(which)
        available = oracle.buckets.get(PLAIN, {}).get("available", 0)
        with pytest.raises(InsufficientPoints):
            self.ledger.adjust(member, -available - amount, point_type=PLAIN, terms=Terms(in_lots=False))

    @precondition(lambda self: any(lot.left for oracle in self.members.values() for lot in oracle.lots.values()))
    @rule(data=st.data())
    def end_or_release(self, data: st.DataObject) -> None:
        open_ = [(m, k) for m, oracle in self.members.items() for k, lot in oracle.lots.items() if lot.left]
        member, key = data.draw(st.sampled_from(open_))
        oracle, self.minute = self.members[member], self.minute + 1
        lot = oracle.lots[key]
        source = "pending" if lot.pending else "available"
        destination = data.draw(st.sampled_from(["issued", "expired", *(["available"] if lot.pending else [])]))
        amount = lot.left if destination == "available" else data.draw(st.integers(1, lot.left))
        self.ledger.post(
            member,
            Posting(point_type=LOTS, source=source, destination=destination, amount=amount, lot=key),  # type: ignore[arg-type]  # drawn values
            now=at(self.minute),
        )
        oracle.move(LOTS, source, destination, amount)
        if destination == "available":
            lot.pending = False
        else:
            lot.left -= amount
        oracle.close(self.minute)

    def _taken(self, oracle: Oracle, parts: list[tuple[LotKey, int]], destination: str) -> None:
        for key, part in parts:
            oracle.lots[key].left -= part
            oracle.move(LOTS, "available", destination, part)
        oracle.close(self.minute)

    @invariant()
    def balances_and_lots_are_those_of_the_oracle(self) -> None:
        with self.ledger.database.raw_connection() as connection:
            assert load_balances(connection, self.members) == {
                member: {name: Balance(**bucket) for name, bucket in oracle.buckets.items()}
                for member, oracle in self.members.items()
            }
            for member, oracle in self.members.items():
                assert {lot.key: (lot.remaining, lot.pending) for lot in open_lots(connection, member, LOTS)} == {
                    key: (lot.left, lot.pending) for key, lot in oracle.lots.items() if lot.left
                }

    def teardown(self) -> None:
        with self.ledger.database.raw_connection() as connection:
            for member, oracle in self.members.items():
                for minute, buckets in oracle.past:
                    shown = wallets_as_of(connection, member, at(minute))
                    assert shown == {name: Balance(**bucket) for name, bucket in buckets.items()}
                page = read_statement(connection, member, limit=200)
                assert [entry.seq for entry in page.entries] == list(range(len(oracle.past), 0, -1))
                for entry in page.entries:
                    # Newest line first: the first of each point type shows the balance after the whole entry.
                    for name in {line.point_type for line in entry.lines}:
                        newest = next(line for line in entry.lines if line.point_type == name)
                        assert newest.balance == Balance(**oracle.past[entry.seq - 1][1][name])
        before = [self.ledger.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in ("wallet", "lot")]
        self.ledger.tamper("DELETE FROM wallet", "DELETE FROM lot")
        self.ledger.rows("SELECT ledger_rebuild(member_id) FROM member_state")
        assert [self.ledger.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in ("wallet", "lot")] == before
        assert self.ledger.findings() == []


@pytest.mark.slow
def test_any_history_agrees_with_the_oracle(ledger: Ledger) -> None:
    class HistoriesHere(Histories):
        def __init__(self) -> None:
            super().__init__(ledger)

    run_state_machine_as_test(
        HistoriesHere,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_threads_that_give_and_take_at_once_leave_exact_balances(ledger: Ledger) -> None:
    members = [ledger.enrol() for _ in range(3)]
    seed = random.Random(7)  # noqa: S311 - the same jobs each time
    jobs = [(seed.choice(members), seed.choice([5, 9, -4, -7])) for _ in range(120)]

    def work(job: tuple[UUID, int]) -> tuple[UUID, int]:
        try:
            ledger.adjust(*job)
        except InsufficientPoints:
            return job[0], 0
        return job

    with ThreadPoolExecutor(12) as threads:
        done = list(threads.map(work, jobs))

    with ledger.database.raw_connection() as connection:
        balances = load_balances(connection, members)
    for member in members:
        assert balances[member]["stars"].available == sum(amount for one, amount in done if one == member)
    assert ledger.findings() == []
