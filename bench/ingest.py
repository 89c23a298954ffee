"""How many purchases a second, against what PostgreSQL itself commits on the same machine at the same time.

    ./dev bench ingest [--json] [--quick] [--workers N]

docs/reference/benchmarks.md says what is measured, and how.
"""

import datetime as dt
import json
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.harness import figures, load
from bench.harness.figures import Tally
from bench.harness.generating import measured_by
from bench.harness.load import Load
from bench.harness.machine import machine
from bench.harness.pgbench import Pgbench
from bench.harness.population import House, buy, enrol, multiply, open_house
from bench.harness.processor import cpu_seconds
from bench.harness.program import arguments, run, say, scratch_server
from bench.harness.serving import Serving, serve

from setia.db.embedded import DATABASE, EmbeddedServer
from setia.db.engine import Database
from setia.ledger.verify import verify

_GROWTH_CLIENTS = 32
# The kernel deals connections out to the server's processes by chance: of four, all may come to one of two processes.
_BULK_CLIENTS = 8
_FEW, _MANY = "bench_few", "bench_many"
_HEAVY_ORIGINALS = 10
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """How large and how long."""

    scale: int = 20
    clients: tuple[int, ...] = (1, 8, 32, 64)
    rounds: int = 3
    seconds: int = 3
    members: int = 1_000
    """Enrolled through the real way in; in the tables of the single and the bulk load five times as many."""
    batch: int = 500
    growth_rounds: int = 3
    growth_seconds: int = 3
    history: int = 5
    """Purchases of a member in the base of `history_x100`."""
    history_members: int = 200
    history_events: int = 800
    """Sent per round; so few that the base's history does not grow much by being measured."""


QUICK = Plan(
    scale=2,
    rounds=1,
    seconds=1,
    members=100,
    growth_rounds=1,
    growth_seconds=1,
    history_members=40,
    history_events=160,
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A running `setia serve`, and who buys there."""

    serving: Serving
    key: str
    cards: range


class Bench:
    """One run."""

    def __init__(self, plan: Plan, server: EmbeddedServer, *, workers: int) -> None:
        self._plan = plan
        self._server = server
        self._workers = workers
        self._pgbench = Pgbench(server)
        self._sent = 0

    def run(self) -> dict[str, Any]:
        """Fill the tables, measure, verify."""
        plan = self._plan
        say(f"pgbench makes its tables (scale {plan.scale})")
        self._pgbench.prepare(plan.scale)
        say("members enrol")
        with Database(self._server.url(), role="bench") as main:
            house = open_house(main)
            base = range(plan.members)
            enrol(main, house, base)
            buy(main, house, base, 1, "fill")
        names = [DATABASE, _FEW, _MANY] if plan.growth_rounds else [DATABASE]
        for name in names[1:]:
            self._clone(name)
        with ExitStack() as stack:
            databases = {name: stack.enter_context(Database(self._server.url(name), role="bench")) for name in names}
            say("and have twins")
            everybody, many = range(multiply(databases[DATABASE], base, len(base), 4).stop), base
            lights, heavies = [base], base
            if plan.growth_rounds:
                many = range(multiply(databases[_MANY], base, len(base), 99).stop)
                lights, heavies = self._histories(databases[DATABASE], house, everybody.stop)
            shop = Shop(stack.enter_context(self._serve(DATABASE)), house.key, everybody)
            self._warm_up(shop)
            self._pgbench.run(_GROWTH_CLIENTS, 1)
            report: dict[str, Any] = {"single": {str(number): self._single(shop, number) for number in plan.clients}}
            report["bulk"] = self._bulk(shop)
            if plan.growth_rounds:
                few_shop = Shop(stack.enter_context(self._serve(_FEW)), house.key, base)
                many_shop = Shop(stack.enter_context(self._serve(_MANY)), house.key, many)
                for one in (few_shop, many_shop):
                    self._warm_up(one)
                    self._reach_everybody(one)
                tallies = {
                    "members_x100": self._growth_of_members(few_shop, many_shop),
                    "history_x100": self._growth_of_history(shop, lights, heavies),
                }
                report["growth"] = {name: figures.growth(*pair) for name, pair in tallies.items()}
                report["growth_of_cpu"] = {name: figures.growth_of_cpu(*pair) for name, pair in tallies.items()}
            say("verify")
            verified = [verify(database) for database in databases.values()]
            for finding in (finding for found in verified for finding in found.findings[:_MOST_TOLD]):
                say(str(finding))
        report["verify"] = {
            "clean": all(found.is_clean for found in verified),
            "entries": sum(found.entries for found in verified),
        }
        return report

    # ----------------------------------------------------------------------------------------------------- the tables

    def _clone(self, name: str) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")

    def _histories(self, database: Database, house: House, first: int) -> tuple[list[range], range]:
        """Members with a short history, other ones for each round, and members with a hundredfold one."""
        plan = self._plan
        copies = plan.history_members // _HEAVY_ORIGINALS
        light, heavy = range(first, first + _HEAVY_ORIGINALS), range(first + 10, first + 10 + _HEAVY_ORIGINALS)
        enrol(database, house, range(light.start, heavy.stop))
        buy(database, house, light, plan.history, "light")
        buy(database, house, heavy, plan.history * 100, "heavy")
        lights = multiply(database, light, heavy.stop, copies * plan.growth_rounds)
        heavies = multiply(database, heavy, lights.stop, copies)
        size = copies * _HEAVY_ORIGINALS
        return [lights[i * size : (i + 1) * size] for i in range(plan.growth_rounds)], heavies

    def _serve(self, name: str) -> AbstractContextManager[Serving]:
        return serve(self._server.url(name), self._server.data_dir, workers=self._workers)

    # ---------------------------------------------------------------------------------------------------- the figures

    def _warm_up(self, shop: Shop) -> None:
        """The first request compiles the program, and the first connections read catalogues."""
        self._send(Tally(), shop, _GROWTH_CLIENTS, seconds=1)

    def _reach_everybody(self, shop: Shop) -> None:
        """An event for each member, more or less, in bulk.

        Copying a database makes a checkpoint, and the first change of a page after one is logged as the whole page.
        With many members that is nearly every change for the first seconds, and hardly any for the quarter of an hour
        that follows: growth is measured in what follows.
        """
        self._send(Tally(), shop, _BULK_CLIENTS, seconds=60, batch=self._plan.batch, events=len(shop.cards))

    def _single(self, shop: Shop, clients: int) -> dict[str, Any]:
        say(f"single purchases and pgbench, {clients} clients")
        events, transactions = Tally(), Tally()
        for _ in range(self._plan.rounds):
            self._transact(transactions, clients)
            self._send(events, shop, clients, seconds=self._plan.seconds)
        return figures.single(events, transactions)

    def _bulk(self, shop: Shop) -> dict[str, Any]:
        say("purchases in bulk and pgbench, 32 clients")
        events, transactions = Tally(), Tally()
        for _ in range(self._plan.rounds):
            self._transact(transactions, _GROWTH_CLIENTS)
            self._send(events, shop, _BULK_CLIENTS, seconds=self._plan.seconds, batch=self._plan.batch)
        return figures.bulk(events, transactions)

    def _growth_of_members(self, few: Shop, many: Shop) -> tuple[Tally, Tally]:
        say("a hundred times the members")
        base, grown = Tally(), Tally()
        for _ in range(self._plan.growth_rounds):
            for tally, shop in ((base, few), (grown, many)):
                self._send(tally, shop, _GROWTH_CLIENTS, seconds=self._plan.growth_seconds)
        return base, grown

    def _growth_of_history(self, shop: Shop, lights: list[range], heavies: range) -> tuple[Tally, Tally]:
        say("a hundred times the history")
        base, grown = Tally(), Tally()
        for light in lights:
            for tally, cards in ((base, light), (grown, heavies)):
                who = Shop(shop.serving, shop.key, cards)
                self._send(tally, who, _GROWTH_CLIENTS, seconds=60, events=self._plan.history_events)
        return base, grown

    def _transact(self, tally: Tally, clients: int) -> None:
        before = self._spent()
        done = self._pgbench.run(clients, self._plan.seconds)
        tally.add(done.done, done.seconds, _since(before, self._spent()) | {"pgbench": done.cpu_seconds})

    def _send(
        self, tally: Tally, shop: Shop, clients: int, *, seconds: float, batch: int = 0, events: int | None = None
    ) -> None:
        self._sent += 1
        wanted = Load(
            port=shop.serving.port,
            key=shop.key,
            clients=clients,
            seconds=seconds,
            first_card=shop.cards.start,
            cards=len(shop.cards),
            source=f"load{self._sent:04d}",
            occurred_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            batch=batch,
            events=events,
            seed=self._sent,
        )
        before = self._spent(shop)
        measured = measured_by(load.__file__, wanted)
        spent = _since(before, self._spent(shop)) | {"generator": measured.cpu_seconds}
        tally.add(measured.events, measured.seconds, spent, measured.latencies_us)

    def _spent(self, shop: Shop | None = None) -> dict[str, float]:
        spent = {"database": cpu_seconds(self._server.postmaster.pid or 0)}
        return spent if shop is None else spent | {"server": cpu_seconds(shop.serving.pid)}


def _since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {program: spent - before[program] for program, spent in after.items()}


def _version(server: EmbeddedServer) -> str:
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


def main() -> int:
    """Measure and print; 1 when verify found something."""
    parser = arguments("ingest", __doc__)
    parser.add_argument("--clients", type=int, nargs="+", metavar="N", help="numbers of clients, instead of 1 8 32 64")
    parser.add_argument("--no-growth", action="store_true", help="leave out what takes the most time to prepare")
    given = parser.parse_args()
    plan = QUICK if given.quick else Plan()
    plan = replace(
        plan,
        clients=tuple(given.clients or plan.clients),
        growth_rounds=0 if given.no_growth else plan.growth_rounds,
    )
    start = time.monotonic()
    with scratch_server(given.folder) as server:
        about = machine(server.data_dir, _version(server))
        if about["load_before"] > about["cores"] / 4:
            say(f"The machine has other work (load {about['load_before']}): the figures will be worse than it can do")
        report = Bench(plan, server, workers=given.workers).run()
    report |= {"machine": about, "workers": given.workers, "seconds": round(time.monotonic() - start, 1)}
    print(json.dumps(report, indent=2) if given.json else figures.as_table(report))
    return 0 if report["verify"]["clean"] else 1


if __name__ == "__main__":
    run(main)
