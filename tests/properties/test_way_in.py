"""Random programs and random events through the real way in, against an oracle in plain Python.

The oracle knows nothing of the engine: it adds up what the few rules of the program say. After every run the ledger
proves itself, and every snapshot is deleted and rebuilt (law 9).
"""

import datetime as dt
import itertools
import math
from collections import defaultdict
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from events.submitting import submission
from setia.db.engine import Database
from setia.events.answers import event_out
from setia.events.booked import Booked
from setia.events.clerk import Clerk
from setia.events.live import LivePrograms
from setia.events.rebuild import rebuild_states
from setia.ledger.verify import verify
from setia.program.definition import Program
from setia.versions.service import publish

NOON = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
DAYS = [NOON - dt.timedelta(days=days) for days in range(1, 6)]
_keys = itertools.count()


class Rules(msgspec.Struct, frozen=True):
    """The few figures of a random program."""

    rate: str
    decimals: int
    welcome: int
    visit: int
    visits_a_day: int
    budget: int
    fee: int

    def definition(self, key: str) -> dict[str, Any]:
        """The program as its owner would write it."""
        return {
            "program": {"id": key, "name": "Club", "currency": "EUR", "timezone": "UTC"},
            "points": {"stars": {"decimals": self.decimals}},
            "members": {"unknown": "enrol"},
            "events": {"leave": {}},
            "campaigns": {
                "welcome": {"on": "member_enrolled", "earn": {"stars": self.welcome}},
                "base": {"on": "purchase", "earn": {"stars": f"{self.rate} per 1.00"}},
                "visit": {
                    "on": "visit",
                    "earn": {"stars": self.visit},
                    "limits": [
                        {"per": "member", "every": "day", "uses": self.visits_a_day},
                        {"in_all": f"{self.budget} stars"},
                    ],
                },
                "fee": {"on": "leave", "deduct": {"stars": self.fee}},
            },
            "tiers": [
                {
                    "id": "status",
                    "metric": "spend",
                    "window": "lifetime",
                    "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 100}],
                }
            ],
        }


rules = st.builds(
    Rules,
    rate=st.sampled_from(["1", "0.5", "2.25", "0.333", "10"]),
    decimals=st.integers(0, 2),
    welcome=st.integers(0, 50),
    visit=st.integers(1, 9),
    visits_a_day=st.integers(1, 3),
    budget=st.integers(0, 60),
    fee=st.integers(1, 40),
)
cents = st.lists(st.integers(0, 6000), min_size=1, max_size=3)
cards = st.integers(0, 3)
days = st.integers(0, len(DAYS) - 1)


class Oracle:
    """What the members must have."""

    def __init__(self, program: Rules) -> None:
        self.rules = program
        self.unit = 10**program.decimals
        self.balance: dict[int, int] = {}
        self.spend: dict[int, int] = defaultdict(int)
        self.orders: dict[int, int] = defaultdict(int)
        self.visits: dict[tuple[int, int], int] = defaultdict(int)
        self.budget = program.budget * self.unit

    def join(self, card: int) -> None:
        self.balance.setdefault(card, self.rules.welcome * self.unit)

    def purchase(self, card: int, amounts: list[int]) -> int:
        self.join(card)
        earned: int = math.floor(Fraction(self.rules.rate) * Fraction(sum(amounts), 100) * self.unit)
        self.balance[card] += earned
        self.spend[card] += sum(amounts)
        self.orders[card] += 1
        return earned

    def visit(self, card: int, day: int) -> int:
        self.join(card)
        if self.visits[card, day] >= self.rules.visits_a_day:
            return 0
        earned: int = min(self.rules.visit * self.unit, self.budget)
        self.budget -= earned
        self.balance[card] += earned
        if earned:
            self.visits[card, day] += 1
        return earned

    def leave(self, card: int) -> int:
        self.join(card)
        taken: int = min(self.rules.fee * self.unit, self.balance[card])
        self.balance[card] -= taken
        return -taken


class WayIn(RuleBasedStateMachine):
    """One program and four members; events come singly and together, late, twice, and while versions change."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.programs = LivePrograms(database)
        self.clerk = Clerk(database, self.programs)
        self.key = f"club-{next(_keys)}"
        self.numbers = itertools.count()
        self.sent: list[tuple[dict[str, Any], Booked]] = []
        self.members: dict[int, Any] = {}
        self.waiting: list[tuple[dict[str, Any], int]] = []

    def teardown(self) -> None:
        self.flush()
        self.clerk.close()
        if not hasattr(self, "oracle"):
            return
        assert verify(self.database).findings == []
        assert rebuild_states(self.database, self.program_id, check=True).different == 0
        assert_rebuilt_equal(self.database)
        stored = dict(
            self.rows(
                "SELECT i.value, w.available FROM wallet w JOIN member_identifier i USING (member_id) "
                "WHERE w.program_id = %s",
                self.program_id,
            )
        )
        expected = {str(card): balance for card, balance in self.oracle.balance.items()}
        assert {card: stored.get(card, 0) for card in expected} == expected
        counters = dict(
            self.rows(
                "SELECT i.value, s.counters::jsonb FROM member_state s JOIN member_identifier i USING (member_id) "
                "WHERE s.program_id = %s",
                self.program_id,
            )
        )
        for card in self.oracle.balance:
            lifetime = counters[str(card)].get("lifetime", {})
            assert lifetime.get("orders", 0) == self.oracle.orders[card]
            assert lifetime.get("spend", 0) == self.oracle.spend[card]
            level = "gold" if self.oracle.spend[card] >= 10000 else None
            assert counters[str(card)].get("tiers", {}).get("status") == level

    def rows(self, query: str, *values: object) -> list[Any]:
        with self.database.raw_connection() as connection:
            return connection.execute(query, values).fetchall()

    def event(self, kind: str, card: int, day: int, **more: Any) -> dict[str, Any]:
        name = f"e{next(self.numbers)}"
        who = {"external_id": str(card)}
        return {"type": kind, "external_id": name, "member": who, "occurred_at": DAYS[day].isoformat(), **more}

    def expect(self, event: dict[str, Any], granted: int) -> None:
        self.waiting.append((event, granted))

    def flush(self) -> None:
        """Book what was gathered, in one transaction, and compare."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        answers = self.clerk.book(self.program_id, [submission(event) for event, _ in waiting])
        for (event, granted), answer in zip(waiting, answers, strict=True):
            assert isinstance(answer, Booked), answer
            assert answer.replayed is False
            assert sum(effect.amount for effect in answer.outcome.points) == granted, event
            self.sent.append((event, answer))

    # ------------------------------------------------------------------------------------------------------ rules

    @initialize(program=rules)
    def begin(self, program: Rules) -> None:
        self.oracle = Oracle(program)
        self.publish(program)

    def publish(self, program: Rules) -> None:
        with self.database.transaction() as tx:
            definition = Program.model_validate(program.definition(self.key))
            self.program_id = publish(tx, definition, "test").version.program_id

    @rule(card=cards, amounts=cents, day=days)
    def buy(self, card: int, amounts: list[int], day: int) -> None:
        lines = [{"sku": "x", "amount": f"{amount // 100}.{amount % 100:02}"} for amount in amounts]
        self.expect(self.event("purchase", card, day, lines=lines), self.oracle.purchase(card, amounts))

    @rule(card=cards, day=days)
    def visit(self, card: int, day: int) -> None:
        self.expect(self.event("visit", card, day), self.oracle.visit(card, day))

    @rule(card=cards, day=days)
    def leave(self, card: int, day: int) -> None:
        self.expect(self.event("leave", card, day), self.oracle.leave(card))

    @rule()
    def book(self) -> None:
        self.flush()

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """An event that is known is answered as it was, whatever happened since."""
        if not self.sent:
            return
        event, first = data.draw(st.sampled_from(self.sent))
        [answer] = self.clerk.book(self.program_id, [submission(event)])
        assert isinstance(answer, Booked)
        assert answer.replayed is True
        program = self.programs.version(self.program_id, first.version or 0).compiled
        assert msgspec.json.encode(event_out(program, answer, "en")) == msgspec.json.encode(
            event_out(program, first, "en")
        )

    @rule(rate=st.sampled_from(["1", "3", "0.125"]))
    def change_rate(self, rate: str) -> None:
        self.flush()
        self.oracle.rules = msgspec.structs.replace(self.oracle.rules, rate=rate)
        self.publish(self.oracle.rules)

    @rule(visits=st.integers(1, 3))
    def change_limit(self, visits: int) -> None:
        """A new limit counts what was before it."""
        self.flush()
        self.oracle.rules = msgspec.structs.replace(self.oracle.rules, visits_a_day=visits)
        self.publish(self.oracle.rules)

    @rule()
    def forget_counters(self) -> None:
        """Counters may be deleted at any time: the next event counts them again."""
        self.flush()
        with self.database.transaction() as tx:
            tx.exec_driver_sql("UPDATE member_state SET tracking = '', counters = '{}'")
        rebuild_states(self.database, self.program_id)

    @invariant()
    def nobody_is_below_zero(self) -> None:
        if hasattr(self, "oracle"):
            assert min(self.oracle.balance.values(), default=0) >= 0


def assert_rebuilt_equal(database: Database) -> None:
    """Wallets and lots counted again from the postings are the same rows."""
    with database.raw_connection() as connection:

        def snapshots() -> list[Any]:
            wallets = connection.execute("SELECT to_jsonb(w) FROM wallet w ORDER BY member_id, point_type").fetchall()
            lots = connection.execute("SELECT to_jsonb(l) FROM lot l ORDER BY member_id, seq, line").fetchall()
            return wallets + lots

        before = snapshots()
        connection.execute("SELECT ledger_rebuild(member_id) FROM member_state")
        assert snapshots() == before


def test_the_way_in_against_an_oracle(database: Database) -> None:
    run_state_machine_as_test(
        lambda: WayIn(database),  # type: ignore[arg-type] # anything that makes a machine
        settings=settings(
            max_examples=25, stateful_step_count=30, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    program=rules,
    bought=st.lists(st.tuples(days, st.integers(0, 6000)), min_size=1, max_size=8),
    data=st.data(),
)
def test_neither_order_nor_company_matters_for_sums(
    database: Database, program: Rules, bought: list[tuple[int, int]], data: st.DataObject
) -> None:
    """The same purchases in another order, singly or together: the same balance, sums, windows and level."""
    key = f"club-{next(_keys)}"
    with database.transaction() as tx:
        program_id = publish(tx, Program.model_validate(program.definition(key)), "test").version.program_id
    programs = LivePrograms(database)
    with Clerk(database, programs) as clerk:
        for card in ("singly", "together"):
            order = data.draw(st.permutations(bought))
            together = [
                submission(
                    {
                        "type": "purchase",
                        "external_id": f"{card}/{number}",
                        "member": {"card": card},
                        "occurred_at": DAYS[day].isoformat(),
                        "lines": [{"sku": "x", "amount": f"{amount // 100}.{amount % 100:02}"}],
                    }
                )
                for number, (day, amount) in enumerate(order)
            ]
            for batch in [together] if card == "together" else [[one] for one in together]:
                assert all(isinstance(answer, Booked) for answer in clerk.book(program_id, batch))
    with database.raw_connection() as connection:
        found = connection.execute(
            "SELECT coalesce((SELECT available FROM wallet w WHERE w.member_id = s.member_id), 0), s.counters::jsonb "
            "FROM member_state s WHERE program_id = %s",
            (program_id,),
        ).fetchall()
    for _, counters in found:
        # The first event of a member is its enrolment, so these two follow the order; see `NewMember.enrolled_at`.
        counters.pop("newest_at")
        counters.pop("periods", None)  # a level is held since the moment at which the event arrived
    assert found[0] == found[1]
    assert verify(database).findings == []
