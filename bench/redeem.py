"""How many redemptions a second, against what PostgreSQL itself commits on the same machine at the same time.

    ./dev bench redeem [--json] [--quick] [--workers N]

docs/reference/benchmarks.md says what is measured, and how.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.harness import redemptions
from bench.harness.figures import Tally, quantile_ms
from bench.harness.generating import measured_by
from bench.harness.machine import machine
from bench.harness.pgbench import Pgbench
from bench.harness.population import TEMPLATE, enrol, multiply, open_house
from bench.harness.processor import cpu_seconds
from bench.harness.program import arguments, run, scratch_server
from bench.harness.redemptions import Redeeming
from bench.harness.serving import Serving, serve

from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.db.ids import format_id
from setia.identity import service as identity
from setia.identity.scopes import Scope
from setia.ledger.verify import verify
from setia.program.definition import Program
from setia.program.rewards import Reward
from setia.program.templates import load_template
from setia.versions import service as versions

REWARD = "bench_coffee"


@dataclass(frozen=True, slots=True)
class Plan:
    """How large and how long."""

    scale: int = 20
    clients: tuple[int, ...] = (1, 8, 32)
    rounds: int = 3
    seconds: int = 3
    members: int = 1_000
    """Enrolled through the real way in; each has nine twins."""


QUICK = Plan(scale=2, rounds=1, seconds=1, members=100)


class Bench:
    """One run."""

    def __init__(self, plan: Plan, server: EmbeddedServer, *, workers: int) -> None:
        self._plan, self._server, self._workers = plan, server, workers
        self._pgbench = Pgbench(server)
        self._sent = 0

    def run(self) -> dict[str, Any]:
        """Fill the tables, measure, verify."""
        self._pgbench.prepare(self._plan.scale)
        with Database(self._server.url(), role="bench") as database:
            members, key = self._members(database)
            with serve(self._server.url(), self._server.data_dir, workers=self._workers) as serving:
                self._redeem(Tally(), serving, key, members, 8)
                self._pgbench.run(8, 1)
                found = {str(clients): self._measure(serving, key, members, clients) for clients in self._plan.clients}
            report = verify(database)
        return {"redeem": found, "verify": {"clean": report.is_clean, "entries": report.entries}}

    def _members(self, database: Database) -> tuple[list[str], str]:
        """Members with the stars that enrolling gives, and a key that may redeem."""
        house = open_house(database)
        template = load_template(TEMPLATE)
        # A code for each, no stock and no quota: what every redemption pays, and nobody waits for another member.
        reward = Reward.model_validate({"kind": "voucher", "cost": {"stars": 1}, "valid_for": "30d"})
        with database.transaction() as tx:
            definition = Program.model_validate(template.model_dump() | {"rewards": {REWARD: reward.model_dump()}})
            versions.publish(tx, definition, "user:bench")
            key = identity.create_key(tx, house.program_id, "live", [Scope.REWARDS_REDEEM], label="bench")
        base = range(self._plan.members)
        enrol(database, house, base)
        multiply(database, base, len(base), 9)
        with database.raw_connection() as connection:
            rows = connection.execute("SELECT id FROM member ORDER BY id").fetchall()
        return [format_id("mem", row[0]) for row in rows], str(key)

    def _measure(self, serving: Serving, key: str, members: list[str], clients: int) -> dict[str, Any]:
        print(f"redemptions and pgbench, {clients} clients ...", file=sys.stderr, flush=True)
        redeemed, transactions = Tally(), Tally()
        for _ in range(self._plan.rounds):
            done = self._pgbench.run(clients, self._plan.seconds)
            transactions.add(done.done, done.seconds, {"pgbench": done.cpu_seconds})
            self._redeem(redeemed, serving, key, members, clients)
        return {
            "redemptions_per_second": round(redeemed.rate, 1),
            "p50_ms": round(quantile_ms(redeemed.latencies_us, 0.5), 2),
            "p99_ms": round(quantile_ms(redeemed.latencies_us, 0.99), 2),
            "pgbench_tps": round(transactions.rate, 1),
            "ratio": round(redeemed.rate / transactions.rate, 3),
            "generator_cpu_share": redeemed.cpu_share("generator"),
            "cpu_us_per_redemption": redeemed.cpu_us,
        }

    def _redeem(self, tally: Tally, serving: Serving, key: str, members: list[str], clients: int) -> None:
        self._sent += 1
        wanted = Redeeming(
            port=serving.port,
            key=key,
            clients=clients,
            seconds=self._plan.seconds,
            reward=REWARD,
            till=f"till{self._sent:04d}",
            members=members,
        )
        before = self._spent(serving)
        measured = measured_by(redemptions.__file__, wanted)
        after = self._spent(serving)
        spent = {program: after[program] - before[program] for program in after}
        tally.add(measured.events, measured.seconds, spent | {"generator": measured.cpu_seconds}, measured.latencies_us)

    def _spent(self, serving: Serving) -> dict[str, float]:
        return {"database": cpu_seconds(self._server.postmaster.pid or 0), "server": cpu_seconds(serving.pid)}


def as_table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'clients':>8} {'redemptions/s':>14} {'p50 ms':>8} {'p99 ms':>8} {'pgbench':>9} {'ratio':>6}"]
    for clients, row in report["redeem"].items():
        lines.append(
            f"{clients:>8} {row['redemptions_per_second']:>14.0f} {row['p50_ms']:>8.2f} {row['p99_ms']:>8.2f} "
            f"{row['pgbench_tps']:>9.0f} {row['ratio']:>6.2f}"
        )
    verified = "clean" if report["verify"]["clean"] else "FINDINGS"
    lines.append(f"verify: {verified}, {report['verify']['entries']} entries; the run took {report['seconds']:.0f} s")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 1 when verify found something."""
    given = arguments("redeem", __doc__).parse_args()
    start = time.monotonic()
    with scratch_server(given.folder) as server:
        about = machine(server.data_dir, _version(server))
        report = Bench(QUICK if given.quick else Plan(), server, workers=given.workers).run()
    report |= {"machine": about, "workers": given.workers, "seconds": round(time.monotonic() - start, 1)}
    print(json.dumps(report, indent=2) if given.json else as_table(report))
    return 0 if report["verify"]["clean"] else 1


def _version(server: EmbeddedServer) -> str:
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


if __name__ == "__main__":
    run(main)
